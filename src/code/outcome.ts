import { Reg } from "../isa/x86/decoder.ts";
import { type Comparison, holdsFor, isAgainstZero } from "./conditions.ts";
import type { Path } from "./paths.ts";
import { type Atom, numberOf, UNKNOWN } from "./values.ts";

/** What a comparison is of: the thing itself, or what its acquisition returned. */
export type Subject = "value" | "status" | "nonzero" | "false";

/** What a comparison tells of the acquisition. */
export function outcomeOf(
  subject: Subject,
  condition: string,
  comparison: Comparison,
  holds: boolean,
): "acquired" | "failed" | undefined {
  if (!isAgainstZero(comparison)) {
    const number = numberOf(comparison.right[0] ?? (UNKNOWN[0] as Atom));
    if (number === undefined || (condition === "e") !== holds || !/^n?e$/.test(condition)) return undefined;
    if (subject === "status") return (number | 0) < 0 ? "failed" : "acquired";
    return subject === "nonzero" ? "failed" : undefined;
  }
  const asksZero = holdsFor(condition, comparison, 0);
  const asksNegative = holdsFor(condition, comparison, -1);
  const asksPositive = holdsFor(condition, comparison, 1);
  switch (subject) {
    case "value":
    case "false":
      if (asksZero === asksPositive) return undefined;
      return asksZero === holds ? "failed" : "acquired";
    case "nonzero":
      if (asksZero === asksPositive && asksZero === asksNegative) return undefined;
      return asksZero === holds ? "acquired" : "failed";
    default:
      if (asksNegative === asksZero && asksZero === asksPositive) return undefined;
      // a status is negative where the call failed; what asks for 0 alone treats all others as failed
      if (asksNegative === asksZero) return undefined;
      return asksNegative === holds ? "failed" : "acquired";
  }
}

/** Whether a comparison tells that another call failed: a negative status, NULL or FALSE was returned. */
export function failsAnother(condition: string, comparison: Comparison, holds: boolean): boolean {
  const [only, ...others] = comparison.left;
  const whole = only?.kind === "part" ? only.of : only;
  if (whole?.kind !== "result" || others.length > 0 || !isAgainstZero(comparison)) return false;
  const zero = holdsFor(condition, comparison, 0) === holds;
  const negative = holdsFor(condition, comparison, -1) === holds;
  const positive = holdsFor(condition, comparison, 1) === holds;
  // four bytes are a status or a BOOL: only what leaves nothing but errors is one
  return comparison.size === 4 ? negative && !zero : zero && !positive;
}

/** Whether the function returns a status that is known to be negative. */
export function returnsFailure({ state, facts }: Path<unknown>): boolean {
  const [only, ...others] = state.registers[Reg.ax] ?? [];
  if (only === undefined || others.length > 0) return false;
  const number = numberOf(only) ?? facts.get(only.key);
  return typeof number === "number" ? (number | 0) < 0 : facts.get(`${only.key}|0|l`) === true;
}
