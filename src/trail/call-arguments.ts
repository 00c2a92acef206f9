import { knownNumber, type Value } from "../code/abstract-value.ts";
import { argumentOf, type CallSite } from "../code/call-site.ts";
import { type Abi, argumentPlace } from "../isa/abi.ts";
import type { Condition } from "./pairs/pair.ts";

/** What a call of the function named is given as an argument, which counts from 1. */
export function documentedArgument(abi: Abi, site: CallSite, name: string, argument: number): Value {
  return argumentOf(abi, site, argumentPlace(abi, argument, name));
}

/** Whether a call's arguments leave it open that all conditions hold: those that cannot be told may. */
export function mayHold(
  conditions: readonly Condition[] | undefined,
  abi: Abi,
  site: CallSite,
  name: string,
): boolean {
  return (conditions ?? []).every(
    ({ argument, is }) => holds(is, documentedArgument(abi, site, name, argument)) !== false,
  );
}

/** `undefined`: what the argument is cannot be told. */
function holds(is: Condition["is"], value: Value): boolean | undefined {
  const number = knownNumber(value);
  if (number === undefined) return isPointer(value) ? pointerHolds(is) : undefined;
  if (is === "zero") return number === 0;
  if (is === "nonzero") return number !== 0;
  if ("equals" in is) return number >>> 0 === is.equals >>> 0;
  if ("noneOf" in is) return !is.noneOf.some((other) => other >>> 0 === number >>> 0);
  return "bits" in is ? (number & is.bits) === is.bits : (number & is.clear) === 0;
}

function isPointer(value: Value): boolean {
  return value.length > 0 && value.every(({ kind }) => kind === "stack" || kind === "address");
}

function pointerHolds(is: Condition["is"]): boolean | undefined {
  return is === "nonzero" ? true : is === "zero" ? false : undefined;
}
