import { addAll } from "../core/search.ts";
import { argumentPlace } from "../isa/abi.ts";
import { type Atom, onlyNumber, type Value } from "./abstract-value.ts";
import { argumentOf, type CallSite, passedAs } from "./call-site.ts";
import { type Callees, type LookedUpName, namesOf } from "./callees.ts";
import type { FunctionFlow } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { stringAt } from "./image-text.ts";
import { functionsNaming, placeNamed } from "./xrefs.ts";

/** Routines that give a function by its name, which is their first argument, and the file whose function it is. */
const ROUTINES: ReadonlyMap<string, string | undefined> = new Map([
  // the kernel's or the HAL's, by its page in wdm.h
  ["MmGetSystemRoutineAddress", "ntoskrnl.exe"],
  ["FltGetRoutineAddress", undefined],
  ["NdisGetRoutineAddress", "ndis.sys"],
  ["RtlFindExportedRoutineByName", undefined],
]);
/** Routines that make a counted string of a text, their second argument, where the first points to. */
export const STRING_INITIALISERS: ReadonlySet<string> = new Set([
  "RtlInitUnicodeString",
  "RtlInitUnicodeStringEx",
  "RtlInitAnsiString",
  "RtlInitAnsiStringEx",
  "RtlInitString",
  "NdisInitUnicodeString",
  "NdisInitAnsiString",
]);

/** The routine that looks a function up by its name, where that is what is called. */
export function lookupRoutine(names: readonly string[]): string | undefined {
  return names.find((name) => ROUTINES.has(name));
}

/** The functions of one image, followed. */
interface Flows {
  readonly image: ImageCode;
  readonly callees: Callees;
  of(found: CodeFunction): FunctionFlow;
}

/** A call that looks a function up: by which routine, and by what. */
export interface LookupCall {
  readonly routine: string;
  /** The text, or a counted string of it. */
  readonly name: Value;
}

/** What code of one image looks up by its name while it runs: what its calls gave, and its variables that keep that. */
export class LookedUp {
  readonly #flows: Flows;
  /** By the call that looks up; undefined where it is given several names, or none that is known. */
  readonly #results = new Map<number, LookedUpName | undefined>();
  /** Functions of the image that look up the name that they are given, by entry: `name` is what of their frame holds it. */
  readonly #helpers = new Map<number, { readonly routine: string; readonly name: Atom }>();
  #variables: ReadonlyMap<number, LookedUpName> | undefined;
  #isUsed: boolean | undefined;

  constructor(flows: Flows) {
    this.#flows = flows;
  }

  /** The function that a call gave. */
  result(call: number): LookedUpName | undefined {
    // what helpers look up is known when all that look up were looked at
    if (!this.#results.has(call)) void this.variables;
    return this.#results.get(call);
  }

  /**
   * Variables of the image that hold what a call looked up, with the name: it was given as text, as a counted string in
   * data, or as one that the code sets up. One that may hold something else has none.
   */
  get variables(): ReadonlyMap<number, LookedUpName> {
    if (this.#variables === undefined) {
      // code is followed to find them, which may call through them
      this.#variables = new Map();
      if (this.#used()) this.#variables = this.#find();
    }
    return this.#variables;
  }

  /**
   * Takes note of a call that looks a function up, or sets up a name for one.
   *
   * @returns what changes the state behind the call; to be called then
   */
  see(site: CallSite): (() => void) | undefined {
    if (!this.#used()) return undefined;
    const names = this.#flows.callees.of(site).flatMap(namesOf);
    if (names.some((name) => STRING_INITIALISERS.has(name))) {
      const [into, ...others] = this.#argument(site, 1);
      const text = this.#argument(site, 2);
      if (into?.kind !== "stack" || others.length > 0) return undefined;
      return () => site.state.put(into.offset + this.#flows.image.image.pointerSize, text);
    }
    if (lookupRoutine(names) !== undefined) this.#note(site);
    return undefined;
  }

  /** What a call looks up, itself or by a helper of the image; `undefined` where it does not. */
  lookup(site: CallSite): LookupCall | undefined {
    void this.variables;
    return this.#lookup(site);
  }

  #lookup(site: CallSite): LookupCall | undefined {
    const { callees, image } = this.#flows;
    for (const callee of callees.of(site)) {
      const routine = lookupRoutine(namesOf(callee));
      if (routine !== undefined) return { routine, name: this.#given(site) };
      const helper = this.#helpers.get(callee.offset ?? -1);
      if (helper !== undefined)
        return { routine: helper.routine, name: passedAs(image.code.set.abi, site, helper.name) };
    }
    return undefined;
  }

  /** What a routine is given as a name: the text or the counted string, or the text of one on the stack. */
  #given(site: CallSite): Value {
    const { pointerSize } = this.#flows.image.image;
    return this.#argument(site, 1).flatMap((atom) =>
      atom.kind === "stack" ? site.state.stackAt(atom.offset + pointerSize) : atom,
    );
  }

  #argument(site: CallSite, index: number): Value {
    const { abi } = this.#flows.image.code.set;
    return argumentOf(abi, site, argumentPlace(abi, index));
  }

  #used(): boolean {
    this.#isUsed ??= lookupRoutine(this.#flows.callees.imported()) !== undefined;
    return this.#isUsed;
  }

