import type { BitSet } from "../core/bit-set.ts";
import { type CodeRun, type Decoder, FLOW_SHIFT, Flow, LENGTH_MASK } from "../isa/instruction.ts";
import { joinRanges } from "./function-table.ts";
import type { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";

/** Bytes behind a call that does not return which may still be the function's. */
const MAX_DEAD_TAIL = 64;

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
  /** Filters and handlers of the exception table that an instruction names: the function has them, too. */
  handlersAt?(at: number): readonly number[];
  /** Told of each call to code of the image, at `at`. */
  onCall?(target: number, at: number): void;
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
 * walk, and all walks together decode at most `budget` instructions; each way that a jump table leads counts as one.
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
    const walk: Walk = { entry, rules, pending: [entry], dead: [] };
    const pairs: number[] = [];
    let mayReturn = false;
    let cut = false;
    for (let from = walk.pending.pop(); from !== undefined; from = walk.pending.pop()) {
      if (this.#seen.has(from)) continue;
      const run = this.#code.runAt(from);
      if (run === undefined) {
        cut = true;
        continue;
      }
      const end = this.#straight(walk, run, from);
      mayReturn ||= this.#mayReturn;
      cut ||= this.#cut;
      if (end > from) pairs.push(from, end);
    }
    for (const from of walk.dead) {
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
    for (let at = from; at < from + MAX_DEAD_TAIL && !this.#seen.has(at) && !rules.fence.has(at); ) {
      const packed = this.#code.step(run, at);
      const next = at + (packed & LENGTH_MASK);
      const flow = packed >> FLOW_SHIFT;
      if (packed === 0 || flow === Flow.Stop || flow === Flow.JumpIndirect) return undefined;
      if (flow === Flow.Return) {
        const ends =
          next >= run.end || rules.fence.has(next) || this.#code.set.padding.skip(run, next, next + 1) > next;
        return ends ? next : undefined;
      }
      if (flow === Flow.Jump)
        return this.#seen.has(this.#code.targetOf(run, at, next - at)) ? next : undefined;
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
  #straight(walk: Walk, run: CodeRun, from: number): number {
    const { entry, rules, pending } = walk;
    const { bytes, start: base, end: limit } = run;
    const { set } = this.#code;
    const { fence } = rules;
    const seen = this.#seen;
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
      const packed = set.step(bytes, at - base, bytes.length);
      const length = packed === 0 ? this.#decoder.lengthAt(at) : packed & LENGTH_MASK;
      if (length === 0 || rules.rejects?.(run, at, length)) {
        seen.removeRange(at, at + 1);
        return this.#ended(at, true, true);
      }
      const flow = packed >> FLOW_SHIFT;
      const next = at + length;
      if (flow === Flow.Next) {
        if (set.padding.nopLength(bytes, at - base) === 0) solid = next;
        if (rules.handlersAt !== undefined) for (const handler of rules.handlersAt(at)) pending.push(handler);
      } else {
        const end = this.#leave(walk, run, { flow, at, next, from, previous });
        if (end !== GOES_ON) return end;
        solid = next;
      }
      previous = flow === Flow.Call || flow === Flow.CallIndirect ? undefined : at;
      at = next;
    }
  }

  /** An instruction that may lead elsewhere: where the stretch ends with it, or `GOES_ON`. */
  #leave(walk: Walk, run: CodeRun, step: Leaving): number {
    const { at, next } = step;
    switch (step.flow) {
      case Flow.Call: {
        const target = this.#code.targetOf(run, at, next - at);
        if (target !== next && this.#isCode(run, target)) walk.rules.onCall?.(target, at);
        return this.#behindCall(walk, run, next, target);
      }
      case Flow.CallIndirect:
        return this.#behindCall(
          walk,
          run,
          next,
          this.#code.set.thunks.slotOf(this.#code, run, at, next - at),
        );
      case Flow.Branch: {
        const target = this.#code.targetOf(run, at, next - at);
        if (target !== walk.entry && walk.rules.fence.has(target)) return GOES_ON;
        if (!this.#seen.has(target) && this.#isCode(run, target)) walk.pending.push(target);
        return GOES_ON;
      }
      case Flow.Jump:
        return this.#jump(walk, run, step);
      case Flow.JumpIndirect: {
        const labels = this.#tables.labels(this.#decoder, run, at, next - at, step.from);
        for (const label of labels ?? []) if (!walk.rules.fence.has(label)) walk.pending.push(label);
        this.#budget -= labels?.length ?? 0;
        return this.#ended(next, labels === undefined, false);
      }
      case Flow.Return:
        return this.#ended(next, true, false);
      default:
        return this.#stop(walk, run, step);
    }
  }

  #behindCall({ rules, dead }: Walk, run: CodeRun, next: number, callee: number | undefined): number {
    if (this.#endsHere(run, next, rules)) return this.#ended(next, false, false);
    if (callee === undefined || !rules.neverReturns(callee)) return GOES_ON;
    dead.push(next);
    return this.#ended(next, false, false);
  }

  #jump({ entry, rules, pending }: Walk, run: CodeRun, { at, next, previous }: Leaving): number {
    const target = this.#code.targetOf(run, at, next - at);
    if (target === entry || this.#seen.has(target)) return this.#ended(next, false, false);
    const leaves =
      rules.fence.has(target) ||
      !this.#isCode(run, target) ||
      rules.isTailJump({ at, target, entry, previous });
    if (!leaves) pending.push(target);
    return this.#ended(next, leaves, false);
  }

  /** A breakpoint goes on when it is continued; one behind a call, or before others, is padding. */
  #stop({ entry }: Walk, { bytes, start }: CodeRun, { at, next, previous }: Leaving): number {
    const { padding } = this.#code.set;
    if (!padding.isBreakpoint(bytes, at - start)) return this.#ended(next, false, false);
    const lone = previous !== undefined && !padding.isBreakpoint(bytes, next - start);
    if (lone || at === entry) return GOES_ON;
    this.#seen.removeRange(at, next);
    return this.#ended(at, false, false);
  }

  #isCode(run: CodeRun, target: number): boolean {
    return (target >= run.start && target < run.end) || this.#code.isCode(target);
  }

  /** Behind a call stands padding up to another function: the call does not return. */
  #endsHere(run: CodeRun, next: number, rules: DescentRules): boolean {
    const { bytes, start } = run;
    const { padding } = this.#code.set;
    if (padding.isBreakpoint(bytes, next - start) || rules.isData?.(next)) return true;
    if (rules.fence.has(next) || rules.startsFunction(next, false)) return true;
    if (!padding.mayStartNop(bytes[next - start] ?? 0)) return false;
    const after = padding.skip(run, next, next + 32);
    return after > next && (rules.fence.has(after) || rules.startsFunction(after, true));
  }
}

/** One walk: what is known of the function, and what is still to be gone. */
interface Walk {
  readonly entry: number;
  readonly rules: DescentRules;
  readonly pending: number[];
  /** What stands behind calls that do not return. */
  readonly dead: number[];
}

/** An instruction that may not go on to the next one. */
interface Leaving {
  readonly flow: number;
  readonly at: number;
  readonly next: number;
  /** Where the stretch started. */
  readonly from: number;
  /** The instruction before, if it is in the stretch and no call. */
  readonly previous: number | undefined;
}

/** No place: the stretch does not end. */
const GOES_ON = -1;
