import { advance } from "../core/address.ts";
import { BitSet } from "../core/bit-set.ts";
import { MAX_JUMP_ENTRIES, MAX_JUMP_TABLE } from "../core/limits.ts";
import {
  type CodeRange,
  type CodeRun,
  type Decoder,
  FLOW_SHIFT,
  Flow,
  type Instruction,
  LENGTH_MASK,
} from "../isa/instruction.ts";
import type { TableForm } from "../isa/instruction-set.ts";
import type { ModuleCode } from "./module-code.ts";

/** Instructions looked back over for what an indirect jump's register was made of. */
export const LOOK_BACK = 12;

/** What is said where `cut` is. */
export const LONG_TABLE = "a jump table has more entries than are looked at";

/**
 * The tables of `switch` statements: their labels are part of the function that jumps through them, and their words
 * are no code.
 */
export class JumpTables {
  readonly #code: ModuleCode;
  readonly #relocated: BitSet | undefined;
  /** Bytes of the tables found so far. */
  readonly #words: BitSet;
  /** By the jump: where it can lead. */
  readonly #known = new Map<number, readonly number[]>();
  /** Jumps that go through no table that can be told. */
  readonly #none: BitSet;
  /** Entries that may still be read. */
  #left = MAX_JUMP_ENTRIES;
  #cut = false;

  /** @param relocated the places that change with the base, where that is known */
  constructor(code: ModuleCode, relocated: BitSet | undefined) {
    this.#code = code;
    this.#relocated = relocated;
    this.#words = new BitSet(code.image.size);
    this.#none = new BitSet(code.image.size);
  }

  /** No more tables are read: `MAX_JUMP_ENTRIES` entries were. */
  get exhausted(): boolean {
    return this.#left <= 0;
  }

  /** A table had more than `MAX_JUMP_TABLE` entries, and the rest was left out. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Whether a table's word stands here. */
  holds(at: number): boolean {
    return this.#words.has(at);
  }

