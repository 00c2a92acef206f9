import { advance, type Va } from "../core/address.ts";
import { BitSet } from "../core/bit-set.ts";
import { MAX_POINTER_SCAN } from "../core/limits.ts";
import { U32List } from "../core/u32-list.ts";
import type { Image } from "../pe/image.ts";
import { RELOCATE_32, RELOCATE_64 } from "../pe/relocations.ts";
import { sectionSpan } from "../pe/sections.ts";
import type { ModuleCode } from "./module-code.ts";

/** A pointer into code, and where it stands. */
export interface CodePointers {
  /** RVAs of the pointers. */
  readonly places: Uint32Array;
  /** Where each leads. */
  readonly targets: Uint32Array;
}

/** What an image itself says of where its functions are, without decoding. */
export interface Seeds {
  /** Exports that stand in code. */
  readonly exported: BitSet;
  /** RVAs, as the export table lists them. */
  readonly exports: readonly number[];
  /** Targets of `pointers`. */
  readonly pointed: BitSet;
  readonly pointers: CodePointers;
  /** The places that change with the base. `undefined`: the table is gone or was never there. */
  readonly relocated: BitSet | undefined;
}

/** Reads exports and pointers to code: by the relocations, or, where memory has none left, by all words of data. */
export function readSeeds(code: ModuleCode): Seeds {
  const { image } = code;
  const exported = new BitSet(image.size);
  const exports: number[] = [];
  for (const { rva, forwarder } of image.exports.items) {
    if (forwarder !== undefined || !code.isCode(rva) || exported.has(rva)) continue;
    exported.add(rva);
    exports.push(rva);
  }
  const table = image.relocations;
  const known = table.rvas.length > 0;
  const relocated = known ? new BitSet(image.size) : undefined;
  const reader = new WordReader(image);
  const places = new U32List();
  const targets = new U32List();
  const pointed = new BitSet(image.size);
  const take = (place: number): void => {
    const target = reader.pointerAt(place);
    if (target === undefined || !code.isCode(target)) return;
    places.push(place);
    targets.push(target);
    pointed.add(target);
  };
  if (relocated !== undefined) {
    const wanted = image.pointerSize === 8 ? RELOCATE_64 : RELOCATE_32;
    for (let i = 0; i < table.rvas.length; i++) {
      if (table.types[i] !== wanted) continue;
      const place = table.rvas[i] ?? 0;
      relocated.add(place);
      take(place);
    }
  } else {
    let left = MAX_POINTER_SCAN;
    for (const section of image.sections) {
      if (section.executable || section.discardable) continue;
      const size = Math.min(sectionSpan(section), image.size - section.rva, left);
      left -= Math.max(0, size);
      const end = section.rva + size - image.pointerSize;
      for (let place: number = section.rva; place <= end; place += image.pointerSize) take(place);
    }
  }
  return {
    exported,
    exports,
    pointed,
    pointers: { places: places.toArray(), targets: targets.toArray() },
    relocated,
  };
}

/** Reads pointers that stand near each other with one read for many. */
class WordReader {
  readonly #image: Image;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  #start = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #holes: readonly { readonly offset: number; readonly length: number }[] = [];

  constructor(image: Image) {
    this.#image = image;
    this.#baseLow = Number(image.base & 0xffffffffn);
    this.#baseHigh = Number(image.base >> 32n);
  }

  /** The RVA that the pointer at `place` leads to; `undefined` outside the image and in holes. */
  pointerAt(place: number): number | undefined {
    const { pointerSize, size } = this.#image;
    if (place + pointerSize > size) return undefined;
    if (place < this.#start || place + pointerSize > this.#start + this.#view.byteLength) {
      const { bytes, holes } = this.#image.readSparse(place, 0x1_0000);
      this.#start = place;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#holes = holes;
    }
    const at = place - this.#start;
    const above = pointerSize === 4 ? 0 : this.#view.getUint32(at + 4, true) - this.#baseHigh;
    const target = above * 0x1_0000_0000 + this.#view.getUint32(at, true) - this.#baseLow;
    if (target < 0 || target >= size) return undefined;
    const cut = this.#holes.some(({ offset, length }) => at + pointerSize > offset && at < offset + length);
    return cut ? undefined : target;
  }
}

/**
 * The pointers that an image holds in its own data: what the linker put there, moved with the base, or in memory what
 * stands there now. Kernels call through constants and variables of this kind: `call [RoutinePointer]`.
 */
export class InitialPointers {
  readonly #code: ModuleCode;

  constructor(code: ModuleCode) {
    this.#code = code;
  }

  /** `undefined` where nothing can be read, or nothing was put there. */
  at(rva: number): Va | undefined {
    const { image } = this.#code;
    if (rva < 0 || rva + image.pointerSize > image.size) return undefined;
    const pointer = image.space.tryReadPointer(advance(image.base, rva));
    if (pointer === undefined || pointer === 0n) return undefined;
    // In a file an import slot holds the place of a name.
    return image.layout === "memory" || this.#code.offsetOf(pointer) !== undefined ? pointer : undefined;
  }

  /** Whether code may write to the place later. */
  isWritable(rva: number): boolean {
    const section = this.#code.image.sections.find(
      (one) => rva >= one.rva && rva < one.rva + sectionSpan(one),
    );
    return section?.writable ?? false;
  }
}
