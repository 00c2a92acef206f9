import { BitSet } from "../core/bit-set.ts";
import { U32List } from "../core/u32-list.ts";
import type { CodeRun } from "../isa/instruction.ts";
import { type Atom, imageAddress, type Value } from "./abstract-value.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import type { ModuleCode } from "./module-code.ts";

/** Bytes that read as a call or jump to a place, or as a load of it; to be confirmed. */
export interface Hit {
  /** Where the bytes that were looked for begin: the opcode, perhaps behind a prefix. */
  readonly at: number;
  readonly place: number;
  readonly kind: HitKind;
}

export type HitKind = "near" | "slot" | "load" | "optimized";
const HIT_KINDS: readonly HitKind[] = ["near", "slot", "load", "optimized"];

/** What all of an image's code reads as calling, jumping to or loading inside the image, in order of address. */
export class XrefList {
  readonly #ats: Uint32Array;
  readonly #places: Uint32Array;
  /** Indexes into `HIT_KINDS`. */
  readonly #kinds: Uint32Array;

  constructor(code: ModuleCode, size: number) {
    const ats = new U32List();
    const places = new U32List();
    const kinds = new U32List();
    for (const run of code.runs) {
      eachLink(run, code.wide, code.base32, (at, place, kind) => {
        if (place < 0 || place >= size) return;
        ats.push(at);
        places.push(place);
        kinds.push(HIT_KINDS.indexOf(kind));
      });
    }
    this.#ats = ats.toArray();
    this.#places = places.toArray();
    this.#kinds = kinds.toArray();
  }

  to(wanted: BitSet): readonly Hit[] {
    const hits: Hit[] = [];
    this.#places.forEach((place, i) => {
      if (wanted.has(place))
        hits.push({
          at: this.#ats[i] as number,
          place,
          kind: HIT_KINDS[this.#kinds[i] as number] as HitKind,
        });
    });
    return hits;
  }
}

/** Places whose bytes read as a call or jump to another place, or as a load of one. */
export function eachLink(
  { bytes, start }: CodeRun,
  wide: boolean,
  base32: number,
  found: (at: number, place: number, kind: HitKind) => void,
): void {
  const word = (at: number): number =>
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  const placeAt = (at: number): number => (wide ? start + at + 4 + word(at) : (word(at) - base32) | 0);
  const last = bytes.length - 4;
  for (let i = 0; i < last; i++) {
    const byte = bytes[i] as number;
    if (byte === 0xe8 || byte === 0xe9) found(start + i, start + i + 5 + word(i + 1), "near");
    else if (byte === 0xeb || (byte & 0xf0) === 0x70) {
      found(start + i, start + i + 2 + (((bytes[i + 1] as number) << 24) >> 24), "near");
    } else if (byte === 0x0f && i + 1 < last && ((bytes[i + 1] as number) & 0xf0) === 0x80) {
      found(start + i, start + i + 6 + word(i + 2), "near");
    } else if (byte === 0xff && i + 1 < last && ((bytes[i + 1] as number) | 0x30) === 0x35) {
      const reg = ((bytes[i + 1] as number) >> 3) & 7;
      if (reg === 2 || reg === 4) found(start + i, placeAt(i + 2), "slot");
    } else if (byte === 0x8b && i + 1 < last && ((bytes[i + 1] as number) & 0xc7) === 0x05) {
      const optimized = wide && bytes[i - 1] === 0x4c && bytes[i + 1] === 0x15 && bytes[i + 6] === 0xe8;
      found(start + i, placeAt(i + 2), optimized ? "optimized" : "load");
    } else if (byte === 0xa1 && !wide) found(start + i, placeAt(i + 1), "load");
  }
}

/**
 * The functions whose code names a place of the image: by its bytes, so that one may be there that only seems to.
 */
export function functionsNaming(image: ImageCode, rva: number): readonly CodeFunction[] {
  const found = new Map<number, CodeFunction>();
  for (const at of placesNaming(image, rva)) {
    for (const owner of image.functions.owning(at)) found.set(owner.entry, owner);
  }
  return [...found.values()];
}

/** Where four bytes of code read as the address of a place: RIP-relative, or in 32-bit code absolute. */
export function placesNaming({ code }: ImageCode, rva: number): readonly number[] {
  const places: number[] = [];
  for (const { start, bytes } of code.runs) {
    const last = bytes.length - 4;
    if (!code.wide) {
      const address = (rva + code.base32) | 0;
      for (let i = 0; i <= last; i++) if (wordAt(bytes, i) === address) places.push(start + i);
      continue;
    }
    for (let i = 0; i <= last; i++) {
      // The displacement counts from the end of the instruction, behind an immediate of up to four bytes.
      const away = rva - (start + i + 4) - wordAt(bytes, i);
      if (away >= 0 && away <= 4) places.push(start + i);
    }
  }
  return places;
}

/** The place in the image that a value is the address of: 32-bit code names places by numbers. */
export function placeNamed({ code }: ImageCode, atom: Atom): number | undefined {
  if (atom.kind === "address") return atom.rva;
  if (atom.kind !== "constant" || code.wide) return undefined;
  return code.offsetOf(BigInt(atom.value >>> 0));
}

/** A value with the addresses that 32-bit code writes as numbers told as such. */
export function placed(image: ImageCode, value: Value): Value {
  if (image.code.wide) return value;
  return value.flatMap((atom) => {
    const rva = atom.kind === "constant" ? placeNamed(image, atom) : undefined;
    return rva === undefined || rva === 0 ? [atom] : imageAddress(rva);
  });
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

const known = new WeakMap<ImageCode, BitSet>();

/**
 * The functions of an image, by entry, whose addresses stand in its data or are taken by its code: whoever is given one
 * may call it. By the bytes, so that one may be among them that only seems to be; one that is not is called by its callers
 * alone. The work is done once.
 */
export function addressedFunctions(image: ImageCode): BitSet {
  const done = known.get(image);
  if (done !== undefined) return done;
  const { code, functions, seeds } = image;
  const entries = new BitSet(code.image.size);
  for (const entry of functions.entries) entries.add(entry);
  const found = new BitSet(code.image.size);
  for (const target of seeds.pointers.targets) if (entries.has(target)) found.add(target);
  for (const { start, bytes } of code.runs) {
    if (code.wide) addLoaded(bytes, start, entries, found);
    else addConstants(bytes, code.base32, entries, found);
  }
  known.set(image, found);
  return found;
}

/** `lea reg, [rip+displacement]`. */
function addLoaded(bytes: Uint8Array, start: number, entries: BitSet, found: BitSet): void {
  const last = bytes.length - 6;
  for (let at = bytes.indexOf(0x8d); at >= 0 && at <= last; at = bytes.indexOf(0x8d, at + 1)) {
    if (((bytes[at + 1] as number) & 0xc7) !== 0x05) continue;
    const target = start + at + 6 + wordAt(bytes, at + 2);
    if (target >= 0 && entries.has(target)) found.add(target);
  }
}

/** Addresses that stand in 32-bit code as they are. */
function addConstants(bytes: Uint8Array, base32: number, entries: BitSet, found: BitSet): void {
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const target = (wordAt(bytes, at) - base32) | 0;
    if (target > 0 && target < entries.size && entries.has(target)) found.add(target);
  }
}
