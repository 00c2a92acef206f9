import { advance, rva, type Va } from "../core/address.ts";
import type { Image } from "../pe/image.ts";
import type { ExportsDocument } from "../report/documents.ts";
import { stopText } from "../report/words.ts";

/** Follows a forwarder to the function that it stands for. */
export type FollowForwarder = (
  forwarder: string,
) => { readonly module: string; readonly name: string | null; readonly address: Va } | null;

/** The export table of one image, in order of ordinal. */
export function exportsDocument(name: string, image: Image, follow: FollowForwarder): ExportsDocument {
  const { items, stopped } = image.exports;
  return {
    module: name,
    exports: items.map((item) => ({
      name: item.name,
      ordinal: item.ordinal,
      address: item.forwarder === undefined ? advance(image.base, item.rva) : null,
      rva: rva(item.rva),
      forwarder: item.forwarder ?? null,
      forwardedTo: item.forwarder === undefined ? null : follow(item.forwarder),
    })),
    notes: stopped === undefined ? [] : [`the export table ends early: ${stopText(stopped)}`],
  };
}
