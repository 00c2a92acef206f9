import { poolRoutine } from "../../code/allocators.ts";
import { CallGraph } from "../../code/calls.ts";
import type { Va } from "../../core/address.ts";
import { tableKey } from "../../pool/tag.ts";
import { callsThrough } from "../call-sites.ts";
import type { DecodedModule } from "../module-codes.ts";
import type { TrailModule } from "../target.ts";

/** A call that gives something back. */
export interface Release {
  readonly name: string;
  readonly address: Va;
  /** The function that it stands in, as an offset. */
  readonly from: number;
  /** The tag that a free is given, where it is a constant. */
  readonly tag: number | undefined;
}

/** Whether a release can be of the tag: a free without a constant tag, or with 0, can be of any. */
export function canBeOf(release: Release, key: number): boolean {
  return release.tag === undefined || release.tag === 0 || tableKey(release.tag) === tableKey(key);
}

/** Finds where a module's code calls releasing functions that it imports. */
export function releasesIn(
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
  return callsThrough(graph, slots).map(({ edge, item: name }) => {
    const tagArgument = poolRoutine(name)?.tag;
    return {
      name,
      address: (module.base + BigInt(edge.at)) as Va,
      from: edge.from.entry,
      tag:
        tagArgument === undefined ? undefined : graph.constantArguments(edge, tagArgument)[tagArgument - 1],
    };
  });
}
