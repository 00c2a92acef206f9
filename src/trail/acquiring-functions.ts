import { readContextRegistration } from "../code/context-registration.ts";
import { bindsFramework, FRAMEWORK } from "../code/wdf.ts";
import type { Va } from "../core/address.ts";
import type { Abi } from "../isa/abi.ts";
import { exportNames } from "../symbols/exports.ts";
import type { TrailApi } from "./apis.ts";
import type { Acquired } from "./clue.ts";
import type { HandedOut } from "./handed-out.ts";
import type { HeldFunction } from "./holders.ts";
import { isHandedOver } from "./learnt-releases.ts";
import type { ListEntries } from "./lookaside-lists.ts";
import { contextAcquirers } from "./pairs/filter-contexts.ts";
import { type Acquirer, fieldOffset, type Release } from "./pairs/pair.ts";
import { argumentWord } from "./pairs/signatures.ts";
import { acquirersFor, acquirersNamed, anyObjectAcquirersFor, isExisting } from "./pairs/table.ts";
import type { Question } from "./question.ts";
import { abiOf, importedModule, type TrailTarget } from "./target.ts";

/** A function that acquires for whoever calls it. */
export interface AcquiringFunction extends HeldFunction {
  readonly acquired: Acquired;
  /** How its caller gets it; `undefined` where it stays inside, or nobody knows. */
  readonly out: HandedOut | undefined;
  /** What is documented of it. */
  readonly row: Acquirer | undefined;
  /** What is documented of the one that acquires, where this one hands on what that gives. */
  readonly of?: Acquirer | undefined;
  /** The modules for which it takes of the tag, where it does not for all. */
  readonly only?: ReadonlySet<string>;
  /** What gives back what it gives besides plain frees, where several functions stand behind it. */
  readonly frees?: readonly Release[];
  /** Calls of the module itself that give back what it gives, of which no name tells. */
  readonly givenBack?: ListEntries["given"];
  /** The other things that it gives, where it gives several. */
  readonly more?: readonly AcquiringFunction[];
}

/**
 * The functions whose callers can make the tag grow: those that lead to an allocation with it, and those that are
 * documented to take something of it.
 */
export function acquiringFunctions(question: Question): readonly AcquiringFunction[] {
  const contexts = registeredContexts(question);
  const known = [...acquirersFor(question.tag), ...anyObjectAcquirersFor(question.tag)];
  const rows = [...known, ...contexts.rows];
  const named = (names: readonly string[]): readonly Acquirer[] =>
    rows.filter((row) => names.includes(row.name));
  const found = new Map<Va, AcquiringFunction>();
  const abi = abiOf(question.target);
  for (const { api, out } of question.apis) {
    const tagged = named(api.names);
    const [row, ...others] = tagged.length === 0 && out != null ? untagged(api.names) : tagged;
    const first = fromApi(question, api, row === undefined ? (out ?? undefined) : handedOutBy(row, abi), row);
    found.set(
      api.address,
      withMore(first, others, (other) => fromApi(question, api, handedOutBy(other, abi), other)),
    );
  }
  const documented = (module: string, name: string, address: Va | null): readonly AcquiringFunction[] => {
    const [row, ...others] = named([name]);
    if (row === undefined) return [];
    const only = known.includes(row) ? {} : { only: contexts.modules };
    const made = (other: Acquirer): AcquiringFunction => ({
      ...fromRow(module, other, address, abi),
      ...only,
    });
    return [withMore(made(row), others, made)];
  };
  const unseen = new Set(rows.map(({ name }) => name));
  for (const name of [...unseen]) {
    for (const { name: module, image } of question.target.modules) {
      const item = image === undefined ? undefined : exportNames(image).byName(name);
      if (image === undefined || item === undefined) continue;
      unseen.delete(name);
      const address = image.addressOf(item.rva);
      if (!found.has(address)) for (const made of documented(module, name, address)) found.set(address, made);
    }
  }
  const declared = importedBy(question.target, unseen).flatMap(({ module, name }) =>
    documented(module, name, null),
  );
  const ofFramework = question.target.modules.some(({ imports }) => bindsFramework(imports))
    ? known
        .filter(({ name }) => name.startsWith("Wdf"))
        .flatMap(({ name }) => documented(FRAMEWORK, name, null))
    : [];
  return [...found.values(), ...declared, ...ofFramework];
}

