import type { ModuleCode } from "./module-code.ts";

/** The heads of UNWIND_INFO: how long prologues are. */
export class Prologues {
  readonly #code: ModuleCode;
  readonly #rows: Uint32Array;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(code: ModuleCode) {
    this.#code = code;
    this.#rows = code.image.unwind.rows;
  }

  /** In bytes; `undefined` where it cannot be read. */
  sizeAt(entry: number): number | undefined {
    const head = this.#head(entry);
    return head === undefined ? undefined : (head >>> 8) & 0xff;
  }

  /** There is a frame to unwind. */
  hasCodes(entry: number): boolean {
    return (((this.#head(entry) ?? 0) >>> 16) & 0xff) > 0;
  }

  #head(entry: number): number | undefined {
    let low = 0;
    let high = this.#rows.length / 3;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle * 3] ?? 0) < entry) low = middle + 1;
      else high = middle;
    }
    if (this.#rows[low * 3] !== entry) return undefined;
    const info = this.#rows[low * 3 + 2] ?? 0;
    if (info + 4 > this.#code.image.size) return undefined;
    if (info < this.#windowStart || info + 4 > this.#windowStart + this.#window.length) {
      this.#window = this.#code.image.readSparse(info, 0x1_0000).bytes;
      this.#windowStart = info;
    }
    const at = info - this.#windowStart;
    const byte = (index: number): number => this.#window[at + index] ?? 0;
    return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
  }
}
