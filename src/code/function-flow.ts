import { MAX_FUNCTION_INSTRUCTIONS, MAX_STATE_PLACES, MAX_VALUE_STEPS } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import { type CodeRange, type Decoder, Flow, type Instruction } from "../isa/instruction.ts";
import { MachineState, UNKNOWN, type Value } from "./abstract-value.ts";
import { type CallSite, siteIn } from "./call-site.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { type JumpTables, LOOK_BACK } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";
import { Transfer } from "./transfer.ts";

/** One place where a function writes to memory, or compares. */
export interface ValueEvent {
  readonly kind: "store" | "compare" | "return";
  readonly instruction: Instruction;
  readonly value: Value;
  /** Of a store: where on the stack, or in the image; elsewhere, what the register holds that its address starts from. */
  readonly stack?: number | undefined;
  readonly place?: number | undefined;
  readonly behind?: Value | undefined;
}

/** The call of a function that stands at `at`. */
export function callAt({ calls }: FunctionFlow, at: number): CallSite | undefined {
  const startOf = (index: number): number => calls[index]?.instruction.start ?? 0;
  const site = calls[upperBound(calls.length, at, startOf) - 1];
  return site?.instruction.start === at ? site : undefined;
}

/** What one function does with its values. */
export interface FunctionFlow {
  readonly function: CodeFunction;
  /** By address. */
  readonly calls: readonly CallSite[];
  readonly events: readonly ValueEvent[];
  /** By start. */
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** Where its indirect jumps through tables lead in it, by their starts; absent for one whose table cannot be told. */
  readonly labels: ReadonlyMap<number, readonly number[]>;
  /**
   * Places that nothing known leads to: tables that cannot be told do, or exceptions. Padding is none, nor are pieces of
   * their own, which filters and handlers are.
   */
  readonly unreached: readonly number[];
  /** The function was too large to be followed to the end, or its instructions are not decoded. */
  readonly truncated: boolean;
  /** Instructions that its values were followed through, each as often as something new reached it. */
  readonly steps: number;
  /** Places on the stack that its calls remember. */
  readonly places: number;
}

/** Changes a call's state to what is known behind it. */
export type BehindCall = (site: CallSite, next: Instruction | undefined) => void;

/**
 * Follows values through a function, over all its ways.
 *
 * @param tables of the image
 * @param limit instructions of it that are decoded at the most
 */
export function followFunction(
  image: ImageCode,
  found: CodeFunction,
  behind: BehindCall,
  decoder: Decoder,
  tables: JumpTables,
  limit: number,
): FunctionFlow {
  const follower = new Follower(image, found, behind);
  follower.decode(decoder, tables, Math.min(limit, MAX_FUNCTION_INSTRUCTIONS));
  return follower.run();
}

/** So many places on the stack, as a power of two, are joined in the time of one instruction. */
const PLACES_A_STEP = 6;

class Follower {
  readonly #function: CodeFunction;
  readonly #code: ModuleCode;
  readonly #behind: BehindCall;
  readonly #transfer: Transfer;
  readonly #result: number;
  readonly #instructions = new Map<number, Instruction>();
  readonly #labels = new Map<number, readonly number[]>();
  readonly #leaders = new Set<number>();
  readonly #states = new Map<number, MachineState>();
  /** What is known at all jumps through registers and memory together. */
  #indirect: MachineState | undefined;
  readonly #reached = new Set<number>();
  #steps = 0;
  /** Places on the stack in all states that are kept. */
  #places = 0;
  /** Not all of the function was looked at. */
  #cut = false;

  constructor({ code }: ImageCode, found: CodeFunction, behind: BehindCall) {
    this.#function = found;
    this.#code = code;
    this.#behind = behind;
    this.#transfer = new Transfer(code);
    this.#result = code.set.abi.result;
  }

