import type { BitSet } from "../core/bit-set.ts";
import { type CodeRun, type Decoder, FLOW_SHIFT, Flow, LENGTH_MASK } from "../isa/instruction.ts";
import { lengthAt, nearTarget } from "../isa/x86/lengths.ts";
import { nopLength, skipPadding } from "../isa/x86/padding.ts";
import { fixedSlot } from "../isa/x86/thunks.ts";
import { joinRanges } from "./function-table.ts";
import type { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";

/** Bytes behind a call that does not return which may still be the function's. */
const MAX_DEAD_TAIL = 64;

/** `push imm32`, `mov [mem], imm32`. */
const NAMES_TABLE = new Uint8Array(256);
for (const byte of [0x68, 0xc7]) NAMES_TABLE[byte] = 1;

/** What stands around one function's code. */
export interface DescentRules {
  /** Where other functions start, or, where their extents are known, all of their bytes: no walk enters them. */
  readonly fence: Pick<BitSet, "has">;
  /** Whether a call to this offset, or through this import slot, never comes back. */
  neverReturns(target: number): boolean;
  /** Whether an unconditional jump is the function's last act: its target is another function. */
  isTailJump(jump: TailJump): boolean;
  /** Whether a function seems to start behind a call, `padded` when there is padding between. */
  startsFunction(at: number, padded: boolean): boolean;
  /** Whether what stands here is known to be no code: a call in front of it does not return. */
  isData?(at: number): boolean;
  /** Whether an instruction is none that anybody wrote: the walk is cut there. */
  rejects?(run: CodeRun, at: number, length: number): boolean;
  /** Filters and handlers of the exception table that a `push` or `mov` names: the function has them, too. */
  handlersAt?(at: number): readonly number[] | undefined;
  /** Told of each call to code of the image. */
  onCall?(target: number): void;
  /** Told of each jump that leaves for another function. */
  onLeave?(target: number, at: number, conditional: boolean): void;
}

/** An unconditional jump that may lead to another function. */
export interface TailJump {
  readonly at: number;
  readonly target: number;
  readonly entry: number;
  /** Where the instruction before the jump starts; `undefined` when the jump starts its block. */
  readonly previous: number | undefined;
}

/** The code that is reached from an entry. */
export interface Extent {
  /** Pairs of start and end, by address; neighbours are joined. */
  readonly ranges: readonly number[];
  /** A `ret`, a jump to another function, or something that cannot be followed was reached. */
  readonly mayReturn: boolean;
  /** A hole, or bytes that are no instruction, were reached. */
  readonly cut: boolean;
}

/**
 * Walks functions by their flow: from an entry along every jump that stays inside. Nothing is decoded twice in one
 * walk, and all walks together decode at most `budget` instructions.
 */
export class RecursiveDescent {
  readonly #code: ModuleCode;
  readonly #decoder: Decoder;
  readonly #tables: JumpTables;
  /** Instructions that the walk at hand has seen. */
  readonly #seen: BitSet;
  #budget: number;

  constructor(code: ModuleCode, decoder: Decoder, tables: JumpTables, seen: BitSet, budget: number) {
    this.#code = code;
    this.#decoder = decoder;
    this.#tables = tables;
    this.#seen = seen;
    this.#budget = budget;
  }

  /** Instructions that walks may still decode. */
  get left(): number {
    return this.#budget;
  }

  /** No walk goes on: `budget` instructions were decoded. */
  get exhausted(): boolean {
    return this.#budget <= 0;
  }

  walk(entry: number, rules: DescentRules): Extent {
    const pending = [entry];
    /** What stands behind calls that do not return. */
    const dead: number[] = [];
    const pairs: number[] = [];
    let mayReturn = false;
    let cut = false;
    for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
      if (this.#seen.has(from)) continue;
      const run = this.#code.runAt(from);
      if (run === undefined) {
        cut = true;
        continue;
      }
      const end = this.#straight(run, from, entry, rules, pending, dead);
      mayReturn ||= this.#mayReturn;
      cut ||= this.#cut;
      if (end > from) pairs.push(from, end);
    }
    for (const from of dead) {
      const end = this.#deadEnd(from, rules);
      if (end === undefined) continue;
      this.#seen.addRange(from, end);
      pairs.push(from, end);
    }
    const ranges = joinRanges(pairs);
    for (let i = 0; i < ranges.length; i += 2) this.#seen.removeRange(ranges[i] ?? 0, ranges[i + 1] ?? 0);
    return { ranges, mayReturn, cut };
  }

  /**
   * Where the code behind a call that does not return ends. It is the function's own when it leads back to it, or
   * ends it in front of padding; else another function's block may follow, as cold blocks follow each other.
   */
  #deadEnd(from: number, rules: DescentRules): number | undefined {
    const run = this.#code.runAt(from);
    if (run === undefined) return undefined;
    const { bytes, start } = run;
    for (let at = from; at < from + MAX_DEAD_TAIL && !this.#seen.has(at) && !rules.fence.has(at); ) {
      const packed = lengthAt(bytes, at - start, bytes.length, this.#code.wide);
      const next = at + (packed & LENGTH_MASK);
      const flow = packed >> FLOW_SHIFT;
      if (packed === 0 || flow === Flow.Stop || flow === Flow.JumpIndirect) return undefined;
      if (flow === Flow.Return) {
        const ends = next >= run.end || rules.fence.has(next) || skipPadding(run, next, next + 1) > next;
        return ends ? next : undefined;
      }
      if (flow === Flow.Jump)
        return this.#seen.has(start + nearTarget(bytes, at - start, next - at)) ? next : undefined;
      at = next;
    }
    return undefined;
  }

  /** What ended the last stretch: see `Extent`. */
  #mayReturn = false;
  #cut = false;

  #ended(at: number, mayReturn: boolean, cut: boolean): number {
    this.#mayReturn = mayReturn;
    this.#cut = cut;
    return at;
  }

  /**
   * One stretch of instructions that follow each other, up to a jump that always leaves.
   *
   * @returns where it ends
   */
  #straight(
    run: CodeRun,
    from: number,
    entry: number,
    rules: DescentRules,
    pending: number[],
    dead: number[],
  ): number {
    const { bytes, start: base, end: limit } = run;
    const { wide } = this.#code;
    const { fence } = rules;
    const seen = this.#seen;
    const size = bytes.length;
    let at = from;
    let previous: number | undefined;
    /** After the last instruction that is no `nop`: what stands behind it may be padding. */
    let solid = from;
    for (;;) {
      if (at !== entry && fence.has(at)) {
        seen.removeRange(solid, at);
        return this.#ended(solid, false, false);
      }
      if (at >= limit || this.#budget-- <= 0) return this.#ended(at, true, true);
      if (!seen.addNew(at)) return this.#ended(at, false, false);
      const packed = lengthAt(bytes, at - base, size, wide);
      let length = packed & LENGTH_MASK;
      if (packed === 0) {
        length = this.#decoder.lengthAt(at);
        if (length === 0) {
          seen.removeRange(at, at + 1);
          return this.#ended(at, true, true);
        }
      }
      if (rules.rejects?.(run, at, length)) return this.#ended(at, true, true);
      const flow = packed >> FLOW_SHIFT;
      const next = at + length;
      switch (flow) {
        case Flow.Next:
          if (nopLength(bytes, at - base) === 0) solid = next;
          if (rules.handlersAt !== undefined && NAMES_TABLE[bytes[at - base] as number] === 1) {
            for (const handler of rules.handlersAt(at) ?? []) pending.push(handler);
          }
          break;
        case Flow.Call: {
          const target = base + nearTarget(bytes, at - base, length);
          if (target !== next && this.#isCode(run, target)) rules.onCall?.(target);
          solid = next;
          if (this.#endsHere(run, next, rules)) return this.#ended(next, false, false);
          if (rules.neverReturns(target)) {
            dead.push(next);
            return this.#ended(next, false, false);
          }
          break;
        }
        case Flow.CallIndirect: {
          solid = next;
          const slot = fixedSlot(this.#code, run, at, length);
          if (this.#endsHere(run, next, rules)) return this.#ended(next, false, false);
          if (slot !== undefined && rules.neverReturns(slot)) {
            dead.push(next);
            return this.#ended(next, false, false);
          }
          break;
        }
        case Flow.Branch: {
          solid = next;
          const target = base + nearTarget(bytes, at - base, length);
          if (target !== entry && fence.has(target)) rules.onLeave?.(target, at, true);
          else if (!seen.has(target) && this.#isCode(run, target)) pending.push(target);
          break;
        }
        case Flow.Jump: {
          const target = base + nearTarget(bytes, at - base, length);
          if (target === entry || seen.has(target)) return this.#ended(next, false, false);
          const leaves =
            fence.has(target) ||
            !this.#isCode(run, target) ||
            rules.isTailJump({ at, target, entry, previous });
          if (leaves) rules.onLeave?.(target, at, false);
          else pending.push(target);
          return this.#ended(next, leaves, false);
        }
        case Flow.JumpIndirect: {
          const labels = this.#tables.labels(run, at, length, from);
          if (labels === undefined) return this.#ended(next, true, false);
          for (const label of labels) if (!fence.has(label)) pending.push(label);
          return this.#ended(next, false, false);
        }
        case Flow.Return:
          return this.#ended(next, true, false);
        default: {
          // A breakpoint goes on when it is continued; one behind a call, or before others, is padding.
          if (bytes[at - base] !== 0xcc) return this.#ended(next, false, false);
          const lone = previous !== undefined && bytes[next - base] !== 0xcc;
          if (!lone && at !== entry) {
            seen.removeRange(at, next);
            return this.#ended(at, false, false);
          }
          solid = next;
        }
      }
      previous = flow === Flow.Call || flow === Flow.CallIndirect ? undefined : at;
      at = next;
    }
  }

  #isCode(run: CodeRun, target: number): boolean {
    return (target >= run.start && target < run.end) || this.#code.isCode(target);
  }

  /** Behind a call stands padding up to another function: the call does not return. */
  #endsHere(run: CodeRun, next: number, rules: DescentRules): boolean {
    const byte = run.bytes[next - run.start];
    if (byte === 0xcc || rules.isData?.(next)) return true;
    if (rules.fence.has(next) || rules.startsFunction(next, false)) return true;
    if (byte !== 0x90 && byte !== 0x66 && byte !== 0x0f && byte !== 0x8d && byte !== 0x2e) return false;
    const after = skipPadding(run, next, next + 32);
    return after > next && (rules.fence.has(after) || rules.startsFunction(after, true));
  }
}
