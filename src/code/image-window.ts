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

  /** 0 past the image's end, and in holes. */
  byteAt(rva: number): number {
    this.#reach(rva, 1);
    return this.#bytes[rva - this.#start] ?? 0;
  }

  /** Zeros past the image's end, and in holes. */
  u32At(rva: number): number {
    this.#reach(rva, 4);
    const bytes = this.#bytes;
    const at = rva - this.#start;
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    return (low | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
  }

  #reach(rva: number, length: number): void {
    if (rva >= this.#start && rva + length <= this.#start + this.#bytes.length) return;
    this.#bytes = this.#image.readSparse(rva, SIZE).bytes;
    this.#start = rva;
  }
}
