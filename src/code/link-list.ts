import type { BitSet } from "../core/bit-set.ts";
import { U32List } from "../core/u32-list.ts";
import type { CodeRun } from "../isa/instruction.ts";
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
export class LinkList {
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
