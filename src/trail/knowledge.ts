import { knownNumber, UNKNOWN, type Value } from "../code/abstract-value.ts";
import { poolRoutine } from "../code/allocators.ts";
import type { Subject } from "../code/call-outcome.ts";
import { argumentOf, type CallSite } from "../code/call-site.ts";
import { type Callee, namesOf } from "../code/callees.ts";
import type { Effect, Given, IsRelease, Putting } from "../code/fates.ts";
import { lookupRoutine } from "../code/looked-up.ts";
import type { Knowledge } from "../code/ownership.ts";
import { FRAMEWORK } from "../code/wdf.ts";
import { type Abi, argumentPlace } from "../isa/abi.ts";
import type { ModuleCodes } from "./module-codes.ts";
import type { Consumer } from "./pairs/consumer.ts";
import { type Acquirer, type Condition, type FieldOffset, fieldOffset, type Release } from "./pairs/pair.ts";
import { putNamed } from "./pairs/puts.ts";
import { isQuestion, returnsTheFirst } from "./pairs/questions.ts";
import { argumentWord } from "./pairs/signatures.ts";
import { acquirersNamed, consumersNamed, plainFree, releasesNamed } from "./pairs/table.ts";

/** What functions do with what they are given: by the table of pairs, and by the code of other modules. */
export function knowledgeOf(codes: ModuleCodes, abi: Abi): Knowledge {
  return {
    effect: (callee, given, site) => {
      const names = namesOf(callee);
      const documented = documentedEffect(names, given, site, abi);
      // what the kernel documents to give something, and not to take this over, gives back at most what it took itself
      return documented ?? (isKernel(callee) && names.some(isAcquirer) ? "uses" : undefined);
    },
    asks: (callee) => namesOf(callee).some(isQuestion),
    tells: (callee) => {
      for (const name of namesOf(callee)) {
        const how = failureOf(name);
        if (how !== undefined) return how;
      }
      return undefined;
    },
    returns: (callee, { argument, within }) =>
      argument === 1 && within === undefined && namesOf(callee).some(returnsTheFirst),
    puts: (callee) => putBy(namesOf(callee), abi),
    fails: (callee, given, site) => takingOf(namesOf(callee), given, site, abi)?.fails,
    comesAs: (callee, given, site) => takingOf(namesOf(callee), given, site, abi)?.comesAs,
    elsewhere: (callee) => {
      const found = codes.find(callee);
      const decoded = found === undefined ? undefined : codes.of(found.module);
      return found === undefined || decoded === undefined
        ? undefined
        : { flows: decoded.flows, entry: found.entry };
    },
    isKernel,
  };
}

/** How what a function returns tells that it acquired nothing: by the tables, where all of its rows say the same. */
function failureOf(name: string): Subject | undefined {
  if (poolRoutine(name)?.use === "allocate" || lookupRoutine([name]) !== undefined) return "value";
  const subjects = new Set(
    acquirersNamed(name).map(({ gives, fails }): Subject | undefined => {
      if (fails === "null") return gives.by === "return" ? "value" : undefined;
      return typeof fails === "string" && fails !== "never" ? fails : undefined;
    }),
  );
  const [only, ...others] = subjects;
  return others.length === 0 ? only : undefined;
}

/** Made once for each row, since what functions do is remembered by it. */
const RELEASES = new Map<Abi, Map<Acquirer, IsRelease>>();

/**
 * What gives back what one function acquires, though it only takes over what others acquire: the I/O manager frees an
 * IRP that it built for a thread. `undefined` where there is no such thing.
 */
export function releasedBy(row: Acquirer, abi: Abi): IsRelease | undefined {
  const made = RELEASES.get(abi) ?? new Map<Acquirer, IsRelease>();
  RELEASES.set(abi, made);
  const known = made.get(row);
  if (known !== undefined) return known;
  const own = row.releases.filter(({ name }) => consumersNamed(name).length > 0);
  if (own.length === 0) return undefined;
  const isRelease: IsRelease = (callee, given, site) =>
    namesOf(callee).some((name) => own.some((one) => one.name === name && takes(one, given, site, abi)));
  made.set(row, isRelease);
  return isRelease;
}

