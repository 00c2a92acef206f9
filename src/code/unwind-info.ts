import { ImageWindow } from "./image-window.ts";
import type { ModuleCode } from "./module-code.ts";

/** Where an epilog is: an unwind code of version 2. */
const UWOP_EPILOG = 6;

/** The heads of UNWIND_INFO: how long prologues are. */
export class Prologues {
  readonly #code: ModuleCode;
  readonly #rows: Uint32Array;
  readonly #window: ImageWindow;

  constructor(code: ModuleCode) {
    this.#code = code;
    this.#rows = code.image.unwind.rows;
    this.#window = new ImageWindow(code.image);
  }

  /** In bytes; `undefined` where it cannot be read. */
  sizeAt(entry: number): number | undefined {
    const head = this.#head(entry);
    return head === undefined ? undefined : (head >>> 8) & 0xff;
  }

  /** There is a frame to unwind. Version 2 tells where epilogs are as well, in codes that unwind nothing. */
  hasCodes(entry: number): boolean {
    const head = this.#head(entry) ?? 0;
    const count = (head >>> 16) & 0xff;
    if ((head & 7) < 2) return count > 0;
    let epilogs = 0;
    while (epilogs < count && (this.#operationAt(entry, epilogs) & 0xf) === UWOP_EPILOG) epilogs++;
    return epilogs < count;
  }

  /** The byte of an unwind code whose low bits tell the operation. */
  #operationAt(entry: number, index: number): number {
    return this.#window.byteAt((this.#infoOf(entry) ?? 0) + 4 + index * 2 + 1);
  }

  #head(entry: number): number | undefined {
    const info = this.#infoOf(entry);
    if (info === undefined || info + 4 > this.#code.image.size) return undefined;
    return this.#window.u32At(info);
  }

  /** Where a function's UNWIND_INFO stands. */
  #infoOf(entry: number): number | undefined {
    let low = 0;
    let high = this.#rows.length / 3;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle * 3] ?? 0) < entry) low = middle + 1;
      else high = middle;
    }
    if (this.#rows[low * 3] !== entry) return undefined;
    return this.#rows[low * 3 + 2] ?? 0;
  }
}