/** Functions by the names in import tables, of modules that are not there or whose exports cannot be read. */
function importedBy(
  { modules }: TrailTarget,
  wanted: ReadonlySet<string>,
): readonly { readonly module: string; readonly name: string }[] {
  const found = new Map<string, { readonly module: string; readonly name: string }>();
  for (const { imports } of modules) {
    for (const { declared } of imports.slots) {
      const name = declared?.name ?? "";
      if (!wanted.has(name)) continue;
      const module = importedModule(declared?.dll ?? "");
      found.set(`${module}!${name}`, { module, name });
    }
  }
  return [...found.values()];
}

/** The modules that register contexts with the tag, and what gives them such contexts. */
function registeredContexts({ target, references }: Question): {
  readonly modules: ReadonlySet<string>;
  readonly rows: readonly Acquirer[];
} {
  const modules = new Set<string>();
  const types = new Set<number>();
  for (const reference of references) {
    if (reference.seen?.kind !== "registration") continue;
    const { image } = target.modules.find(({ name }) => name === reference.module) ?? {};
    const registration = image === undefined ? undefined : readContextRegistration(image, reference.rva);
    if (registration === undefined) continue;
    modules.add(reference.module);
    types.add(registration.type);
  }
  return { modules, rows: modules.size === 0 ? [] : contextAcquirers(types) };
}

/** What is documented of functions whose tag is not: that they lead to this one, their code shows. */
function untagged(names: readonly string[]): readonly Acquirer[] {
  return names
    .flatMap(acquirersNamed)
    .filter(
      ({ tags, tagArgument, anyObject }) =>
        tags.length === 0 && tagArgument === undefined && anyObject === undefined,
    );
}

function withMore(
  first: AcquiringFunction,
  others: readonly Acquirer[],
  make: (row: Acquirer) => AcquiringFunction,
): AcquiringFunction {
  return others.length === 0 ? first : { ...first, more: others.map(make) };
}

function fromApi(
  question: Question,
  api: TrailApi,
  handed: HandedOut | undefined,
  row: Acquirer | undefined,
): AcquiringFunction {
  const owner = question.target.modules.find(({ name }) => name === api.module);
  const learnt =
    handed === undefined || row !== undefined || owner === undefined ? undefined : question.learnt(owner);
  const out = isHandedOver(handed, learnt) ? handed : undefined;
  const acquired: Acquired = {
    function: { module: api.module, name: api.name, address: api.address },
    path: api.path,
    basis: api.basis === "nearest-export" ? "nearest-export" : row === undefined ? "code" : "documented",
    depth: row === undefined ? api.depth : 0,
    libraries: 0,
    handsOut: out !== undefined,
    releases: (row?.releases ?? learnt?.releases ?? []).map(({ name }) => name),
    existing: row !== undefined && isExisting(row),
  };
  return { module: api.module, name: api.name, names: api.names, address: api.address, acquired, out, row };
}

function fromRow(module: string, row: Acquirer, address: Va | null, abi: Abi): AcquiringFunction {
  const acquired: Acquired = {
    function: { module, name: row.name, address },
    path: [row.name],
    basis: "documented",
    depth: 0,
    libraries: 0,
    handsOut: true,
    releases: row.releases.map(({ name }) => name),
    existing: isExisting(row),
  };
  return { module, name: row.name, address, acquired, out: handedOutBy(row, abi), row };
}

/** How the callers of a documented function get what it gives. */
export function handedOutBy({ name, gives, fails, what, releases }: Acquirer, abi: Abi): HandedOut {
  // a status that is written elsewhere is not followed
  const failing = typeof fails === "object" && "status" in fails ? "never" : fails;
  const isNew = what === "memory" || what === "string";
  if (gives.by === "return") return { gives, fails: failing, isNew };
  const argument = argumentWord(abi, name, gives.argument);
  if (gives.by === "argument") return { gives: { by: "argument", argument }, fails: failing };
  const offset =
    "offset" in gives && gives.offset !== undefined ? { offset: fieldOffset(gives.offset, abi) } : {};
  // a counted string's memory is behind its pointer, not its length
  const inside = what === "string" && gives.by === "structure" ? { offset: abi.pointerSize } : offset;
  if (gives.by === "out") return { gives: { by: "out", argument, ...inside }, fails: failing, isNew };
  const [field] = releases.flatMap(({ takes }) =>
    typeof takes === "object" && "field" in takes ? [takes.field] : [],
  );
  const value = field === undefined ? {} : { value: fieldOffset(field, abi) };
  return { gives: { by: "structure", argument, ...inside, ...value }, fails: failing, isNew };
}
