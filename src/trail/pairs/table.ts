import { addAll, addTo, groupBy } from "../../core/search.ts";
import { CALLBACKS } from "./callbacks.ts";
import type { Consumer } from "./consumer.ts";
import { CONSUMERS } from "./consumers.ts";
import { CRYPTO } from "./crypto.ts";
import { FILE_SYSTEM } from "./filesystem.ts";
import { FILTER } from "./filter.ts";
import { FILTER_CONTEXTS } from "./filter-contexts.ts";
import { FILTER_ENGINE } from "./filter-engine.ts";
import { FRAMEWORK } from "./framework.ts";
import { PLAIN_FREES, type PlainFree } from "./frees.ts";
import { HANDLES } from "./handles.ts";
import { IO } from "./io.ts";
import { MEMORY } from "./memory.ts";
import { NETWORK } from "./network.ts";
import { OBJECT_TAGS } from "./object-types.ts";
import { PACKETS } from "./packets.ts";
import type { Acquirer, Release } from "./pair.ts";
import { REFERENCES } from "./references.ts";
import { STORAGE } from "./storage.ts";
import { STREAMING } from "./streaming.ts";
import { STRINGS } from "./strings.ts";
import { TOKENS } from "./tokens.ts";
import { VIDEO } from "./video.ts";

/**
 * Every documented acquisition that concerns pool, by component.
 *
 * @internal
 */
export const ACQUIRERS: readonly Acquirer[] = [
  ...REFERENCES,
  ...HANDLES,
  ...TOKENS,
  ...STRINGS,
  ...IO,
  ...CALLBACKS,
  ...MEMORY,
  ...FILE_SYSTEM,
  ...FILTER,
  ...FILTER_CONTEXTS,
  ...NETWORK,
  ...PACKETS,
  ...FILTER_ENGINE,
  ...FRAMEWORK,
  ...STREAMING,
  ...STORAGE,
  ...VIDEO,
  ...CRYPTO,
];

/** A name as images export it, without the decoration of 32-bit ones: `_Name@8` and `@Name@8` are `Name`. */
function plainName(name: string): string {
  return /^[_@]?([A-Za-z]\w*?)(?:@\d+)?$/.exec(name)?.[1] ?? name;
}

function byName<T extends { readonly name: string }>(rows: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return groupBy(rows, ({ name }) => name);
}

const ACQUIRERS_BY_NAME = byName(ACQUIRERS);
const CONSUMERS_BY_NAME = byName(CONSUMERS);

/** One use of a release: what it is handed, and the acquisitions that it balances so. */
export interface ReleaseUse extends Release {
  readonly balances: readonly Acquirer[];
}

let releases: ReadonlyMap<string, readonly ReleaseUse[]> | undefined;

/** Made when it is first asked for: most commands never do. */
function releasesByName(): ReadonlyMap<string, readonly ReleaseUse[]> {
  releases ??= indexReleases();
  return releases;
}

function indexReleases(): ReadonlyMap<string, readonly ReleaseUse[]> {
  // Groups of rows share their releases, so that there are far fewer of them than rows.
  const balanced = new Map<Release, Acquirer[]>();
  for (const acquirer of ACQUIRERS)
    for (const release of acquirer.releases) addTo(balanced, release, acquirer);
  const uses = new Map<string, ReleaseUse & { readonly balances: Acquirer[] }>();
  for (const [release, rows] of balanced) {
    const { name, argument, takes = "value", when = [] } = release;
    const key = JSON.stringify([name, argument, takes, when]);
    const use = uses.get(key);
    if (use === undefined) uses.set(key, { ...release, balances: rows });
    else addAll(use.balances, rows);
  }
  return byName([...uses.values()]);
}

/** What a call of that name acquires; several things where it gives several, as FltCreateFileEx does. */
export function acquirersNamed(name: string): readonly Acquirer[] {
  return ACQUIRERS_BY_NAME.get(name) ?? ACQUIRERS_BY_NAME.get(plainName(name)) ?? [];
}

let acquirersByTag: ReadonlyMap<string, readonly Acquirer[]> | undefined;

/** The functions that make a tag grow by their documentation; those for objects of any type are not among them. */
export function acquirersFor(tag: string): readonly Acquirer[] {
  acquirersByTag ??= indexByTag();
  return acquirersByTag.get(tag) ?? [];
}

function indexByTag(): ReadonlyMap<string, readonly Acquirer[]> {
  const byTag = new Map<string, Acquirer[]>();
  for (const row of ACQUIRERS) for (const tag of new Set(row.tags)) addTo(byTag, tag, row);
  return byTag;
}

/** The functions that acquire objects of any type, where the tag is one of an object's. */
export function anyObjectAcquirersFor(tag: string): readonly Acquirer[] {
  return OBJECT_TAGS.has(tag) ? ACQUIRERS.filter((row) => row.anyObject !== undefined) : [];
}

/** What a call of that name gives back; several uses where it is handed different things. */
export function releasesNamed(name: string): readonly ReleaseUse[] {
  return releasesByName().get(name) ?? releasesByName().get(plainName(name)) ?? [];
}

/** What a call of that name takes over from its caller, an entry for each argument. */
export function consumersNamed(name: string): readonly Consumer[] {
  return CONSUMERS_BY_NAME.get(name) ?? CONSUMERS_BY_NAME.get(plainName(name)) ?? [];
}

/** How a function of that name frees memory, whatever it was acquired with; undefined where it is no plain free. */
export function plainFree(name: string): PlainFree | undefined {
  return PLAIN_FREES.get(name) ?? PLAIN_FREES.get(plainName(name));
}

/** Objects with a name that are opened, and driver and device objects, are there before and stay. IoCreate…Event opens what it made once. */
const OPENS_NAMED =
  /^(?:Zw|Nt)Open(?:Section|Event|Semaphore|Mutant|Timer|SymbolicLinkObject|DirectoryObject)|^IoCreate\w+Event$/;
export const STAYS: ReadonlySet<string> = new Set(["Driv", "Devi"]);

/** Whether a function gives what is there already. */
export function isExisting({ name, what, tags }: Acquirer): boolean {
  return (
    OPENS_NAMED.test(name) || (what === "reference" && tags.length > 0 && tags.every((tag) => STAYS.has(tag)))
  );
}
