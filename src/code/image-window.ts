import type { Image } from "../pe/image.ts";

const SIZE = 0x1_0000;

/** Small reads that stand near each other, with one read of the image for many. */
export class ImageWindow {
  readonly #image: Image;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(image: Image) {
    this.#image = image;
  }

  /** The bytes from `rva` on, at least `length` of them; zeros in holes, and fewer only at the image's end. */
  bytesAt(rva: number, length: number): Uint8Array {
    if (rva < this.#start || rva + length > this.#start + this.#bytes.length) {
      this.#bytes = this.#image.readSparse(rva, Math.max(SIZE, length)).bytes;
      this.#start = rva;
    }
    return this.#bytes.subarray(rva - this.#start);
  }

  /** 0 past the image's end. */
  u32At(rva: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.bytesAt(rva, 4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }
}
