import type { Va } from "../core/address.ts";
import { upperBound } from "../core/search.ts";
import type { ByteSource } from "../source/source.ts";
import type { Image } from "./image.ts";
import { RELOCATE_32, RELOCATE_64 } from "./relocations.ts";

/**
 * A PE file's image as it stands at another base, by RVA: what is read is relocated on the way. The
 * base in its headers is the other one too, as the loader writes it.
 */
export class RelocatedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: Image;
  readonly #delta: bigint;
  readonly #low: number;
  #places: Places | undefined;

  constructor(file: Image, base: Va) {
    this.name = file.label;
    this.size = file.size;
    this.#file = file;
    this.#delta = base - file.preferredBase;
    this.#low = Number(BigInt.asUintN(32, this.#delta));
  }

  /** Reads zeros for what the file does not have. */
  read(offset: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.size - offset));
    into.set(this.#file.readSparse(offset, length).bytes);
    if (this.#delta === 0n) return length;
    this.#places ??= placesOf(this.#file);
    const { rvas, widths } = this.#places;
    const first = upperBound(rvas.length, offset - 8, (i) => rvas[i] ?? 0);
    for (let index = first; index < rvas.length; index++) {
      const rva = rvas[index] ?? 0;
      if (rva >= offset + length) break;
      this.#relocate(rva, widths[index] ?? 0, offset, into.subarray(0, length));
    }
    return length;
  }

  /** Nothing of its own to close: the file belongs to the image. */
  [Symbol.dispose](): void {
    return;
  }

  /** Moves the pointer at `rva`, or what of it falls into `into`, which starts at `offset`. */
  #relocate(rva: number, width: number, offset: number, into: Uint8Array): void {
    const start = rva - offset;
    if (start >= 0 && start + width <= into.length) {
      const view = new DataView(into.buffer, into.byteOffset + start, width);
      if (width === 4) view.setUint32(0, view.getUint32(0, true) + this.#low, true);
      else view.setBigUint64(0, view.getBigUint64(0, true) + this.#delta, true);
      return;
    }
    const { bytes } = this.#file.readSparse(rva, width);
    let value = this.#delta;
    for (const [index, byte] of bytes.entries()) value += BigInt(byte) << BigInt(index * 8);
    for (let index = 0; index < width; index++) {
      const target = start + index;
      if (target >= 0 && target < into.length) into[target] = Number((value >> BigInt(index * 8)) & 0xffn);
    }
  }
}

/** Pointers that move with the base, by RVA, and how wide each is. */
interface Places {
  readonly rvas: Uint32Array;
  readonly widths: Uint8Array;
}

/** ImageBase in the optional header. */
const IMAGE_BASE_AT: Readonly<Record<4 | 8, number>> = { 4: 52, 8: 48 };

/** A place that is named again moves once, so that there are no more places than the image has bytes. */
function placesOf(file: Image): Places {
  const { rvas, types } = file.relocations;
  // the place, and in the lowest bit whether it is wide
  const keys = new Float64Array(rvas.length + 1);
  let count = 0;
  keys[count++] =
    (file.headers.ntHeadersOffset + IMAGE_BASE_AT[file.pointerSize]) * 2 + Number(file.pointerSize === 8);
  for (let i = 0; i < rvas.length; i++) {
    const type = types[i];
    if (type === RELOCATE_32) keys[count++] = (rvas[i] ?? 0) * 2;
    else if (type === RELOCATE_64) keys[count++] = (rvas[i] ?? 0) * 2 + 1;
  }
  const sorted = keys.subarray(0, count).sort();
  const once = sorted.filter((key, i) => key !== sorted[i - 1]);
  return {
    rvas: Uint32Array.from(once, (key) => Math.floor(key / 2)),
    widths: Uint8Array.from(once, (key) => (key % 2 === 1 ? 8 : 4)),
  };
}
