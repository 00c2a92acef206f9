import type { Abi } from "../isa/abi.ts";
import { argumentPlace } from "../isa/abi.ts";
import { knownNumber } from "./abstract-value.ts";
import { argumentOf, type CallSite } from "./call-site.ts";
import { type Callees, namesOf } from "./callees.ts";

/** How far a structure is followed that is made empty. */
const MOST_ZEROED = 0x200;

/** Which arguments say what is written, and how much of it (wdm.h; the C library's). */
const FILLS: ReadonlyMap<string, { readonly value?: number; readonly size: number }> = new Map([
  ["memset", { value: 2, size: 3 }],
  ["RtlZeroMemory", { size: 2 }],
  ["RtlFillMemory", { value: 3, size: 2 }],
]);

/** The words on the stack that a call makes 0. */
export function zeroedBy(abi: Abi, callees: Callees, site: CallSite): readonly number[] {
  const [to, ...others] = argumentOf(abi, site, argumentPlace(abi, 1));
  if (to?.kind !== "stack" || others.length > 0) return [];
  const fill = callees
    .of(site)
    .flatMap(namesOf)
    .map((name) => FILLS.get(name))
    .find((found) => found !== undefined);
  if (fill === undefined) return [];
  const number = (argument: number): number | undefined =>
    knownNumber(argumentOf(abi, site, argumentPlace(abi, argument)));
  const size = number(fill.size);
  if (size === undefined || size > MOST_ZEROED || (fill.value !== undefined && number(fill.value) !== 0))
    return [];
  const words = Math.floor(size / abi.pointerSize);
  return Array.from({ length: words }, (_, i) => to.offset + i * abi.pointerSize);
}
