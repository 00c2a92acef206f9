import type { Rva } from "../core/address.ts";
import { addAll } from "../core/search.ts";
import { argumentPlace } from "../isa/abi.ts";
import type { Instruction } from "../isa/instruction.ts";
import { onlyNumber, type Value } from "./abstract-value.ts";
import { type PoolRoutine, routineArgument } from "./allocators.ts";
import { argumentOf, type CallSite, passedAs } from "./call-site.ts";
import { type Callee, routineOf } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import type { FunctionFlow, ValueEvent } from "./function-flow.ts";
import type { CalledBy, Seen, TagUse, UseKind } from "./tag-use.ts";

/** Finds the code of a callee in another module, so that a wrapper there is seen through. */
export type FindElsewhere = (callee: Callee) => { readonly flows: DataFlow; readonly entry: Rva } | undefined;

/** Where a tag goes, whatever holds its bytes. */
export type Reached = Omit<TagUse, "instruction" | "function"> & {
  /** The variable that it is stored into. */
  readonly into?: number;
};

/** One reference can reach several calls: the first of these is told. */
const RANK: readonly UseKind[] = ["allocate", "lookaside", "free", "compare", "store", "data", "unknown"];
export const byRank = (a: { readonly use: UseKind }, b: { readonly use: UseKind }): number =>
  RANK.indexOf(a.use) - RANK.indexOf(b.use);
/** Arguments of an unknown callee that are looked at. */
const MAX_ARGUMENTS = 8;

/** Whether a value is the tag. */
type IsTag = (value: Value) => boolean;

/** Follows a value through functions of one image to the routines that take it as a tag. */
export class Reaching {
  readonly #flows: DataFlow;
  readonly #elsewhere: FindElsewhere | undefined;
  readonly #wrappers = new Map<string, readonly Wrapper[]>();

  constructor(flows: DataFlow, elsewhere?: FindElsewhere) {
    this.#flows = flows;
    this.#elsewhere = elsewhere;
  }

  /** Where a value goes, out of all that a function does. */
  of(flow: FunctionFlow, holder: Instruction | undefined, isTag: IsTag): Reached {
    const found = flow.calls.flatMap((site) =>
      this.#flows.callees.of(site).flatMap((callee) => this.#atCall(site, callee, isTag)),
    );
    const passed = found.length > 0;
    for (const event of flow.events) {
      if (isTag(event.value)) addAll(found, atEvent(event, event.instruction === holder && !passed));
    }
    // Compilers compare in a row by subtracting.
    if (holder?.mnemonic === "sub")
      found.push({ use: "compare", seen: { kind: "compared", at: holder.start } });
    const [best, ...others] = found.sort(byRank);
    if (best === undefined) return { use: "unknown", seen: { kind: "nowhere" } };
    const also = new Set(
      others.map(({ use }) => use).filter((use) => use !== best.use && (use === "free" || use === "compare")),
    );
    return also.size === 0 ? best : { ...best, seen: { kind: "also", first: best.seen, uses: [...also] } };
  }

  #atCall(site: CallSite, callee: Callee, isTag: IsTag): readonly Reached[] {
    const { abi } = this.#flows.image.code.set;
    const routine = routineOf(callee);
    if (routine?.structure !== undefined) return this.#inStructure(site, callee, routine, isTag);
    if (routine !== undefined) {
      if (routine.tag === undefined) return [];
      return isTag(argumentOf(abi, site, routineArgument(abi, routine.tag, routine)))
        ? [this.#direct(site, callee, routine)]
        : [];
    }
    // what the callee does with it is followed only where it can have been given it
    const passing = (isAround(site, isTag) ? this.#wrappersOf(callee) : []).filter(({ tag }) =>
      tag.some((atom) => isTag(passedAs(abi, site, atom))),
    );
    const [wrapper] = passing;
    if (wrapper !== undefined) return [this.#through(site, callee, wrapper, passing)];
    // What is on the stack may be a local variable, but for what was pushed since the last call.
    const pushed = abi.calleePops
      ? (site.state.argumentsFrom - site.state.sp) / abi.pointerSize
      : abi.argumentRegisters.length;
    for (let index = 1; index <= Math.min(pushed, MAX_ARGUMENTS); index++) {
      if (!isTag(argumentOf(abi, site, argumentPlace(abi, index)))) continue;
      const seen = argumentSeen(index, callee, site.instruction.start, false);
      return [{ use: "unknown", call: callOf(site, callee), seen }];
    }
    return [];
  }

  /** A routine that is given a structure with the tag in it, on the stack. */
  #inStructure(
    site: CallSite,
    callee: Callee,
    { use, structure }: PoolRoutine,
    isTag: IsTag,
  ): readonly Reached[] {
    const { abi } = this.#flows.image.code.set;
    if (structure === undefined) return [];
    const offset = structure.at[abi.pointerSize];
    const given = argumentOf(abi, site, argumentPlace(abi, structure.argument)).some(
      (atom) => atom.kind === "stack" && isTag(site.state.stackAt(atom.offset + offset)),
    );
    return given ? [inStructure(site, callee, use, structure.name)] : [];
  }