const EFFECTS: Readonly<Record<Consumer["fate"], Effect>> = {
  freed: "releases",
  completion: "keeps",
  callback: "keeps",
  kept: "keeps",
  returned: "keeps",
  described: "keeps",
  lent: "uses",
};

function documentedEffect(
  names: readonly string[],
  given: Given,
  site: CallSite,
  abi: Abi,
): Effect | undefined {
  const isValue = given.within === undefined;
  const taking = takingOf(names, given, site, abi);
  if (taking !== undefined) return EFFECTS[taking.fate];
  for (const name of names) {
    const isHere = (argument: number): boolean => isGiven(name, argument, given, abi);
    const free = plainFree(name);
    if (
      free !== undefined &&
      isHere(free.argument) &&
      isValue === (free.field === undefined) &&
      mayHold(free.when, abi, site, name)
    )
      return "releases";
    const releases = releasesNamed(name);
    if (releases.some((release) => takes(release, given, site, abi))) return "releases";
    // what is put into another thing is that thing's
    const again = acquirersNamed(name).find(({ gives }) => gives.by === "argument" && isHere(gives.argument));
    if (again?.what === "reference") return "references";
    if (again !== undefined || free !== undefined || releases.length > 0) return "uses";
  }
  return undefined;
}

function putBy(names: readonly string[], abi: Abi): Putting | undefined {
  for (const name of names) {
    const put = putNamed(name);
    if (put === undefined) continue;
    const place = (argument: number) => argumentPlace(abi, argument, name);
    return { what: place(put.what), into: place(put.into), offset: fieldOffset(put.offset, abi) };
  }
  return undefined;
}

/** What is documented of a call that takes over what it is given. */
function takingOf(names: readonly string[], given: Given, site: CallSite, abi: Abi): Consumer | undefined {
  for (const name of names) {
    const found = consumersNamed(name).find(
      ({ argument, takes: what, when }) =>
        isGiven(name, argument, given, abi) &&
        (given.within === undefined) === (what === undefined) &&
        mayHold(when, abi, site, name),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a call gives back by a release what it is given, where that is the thing itself or what holds it. */
function takes(release: Release, given: Given, site: CallSite, abi: Abi): boolean {
  const { name, argument, takes: what = "value", when } = release;
  return (
    isGiven(name, argument, given, abi) &&
    (given.within === undefined) === (what !== "address") &&
    mayHold(when, abi, site, name)
  );
}

function isGiven(name: string, argument: number, given: Given, abi: Abi): boolean {
  return argumentWord(abi, name, argument) === given.argument;
}

/** The kernel, and the framework, whose functions all are documented: they keep nothing but what is said of them. */
function isKernel({ module }: Callee): boolean {
  return module !== undefined && (module === FRAMEWORK || isKernelName(module));
}

function isAcquirer(name: string): boolean {
  return acquirersNamed(name).length > 0;
}

/** By the name of the module, or of the file that an import table says. */
function isKernelName(name: string): boolean {
  return /^(?:nt|hal)$|^(?:ntoskrnl|ntkrnl\w*|hal\w*)\.(?:exe|dll)$/i.test(name);
}

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
  return (conditions ?? []).every(({ argument, at, is }) => {
    const value = documentedArgument(abi, site, name, argument);
    return holds(is, at === undefined ? value : standing(abi, site, value, at)) !== false;
  });
}

/** What stands in a structure on the stack. */
function standing(abi: Abi, site: CallSite, [pointer, ...others]: Value, at: FieldOffset): Value {
  return pointer?.kind === "stack" && others.length === 0
    ? site.state.stackAt(pointer.offset + fieldOffset(at, abi))
    : UNKNOWN;
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
