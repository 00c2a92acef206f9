import { upperBound } from "../core/search.ts";
import { ImageWindow } from "./image-window.ts";
import type { ModuleCode } from "./module-code.ts";
import { MAX_SCOPES } from "./scope-tables.ts";

const UNW_EHANDLER = 1;
const UNW_UHANDLER = 2;
const UNW_CHAININFO = 4;
/** A filter that is no code: EXCEPTION_EXECUTE_HANDLER. */
const EXECUTE_HANDLER = 1;
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
    const rows = this.#rows;
    // of rows with one start the first counts
    const at = upperBound(rows.length / 3, entry - 1, (row) => rows[row * 3] ?? 0) * 3;
    if (rows[at] !== entry) return undefined;
    return rows[at + 2] ?? 0;
  }
}

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
