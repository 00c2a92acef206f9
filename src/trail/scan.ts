import { type Tag, tagText } from "../pool/tag.ts";
import { placeOf } from "./places.ts";
import { bytesAt, findTag, originAt, type SearchLimits, type Sighting } from "./references.ts";
import { neighboursOf } from "./symbols.ts";
import type { TrailTarget } from "./target.ts";
import type { Reference, Scan } from "./trail.ts";

/** Finds a tag in every module, and tells of each place what the code does there and in which function. */
export function scanTag(target: TrailTarget, tag: Tag, limits: SearchLimits = {}): Scan {
  const { found, coverage } = findTag(target, tag.key, limits);
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
    references: found.map((sighting) => referenceOf(target, sighting)),
    coverage,
    notes,
  };
}

function referenceOf(target: TrailTarget, sighting: Sighting): Reference {
  const { module, address } = sighting;
  const { below } = neighboursOf(target, address);
  return {
    address,
    module: module.name,
    rva: sighting.rva,
    section: module.image?.sectionAt(sighting.rva)?.name ?? null,
    ...bytesAt(target, address),
    use: "unknown",
    detail: sighting.protected ? "with the protected bit" : null,
    allocationSize: null,
    poolType: null,
    function: placeOf(module, address),
    nearest: below,
    origin: originAt(target, address),
  };
}

/** The tag's trailing spaces as zeros: what a driver has that pads a short tag with nothing. */
function withZeros(key: number): number {
  let padded = key;
  for (let shift = 24; shift > 0 && ((padded >>> shift) & 0xff) === 0x20; shift -= 8)
    padded &= ~(0xff << shift);
  return padded >>> 0;
}
