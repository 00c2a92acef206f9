import { poolRoutine } from "../../code/allocators.ts";
import { namesOf } from "../../code/callees.ts";
import type { AcquiringCall, Happening } from "../../code/fates.ts";
import type { CodeFunction } from "../../code/function-table.ts";
import { Ownership } from "../../code/ownership.ts";
import { handedOutBy } from "../acquiring-functions.ts";
import { knowledgeOf, mayHold, releasedBy } from "../knowledge.ts";
import type { DecodedModule, ModuleCodes } from "../module-codes.ts";
import { acquirersNamed } from "../pairs/table.ts";
import type { TrailModule } from "../target.ts";
import type { ChosenLine } from "./lines.ts";

/** What happens to something that the function acquires, at one instruction. */
export interface ValueMark {
  /** `A` for what the first call acquires, `B` for the next. */
  readonly value: string;
  readonly what: Happening["what"];
  /** The function that acquires it, or that is given it; null where nothing names one. */
  readonly name: string | null;
}

/** What values are called, in the order of the calls: A to Z, then A2 to Z2. */
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * Follows what the calls of a function acquire, by their documentation, to where it is put, passed on, given back or
 * forgotten.
 *
 * @returns by the instruction's offset
 */
export function valueMarks(
  codes: ModuleCodes,
  decoded: DecodedModule,
  found: CodeFunction,
): ReadonlyMap<number, readonly ValueMark[]> {
  const { flows, image } = decoded;
  const marks = new Map<number, ValueMark[]>();
  const ownership = new Ownership(knowledgeOf(codes, image.code.set.abi));
  acquiringCalls(decoded, found).forEach(({ call, name }, i) => {
    const round = Math.floor(i / LETTERS.length);
    const value = `${LETTERS[i % LETTERS.length]}${round === 0 ? "" : round + 1}`;
    const add = (at: number, what: ValueMark["what"], to: string | null): void => {
      const own = marks.get(at) ?? [];
      marks.set(at, own);
      if (!own.some((one) => one.value === value && one.what === what)) own.push({ value, what, name: to });
    };
    add(call.at, "acquires", name);
    ownership.fatesOf(flows, found, call, ({ at, what, name: to }) => add(at, what, to ?? null));
  });
  return marks;
}

function acquiringCalls(
  decoded: DecodedModule,
  found: CodeFunction,
): readonly { readonly call: AcquiringCall; readonly name: string }[] {
  const { flows, image } = decoded;
  return flows.of(found).calls.flatMap((site): { call: AcquiringCall; name: string }[] => {
    const at = site.instruction.start;
    for (const name of flows.callees.of(site).flatMap(namesOf)) {
      const { abi } = image.code.set;
      const row = acquirersNamed(name).find(({ when }) => mayHold(when, abi, site, name));
      if (row !== undefined)
        return [{ call: { at, ...handedOutBy(row, abi), isRelease: releasedBy(row, abi) }, name }];
      if (poolRoutine(name)?.use === "allocate")
        return [{ call: { at, gives: { by: "return" }, fails: "null" }, name }];
    }
    return [];
  });
}

/** Marks of lines, each function followed when its first line is listed. */
export class LineMarks {
  readonly #codes: ModuleCodes;
  readonly #module: TrailModule | undefined;
  readonly #decoded: DecodedModule | undefined;
  readonly #known = new Map<number, ReturnType<typeof valueMarks>>();

  constructor(codes: ModuleCodes, module: TrailModule | undefined, decoded: DecodedModule | undefined) {
    this.#codes = codes;
    this.#module = module;
    this.#decoded = decoded;
  }

  at({ address, piece: { owner } }: ChosenLine): readonly ValueMark[] {
    if (this.#module === undefined || this.#decoded === undefined || owner === undefined) return [];
    const marks = this.#known.get(owner.entry) ?? valueMarks(this.#codes, this.#decoded, owner);
    this.#known.set(owner.entry, marks);
    return marks.get(Number(address - this.#module.base)) ?? [];
  }
}
