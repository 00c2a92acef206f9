import { FormatError } from "../core/errors.ts";
import { MAX_NAME_BYTES, MAX_NAME_BYTES_TOTAL } from "../core/limits.ts";
import { type RvaReader, type SparseTable, type TableStop, toTableStop } from "./rva-reader.ts";

/** What one text that cannot be read takes from the budget: about the work that it was. */
const HOLE_COST = 64;

/** Reads texts, those inside one directory from a single read of it, and remembers what went wrong first. */
export class NameReader {
  /** Why the first text that could not be read could not. */
  stopped: TableStop | undefined;
  readonly #reader: RvaReader;
  readonly #start: number;
  readonly #window: SparseTable;
  #budget: number = MAX_NAME_BYTES_TOTAL;

  /** @param range where most of the texts stand; others are read one by one */
  constructor(
    reader: RvaReader,
    range: { readonly rva: number; readonly size: number } = { rva: 0, size: 0 },
  ) {
    this.#reader = reader;
    this.#start = range.rva;
    this.#window = reader.table(range.rva, Math.min(range.size, MAX_NAME_BYTES_TOTAL));
  }

  /** The text at `rva`, without its zero. */
  at(rva: number, field: string): string | undefined {
    if (this.#budget <= 0) {
      this.stopped ??= "limit";
      return undefined;
    }
    try {
      const text = this.#text(rva, field);
      this.#budget -= text.length + 1;
      return text;
    } catch (error) {
      this.#budget -= error instanceof FormatError ? MAX_NAME_BYTES : HOLE_COST;
      this.stopped ??= toTableStop(error);
      return undefined;
    }
  }

  #text(rva: number, field: string): string {
    const into = rva - this.#start;
    const text = into >= 0 && into < this.#window.length ? this.#window.text(into) : undefined;
    return typeof text === "string" ? text : this.#reader.text(rva, field);
  }
}
