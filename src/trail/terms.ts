import { placeOfArgument } from "../code/argument-places.ts";
import { namesOf } from "../code/callees.ts";
import { argumentOf, type CallSite as CodeSite } from "../code/function-flow.ts";
import { type Atom, knownNumber, type Value } from "../code/values.ts";
import type { AcquiringFunction } from "./acquire.ts";
import type { CallSite } from "./call-sites.ts";
import type { DecodedModule } from "./module-codes.ts";
import { isExisting, STAYS } from "./pairs/existing.ts";
import { objectTags } from "./pairs/object-types.ts";
import type { Acquirer, Condition, Duty } from "./pairs/pair.ts";
import { acquirersNamed } from "./pairs/table.ts";

/**
 * Whether a call acquires something of the tag: it does; it acquires nothing, or an object of another type; an object of
 * a type that cannot be told; or something that somebody else gives back, as is documented.
 */
export type Terms =
  | { readonly kind: "acquires"; readonly existing?: boolean }
  | { readonly kind: "nothing" }
  | { readonly kind: "any-object" }
  | { readonly kind: "duty"; readonly by: Duty["keeper"] };

/** Reads a call's arguments against what is documented of the function. */
export function termsOf(
  tag: string,
  decoded: DecodedModule,
  { edge }: CallSite,
  { row, name }: AcquiringFunction,
): Terms {
  if (row === undefined) return { kind: "acquires" };
  const site = decoded.flows.siteAt(edge.from, edge.at);
  if (site === undefined) return row.anyObject === undefined ? { kind: "acquires" } : { kind: "any-object" };
  const look = new Arguments(decoded, site, name);
  if (row.when?.some((condition) => look.holds(condition) === false)) return { kind: "nothing" };
  const duty = row.duties?.find(
    ({ when = [], tags }) =>
      (tags === undefined || tags.includes(tag)) && when.every((one) => look.holds(one) !== false),
  );
  if (duty !== undefined) return { kind: "duty", by: duty.keeper };
  if (row.anyObject === undefined) return { kind: "acquires" };
  const tags = look.typeTags(row.anyObject);
  if (tags === undefined) return { kind: "any-object" };
  if (!tags.includes(tag)) return { kind: "nothing" };
  return { kind: "acquires", existing: STAYS.has(tag) || look.isExisting(row.anyObject) };
}

/** Whether a call's arguments leave it open that it acquires anything. */
export function mayAcquire(decoded: DecodedModule, site: CodeSite, { name, when = [] }: Acquirer): boolean {
  const look = new Arguments(decoded, site, name);
  return when.every((condition) => look.holds(condition) !== false);
}

class Arguments {
  readonly #decoded: DecodedModule;
  readonly #site: CodeSite;
  readonly #name: string;

  constructor(decoded: DecodedModule, site: CodeSite, name: string) {
    this.#decoded = decoded;
    this.#site = site;
    this.#name = name;
  }

  /** `undefined`: what the argument is cannot be told. */
  holds({ argument, is }: Condition): boolean | undefined {
    const value = this.#value(argument);
    const number = knownNumber(value);
    if (number === undefined) return isPointer(value) ? pointerHolds(is) : undefined;
    if (is === "zero") return number === 0;
    if (is === "nonzero") return number !== 0;
    if ("equals" in is) return number >>> 0 === is.equals >>> 0;
    if ("noneOf" in is) return !is.noneOf.some((other) => other >>> 0 === number >>> 0);
    return "bits" in is ? (number & is.bits) === is.bits : (number & is.clear) === 0;
  }

  /** Tags of the objects that the call can be about; `undefined` where nothing tells. */
  typeTags({
    typeArgument,
    handleArgument,
    objectArgument,
  }: NonNullable<Acquirer["anyObject"]>): readonly string[] | undefined {
    const type = typeArgument === undefined ? [] : this.#value(typeArgument);
    const named = type.flatMap((atom) => this.#typeNamed(atom) ?? []);
    if (named.length > 0) return named;
    const source = handleArgument ?? objectArgument;
    return source === undefined ? undefined : this.#madeBy(this.#value(source));
  }

  /** Whether the handle or the object is one that was opened, and is there already. */
  isExisting({ handleArgument, objectArgument }: NonNullable<Acquirer["anyObject"]>): boolean {
    const source = handleArgument ?? objectArgument;
    const rows = source === undefined ? [] : this.#value(source).map((atom) => this.#rowsBy(atom));
    return rows.length > 0 && rows.every((of) => of.some(isExisting));
  }

  /** The type behind `*PsProcessType`: the variable is imported, and the slot holds its address. */
  #typeNamed(atom: Atom): readonly string[] | undefined {
    const { callees } = this.#decoded.flows;
    const slot =
      atom.kind === "field" && atom.offset === 0 && atom.of.kind === "loaded" ? atom.of.rva : undefined;
    const names = slot === undefined ? [] : namesOf(callees.throughSlot(slot));
    return names.map(objectTags).find((tags) => tags.length > 0);
  }

  /** Tags of what a handle or an object is of, by the call that gave it. */
  #madeBy(value: Value): readonly string[] | undefined {
    const tags = value.map((atom) => this.#rowsBy(atom).find(({ tags: own }) => own.length > 0)?.tags);
    return tags.some((one) => one === undefined) ? undefined : tags.flatMap((one) => one ?? []);
  }

  /** What is documented of the call that gave a value. */
  #rowsBy(atom: Atom): readonly Acquirer[] {
    if (atom.kind !== "result" && atom.kind !== "left") return [];
    const { flows, image } = this.#decoded;
    const [from] = image.functions.owning(atom.call);
    const site = from === undefined ? undefined : flows.siteAt(from, atom.call);
    return (site === undefined ? [] : flows.callees.of(site)).flatMap(namesOf).flatMap(acquirersNamed);
  }

  #value(argument: number): Value {
    const { wide } = this.#decoded.image.code;
    return argumentOf(wide, this.#site, placeOfArgument(wide, argument, this.#name));
  }
}

function isPointer(value: Value): boolean {
  return value.length > 0 && value.every(({ kind }) => kind === "stack" || kind === "address");
}

function pointerHolds(is: Condition["is"]): boolean | undefined {
  return is === "nonzero" ? true : is === "zero" ? false : undefined;
}
