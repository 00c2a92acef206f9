import { poolRoutine } from "../../code/allocators.ts";
import { CallGraph } from "../../code/calls.ts";
import type { Va } from "../../core/address.ts";
import { tableKey, tagText } from "../../pool/tag.ts";
import type { DecodedModule } from "../module-codes.ts";
import { type AcquiringFunction, acquiringFunction } from "../pairs.ts";
import type { TrailModule } from "../target.ts";
import type { Evidence } from "../trail.ts";

/** A function that a module calls, or can call, and where. */
export interface Acquisition {
  readonly name: string;
  readonly address: Va;
}

/** Whether what a module acquires is given back anywhere in it. */
export interface Balance {
  readonly state: "released" | "unbalanced" | "unknown";
  readonly evidence: Evidence;
}

/**
 * Compares the acquiring functions that a module calls with the releasing ones: of all its code, since what
 * one function acquires another may release. A free with another tag as a constant is none of this one.
 *
 * @param key of the tag that leaks
 * @param codeMissing bytes of the module's code that could not be read: a release may stand there
 */
export function balanceOf(
  module: TrailModule,
  decoded: DecodedModule,
  sites: readonly Acquisition[],
  key: number,
  codeMissing: number,
): readonly Balance[] {
  const pairs = new Map<AcquiringFunction, Acquisition[]>();
  for (const site of sites) {
    const pair = acquiringFunction(site.name);
    if (pair === undefined) continue;
    const same = pairs.get(pair);
    if (same === undefined) pairs.set(pair, [site]);
    else same.push(site);
  }
  return [...pairs].map(([pair, calls]) => judge(module, decoded, pair, calls, key, codeMissing));
}

function judge(
  module: TrailModule,
  decoded: DecodedModule,
  pair: AcquiringFunction,
  calls: readonly Acquisition[],
  key: number,
  codeMissing: number,
): Balance {
  const releases = releasesIn(module, decoded, pair.release);
  const matching = releases.filter(
    ({ tag }) => tag === undefined || tag === 0 || tableKey(tag) === tableKey(key),
  );
  const [first] = matching;
  const address = calls[0]?.address ?? null;
  if (first !== undefined) {
    const detail = `gives back what ${pair.acquire} gives: calls ${first.name} at ${matching.length === 1 ? "one place" : `${matching.length} places`}`;
    return { state: "released", evidence: { kind: "releases", address: first.address, detail } };
  }
  const others = [...new Set(releases.map(({ tag }) => tagText(tag ?? 0)))];
  const own =
    others.length === 0
      ? ""
      : ` (it frees only with the tags ${others.map((tag) => `\`${tag}\``).join(", ")})`;
  const detail = `calls ${pair.acquire} and none of ${pair.release.slice(0, 3).join(", ")}${own}`;
  if (codeMissing > 0) {
    return {
      state: "unknown",
      evidence: {
        kind: "unbalanced",
        address,
        detail: `${detail} in what could be read; ${codeMissing} bytes of its code could not`,
      },
    };
  }
  return { state: "unbalanced", evidence: { kind: "unbalanced", address, detail } };
}

interface Release {
  readonly name: string;
  readonly address: Va;
  /** The tag that a free is given, where it is a constant. */
  readonly tag: number | undefined;
}

function releasesIn(
  module: TrailModule,
  decoded: DecodedModule,
  names: readonly string[],
): readonly Release[] {
  const slots = new Map<number, string>();
  for (const slot of module.imports.slots) {
    const name = decoded.flows.callees.throughSlot(slot.rva).name;
    if (name !== undefined && names.includes(name)) slots.set(slot.rva, name);
  }
  const graph = new CallGraph(decoded.flows);
  const releases: Release[] = [];
  for (const edge of graph.callersOf(slots.keys())) {
    const name = slots.get(edge.callee.slot ?? -1);
    if (name === undefined) continue;
    const tagArgument = poolRoutine(name)?.tag;
    releases.push({
      name,
      address: (module.base + BigInt(edge.at)) as Va,
      tag:
        tagArgument === undefined ? undefined : graph.constantArguments(edge, tagArgument)[tagArgument - 1],
    });
  }
  return releases;
}