  #note(site: CallSite): void {
    const lookup = this.#lookup(site);
    if (lookup !== undefined) addOnly(this.#results, site.instruction.start, this.#nameOf(lookup));
  }

  #find(): ReadonlyMap<number, LookedUpName> {
    const { image } = this.#flows;
    const slots = image.image.imports.slots
      .map(({ rva }) => rva)
      .filter((rva) => lookupRoutine(namesOf(this.#flows.callees.throughSlot(rva))) !== undefined);
    const naming = functionsNaming(image, slots);
    // linkers make a thunk for each import
    const isThunk = ({ entry }: CodeFunction): boolean =>
      slots.some((slot) => slot === image.code.set.thunks.jumpAt(image.code, entry)?.slot);
    const asking = [...naming, ...this.#callersOf(naming.filter(isThunk).map(({ entry }) => entry))];
    for (const one of asking) this.#noteHelper(this.#flows.of(one));
    const using = this.#callersOf([...this.#helpers.keys()]);
    for (const one of using) for (const site of this.#flows.of(one).calls) this.#note(site);
    return this.#keptBy([...new Map([...asking, ...using].map((one) => [one.entry, one])).values()]);
  }

  /** A function that looks up the name that it is given itself, and returns the answer. */
  #noteHelper({ function: found, calls, events }: FunctionFlow): void {
    for (const site of calls) {
      const lookup = this.#lookup(site);
      const [name, ...others] = lookup?.name ?? [];
      if (lookup === undefined || others.length > 0) continue;
      if (name?.kind !== "register" && name?.kind !== "argument") continue;
      const returns = events.some(
        ({ kind, value }) =>
          kind === "return" &&
          value.some((atom) => atom.kind === "result" && atom.call === site.instruction.start),
      );
      if (returns) this.#helpers.set(found.entry, { routine: lookup.routine, name });
    }
  }

  #callersOf(entries: readonly number[]): readonly CodeFunction[] {
    const { code, functions } = this.#flows.image;
    const wanted = new Set(entries);
    const callers: CodeFunction[] = [];
    if (wanted.size > 0)
      code.set.references.near(code, (at, target) => {
        if (wanted.has(target)) addAll(callers, functions.owning(at));
      });
    return callers;
  }

  /** The variables that functions put their answers into, and nothing else but 0. */
  #keptBy(functions: readonly CodeFunction[]): ReadonlyMap<number, LookedUpName> {
    const stores = functions.flatMap((one) =>
      this.#flows
        .of(one)
        .events.flatMap(({ kind, place, value }) =>
          kind === "store" && place !== undefined ? [{ place, value }] : [],
        ),
    );
    const answerIn = ([only, ...others]: Value): LookedUpName | undefined =>
      others.length === 0 && only?.kind === "result" ? this.#results.get(only.call) : undefined;
    const names = new Map<number, LookedUpName | undefined>();
    for (const { place, value } of stores)
      if (answerIn(value) !== undefined) addOnly(names, place, answerIn(value));
    for (const { place, value } of stores)
      if (names.has(place) && onlyNumber(value) !== 0) addOnly(names, place, answerIn(value));
    return new Map([...names].flatMap(([place, name]) => (name === undefined ? [] : [[place, name]])));
  }

  /** The only name that a call may be given. */
  #nameOf({ routine, name }: LookupCall): LookedUpName | undefined {
    const { image } = this.#flows;
    const [only, ...others] = name;
    const place = only === undefined || others.length > 0 ? undefined : placeNamed(image, only);
    const found = place === undefined ? undefined : stringAt(image.image, place);
    if (found === undefined || !("text" in found) || !NAME.test(found.text)) return undefined;
    const module = ROUTINES.get(routine);
    return module === undefined ? { name: found.text } : { name: found.text, module };
  }
}

/** Of several names of one place none is known. */
function addOnly(
  names: Map<number, LookedUpName | undefined>,
  place: number,
  found: LookedUpName | undefined,
): void {
  names.set(place, !names.has(place) || names.get(place)?.name === found?.name ? found : undefined);
}

const NAME = /^[A-Za-z_]\w{3,}$/;
