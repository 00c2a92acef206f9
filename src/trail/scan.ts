import type { TagUse } from "../code/reached.ts";
import { madeNumbers } from "../code/straight-uses.ts";
import { groupBy } from "../core/search.ts";
import type { Image } from "../pe/image.ts";
import { type Tag, tagText } from "../pool/tag.ts";
import { ModuleCodes } from "./module-codes.ts";
import { placeOf } from "./places.ts";
import { bytesAt, findTag, originAt, type SearchLimits, type Sighting } from "./references.ts";
import { neighboursOf } from "./symbols.ts";
import type { TrailModule, TrailTarget } from "./target.ts";
import type { Reference, Scan } from "./trail.ts";

/** Finds a tag in every module, and tells of each place what the code does there and in which function. */
export function scanTag(
  target: TrailTarget,
  tag: Tag,
  limits: SearchLimits = {},
  codes: ModuleCodes = new ModuleCodes(target),
): Scan {
  const { found: bytes, coverage } = findTag(target, tag.key, limits);
  const undecoded = target.modules.filter(({ image }) => image !== undefined && !isDecoded(image));
  const found = [...bytes, ...undecoded.flatMap((module) => madeIn(module, tag.key, codes))];
  const reader = new ReferenceReader(target, codes);
  const notes = undecodedNotes(undecoded);
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
    undecoded: undecoded.map(({ name }) => name),
    notes,
  };
}

function isDecoded({ machine }: Image): boolean {
  return machine === "x64" || machine === "x86";
}

/** Tags whose bytes stand nowhere, since ARM64 code makes them of two halves. */
function madeIn(module: TrailModule, key: number, codes: ModuleCodes): readonly Sighting[] {
  const decoded = module.image?.machine === "arm64" ? codes.of(module) : undefined;
  if (decoded === undefined) return [];
  const plain = key & 0x7fffffff;
  return madeNumbers(decoded.image.code, [plain, (plain | 0x80000000) >>> 0]).map(({ rva, key: made }) => ({
    module,
    address: decoded.image.image.addressOf(rva),
    rva,
    protected: made !== plain,
  }));
}

/** What cannot be said of code that is not decoded: that a tag stands nowhere in it, or that it calls nobody. */
function undecodedNotes(modules: readonly TrailModule[]): string[] {
  const byMachine = groupBy(modules, ({ image }) => image?.machine ?? "");
  return [...byMachine].map(([machine, alike]) => {
    const names = alike.map(({ name }) => name);
    const shown = names.slice(0, 6).join(", ") + (names.length > 6 ? ` and ${names.length - 6} more` : "");
    const looked =
      machine === "arm64"
        ? "looked for were tags that stand there whole or are made by a MOVZ and a MOVK, and calls in straight lines of code"
        : "only the tag's bytes were looked for, and no calls";
    return `the ${machine} code of ${shown} is not decoded as a whole: ${looked}; what is not found may be there`;
  });
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
      // A constant among code is no part of the function that seems to be around it.
      function: use?.users !== undefined && use.instruction === undefined ? null : placeOf(module, address),
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
