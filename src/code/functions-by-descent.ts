import { BitSet } from "../core/bit-set.ts";
import { MAX_FUNCTIONS } from "../core/limits.ts";
import { U32List } from "../core/u32-list.ts";
import type { Decoder } from "../isa/instruction.ts";
import type { FunctionStarts } from "../isa/instruction-set.ts";
import { type FunctionTableBuilder, joinPadded, lastAtOrBefore } from "./function-table.ts";
import { JumpTables, LONG_TABLE } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";
import { type DescentRules, type Extent, RecursiveDescent, type TailJump } from "./recursive-descent.ts";
import { ScopeTables } from "./scope-tables.ts";
import type { Seeds } from "./seeds.ts";
import { isSelfContained } from "./self-contained.ts";
import { StartJudge } from "./start-judge.ts";

/** Passes over the extents that do not hold, each with what the one before found. */
const PASSES = 3;
/** How often all the code may be walked in all. */
const WALKS = 4;
/** Rounds of walking what stands in gaps: each may reach code that leaves new gaps. */
const GAP_ROUNDS = 4;

/**
 * The functions of code of which no unwind data tells, by recursive descent. First their entries are looked for: from
 * exports, along calls, behind pointers, and in what is then left over. When all are known, each one's extent is
 * walked, and ends where others start.
 */
export function findByDescent(
  code: ModuleCode,
  decoder: Decoder,
  starts: FunctionStarts,
  seeds: Seeds,
  neverReturns: (target: number) => boolean,
  builder: FunctionTableBuilder,
  notes: string[],
): void {
  new DescentFinder(code, decoder, starts, seeds, neverReturns).run(builder, notes);
}

class DescentFinder {
  readonly #code: ModuleCode;
  readonly #decoder: Decoder;
  readonly #starts: FunctionStarts;
  readonly #seeds: Seeds;
  readonly #tables: JumpTables;
  readonly #entries: BitSet;
  readonly #pending: number[] = [];
  readonly #walker: RecursiveDescent;
  /** What the functions found so far consist of, by entry. */
  readonly #extents = new Map<number, Extent>();
  /** Bytes of those extents. */
  readonly #covered: BitSet;
  readonly #scopes: ScopeTables;
  readonly #judge: StartJudge;
  /** Starts of gaps that are no functions. */
  readonly #rejected: BitSet;
  /** While entries are looked for, and when they are known. */
  readonly #searchRules: DescentRules;
  readonly #finalRules: DescentRules;
  readonly #dead = new Set<number>();
  readonly #list: number[] = [];
  /** Where calls to code of the image stand, each once, and what they call. */
  readonly #calls = new U32List();
  readonly #targets = new U32List();
  readonly #noted: BitSet;

