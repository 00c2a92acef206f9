import { MAX_FLOWS_KEPT, MAX_FOLLOWED } from "../core/limits.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { ImportSlot } from "../pe/imports.ts";
import { Callees, type PoppedOutside, type Resolver } from "./callees.ts";
import { setsUpFrame } from "./frames.ts";
import {
  afterCall,
  behindFrameHelper,
  behindGuardCheck,
  type CallSite,
  type FunctionFlow,
  followValues,
  siteIn,
} from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { Transfer } from "./transfer.ts";
import type { MachineState } from "./values.ts";

/** The functions of one image with what they do to their values; each is followed when it is asked for. */
export class Flows {
  readonly image: ImageCode;
  readonly callees: Callees;
  readonly transfer: Transfer;
  readonly #known = new Map<number, FunctionFlow>();
  /** Instructions that may still be followed. */
  #left = MAX_FOLLOWED;

  /**
   * @param resolve names exported functions of other modules by their address
   * @param slots the import slots, where more is known of them than the image itself tells
   */
  constructor(
    image: ImageCode,
    resolve?: Resolver,
    slots?: readonly ImportSlot[],
    poppedOutside?: PoppedOutside,
  ) {
    this.image = image;
    this.callees = new Callees(image, resolve, slots, poppedOutside);
    this.transfer = new Transfer(image.code);
  }

  /** `truncated` where the function, or all those followed so far, are too large. */
  of(found: CodeFunction): FunctionFlow {
    const known = this.#known.get(found.entry);
    if (known !== undefined) return known;
    const flow = followValues(this.image, found, this.#behind, this.#left);
    this.#left -= flow.instructions.size;
    if (this.#known.size >= MAX_FLOWS_KEPT) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(found.entry, flow);
    return flow;
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
    const { target } = site;
    if (target !== undefined && !code.wide && setsUpFrame(code, target)) behindFrameHelper(site);
    else if (this.callees.isCheck(site)) behindGuardCheck(site);
    else afterCall(code.wide, this.callees.popped, site, next);
  };
}
