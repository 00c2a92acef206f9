import type { Atom } from "./abstract-value.ts";
import { isFailure, isNone, outcomeOf, type Subject } from "./call-outcome.ts";
import { type Comparison, meansEqual } from "./conditions.ts";
import type { AcquiringCall } from "./fates.ts";
import type { Held, Taken } from "./held.ts";

/** What comparisons ask: of what one call acquires, of what that call answers besides, and of other calls. */
export class Outcomes {
  readonly #call: AcquiringCall | undefined;
  readonly #pointerSize: number;
  readonly #answerOf: (call: number) => "question" | Subject | undefined;
  /** Places on the stack where the acquiring call left something else. */
  readonly #beside = new Set<number>();

  /**
   * @param call absent where the function is given it
   * @param answerOf what another call's answer is: that to a question, or one that tells so whether it failed
   */
  constructor(
    call: AcquiringCall | undefined,
    pointerSize: number,
    answerOf: (call: number) => "question" | Subject | undefined,
  ) {
    this.#call = call;
    this.#pointerSize = pointerSize;
    this.#answerOf = answerOf;
  }

  /** The acquiring call left something else at a place on the stack. */
  isLeft(place: number): void {
    this.#beside.add(place);
  }

  /** What a comparison asks of a call's answer whether it took the thing. */
  answer({ at, fails }: Taken, { left }: Comparison): Subject | undefined {
    const [atom, ...others] = left;
    const whole = atom?.kind === "part" ? atom.of : atom;
    if (whole?.key !== `=${at}` || others.length > 0 || fails === "never") return undefined;
    return fails === "null" ? "value" : fails;
  }

  /** Whether something was left by the acquiring call, too: where that is not there the call gave nothing. */
  isBeside({ isEarlier }: Held, atom: Atom): boolean {
    return !isEarlier && atom.kind === "left" && atom.call === this.#call?.at;
  }

  /** Whether something else went wrong where a comparison comes out so. */
  isError(told: Held, condition: string, comparison: Comparison, holds: boolean): boolean {
    const [only, ...others] = comparison.left;
    const whole = only?.kind === "part" ? only.of : only;
    if (whole === undefined || others.length > 0) return false;
    if (whole.kind === "result") {
      const how = this.#answerOf(whole.call);
      if (how === "question") return false;
      return how === undefined
        ? isFailure(condition, comparison, holds)
        : outcomeOf(how, condition, comparison, holds) === "failed";
    }
    if (whole.kind !== "field") return this.isOtherAnswer(told, condition, comparison, holds);
    // what it points to should lead on, and a byte or two of it lead nowhere
    if (only?.kind === "part") return false;
    const isOfIt = told.aliases.has(whole.of.key) || this.isBeside(told, whole.of);
    return isOfIt && comparison.size === this.#pointerSize && isNone(condition, comparison, holds);
  }

  /** Whether another answer of the acquiring call is not the one that is asked for: it may have done something else. */
  isOtherAnswer(told: Held, condition: string, comparison: Comparison, holds: boolean): boolean {
    const [only, ...others] = comparison.left;
    if (only?.kind !== "left" || others.length > 0 || told.isEarlier) return false;
    const isBeside = this.isBeside(told, only) || (only.on !== undefined && this.#beside.has(only.on));
    return isBeside && meansEqual(condition, comparison, !holds);
  }

  /** What a comparison asks of the thing that is followed: itself, or the status of its acquisition. */
  subject(told: Held, { left }: Comparison): Subject | undefined {
    const { aliases, checks, isEarlier } = told;
    const [atom, ...others] = left;
    if (atom === undefined || others.length > 0) return undefined;
    const whole = atom.kind === "part" ? atom.of : atom;
    const call = this.#call;
    if (!isEarlier && call !== undefined && whole.key === `=${call.at}` && call.fails !== "never") {
      if (call.fails !== "null") return call.fails;
      // what is written is 0 where nothing was acquired, and a status says so as well
      return call.gives.by === "return" ? "value" : "status";
    }
    const isIt = aliases.has(whole.key) || checks.has(whole.key) || this.isBeside(told, whole);
    return isIt ? "value" : undefined;
  }
}

/**
 * Whether what is followed is compared with what it is not: an address on the stack or in the image, and, where it was
 * not there before, whatever the function has otherwise.
 */
export function isElsewhere(
  { aliases }: Held,
  { left: [left], right: [right] }: Comparison,
  isNew: boolean,
): boolean {
  const isOther = (atom: Atom | undefined): boolean =>
    atom !== undefined && !aliases.has(atom.key) && (isNew ? OTHERS : ADDRESSES).has(atom.kind);
  const isIt = (atom: Atom | undefined): boolean => atom !== undefined && aliases.has(atom.key);
  return (isIt(left) && isOther(right)) || (isOther(left) && isIt(right));
}

const ADDRESSES: ReadonlySet<Atom["kind"]> = new Set(["stack", "address"]);
const OTHERS: ReadonlySet<Atom["kind"]> = new Set([...ADDRESSES, "register", "argument", "field", "loaded"]);
