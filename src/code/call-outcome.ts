import { type Atom, numberOf, UNKNOWN, type Value } from "./abstract-value.ts";
import { type Comparison, holdsFor, isAgainstZero } from "./conditions.ts";
import type { Facts } from "./facts.ts";

/** What a comparison is of: the thing itself, or what its acquisition returned. */
export type Subject =
  | "value"
  | "status"
  | "nonzero"
  | "false"
  | "done"
  | "unknown"
  | { readonly only: number };

const STATUS_PENDING = 0x103;

/** What a comparison tells of the acquisition. */
export function outcomeOf(
  subject: Subject,
  condition: string,
  comparison: Comparison,
  holds: boolean,
): "acquired" | "failed" | undefined {
  if (!isAgainstZero(comparison)) {
    const number = numberOf(comparison.right[0] ?? (UNKNOWN[0] as Atom));
    if (number === undefined || !/^n?e$/.test(condition)) return undefined;
    const isEqual = (condition === "e") === holds;
    if (typeof subject === "object" && (number | 0) === (subject.only | 0))
      return isEqual ? "acquired" : "failed";
    if (subject === "done" && number === STATUS_PENDING) return isEqual ? "acquired" : "failed";
    if (!isEqual) return undefined;
    if (subject === "done" || typeof subject === "object") return "failed";
    if (subject === "status") return (number | 0) < 0 ? "failed" : "acquired";
    return subject === "nonzero" ? "failed" : undefined;
  }
  const asksZero = holdsFor(condition, comparison, 0);
  const asksNegative = holdsFor(condition, comparison, -1);
  const asksPositive = holdsFor(condition, comparison, 1);
  // the one is an error
  if (typeof subject === "object") return asksNegative === holds || asksZero !== holds ? undefined : "failed";
  switch (subject) {
    case "value":
    case "false":
      if (asksZero === asksPositive) return undefined;
      return asksZero === holds ? "failed" : "acquired";
    case "unknown":
      if (asksNegative === asksZero && asksZero === asksPositive) return undefined;
      // what tells 0 from the rest is left open: nothing is said of what is held there
      return asksZero !== asksPositive || asksNegative === holds ? "failed" : "acquired";
    case "done":
      return asksZero === holds && asksPositive !== holds ? "failed" : undefined;
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

/** Whether what another call returned tells that it failed: a negative status, NULL or FALSE. */
export function isFailure(condition: string, comparison: Comparison, holds: boolean): boolean {
  // four bytes are a status or a BOOL: only what leaves nothing but errors is one
  return comparison.size === 4
    ? isNegative(condition, comparison, holds)
    : isNone(condition, comparison, holds);
}

/** Whether a comparison leaves 0, and nothing that is more. */
export function isNone(condition: string, comparison: Comparison, holds: boolean): boolean {
  if (!isAgainstZero(comparison)) return false;
  return holdsFor(condition, comparison, 0) === holds && holdsFor(condition, comparison, 1) !== holds;
}

function isNegative(condition: string, comparison: Comparison, holds: boolean): boolean {
  if (!isAgainstZero(comparison)) return false;
  return holdsFor(condition, comparison, -1) === holds && holdsFor(condition, comparison, 0) !== holds;
}

/** Whether the function returns a status that is known to be negative. */
export function returnsFailure(returned: Value, facts: Facts): boolean {
  const [only, ...others] = returned;
  if (only === undefined || others.length > 0) return false;
  const number = numberOf(only) ?? facts.get(only.key);
  return typeof number === "number" ? (number | 0) < 0 : facts.get(`${only.key}|0|l`) === true;
}
