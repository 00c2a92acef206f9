import {
  MAX_FOLLOWED,
  MAX_FOLLOWED_KEPT,
  MAX_FUNCTION_INSTRUCTIONS,
  MAX_NAMING_BYTES,
  MAX_PATH_STEPS_TOTAL,
  MAX_STATE_PLACES,
  MAX_VALUE_STEPS,
} from "../core/limits.ts";
import { Recent } from "../core/recent.ts";
import { type Decoder, Flow, type Instruction } from "../isa/instruction.ts";
import type { ImportSlot } from "../pe/imports.ts";
import { MachineState, UNKNOWN, type Value } from "./abstract-value.ts";
import { instructionStarts } from "./boundaries.ts";
import { afterCall, behindFrameHelper, behindGuardCheck, type CallSite, siteIn } from "./call-site.ts";
import { Callees, type PoppedOutside, type Resolver } from "./callees.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
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

/** What one function does with its values. */
export interface FunctionFlow {
  readonly function: CodeFunction;
  readonly calls: readonly CallSite[];
  readonly events: readonly ValueEvent[];
  /** By start. */
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** The function was too large to be followed to the end, or its instructions are not decoded. */
  readonly truncated: boolean;
  /** Instructions that its values were followed through, each as often as something new reached it. */
  readonly steps: number;
  /** Places on the stack that its calls remember. */
  readonly places: number;
}

/** Changes a call's state to what is known behind it. */
type BehindCall = (site: CallSite, next: Instruction | undefined) => void;

/** What is followed of the functions of several images together: how much may still be, and what of it is kept. */
export class Followed {
  /** Instructions that may still be followed. */
  left: number = MAX_FOLLOWED;
  /** Instructions on ways through functions that may still be gone. */
  pathSteps: number = MAX_PATH_STEPS_TOTAL;
  /** Bytes of code that may still be searched for whoever names a place. */
  namingBytes: number = MAX_NAMING_BYTES;
  /** With the map that each stands in. */
  readonly #kept = new Recent<FunctionFlow, Map<number, FunctionFlow>>(MAX_FOLLOWED_KEPT);

  /** A function that was followed before is asked for again. */
  use(flow: FunctionFlow): void {
    this.#kept.get(flow);
  }

  add(flow: FunctionFlow, among: Map<number, FunctionFlow>): void {
    const { instructions, steps, places } = flow;
    this.left -= Math.max(instructions.size, steps >>> 2);
    const weight = FLOW_WEIGHT + instructions.size + (places >>> PLACES_A_WEIGHT);
    for (const [gone, others] of this.#kept.add(flow, among, weight)) others.delete(gone.function.entry);
    among.set(flow.function.entry, flow);
  }
}

/** What a function takes, in instructions, whatever it does. */
const FLOW_WEIGHT = 8;
/** So many places on the stack, as a power of two, take as much as one instruction. */
const PLACES_A_WEIGHT = 4;

/** The functions of one image with what they do to their values; each is followed when it is asked for. */
export class DataFlow {
  readonly image: ImageCode;
  readonly callees: Callees;
  readonly transfer: Transfer;
  readonly #known = new Map<number, FunctionFlow>();
  /** What was followed of all images of the question. */
  readonly followed: Followed;

  /**
   * @param resolve names exported functions of other modules by their address
   * @param slots the import slots, where more is known of them than the image itself tells
   * @param followed shared by the images of one question
   */
  constructor(
    image: ImageCode,
    resolve?: Resolver,
    slots?: readonly ImportSlot[],
    poppedOutside?: PoppedOutside,
    followed: Followed = new Followed(),
  ) {
    this.image = image;
    this.followed = followed;
    this.callees = new Callees(image, resolve, slots, poppedOutside);
    this.transfer = new Transfer(image.code);
  }

  /** `truncated` where the function, or all those followed so far, are too large. */
  of(found: CodeFunction): FunctionFlow {
    const known = this.#known.get(found.entry);
    if (known !== undefined) {
      this.followed.use(known);
      return known;
    }
    const flow = this.#follow(found);
    this.followed.add(flow, this.#known);
    return flow;
  }

  /** Follows constants, arguments and pointers through a function, over all its ways, up to its calls. */
  #follow(found: CodeFunction): FunctionFlow {
    const followed = this.image.code.decoding((decoder) =>
      new Follower(this.image, found, this.#behind, decoder, this.followed.left).run(),
    );
    return (
      followed ?? {
        function: found,
        calls: [],
        events: [],
        instructions: new Map(),
        truncated: true,
        steps: 0,
        places: 0,
      }
    );
  }

  /** The call that stands at `at` in a function. */
  siteAt(found: CodeFunction, at: number): CallSite | undefined {
    return this.of(found).calls.find(({ instruction }) => instruction.start === at);
  }

  /** The call, or the jump to another function, that an instruction makes in a state. */
  siteIn(state: MachineState, instruction: Instruction, tail: boolean): CallSite {
    return siteIn(this.transfer, state, instruction, tail);
  }

  /** Changes a call's state to what is known behind it. */
  afterCall(site: CallSite, next: Instruction | undefined): void {
    this.#behind(site, next);
  }

  /** Changes a call's state to what is known behind it. */
  readonly #behind = (site: CallSite, next: Instruction | undefined): void => {
    const { code } = this.image;
    const { abi, starts } = code.set;
    const { target } = site;
    if (target !== undefined && starts?.setsUpFrame(code, target)) behindFrameHelper(abi, site);
    else if (this.callees.isCheck(site)) behindGuardCheck(abi, site);
    else afterCall(abi, this.callees.popped, site, next);
  };
}

/** So many places on the stack, as a power of two, are joined in the time of one instruction. */
const PLACES_A_STEP = 6;

class Follower {
  readonly #function: CodeFunction;
  readonly #behind: BehindCall;
  readonly #transfer: Transfer;
  readonly #result: number;
  readonly #instructions = new Map<number, Instruction>();
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

  constructor(image: ImageCode, found: CodeFunction, behind: BehindCall, decoder: Decoder, limit: number) {
    this.#function = found;
    this.#behind = behind;
    this.#transfer = new Transfer(image.code);
    this.#result = image.code.set.abi.result;
    for (const fragment of found.fragments) {
      for (const start of instructionStarts(image.code, fragment)) {
        if (this.#instructions.size >= Math.min(limit, MAX_FUNCTION_INSTRUCTIONS)) {
          this.#cut = true;
          break;
        }
        const instruction = decoder.at(start);
        if (instruction !== undefined) this.#instructions.set(start, instruction);
      }
    }
    for (const { target, flow } of this.#instructions.values()) {
      if (target !== undefined && flow !== Flow.Call && this.#instructions.has(target))
        this.#leaders.add(target);
    }
  }

  run(): FunctionFlow {
    this.#spread(this.#function.entry, MachineState.atEntry());
    // What no way leads to is reached through a table, or by an exception.
    for (const start of this.#instructions.keys()) {
      if (this.#reached.has(start)) continue;
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
      truncated: this.#cut || this.#isFull || this.#steps >= MAX_VALUE_STEPS,
      steps: this.#steps,
      places: this.#places,
    };
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
        case Flow.JumpIndirect:
          onCall?.(siteIn(this.#transfer, state, instruction, true));
          if (arrive === undefined) return;
          if (this.#indirect === undefined) this.#indirect = state.copy();
          else this.#indirect.join(state);
          return;
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
