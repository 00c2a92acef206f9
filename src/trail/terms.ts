import { type Atom, knownNumber, type Value } from "../code/abstract-value.ts";
import type { CallSite } from "../code/call-site.ts";
import { namesOf } from "../code/callees.ts";
import type { AcquiringFunction } from "./acquiring-functions.ts";
import { dutyOf } from "./duties.ts";
import type { ImportCall } from "./import-calls.ts";
import { documentedArgument, mayHold } from "./knowledge.ts";
import type { DecodedModule } from "./module-codes.ts";
import { objectTags } from "./pairs/object-types.ts";
import type { Acquirer, Duty } from "./pairs/pair.ts";
import { acquirersNamed, isExisting, STAYS } from "./pairs/table.ts";

/**
 * Whether a call acquires something of the tag: it does; it acquires nothing, or an object of another type; an object of
 * a type that cannot be told; or something that somebody else gives back, as is documented.
 */
export type Terms =
  /** `forProcess`: a handle of the process that is current, and not of the kernel. */
  | { readonly kind: "acquires"; readonly existing?: boolean; readonly forProcess?: boolean }
  | { readonly kind: "nothing" }
  | { readonly kind: "any-object" }
  | { readonly kind: "duty"; readonly by: Duty["keeper"] };

/** Reads a call's arguments against what is documented of the function. */
export function termsOf(
  tag: string,
  decoded: DecodedModule,
  { edge }: ImportCall,
  { row, name }: AcquiringFunction,
): Terms {
  if (row === undefined) return { kind: "acquires" };
  const site = decoded.flows.siteAt(edge.from, edge.at);
  if (site === undefined) return row.anyObject === undefined ? { kind: "acquires" } : { kind: "any-object" };
  const { abi } = decoded.image.code.set;
  if (!mayHold(row.when, abi, site, name)) return { kind: "nothing" };
  const duty = dutyOf(tag, row.duties ?? [], decoded, edge, name);
  if (duty !== undefined) return { kind: "duty", by: duty.keeper };
  const look = new Arguments(decoded, site, name);
  const forProcess = row.what === "handle" && look.attributes()?.kernel === false;
  if (row.anyObject === undefined) return { kind: "acquires", forProcess };
  const tags = look.typeTags(row.anyObject);
  if (tags === undefined) return { kind: "any-object" };
  if (!tags.includes(tag)) return { kind: "nothing" };
  return { kind: "acquires", forProcess, existing: STAYS.has(tag) || look.isExisting(row.anyObject) };
}

/** Who has a handle that was opened for the current process. */
export const OF_PROCESS = "process";

/** Functions that are given OBJECT_ATTRIBUTES as their third argument, in which Attributes stands behind three pointers. */
const OPENS = /^(?:(?:Zw|Nt)(?:Open|Create)|IoCreateFile)/;
const OBJECT_ATTRIBUTES = 3;
/** Of ObOpenObjectByPointer. */
const HANDLE_ATTRIBUTES = 2;
const OBJ_KERNEL_HANDLE = 0x200;

class Arguments {
  readonly #decoded: DecodedModule;
  readonly #site: CallSite;
  readonly #name: string;

  constructor(decoded: DecodedModule, site: CallSite, name: string) {
    this.#decoded = decoded;
    this.#site = site;
    this.#name = name;
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

  /** Of what opens a handle: whether that is the kernel's; `undefined` where the attributes cannot be told. */
  attributes(): { readonly kernel: boolean } | undefined {
    const { abi } = this.#decoded.image.code.set;
    const [pointer] = OPENS.test(this.#name) ? this.#value(OBJECT_ATTRIBUTES) : [];
    const value = /^ObOpenObjectByPointer/.test(this.#name)
      ? this.#value(HANDLE_ATTRIBUTES)
      : pointer?.kind === "stack"
        ? this.#site.state.stackAt(pointer.offset + 3 * abi.pointerSize)
        : [];
    const number = knownNumber(value);
    return number === undefined ? undefined : { kernel: (number & OBJ_KERNEL_HANDLE) !== 0 };
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
    return documentedArgument(this.#decoded.image.code.set.abi, this.#site, this.#name, argument);
  }
}