  constructor(
    code: ModuleCode,
    decoder: Decoder,
    starts: FunctionStarts,
    seeds: Seeds,
    neverReturns: (target: number) => boolean,
  ) {
    this.#code = code;
    this.#decoder = decoder;
    this.#starts = starts;
    this.#seeds = seeds;
    this.#tables = new JumpTables(code, seeds.relocated);
    this.#entries = new BitSet(code.image.size);
    const budget = code.readable * WALKS + 0x1_0000;
    this.#walker = new RecursiveDescent(code, decoder, this.#tables, new BitSet(code.image.size), budget);
    this.#covered = new BitSet(code.image.size);
    this.#rejected = new BitSet(code.image.size);
    this.#noted = new BitSet(code.image.size);
    this.#scopes = new ScopeTables(code, seeds.relocated);
    const [tables, scopes, entries] = [this.#tables, this.#scopes, this.#entries];
    this.#judge = new StartJudge(
      code,
      decoder,
      starts,
      { tables, scopes, seeds, entries, neverReturns },
      budget,
    );
    this.#searchRules = {
      fence: this.#entries,
      neverReturns,
      startsFunction: (at, padded) => this.#startsBehindCall(at, padded),
      isTailJump: (jump) => this.#isTailJump(jump),
      isData: (at) => this.#judge.isData(at),
      ...(scopes.some ? { handlersAt: (at) => scopes.namedAt(at) } : {}),
      onCall: (target, at) => {
        this.#noteCall(target, at);
        this.#add(target);
      },
    };
    this.#finalRules = {
      ...this.#searchRules,
      neverReturns: (target) => this.#dead.has(target) || neverReturns(target),
      startsFunction: () => false,
      isTailJump: () => false,
      onCall: (target, at) => this.#noteCall(target, at),
    };
  }

  run(builder: FunctionTableBuilder, notes: string[]): void {
    this.#tables.markNamed();
    this.#search();
    this.#settle();
    if (this.#exhausted || this.#judge.exhausted)
      notes.push("the search for functions was ended at its limit");
    if (this.#tables.cut) notes.push(LONG_TABLE);
    for (const [entry, { ranges }] of this.#extents) {
      builder.add(entry, this.#seeds.exported.has(entry) ? "export" : "flow", joinPadded(this.#code, ranges));
    }
  }

  #search(): void {
    const { entryPoint } = this.#code.image;
    if (this.#code.isCode(entryPoint)) this.#add(entryPoint);
    for (const rva of this.#seeds.exports) this.#add(rva);
    this.#drain();
    const { places, targets } = this.#seeds.pointers;
    const order = Array.from(targets.keys()).sort((a, b) => (targets[a] ?? 0) - (targets[b] ?? 0));
    for (const index of order) {
      const target = targets[index] ?? 0;
      if (this.#tables.holds(places[index] ?? 0) || !this.#isPointedFunction(target)) continue;
      this.#add(target);
      this.#drain();
    }
    for (let round = 0; round < GAP_ROUNDS && this.#searchGaps(); round++);
  }

  get #isFull(): boolean {
    return this.#list.length >= MAX_FUNCTIONS;
  }

  /** What is found from here on may be wrong, or is left out. */
  get #exhausted(): boolean {
    return this.#walker.exhausted || this.#tables.exhausted || this.#isFull;
  }

  #add(entry: number): void {
    if (this.#isFull || this.#entries.has(entry) || this.#code.runAt(entry) === undefined) return;
    // Called or not, a `__finally` block runs on the frame of its function.
    if (this.#scopes.entries.has(entry) && !this.#seeds.exported.has(entry)) return;
    this.#entries.add(entry);
    this.#list.push(entry);
    this.#pending.push(entry);
  }

  #drain(): void {
    for (let entry = this.#pending.pop(); entry !== undefined; entry = this.#pending.pop()) {
      if (this.#walker.exhausted) return;
      this.#walk(entry, this.#searchRules);
    }
  }

  #noteCall(target: number, at: number): void {
    if (!this.#noted.addNew(at)) return;
    this.#calls.push(at);
    this.#targets.push(target);
  }

  #walk(entry: number, rules: DescentRules): void {
    const extent = this.#walker.walk(entry, rules);
    this.#extents.set(entry, extent);
    const { ranges } = extent;
    for (let i = 0; i < ranges.length; i += 2) this.#covered.addRange(ranges[i] ?? 0, ranges[i + 1] ?? 0);
  }

  #startsBehindCall(at: number, padded: boolean): boolean {
    const run = this.#code.runAt(at);
    const prologue = run === undefined ? undefined : this.#starts.prologueAt(run, at);
    if (run === undefined || prologue === "frame") return run !== undefined;
    if (!padded || prologue === "strong") return padded;
    return at % 16 === 0 && (prologue === "weak" || this.#code.set.thunks.isSlotJump(run, at));
  }

  /** A jump leaves the function when it leads to what looks like a start, and takes nothing of the function along. */
  #isTailJump({ target, entry, previous, at }: TailJump): boolean {
    const run = this.#code.runAt(target);
    if (run === undefined) return true;
    const prologue = this.#starts.prologueAt(run, target);
    if (!this.#judge.isBehindEnd(run, target) || (prologue === undefined && target % 16 !== 0)) return false;
    if (prologue === "frame") {
      this.#add(target);
      return true;
    }
    const here = this.#code.runAt(at);
    const tornDown = previous !== undefined && here !== undefined && this.#starts.endsFrame(here, previous);
    const elsewhere = target < entry || target > at + 0x1000 || prologue === "strong";
    // A stub: nothing but a few moves, and the jump.
    const stub = at - entry < 16 && at > entry;
    if (!tornDown && !elsewhere && !stub && prologue === undefined) return false;
    const within = (place: number): boolean => place > entry && place <= at;
    if (!isSelfContained(this.#decoder, this.#code.set.abi, target, within)) return false;
    this.#add(target);
    return true;
  }

  #isPointedFunction(target: number): boolean {
    if (this.#entries.has(target) || this.#scopes.entries.has(target)) return false;
    return this.#judge.isPointed(target, this.#covered.has(target));
  }

  /** Walks what no walk has reached. */
  #searchGaps(): boolean {
    const before = this.#list.length;
    for (const run of this.#code.runs) {
      let at = this.#covered.nextMissing(run.start, run.end);
      /** Behind an instruction that goes on: no function starts here but with a frame. */
      let flowsIn = -1;
      while (at < run.end && !this.#exhausted) {
        const start = this.#judge.isNoCode(at) ? at : this.#code.set.padding.startBehind(run, at, run.end);
        if (start < run.end && this.#isCandidate(start)) {
          const starts =
            start === flowsIn
              ? this.#starts.prologueAt(run, start) === "frame"
              : this.#judge.startsInGap(run, at, start);
          if (starts) {
            this.#add(start);
            this.#drain();
          } else this.#rejected.add(start);
        }
        // Over whole instructions, so that bytes inside of one are not taken for padding.
        const next = this.#judge.isNoCode(start) ? start + 1 : this.#code.stepOver(run, start);
        flowsIn = this.#judge.isNoCode(start) || !this.#code.goesOn(run, start) ? -1 : next;
        at = this.#covered.nextMissing(next, run.end);
      }
    }
    return this.#list.length > before;
  }

  #isCandidate(start: number): boolean {
    return (
      ![this.#covered, this.#rejected, this.#scopes.entries].some((set) => set.has(start)) &&
      !this.#judge.isNoCode(start)
    );
  }

  /**
   * Walks functions again whose extents do not hold: others start in them, or they call what has turned out never to
   * return.
   */
  #settle(): void {
    let again = this.#entered();
    let unsure: Iterable<number> = this.#list;
    for (let pass = 0; pass < PASSES && !this.#walker.exhausted; pass++) {
      for (const entry of again) if (!this.#walker.exhausted) this.#walk(entry, this.#finalRules);
      const died = new BitSet(this.#code.image.size);
      const before = this.#dead.size;
      for (const entry of unsure) {
        if (this.#extents.get(entry)?.mayReturn !== false || this.#dead.has(entry)) continue;
        this.#dead.add(entry);
        died.add(entry);
      }
      if (this.#dead.size === before) return;
      again = this.#callersOf(died);
      unsure = again;
    }
  }

  /** The functions in whose extents others start. */
  #entered(): Set<number> {
    return this.#having(Uint32Array.from(this.#list), true);
  }

  #callersOf(wanted: BitSet): Set<number> {
    const calls = this.#calls.toArray();
    return this.#having(
      calls.filter((_, index) => wanted.has(this.#targets.at(index))),
      false,
    );
  }

  /** The functions in whose extents one of these places stands, their own start apart where `behindStart`. */
  #having(places: Uint32Array, behindStart: boolean): Set<number> {
    places.sort();
    const found = new Set<number>();
    for (const [entry, { ranges }] of this.#extents) {
      for (let i = 0; i < ranges.length; i += 2) {
        let last = lastAtOrBefore(places, (ranges[i + 1] ?? 0) - 1);
        if (behindStart && places[last] === entry) last--;
        if ((places[last] ?? -1) >= (ranges[i] ?? 0)) found.add(entry);
      }
    }
    return found;
  }
}
