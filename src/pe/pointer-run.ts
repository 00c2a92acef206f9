import type { Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import type { RvaReader, SparseTable } from "./rva-reader.ts";

/** Pointers at one read; a DLL's table is rarely longer. */
const CHUNK = 256;

/** An array of pointers whose length only its last element tells. */
export class PointerRun {
  readonly #reader: RvaReader;
  readonly #rva: number;
  #chunk: SparseTable | undefined;
  #chunkIndex = -1;

  constructor(reader: RvaReader, rva: number) {
    this.#reader = reader;
    this.#rva = rva;
  }

  at(index: number): Va | undefined {
    return this.#load(index).pointer((index % CHUNK) * this.#reader.pointerSize);
  }

  /** Why `at` gives `undefined`. */
  fault(index: number): MemoryFault | undefined {
    const { pointerSize } = this.#reader;
    return this.#load(index).fault((index % CHUNK) * pointerSize, pointerSize);
  }

  #load(index: number): SparseTable {
    const chunkIndex = Math.floor(index / CHUNK);
    if (this.#chunk === undefined || chunkIndex !== this.#chunkIndex) {
      const bytes = CHUNK * this.#reader.pointerSize;
      this.#chunk = this.#reader.table(this.#rva + chunkIndex * bytes, bytes);
      this.#chunkIndex = chunkIndex;
    }
    return this.#chunk;
  }
}