  /**
   * Where the indirect jump at `at` can lead.
   *
   * @param from the start of the straight stretch of code that ends with the jump
   * @returns `undefined` when it goes through no table that can be told
   */
  labels(
    decoder: Decoder,
    run: CodeRun,
    at: number,
    length: number,
    from: number,
  ): readonly number[] | undefined {
    const known = this.#known.get(at);
    if (known !== undefined || this.#none.has(at)) return known;
    const before = this.#instructionsBefore(decoder, run, at, from);
    const jump = decoder.at(at);
    const { tables } = this.#code.set;
    const form = jump === undefined ? undefined : tables?.of(this.#code, jump, before);
    const bound = tables?.bound(before);
    const table = form === undefined ? undefined : this.#read(form, bound, at + length);
    if (table !== undefined)
      this.#markIndexes(before, Math.min(bound ?? MAX_JUMP_TABLE, MAX_JUMP_TABLE), table.count);
    if (table === undefined) this.#none.add(at);
    else this.#known.set(at, table.labels);
    return table?.labels;
  }

  /** Marks the tables that code names by their addresses, before any walk: their words are no pointers to functions. */
  markNamed(): void {
    const starts = [...(this.#code.set.tables?.named(this.#code) ?? [])].sort((a, b) => b - a);
    for (const start of starts) this.#mark(start);
  }

  #mark(start: number): void {
    for (let at = start, count = 0; count < MAX_JUMP_TABLE; at += 4, count++) {
      if (this.#words.has(at) || !this.#isRelocated(at) || this.#pointerAt(at, 4) === undefined) return;
      this.#words.addRange(at, at + 4);
    }
  }

  #instructionsBefore(decoder: Decoder, run: CodeRun, at: number, from: number): readonly Instruction[] {
    const starts: number[] = [];
    for (let next = Math.max(from, at - 256); next < at; ) {
      starts.push(next);
      const length = this.#code.step(run, next) & LENGTH_MASK;
      next += length === 0 ? Math.max(1, decoder.lengthAt(next)) : length;
    }
    return starts
      .slice(-LOOK_BACK)
      .map((start) => decoder.at(start))
      .filter((found) => found !== undefined)
      .reverse();
  }

  #read(
    form: TableForm,
    bound: number | undefined,
    after: number,
  ): { readonly labels: readonly number[]; readonly count: number } | undefined {
    const labels = new Set<number>();
    const count = bound ?? Number.POSITIVE_INFINITY;
    let index = 0;
    for (; index < count && !this.exhausted; index++) {
      this.#left--;
      const at = form.start + index * form.entrySize;
      if (form.relativeTo === undefined && !this.#isRelocated(at)) break;
      const label = this.#label(form, at);
      if (label === undefined || !this.#plausible(label, after)) break;
      if (index >= MAX_JUMP_TABLE) {
        this.#cut = true;
        break;
      }
      labels.add(label);
    }
    if (labels.size === 0) return undefined;
    this.#words.addRange(form.start, form.start + index * form.entrySize);
    return { labels: [...labels], count: index };
  }

  /** A table of bytes in front of the jump's own table of `count` entries. */
  #markIndexes(before: readonly Instruction[], bound: number, count: number): void {
    for (const instruction of before) {
      const start = this.#code.set.tables?.indexes(this.#code, instruction);
      if (start === undefined || start <= 0) continue;
      let end = start;
      while (end < start + bound && (this.#code.byteAt(end) ?? count) < count) end++;
      this.#words.addRange(start, end);
    }
  }

  #label(form: TableForm, at: number): number | undefined {
    if (form.relativeTo === undefined) return this.#pointerAt(at, form.entrySize);
    const offset = this.#u32At(at);
    if (offset === undefined) return undefined;
    const label = form.relativeTo + (offset | 0);
    return this.#code.isCode(label) ? label : undefined;
  }

  /** A label far away with no table known to be there is what follows the table. */
  #plausible(label: number, after: number): boolean {
    return Math.abs(label - after) < 0x40_0000 && this.#code.runAt(label) !== undefined;
  }

  #isRelocated(at: number): boolean {
    return this.#relocated === undefined || this.#relocated.has(at);
  }

  #pointerAt(at: number, size: 4 | 8): number | undefined {
    const low = this.#u32At(at);
    if (low === undefined) return undefined;
    const high = size === 8 ? this.#u32At(at + 4) : 0;
    if (high === undefined) return undefined;
    const label = this.#code.offsetOf((BigInt(high) << 32n) | BigInt(low));
    return label !== undefined && this.#code.isCode(label) ? label : undefined;
  }

  #u32At(at: number): number | undefined {
    if (at < 0 || at + 4 > this.#code.image.size) return undefined;
    return this.#code.image.space.tryReadU32(advance(this.#code.image.base, at));
  }
}

/** How far back what an indirect jump goes through is made. */
const BYTES_BACK = 256;

/**
 * Tells which bytes of a piece of 64-bit code are tables that its own indirect jumps go through: unwind data counts them
 * to the function. In 32-bit code a piece has only what is run.
 */
export function tablesIn(code: ModuleCode, range: CodeRange): (rva: number) => boolean {
  const found = code.decoding((decoder) => {
    const tables = new JumpTables(code, undefined);
    const starts: number[] = [];
    let oldest = 0;
    for (let at: number = range.start; at < range.end; ) {
      const run = code.runAt(at);
      if (run === undefined || tables.holds(at)) {
        at++;
        continue;
      }
      const packed = code.step(run, at);
      const length = packed === 0 ? decoder.lengthAt(at) : packed & LENGTH_MASK;
      while ((starts[oldest] ?? at) < at - BYTES_BACK) oldest++;
      starts.push(at);
      if (packed >> FLOW_SHIFT === Flow.JumpIndirect)
        tables.labels(decoder, run, at, length, starts[oldest] ?? at);
      at += Math.max(1, length);
    }
    return tables;
  });
  return (rva) => found?.holds(rva) === true;
}
