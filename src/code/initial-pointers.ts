import { advance, type Va } from "../core/address.ts";
import type { BitSet } from "../core/bit-set.ts";
import { U32List } from "../core/u32-list.ts";
import { sectionSpan } from "../pe/sections.ts";
import type { ImageCode } from "./functions.ts";

/**
 * The pointers that an image holds in its own data: what the linker put there, moved with the base, or in memory what
 * stands there now. Kernels call through constants and variables of this kind: `call [RoutinePointer]`.
 */
export class InitialPointers {
  readonly #image: ImageCode;

  constructor(image: ImageCode) {
    this.#image = image;
  }

  /** `undefined` where nothing can be read, or nothing was put there. */
  at(rva: number): Va | undefined {
    const { image } = this.#image;
    if (rva < 0 || rva + image.pointerSize > image.size) return undefined;
    const pointer = image.space.tryReadPointer(advance(image.base, rva));
    if (pointer === undefined || pointer === 0n) return undefined;
    // In a file an import slot holds the place of a name.
    return image.layout === "memory" || this.#image.code.offsetOf(pointer) !== undefined
      ? pointer
      : undefined;
  }

  /** Whether code may write to the place later. */
  isWritable(rva: number): boolean {
    const section = this.#image.image.sections.find(
      (one) => rva >= one.rva && rva < one.rva + sectionSpan(one),
    );
    return section?.writable ?? false;
  }
}

/** Places that hold the address of code, and where each leads; each list by the index of the other. */
interface Pointers {
  readonly places: Uint32Array;
  readonly targets: Uint32Array;
}

const known = new WeakMap<ImageCode, readonly Pointers[]>();

/** The places of an image that hold the address of any of the functions in `wanted`. */
export function placesHolding(image: ImageCode, wanted: BitSet): readonly number[] {
  let lists = known.get(image);
  if (lists === undefined) {
    lists = [image.seeds.pointers, pointersInCode(image)];
    known.set(image, lists);
  }
  const found: number[] = [];
  for (const { places, targets } of lists) {
    for (let i = 0; i < targets.length; i++) {
      if (wanted.has(targets[i] ?? 0)) found.push(places[i] ?? 0);
    }
  }
  return found;
}

/**
 * Constants that the linker merged into executable sections, where no relocations are left to name them: aligned words
 * that read as the address of code. Some are parts of instructions; nothing calls through those.
 */
function pointersInCode({ code, image, seeds }: ImageCode): Pointers {
  const places = new U32List();
  const targets = new U32List();
  const { pointerSize } = image;
  const high = Number(image.base >> 32n);
  for (const { bytes, start } of seeds.relocated === undefined ? code.runs : []) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = -start & (pointerSize - 1); at + pointerSize <= bytes.length; at += pointerSize) {
      if (pointerSize === 8 && view.getUint32(at + 4, true) !== high) continue;
      const target = view.getUint32(at, true) - code.base32;
      if (target <= 0 || target >= image.size || !code.isCode(target)) continue;
      places.push(start + at);
      targets.push(target);
    }
  }
  return { places: places.toArray(), targets: targets.toArray() };
}
