import { madeNumbers } from "../code/straight-uses.ts";
import type { Seen, UseKind, Via } from "../code/tag-use.ts";
import { type Rva, rva, type Va } from "../core/address.ts";
import { groupBy } from "../core/search.ts";
import type { Image } from "../pe/image.ts";
import { type Tag, tagText } from "../pool/tag.ts";
import { type FunctionPlace, placeOf } from "./function-place.ts";
import { ModuleCodes } from "./module-codes.ts";
import {
  bytesAt,
  type Coverage,
  littleEndian,
  originAt,
  type SearchLimits,
  type Sightings,
  searchModules,
} from "./module-search.ts";
import { neighboursOf } from "./symbols.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** A place in an image where the tag's four bytes stand. */
export interface Reference {
  readonly address: Va;
  readonly module: string;
  readonly rva: Rva;
  readonly section: string | null;
  /** Sixteen bytes from `address` on, two digits each, `??` where one cannot be read. */
  readonly bytes: string;
  /** The same bytes as text, `.` where one is not printable. */
  readonly text: string;
  readonly use: UseKind;
  /** What was seen that makes it this use; null where there is no code to look at. */
  readonly seen: Seen | null;
  readonly via: readonly Via[];
  /** It stands there with its protected bit, 0x80000000. */
  readonly protected: boolean;
  /** In bytes, where the allocation's size is a constant. */
  readonly allocationSize: number | null;
  /** POOL_TYPE, or the low 32 bits of POOL_FLAGS for ExAllocatePool2, where constant. */
  readonly poolType: number | null;
  /** The function it stands in, on the basis that it says; null where none is known. */
  readonly function: FunctionPlace | null;
  /** The exported function below it: a hint, and never the function's name. */
  readonly nearest: { readonly name: string; readonly address: Va; readonly offset: number } | null;
  /** `file` where the bytes come from a PE file given by the user. */
  readonly origin: "dump" | "file";
}

export interface Scan {
  /** The tag's four characters. */
  readonly tag: string;
  readonly references: readonly Reference[];
  readonly coverage: readonly Coverage[];
  /** Modules whose code is not decoded: that the tag is not found there is no proof that it stands nowhere. */
  readonly undecoded: readonly string[];
  readonly notes: readonly string[];
}

/** Finds a tag in every module, and tells of each place what the code does there and in which function. */
export function scanTag(
  target: TrailTarget,
  tag: Tag,
  limits: SearchLimits = {},
  codes: ModuleCodes = new ModuleCodes(target),
): Scan {
  const { found: bytes, coverage, notes: more } = findTag(target, tag.key, limits);
  const undecoded = target.modules.filter(({ image }) => image !== undefined && !isDecoded(image));
  const found = [...bytes, ...undecoded.flatMap((module) => madeIn(module, tag.key, codes))];
  const reader = new ReferenceReader(target, codes);
  const notes = [...more, ...undecodedNotes(undecoded)];
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
      seen: use?.seen ?? null,
      via: use?.via ?? [],
      protected: sighting.protected,
      allocationSize: use?.size ?? null,
      poolType: use?.poolType ?? use?.poolFlags ?? null,
      // A constant among code is no part of the function that seems to be around it.
      function: use?.users !== undefined && use.instruction === undefined ? null : placeOf(module, address),
      nearest: neighboursOf(this.#target, address).below,
      origin: originAt(this.#target, address),
    };
  }
}

/** The tag's trailing spaces as zeros: what a driver has that pads a short tag with nothing. */
function withZeros(key: number): number {
  let padded = key;
  for (let shift = 24; shift > 0 && ((padded >>> shift) & 0xff) === 0x20; shift -= 8)
    padded &= ~(0xff << shift);
  return padded >>> 0;
}

/** A place where a tag's four bytes stand, before anything is said of what they are for. */
export interface Sighting {
  readonly module: TrailModule;
  readonly address: Va;
  readonly rva: Rva;
  /** The tag stands there with its protected bit, 0x80000000. */
  readonly protected: boolean;
}

/**
 * Finds a tag in every module, at any alignment, with and without its protected bit.
 *
 * @param key the tag as a little-endian u32
 */
function findTag(target: TrailTarget, key: number, limits: SearchLimits = {}): Sightings<Sighting> {
  const plain = littleEndian(BigInt(key & 0x7fffffff), 4);
  const marked = littleEndian(BigInt((key | 0x80000000) >>> 0), 4);
  return searchModules(target, [plain, marked], limits, (module, address, needle) => ({
    module,
    address,
    rva: rva(Number(address - module.base)),
    protected: needle === 1,
  }));
}