  #direct(site: CallSite, callee: Callee, routine: PoolRoutine): Reached {
    const { abi } = this.#flows.image.code.set;
    const number = (index: number | undefined): number | undefined =>
      index === undefined
        ? undefined
        : onlyNumber(argumentOf(abi, site, routineArgument(abi, index, routine)));
    return {
      use: routine.use,
      call: callOf(site, callee),
      ...constants(number(routine.size), number(routine.poolType), number(routine.poolFlags)),
      ...(callee.thunk === undefined ? {} : { via: [{ kind: "jump", at: callee.thunk }] }),
      seen: argumentSeen(routine.tag ?? 0, callee, site.instruction.start, true),
    };
  }

  #through(site: CallSite, callee: Callee, wrapper: Wrapper, passing: readonly Wrapper[]): Reached {
    const within = passing.filter(({ routine }) => routine.use === "allocate").map(({ at }) => at);
    const { abi } = this.#flows.image.code.set;
    const number = (value: Value | undefined): number | undefined => {
      const [only, ...others] = value ?? [];
      if (value === undefined || only === undefined) return undefined;
      const passed = only.kind === "register" || only.kind === "argument";
      return onlyNumber(passed && others.length === 0 ? passedAs(abi, site, only) : value);
    };
    return {
      use: wrapper.routine.use,
      call: { ...callOf(site, callee), ...(within.length === 0 ? {} : { within }) },
      ...constants(number(wrapper.size), number(wrapper.poolType), number(wrapper.poolFlags)),
      via: [{ kind: "wrapper", wrapper: calledBy(callee), routine: wrapper.callee.name }],
      seen: {
        kind: "passed",
        at: site.instruction.start,
        to: calledBy(callee),
        routine: wrapper.callee.name,
      },
    };
  }

  #wrappersOf(callee: Callee): readonly Wrapper[] {
    const key = `${callee.offset ?? callee.slot ?? callee.target}`;
    const known = this.#wrappers.get(key);
    if (known !== undefined) return known;
    const elsewhere =
      callee.offset === undefined ? this.#elsewhere?.(callee) : { flows: this.#flows, entry: callee.offset };
    const wrappers = elsewhere === undefined ? [] : wrappersAt(elsewhere.flows, elsewhere.entry);
    this.#wrappers.set(key, wrappers);
    return wrappers;
  }
}

/** Whether the tag is in a register or on the stack at a call. */
function isAround({ state }: CallSite, isTag: IsTag): boolean {
  if (state.registers.some(isTag)) return true;
  for (const value of state.stack.values()) if (isTag(value)) return true;
  return false;
}

/** A structure with the tag in it is given to a routine that reads it. */
export function inStructure(site: CallSite, callee: Callee, use: UseKind, name: string): Reached {
  const seen = { kind: "structure", name, to: calledBy(callee), at: site.instruction.start } as const;
  return { use, call: callOf(site, callee), via: [{ kind: "structure", name }], seen };
}

/** @param onStack a store into the stack counts: it passes no argument */
function atEvent(event: ValueEvent, onStack: boolean): readonly Reached[] {
  const at = event.instruction.start;
  if (event.kind === "compare") return [{ use: "compare", seen: { kind: "compared", at } }];
  if (event.kind === "return") return [{ use: "unknown", seen: { kind: "returned", at } }];
  const { place, stack } = event;
  if (place !== undefined)
    return [{ use: "store", into: place, seen: { kind: "stored", at, into: { variable: place } } }];
  if (stack === undefined) return [{ use: "store", seen: { kind: "stored", at, into: "structure" } }];
  return onStack ? [{ use: "store", seen: { kind: "stored", at, into: "stack" } }] : [];
}

function calledBy({ name, offset }: Callee): CalledBy {
  return { name, offset };
}

/** A call that takes the tag as an argument; `known`: by a pool routine. */
export function argumentSeen(index: number, { name, offset }: CalledBy, at: number, known: boolean): Seen {
  return { kind: "argument", index, of: { name, offset }, at, known };
}

function callOf(site: CallSite, { target, module, name }: Callee): NonNullable<TagUse["call"]> {
  return {
    at: site.instruction.start as Rva,
    target,
    ...(module === undefined ? {} : { module }),
    ...(name === undefined ? {} : { name }),
  };
}

function constants(
  size: number | undefined,
  poolType: number | undefined,
  poolFlags: number | undefined,
): Pick<TagUse, "size" | "poolType" | "poolFlags"> {
  return {
    ...(size === undefined || size < 0 ? {} : { size }),
    ...(poolType === undefined ? {} : { poolType: poolType >>> 0 }),
    ...(poolFlags === undefined ? {} : { poolFlags }),
  };
}

/** A pool routine that a function calls with a tag that it was given. */
export interface Wrapper {
  /** The call. */
  readonly at: Rva;
  readonly routine: PoolRoutine;
  readonly callee: Callee;
  /** Where the function was given the tag: what a register or the stack held on entry. */
  readonly tag: Value;
  readonly size: Value | undefined;
  readonly poolType: Value | undefined;
  readonly poolFlags: Value | undefined;
}

/** The pool routines that the function at `entry` calls for its callers. Allocations first. */
function wrappersAt(flows: DataFlow, entry: number): readonly Wrapper[] {
  const found = flows.image.functions.startingAt(entry);
  if (found === undefined) return [];
  const { abi } = flows.image.code.set;
  const wrappers: Wrapper[] = [];
  for (const site of flows.of(found).calls) {
    for (const callee of flows.callees.of(site)) {
      const routine = routineOf(callee);
      if (routine?.tag === undefined) continue;
      const value = (index: number | undefined): Value | undefined =>
        index === undefined ? undefined : argumentOf(abi, site, routineArgument(abi, index, routine));
      const tag = (value(routine.tag) ?? []).filter(({ kind }) => kind === "register" || kind === "argument");
      if (tag.length === 0) continue;
      wrappers.push({
        at: site.instruction.start as Rva,
        routine,
        callee,
        tag,
        size: value(routine.size),
        poolType: value(routine.poolType),
        poolFlags: value(routine.poolFlags),
      });
    }
  }
  const rank = ({ routine }: Wrapper): number => ["allocate", "lookaside", "free"].indexOf(routine.use);
  return wrappers.sort((a, b) => rank(a) - rank(b));
}
