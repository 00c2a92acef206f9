import { advance, hex, rva, type Va } from "../core/address.ts";
import type { ExportGap } from "../pe/exports.ts";
import type { Image } from "../pe/image.ts";
import type { ExportsDocument } from "./documents.ts";
import { layoutNotes } from "./image-notes.ts";
import { plural, stopText } from "./words.ts";

/** Follows a forwarder to the function that it stands for. */
export type FollowForwarder = (
  forwarder: string,
) => { readonly module: string; readonly name: string | null; readonly address: Va } | null;

/** The export table of one image, in order of ordinal. */
export function exportsDocument(name: string, image: Image, follow: FollowForwarder): ExportsDocument {
  const { items, gaps } = image.exports;
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
    notes: [...layoutNotes(image), ...gaps.map(gapNote), ...outsideNotes(image)],
  };
}

/** Where what a module exports cannot be read whole: names of it that are shown elsewhere can be missing, or another's. */
export function missingNamesNote(name: string, image: Image): readonly string[] {
  const [first, ...more] = image.exports.gaps.filter(
    ({ part }) => part !== "dll-name" && part !== "forwarder",
  );
  if (first === undefined) return [];
  const further = more.length === 0 ? "" : " and more";
  return [`names of ${name} can be missing here: ${gapNote(first)}${further}`];
}

function gapNote({ part, count, stopped }: ExportGap): string {
  const why = stopText(stopped);
  switch (part) {
    case "table":
      return `the export table ends early: ${why}`;
    case "names":
      return `the table of export names ends early: ${why}`;
    case "name":
      return `${plural(count, "export name")} cannot be read${count > 1 ? ", the first" : ""}: ${why}`;
    case "forwarder":
      return `${plural(count, "forwarder")} cannot be read${count > 1 ? ", the first" : ""}: ${why}`;
    case "dll-name":
      return `the image's own name in its export table cannot be read: ${why}`;
  }
}

/** Exports at RVAs that the image does not have are no functions. */
function outsideNotes(image: Image): readonly string[] {
  const outside = image.exports.items.filter((item) => item.rva >= image.size).length;
  if (outside === 0) return [];
  const stand = outside === 1 ? "export stands" : "exports stand";
  return [`${outside} ${stand} outside the image of ${hex(image.size)} bytes`];
}
