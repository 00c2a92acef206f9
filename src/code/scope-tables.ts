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
const MAX_SCOPES = 256;
const UNW_EHANDLER = 1;
const UNW_UHANDLER = 2;
const UNW_CHAININFO = 4;
/** The level around the outermost blocks, for `_except_handler3` and `_except_handler4`. */
const OUTERMOST_3 = 0xffff_ffff;
const OUTERMOST_4 = 0xffff_fffe;
/** A filter that is no code: EXCEPTION_EXECUTE_HANDLER. */
const EXECUTE_HANDLER = 1;

/**
 * Filters and handlers of 64-bit code that stand outside of the function they serve: the RVA of each, and the row of
 * the unwind data that names it. Compilers give them unwind data of their own.
 *
 * @see x64 exception handling, "struct UNWIND_INFO"; winnt.h, SCOPE_TABLE_AMD64
 */
export function outsideHandlers(
  code: ModuleCode,
): readonly { readonly handler: number; readonly row: number }[] {
  const { rows } = code.image.unwind;
  const window = new ImageWindow(code.image);
  const found: { handler: number; row: number }[] = [];
  for (let row = 0; row * 3 < rows.length; row++) {
    const start = rows[row * 3] ?? 0;
    const end = rows[row * 3 + 1] ?? 0;
    const info = rows[row * 3 + 2] ?? 0;
    if ((info & 3) !== 0 || info === 0 || info + 4 > code.image.size) continue;
    const head = window.u32At(info);
    const flags = (head >>> 3) & 0x1f;
    if ((flags & (UNW_EHANDLER | UNW_UHANDLER)) === 0 || (flags & UNW_CHAININFO) !== 0) continue;
    const codes = (head >>> 16) & 0xff;
    const table = info + 4 + (codes + (codes & 1)) * 2 + 4;
    const count = window.u32At(table);
    if (count === 0 || count > MAX_SCOPES) continue;
    const handlers: number[] = [];
    for (let index = 0; index < count; index++) {
      const at = table + 4 + index * 16;
      const from = window.u32At(at);
      const to = window.u32At(at + 4);
      const handler = window.u32At(at + 8);
      const target = window.u32At(at + 12);
      const right =
        from >= start &&
        from < to &&
        to <= end &&
        (handler === EXECUTE_HANDLER || code.isCode(handler)) &&
        (target === 0 || code.isCode(target));
      // Other languages keep other data here.
      if (!right) {
        handlers.length = 0;
        break;
      }
      if (handler !== EXECUTE_HANDLER && (handler < start || handler >= end)) handlers.push(handler);
    }
    for (const handler of handlers) found.push({ handler, row });
  }
  return found;
}

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
