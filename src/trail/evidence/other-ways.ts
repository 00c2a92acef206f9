import { CallGraph } from "../../code/calls.ts";
import { findRuntimeLookups } from "../../code/lookups.ts";
import { callsThrough } from "../call-sites.ts";
import type { DecodedModule, ModuleCodes } from "../module-codes.ts";
import { type AcquiringFunction, FREE } from "../pairs.ts";
import { reachedFrom } from "../reach.ts";
import type { TrailModule } from "../target.ts";
import { canBeOf, releasesIn } from "./releases.ts";

/** Direct calls between a library's exported function and its release: further away it is for the library's own ends. */
const NEAR = 1;

/** A releasing function of another driver: what its exported name is, and what it calls. */
interface LibraryRelease {
  readonly name: string;
  readonly entry: number;
  readonly calls: string;
}

/**
 * In which way that its direct calls do not show a module may give something back: through a pointer, by a
 * name that it looks up, or by another driver's function.
 *
 * @param names of the releasing functions
 * @param called those that its code was seen to call
 * @returns a clause about it; undefined where no such way is seen
 */
export function otherWayToRelease(
  codes: ModuleCodes,
  module: TrailModule,
  decoded: DecodedModule,
  names: readonly string[],
  called: ReadonlySet<string>,
  key: number,
): string | undefined {
  const { callees } = decoded.flows;
  const held = module.imports.slots
    .map((slot) => callees.throughSlot(slot.rva).name)
    .find((name) => name !== undefined && names.includes(name) && !called.has(name));
  if (held !== undefined) return `imports ${held}, which it may call through a pointer`;
  const lookup = findRuntimeLookups(decoded.flows, new Set(names)).find(({ call }) => call !== undefined);
  if (lookup !== undefined) return `looks ${lookup.name} up by its name`;
  const slots = new Map(module.imports.slots.map(({ rva }) => [rva, rva]));
  for (const { item: slot } of callsThrough(new CallGraph(decoded.flows), slots)) {
    const found = codes.find(callees.throughSlot(slot));
    if (
      found === undefined ||
      found.module === module ||
      found.module.name === "nt" ||
      found.module.name === "hal"
    )
      continue;
    const release = releasesOf(codes, found.module, names, key).find(({ entry }) => entry === found.entry);
    if (release !== undefined)
      return `calls ${found.module.name}!${release.name}, which calls ${release.calls}`;
  }
  return undefined;
}

/** The exported functions of a driver that release at most one call further down. */
function releasesOf(
  codes: ModuleCodes,
  library: TrailModule,
  names: readonly string[],
  key: number,
): readonly LibraryRelease[] {
  const decoded = codes.of(library);
  if (decoded === undefined) return [];
  const known = KNOWN.get(decoded) ?? new Map<string, readonly LibraryRelease[]>();
  KNOWN.set(decoded, known);
  const question = `${key} ${names.join(" ")}`;
  const answer = known.get(question) ?? findReleases(library, decoded, names, key);
  known.set(question, answer);
  return answer;
}

/** Many modules call one library. */
const KNOWN = new WeakMap<DecodedModule, Map<string, readonly LibraryRelease[]>>();

function findReleases(
  library: TrailModule,
  decoded: DecodedModule,
  names: readonly string[],
  key: number,
): readonly LibraryRelease[] {
  const releases = releasesIn(library, decoded, names).filter((release) => canBeOf(release, key));
  const leads = releases.flatMap(({ from }) => decoded.image.functions.startingAt(from) ?? []);
  return reachedFrom(library.name, decoded, leads).exports.flatMap(
    ({ name, entry, depth, leads: reached }) => {
      const release = releases.find(({ from }) => reached.includes(from));
      return depth > NEAR || release === undefined ? [] : [{ name, entry, calls: release.name }];
    },
  );
}

/**
 * What gives back the memory that a driver's exported function gives, by the driver's own code.
 *
 * @param apis the functions that allocate with the tag
 */
export function libraryPair(
  codes: ModuleCodes,
  library: TrailModule,
  acquire: string,
  apis: ReadonlySet<string>,
  key: number,
): AcquiringFunction | undefined {
  const release = releasesOf(codes, library, FREE, key)
    .map(({ name }) => name)
    .filter((name) => !apis.has(name));
  return release.length === 0 ? undefined : { acquire, release, tags: [], guessed: true };
}
