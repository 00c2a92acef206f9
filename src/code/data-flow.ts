import {
  followedAtMost,
  MAX_FOLLOWED,
  MAX_FOLLOWED_KEPT,
  MAX_NAMING_BYTES,
  MAX_PATH_STEPS_TOTAL,
} from "../core/limits.ts";
import { Recent } from "../core/recent.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { ImportSlot } from "../pe/imports.ts";
import { constant, type MachineState, UNKNOWN } from "./abstract-value.ts";
import { afterCall, behindFrameHelper, behindGuardCheck, type CallSite, siteIn } from "./call-site.ts";
import { Callees, type PoppedOutside, type Resolver } from "./callees.ts";
import { callAt, type FunctionFlow, followFunction } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { JumpTables } from "./jump-tables.ts";
import { keepsResult, writingAtMost, writtenBy } from "./kept-registers.ts";
import { LookedUp } from "./looked-up.ts";
import { Transfer } from "./transfer.ts";
import { zeroedBy } from "./zeroed.ts";

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
    const { instructions, places } = flow;
    this.left -= costOf(flow);
    const weight = FLOW_WEIGHT + instructions.size + (places >>> PLACES_A_WEIGHT);
    for (const [gone, others] of this.#kept.add(flow, among, weight)) others.delete(gone.function.entry);
    among.set(flow.function.entry, flow);
  }
}

/** In instructions, what it took to follow a function. */
function costOf({ instructions, steps }: FunctionFlow): number {
  return Math.max(instructions.size, steps >>> 2);
}

const ZERO = constant(0);

/** What a function takes, in instructions, whatever it does. */
const FLOW_WEIGHT = 8;
/** So many places on the stack, as a power of two, take as much as one instruction. */
const PLACES_A_WEIGHT = 4;

/** The functions of one image with what they do to their values; each is followed when it is asked for. */
export class DataFlow {
  readonly image: ImageCode;
  readonly callees: Callees;
  readonly lookedUp: LookedUp;
  readonly transfer: Transfer;
  readonly #known = new Map<number, FunctionFlow>();
  readonly #tables: JumpTables;
  /** By where functions start: whether they leave the result's register alone. */
  readonly #keeping = new Map<number, boolean>();
  /** By where functions start: the registers that a call need not keep, but for the result's, and that they leave alone. */
  readonly #kept = new Map<number, readonly number[]>();
  /** Instructions that may still be looked at for that. */
  #writingLeft: number;
  /** What was followed of all images of the question. */
  readonly followed: Followed;
  /** Instructions of this image that may still be followed. */
  #left: number;

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
    this.#left = followedAtMost(image.code.readable);
    this.#writingLeft = writingAtMost(image.code.readable);
    this.lookedUp = new LookedUp(this);
    this.callees = new Callees(image, resolve, slots, poppedOutside, this.lookedUp);
    this.transfer = new Transfer(image.code);
    this.#tables = new JumpTables(image.code, image.seeds.relocated);
  }

  /** `truncated` where the function, or all those followed so far, of its image or of the question, are too large. */
  of(found: CodeFunction): FunctionFlow {
    const known = this.#known.get(found.entry);
    if (known !== undefined) {
      this.followed.use(known);
      return known;
    }
    const flow = this.#follow(found);
    this.followed.add(flow, this.#known);
    this.#left -= costOf(flow);
    return flow;
  }

  /** Follows constants, arguments and pointers through a function, over all its ways, up to its calls. */
  #follow(found: CodeFunction): FunctionFlow {
    const limit = Math.min(this.#left, this.followed.left);
    const followed = this.image.code.decoding((decoder) =>
      followFunction(this.image, found, this.#behind, decoder, this.#tables, limit),
    );
    return (
      followed ?? {
        function: found,
        calls: [],
        events: [],
        instructions: new Map(),
        labels: new Map(),
        unreached: [],
        truncated: true,
        steps: 0,
        places: 0,
      }
    );
  }

  /** The call that stands at `at` in a function. */
  siteAt(found: CodeFunction, at: number): CallSite | undefined {
    return callAt(this.of(found), at);
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
    const { target, state } = site;
    if (target !== undefined && starts?.setsUpFrame(code, target)) behindFrameHelper(abi, site);
    else if (this.callees.isCheck(site)) behindGuardCheck(abi, site);
    else {
      const before = target === undefined ? [] : abi.volatile.map((register) => state.registers[register]);
      const result = state.registers[abi.result];
      const seen = this.lookedUp.see(site);
      const zeroed = zeroedBy(abi, this.callees, site);
      afterCall(abi, this.callees.popped, site, next);
      seen?.();
      for (const offset of zeroed) state.put(offset, ZERO);
      if (target === undefined) return;
      for (const register of this.#keptBy(target))
        state.registers[register] = before[abi.volatile.indexOf(register)] ?? UNKNOWN;
      if (result !== undefined && this.#keepsResult(target)) state.registers[abi.result] = result;
    }
  };

  #keptBy(target: number): readonly number[] {
    const known = this.#kept.get(target);
    if (known !== undefined) return known;
    const { code } = this.image;
    const { abi } = code.set;
    const writing = code.decoding((decoder) =>
      writtenBy(code, decoder, this.#tables, target, this.#writingLeft),
    );
    const { registers, steps = 0 } = writing ?? {};
    this.#writingLeft -= steps;
    const kept =
      registers === undefined ? [] : abi.volatile.filter((one) => one !== abi.result && !registers.has(one));
    this.#kept.set(target, kept);
    return kept;
  }

  #keepsResult(target: number): boolean {
    const known = this.#keeping.get(target);
    if (known !== undefined) return known;
    const { code, seeds } = this.image;
    const { result } = code.set.abi;
    // what an image exports is called for what it returns
    const keeps =
      !seeds.exported.has(target) &&
      code.decoding((decoder) => keepsResult(decoder, target, result)) === true;
    this.#keeping.set(target, keeps);
    return keeps;
  }
}