  decode(decoder: Decoder, tables: JumpTables, limit: number): void {
    for (const fragment of this.#function.fragments) this.#decode(fragment, decoder, tables, limit);
    const add = (place: number | undefined): void => {
      if (place !== undefined && this.#instructions.has(place)) this.#leaders.add(place);
    };
    for (const { target, flow } of this.#instructions.values()) if (flow !== Flow.Call) add(target);
    for (const [jump, labels] of this.#labels) {
      const inside = labels.filter((label) => this.#instructions.has(label));
      if (inside.length > 0) this.#labels.set(jump, inside);
      else this.#labels.delete(jump);
      inside.forEach(add);
    }
  }

  /** The instructions of a piece; the tables that its jumps go through are none. */
  #decode(fragment: CodeRange, decoder: Decoder, tables: JumpTables, limit: number): void {
    const starts: number[] = [];
    for (let at: number = fragment.start; at < fragment.end; ) {
      if (tables.holds(at)) {
        at++;
        continue;
      }
      const length = this.#code.lengthAt(at);
      if (length === 0) return;
      if (this.#instructions.size >= limit) {
        this.#cut = true;
        return;
      }
      const instruction = decoder.at(at);
      if (instruction !== undefined) this.#instructions.set(at, instruction);
      if (instruction?.flow === Flow.JumpIndirect) {
        const run = this.#code.runAt(at);
        const from = starts[Math.max(0, starts.length - LOOK_BACK)] ?? at;
        const labels = run === undefined ? undefined : tables.labels(decoder, run, at, length, from);
        if (labels !== undefined) this.#labels.set(at, labels);
      }
      starts.push(at);
      at += length;
    }
  }

  run(): FunctionFlow {
    this.#spread(this.#function.entry, MachineState.atEntry());
    // What no way leads to is reached through a table that cannot be told, or by an exception.
    const unreached: number[] = [];
    const pieces = new Set<number>(this.#function.fragments.map(({ start }) => start));
    for (const start of this.#instructions.keys()) {
      if (this.#reached.has(start) || this.#isPadding(start)) continue;
      if (!pieces.has(start)) unreached.push(start);
      this.#spread(start, this.#indirect?.copy() ?? MachineState.unknown());
    }
    const calls: CallSite[] = [];
    const events: ValueEvent[] = [];
    for (const [leader, state] of this.#states) {
      this.#block(
        leader,
        state.copy(),
        (site) => {
          if (this.#isFull) return;
          calls.push({ ...site, state: site.state.copy() });
          this.#places += site.state.stack.size;
        },
        (event) => events.push(event),
      );
    }
    calls.sort((a, b) => a.instruction.start - b.instruction.start);
    return {
      function: this.#function,
      calls,
      events,
      instructions: this.#instructions,
      labels: this.#labels,
      unreached,
      truncated: this.#cut || this.#isFull || this.#steps >= MAX_VALUE_STEPS,
      steps: this.#steps,
      places: this.#places,
    };
  }

  #isPadding(start: number): boolean {
    const run = this.#code.runAt(start);
    return run !== undefined && this.#code.set.padding.skip(run, start, run.end) > start;
  }

  get #isFull(): boolean {
    return this.#places > MAX_STATE_PLACES;
  }

  /** Carries a state along all ways from a place, until nothing changes any more. */
  #spread(from: number, state: MachineState): void {
    const pending: number[] = [];
    const waiting = new Set<number>();
    const arrive = (at: number, arriving: MachineState): void => {
      if (!this.#instructions.has(at)) return;
      const known = this.#states.get(at);
      this.#steps += arriving.stack.size >>> PLACES_A_STEP;
      if (known === undefined) {
        if (this.#isFull) return;
        this.#states.set(at, arriving.copy());
        this.#places += arriving.stack.size;
      } else if (!known.join(arriving)) return;
      if (waiting.has(at)) return;
      waiting.add(at);
      pending.push(at);
    };
    this.#leaders.add(from);
    arrive(from, state);
    for (let at = pending.pop(); at !== undefined && this.#steps < MAX_VALUE_STEPS; at = pending.pop()) {
      waiting.delete(at);
      const before = this.#states.get(at);
      if (before !== undefined) this.#block(at, before.copy(), undefined, undefined, arrive);
    }
  }

  /** Runs one stretch of instructions, up to the next place that something else leads to. */
  #block(
    leader: number,
    state: MachineState,
    onCall?: (site: CallSite) => void,
    onEvent?: (event: ValueEvent) => void,
    arrive?: (at: number, state: MachineState) => void,
  ): void {
    for (let at = leader; ; ) {
      const instruction = this.#instructions.get(at);
      if (instruction === undefined) return;
      this.#steps++;
      this.#reached.add(at);
      const next = at + instruction.length;
      if (onEvent !== undefined) this.#tellEvents(state, instruction, onEvent);
      switch (instruction.flow) {
        case Flow.Next:
          this.#transfer.apply(state, instruction);
          break;
        case Flow.Call:
        case Flow.CallIndirect: {
          const site = siteIn(this.#transfer, state, instruction, false);
          onCall?.(site);
          this.#behind(site, this.#instructions.get(next));
          break;
        }
        case Flow.Jump:
        case Flow.Branch: {
          const { target } = instruction;
          if (target !== undefined && this.#instructions.has(target) && target !== this.#function.entry)
            arrive?.(target, state);
          else if (target !== this.#function.entry)
            onCall?.(siteIn(this.#transfer, state, instruction, true));
          if (instruction.flow === Flow.Jump) return;
          break;
        }
        case Flow.JumpIndirect: {
          const labels = this.#labels.get(at);
          if (labels === undefined) onCall?.(siteIn(this.#transfer, state, instruction, true));
          if (arrive === undefined) return;
          for (const label of labels ?? []) arrive(label, state);
          if (this.#indirect === undefined) this.#indirect = state.copy();
          else this.#indirect.join(state);
          return;
        }
        default:
          return;
      }
      if (this.#leaders.has(next)) {
        arrive?.(next, state);
        return;
      }
      at = next;
    }
  }

  #tellEvents(state: MachineState, instruction: Instruction, tell: (event: ValueEvent) => void): void {
    const [to, from] = instruction.operands;
    const held = (operand: typeof to): Value =>
      operand === undefined ? UNKNOWN : this.#transfer.valueOf(state, operand, instruction);
    if (instruction.flow === Flow.Return) {
      tell({ kind: "return", instruction, value: state.registers[this.#result] ?? UNKNOWN });
    } else if (
      instruction.mnemonic === "cmp" ||
      instruction.mnemonic === "test" ||
      instruction.mnemonic === "cmpxchg"
    ) {
      tell({ kind: "compare", instruction, value: held(to) });
      tell({ kind: "compare", instruction, value: held(from) });
    } else if (to?.kind === "memory" && from !== undefined && instruction.mnemonic !== "lea") {
      const stack = this.#transfer.stackOffsetOf(state, to);
      const place = this.#transfer.imagePlaceOf(state, to);
      const elsewhere = stack === undefined && place === undefined && to.base !== undefined;
      const behind = elsewhere ? state.registers[to.base] : undefined;
      tell({ kind: "store", instruction, value: held(from), stack, place, behind });
    }
  }
}
