import { advance, type Va } from "../core/address.ts";
import { BitSet } from "../core/bit-set.ts";
import { MAX_POINTER_SCAN } from "../core/limits.ts";
import { U32List } from "../core/u32-list.ts";
import { RELOCATE_32, RELOCATE_64 } from "../pe/relocations.ts";
import { sectionSpan } from "../pe/sections.ts";
import { ImageWindow } from "./image-window.ts";
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
  /** Only the first `MAX_POINTER_SCAN` bytes of data were looked through for pointers. */
  readonly cut: boolean;
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
  const reader = new ImageWindow(image);
  const places = new U32List();
  const targets = new U32List();
  const pointed = new BitSet(image.size);
  let left = MAX_POINTER_SCAN;
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
    for (const section of image.sections) {
      if (section.executable || section.discardable) continue;
      const size = Math.max(0, Math.min(sectionSpan(section), image.size - section.rva));
      const end = section.rva + Math.min(size, Math.max(0, left)) - image.pointerSize;
      left -= size;
      for (let place: number = section.rva; place <= end; place += image.pointerSize) take(place);
    }
  }
  return {
    exported,
    exports,
    pointed,
    pointers: { places: places.toArray(), targets: targets.toArray() },
    relocated,
    cut: left < 0,
  };
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
