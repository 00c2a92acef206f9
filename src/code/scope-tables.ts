import { BitSet } from "../core/bit-set.ts";
import { type CodeRun, wordAt } from "../isa/instruction.ts";
import { lastAtOrBefore } from "./function-table.ts";
import { ImageWindow } from "./image-window.ts";
import type { ModuleCode } from "./module-code.ts";

/**
 * The tables of `__try` blocks. Their filters and handlers run on the frame of the function that has the block, and
 * only the dispatcher of exceptions leads to them: they are parts of that function.
 */

/** Blocks of one function. */
export const MAX_SCOPES = 256;
/** The level around the outermost blocks, for `_except_handler3` and `_except_handler4`. */
const OUTERMOST_3 = 0xffff_ffff;
const OUTERMOST_4 = 0xffff_fffe;

const NONE: readonly number[] = [];

/** The scope tables that 32-bit code names in its prologues. */
export class ScopeTables {
  readonly #code: ModuleCode;
  readonly #window: ImageWindow;
  /** By the instruction that names the table. */
  readonly #handlers = new Map<number, readonly number[]>();
  readonly #named: BitSet;
  /** All of them. */
  readonly entries: BitSet;
  /** Bytes of the tables. */
  readonly words: BitSet;

  /** @param relocated the places that change with the base, where that is known */
  constructor(code: ModuleCode, relocated: BitSet | undefined) {
    this.#code = code;
    this.#window = new ImageWindow(code.image);
    this.#named = new BitSet(code.image.size);
    this.entries = new BitSet(code.image.size);
    this.words = new BitSet(code.image.size);
    const named: { at: number; table: number }[] = [];
    for (const run of code.runs) this.#find(run, relocated, (at, table) => named.push({ at, table }));
    // A table ends where the next one starts.
    const starts = Uint32Array.from(named, ({ table }) => table).sort();
    for (const { at, table } of named) {
      const next = starts[lastAtOrBefore(starts, table) + 1] ?? code.image.size;
      const handlers = this.#handlersOf(table, at, next);
      if (handlers === undefined) continue;
      this.#handlers.set(at, handlers);
      this.#named.add(at);
      for (const handler of handlers) this.entries.add(handler);
    }
  }

  /** Whether any instruction names one. */
  get some(): boolean {
    return this.#handlers.size > 0;
  }

  /** The filters and handlers of the table that the instruction at `at` names. */
  namedAt(at: number): readonly number[] {
    return this.#named.has(at) ? (this.#handlers.get(at) ?? []) : NONE;
  }

  #find(run: CodeRun, relocated: BitSet | undefined, found: (at: number, table: number) => void): void {
    const { base32, size, set } = this.#code;
    set.starts?.eachTableName(run, (at, operand) => {
      if (relocated !== undefined && !relocated.has(operand)) return;
      const table = (wordAt(run.bytes, operand - run.start) >>> 0) - base32;
      if (table < 0x1000 || table + 12 > size || table % 4 !== 0) return;
      if (this.#handlersOf(table, at, size) !== undefined) found(at, table);
    });
  }

  /** `_except_handler3` takes the rows, whose outermost level is -1; `_except_handler4` has four words in front, and -2. */
  #handlersOf(table: number, from: number, end: number): readonly number[] | undefined {
    const rows = this.#rows(table, end, OUTERMOST_3, from) ?? this.#rows(table + 16, end, OUTERMOST_4, from);
    if (rows !== undefined) this.words.addRange(table, rows.end);
    return rows?.handlers;
  }

  #rows(
    first: number,
    end: number,
    outermost: number,
    from: number,
  ): { readonly handlers: readonly number[]; readonly end: number } | undefined {
    const handlers: number[] = [];
    let at = first;
    for (let index = 0; index < MAX_SCOPES && at + 12 <= end; index++, at += 12) {
      const level = this.#window.u32At(at);
      if (level !== outermost && level >= index) break;
      const filter = this.#window.u32At(at + 4);
      const handler = this.#codeAt(this.#window.u32At(at + 8), from);
      const filterAt = filter === 0 ? undefined : this.#codeAt(filter, from);
      if (handler === undefined || (filter !== 0 && filterAt === undefined)) break;
      handlers.push(handler);
      if (filterAt !== undefined) handlers.push(filterAt);
    }
    return handlers.length === 0 ? undefined : { handlers, end: at };
  }

  /** Handlers stand near their function. */
  #codeAt(address: number, near: number): number | undefined {
    const offset = address - this.#code.base32;
    return this.#code.runAt(offset) !== undefined && Math.abs(offset - near) < 0x10_0000 ? offset : undefined;
  }
}
