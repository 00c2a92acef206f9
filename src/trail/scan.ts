import type { TagUse } from "../code/uses.ts";
import { type Tag, tagText } from "../pool/tag.ts";
import { ModuleCodes } from "./module-codes.ts";
import { placeOf } from "./places.ts";
import { bytesAt, findTag, originAt, type SearchLimits, type Sighting } from "./references.ts";
import { neighboursOf } from "./symbols.ts";
import type { TrailTarget } from "./target.ts";
import type { Reference, Scan } from "./trail.ts";

/** Finds a tag in every module, and tells of each place what the code does there and in which function. */
export function scanTag(
  target: TrailTarget,
  tag: Tag,
  limits: SearchLimits = {},
  codes: ModuleCodes = new ModuleCodes(target),
): Scan {
  const { found, coverage } = findTag(target, tag.key, limits);
  const reader = new ReferenceReader(target, codes);
  const notes: string[] = [];
  if (found.length === 0 && /^[^ ]+ +$/.test(tag.text)) {
    const padded = withZeros(tag.key);
    const others = findTag(target, padded, limits).found.length;
    if (others > 0) {
      notes.push(
        `padded with zeros instead of spaces it stands at ${others} places; that is another tag: ${tagText(padded)}`,
      );
    }
  }
  return {
    tag: tag.text,
    references: found.map((sighting) => reader.read(sighting)),
    coverage,
    notes,
  };
}

/** Looks at each sighting with the eyes of its own module's code, which is decoded once. */
class ReferenceReader {
  readonly #target: TrailTarget;
  readonly #codes: ModuleCodes;

  constructor(target: TrailTarget, codes: ModuleCodes) {
    this.#target = target;
    this.#codes = codes;
  }

  read(sighting: Sighting): Reference {
    const { module, address, rva } = sighting;
    const use = this.#codes.of(module)?.uses.at(rva);
    return {
      address,
      module: module.name,
      rva,
      section: module.image?.sectionAt(rva)?.name ?? null,
      ...bytesAt(this.#target, address),
      use: use?.use ?? "unknown",
      detail: detailOf(use, sighting),
      allocationSize: use?.size ?? null,
      poolType: use?.poolType ?? use?.poolFlags ?? null,
      function: placeOf(module, address),
      nearest: neighboursOf(this.#target, address).below,
      origin: originAt(this.#target, address),
    };
  }
}

function detailOf(use: TagUse | undefined, sighting: Sighting): string | null {
  const parts = [use?.detail, use?.via, sighting.protected ? "with the protected bit" : undefined];
  return parts.filter((part) => part !== undefined).join("; ") || null;
}

/** The tag's trailing spaces as zeros: what a driver has that pads a short tag with nothing. */
function withZeros(key: number): number {
  let padded = key;
  for (let shift = 24; shift > 0 && ((padded >>> shift) & 0xff) === 0x20; shift -= 8)
    padded &= ~(0xff << shift);
  return padded >>> 0;
}
