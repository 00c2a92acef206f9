import { BitSet } from "../core/bit-set.ts";
import type { CodeRun, Decoder } from "../isa/instruction.ts";
import { type FunctionStarts, TOO_ODD } from "../isa/instruction-set.ts";
import type { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";
import { findTexts, type KnownData, knownData } from "./no-code.ts";
import { type DescentRules, type Extent, RecursiveDescent } from "./recursive-descent.ts";
import type { ScopeTables } from "./scope-tables.ts";
import type { Seeds } from "./seeds.ts";
import { isSelfContained } from "./self-contained.ts";

/** Instructions of a walk that only tries whether there is a function. */
const MAX_TRIAL = 4096;

/** What else is known while functions are looked for. */
export interface Surroundings {
  readonly tables: JumpTables;
  readonly scopes: ScopeTables;
  readonly seeds: Seeds;
  /** Functions known so far. */
  readonly entries: BitSet;
  readonly neverReturns: (target: number) => boolean;
}

/** Tells starts of functions that nothing calls from other code and from data. */
export class StartJudge {
  readonly #code: ModuleCode;
  readonly #decoder: Decoder;
  readonly #starts: FunctionStarts;
  readonly #tables: JumpTables;
  readonly #scopes: ScopeTables;
  readonly #data: KnownData;
  readonly #texts: BitSet;
  /** What a trial may still meet of instructions that are rare. */
  #patience = 0;
  #importSlots: ReadonlySet<number> | undefined;
  readonly #trialRules: DescentRules;
  /** Instructions that trials may still look at. */
  #trials: number;
  /** Kept between trials: it is as large as the image. */
  #trialSeen: BitSet | undefined;

  /** @param budget instructions that trials may look at in all */
  constructor(
    code: ModuleCode,
    decoder: Decoder,
    starts: FunctionStarts,
    { tables, scopes, seeds, entries, neverReturns }: Surroundings,
    budget: number,
  ) {
    this.#code = code;
    this.#decoder = decoder;
    this.#starts = starts;
    this.#tables = tables;
    this.#scopes = scopes;
    this.#trials = budget;
    this.#data = knownData(code);
    this.#texts = findTexts(code);
    this.#trialRules = {
      fence: entries,
      neverReturns,
      startsFunction: () => false,
      isTailJump: () => false,
      isData: (at) => this.isData(at),
      handlersAt: (at) => this.#scopes.namedAt(at),
      rejects: (run, at, length) => {
        this.#patience -= this.#texts.has(at)
          ? TOO_ODD
          : this.#starts.oddness(code, seeds.relocated, run, at, length);
        return this.#patience <= 0;
      },
      onCall: () => undefined,
    };
  }

  /** Trials have come to their limit: what is asked now may be answered wrongly. */
  get exhausted(): boolean {
    return this.#trials <= 0;
  }

  /** Texts, and what else is surely no code. */
  isData(at: number): boolean {
    return this.#texts.has(at) || this.#data.sure.has(at);
  }

  /** Data, or what belongs to tables. */
  isNoCode(at: number): boolean {
    return this.isData(at) || this.#tables.holds(at) || this.#scopes.words.has(at);
  }

  /** What stands before is padding, or an instruction that nothing follows: code does not fall in here. */
  isBehindEnd(run: CodeRun, at: number): boolean {
    // Behind a hole stands the rest of some function.
    if (at === run.start) return this.#code.sections.some((section) => section.start === at);
    return this.isNoCode(at - 1) || this.#starts.isBehindEnd(run, at);
  }

  /**
   * Whether a place that a pointer leads to is a function's start.
   *
   * @param inside a function is known to go through there
   */
  isPointed(target: number, inside: boolean): boolean {
    const run = this.#code.runAt(target);
    if (
      run === undefined ||
      this.isNoCode(target) ||
      this.#code.set.padding.nopLength(run.bytes, target - run.start) > 0
    )
      return false;
    const prologue = this.#starts.prologueAt(run, target);
    const behindEnd = this.isBehindEnd(run, target);
    if (inside) return (prologue === "frame" || prologue === "strong") && behindEnd;
    // Its function is not known.
    if (this.#starts.isHandler(run, target)) return false;
    if (prologue === "frame" || (prologue === "strong" && behindEnd)) return true;
    // Texts and numbers in the code are pointed to as well, and stand behind a zero, or where a paragraph starts.
    if (prologue === undefined && !behindEnd && target % 16 !== 0) return false;
    const { cut, mayReturn } = this.#try(target);
    if (cut) return false;
    return (
      (mayReturn && prologue !== undefined) ||
      isSelfContained(this.#decoder, this.#code.set.abi, target, () => false)
    );
  }

  /**
   * Whether a function starts where nothing known goes through.
   *
   * @param gap where what is left over begins; padding may stand between
   */
  startsInGap(run: CodeRun, gap: number, start: number): boolean {
    const prologue = this.#starts.prologueAt(run, start);
    // Zeros are padding only where linkers join sections; elsewhere they are numbers.
    const zero = run.bytes[start - run.start - 1] === 0 && !this.#code.set.padding.isBehindNop(run, start);
    const filled = start > gap && (!zero || start % 16 === 0);
    const padded = filled || this.#code.sections.some((section) => section.start === start);
    if ((prologue === "frame" || prologue === "strong") && this.isBehindEnd(run, start)) return true;
    if (this.#data.likely.has(start)) return false;
    if (this.#jumpsThroughSlot(run, start)) return true;
    const aligned = padded || start % 16 === 0;
    if (zero && prologue === undefined && start > run.start) return false;
    if (!this.isBehindEnd(run, start) || (prologue === undefined && !aligned)) return false;
    const { cut, mayReturn, ranges } = this.#try(start);
    // A thread's routine may never return, but calls; packed code has no padding to tell it by.
    if (cut || !(mayReturn || this.#callsImports(ranges))) return false;
    // Padding up to a whole paragraph stands in front of functions, and of loops, which have no prologue.
    if (prologue !== undefined && padded && start % 16 === 0) return true;
    return isSelfContained(this.#decoder, this.#code.set.abi, start, () => false);
  }

  /** Whether code calls through a slot that the import table names. */
  #callsImports(ranges: readonly number[]): boolean {
    this.#importSlots ??= new Set(this.#code.image.imports.slots.map(({ rva }) => rva));
    for (let i = 0; i < ranges.length; i += 2) {
      const run = this.#code.runAt(ranges[i] ?? 0);
      if (run === undefined) continue;
      const end = Math.min(ranges[i + 1] ?? 0, run.end) - 6;
      for (let at = ranges[i] ?? 0; at <= end; at++) {
        const slot = this.#code.set.thunks.calledSlot(this.#code, run, at);
        if (slot !== undefined && this.#importSlots.has(slot)) return true;
      }
    }
    return false;
  }

  #jumpsThroughSlot(run: CodeRun, start: number): boolean {
    const { thunks } = this.#code.set;
    return thunks.isSlotJump(run, start) && thunks.jumpAt(this.#code, start)?.slot !== undefined;
  }

  /** Walks what would be the function, up to what no compiler writes; nothing is kept of it. */
  #try(start: number): Extent {
    this.#patience = TOO_ODD;
    this.#trialSeen ??= new BitSet(this.#code.image.size);
    const limit = Math.min(MAX_TRIAL, this.#trials);
    const trial = new RecursiveDescent(this.#code, this.#decoder, this.#tables, this.#trialSeen, limit);
    const extent = trial.walk(start, this.#trialRules);
    this.#trials -= limit - Math.max(trial.left, 0);
    return extent;
  }
}
