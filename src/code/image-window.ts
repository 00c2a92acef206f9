import type { Image } from "../pe/image.ts";

const SIZE = 0x1_0000;

/** Small reads that stand near each other, with one read of the image for many. */
export class ImageWindow {
  readonly #image: Image;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #holes: readonly { readonly offset: number; readonly length: number }[] = [];

  constructor(image: Image) {
    this.#image = image;
    this.#baseLow = Number(image.base & 0xffffffffn);
    this.#baseHigh = Number(image.base >> 32n);
  }

  /** 0 past the image's end, and in holes. */
  byteAt(rva: number): number {
    return this.#reach(rva, 1) ? this.#view.getUint8(rva - this.#start) : 0;
  }

  /** 0 past the image's end; zeros in holes. */
  u32At(rva: number): number {
    return this.#reach(rva, 4) ? this.#view.getUint32(rva - this.#start, true) : 0;
  }

  /** The RVA that the pointer at a place leads to; `undefined` outside the image and in holes. */
  pointerAt(rva: number): number | undefined {
    const { pointerSize, size } = this.#image;
    if (!this.#reach(rva, pointerSize)) return undefined;
    const at = rva - this.#start;
    const above = pointerSize === 4 ? 0 : this.#view.getUint32(at + 4, true) - this.#baseHigh;
    const target = above * 0x1_0000_0000 + this.#view.getUint32(at, true) - this.#baseLow;
    if (target < 0 || target >= size) return undefined;
    const cut = this.#holes.some(({ offset, length }) => at + pointerSize > offset && at < offset + length);
    return cut ? undefined : target;
  }

  #reach(rva: number, length: number): boolean {
    if (rva < 0 || rva + length > this.#image.size) return false;
    if (rva < this.#start || rva + length > this.#start + this.#view.byteLength) {
      const { bytes, holes } = this.#image.readSparse(rva, SIZE);
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#start = rva;
      this.#holes = holes;
    }
    return rva + length <= this.#start + this.#view.byteLength;
  }
}
