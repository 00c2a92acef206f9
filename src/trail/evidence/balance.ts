import { poolRoutine } from "../../code/allocators.ts";
import { CallGraph } from "../../code/calls.ts";
import type { Va } from "../../core/address.ts";
import { tableKey, tagText } from "../../pool/tag.ts";
import { callsThrough } from "../call-sites.ts";
import type { DecodedModule } from "../module-codes.ts";
import { type AcquiringFunction, acquiringFunction } from "../pairs.ts";
import { exportedName } from "../places.ts";
import type { TrailModule } from "../target.ts";
import type { Evidence } from "../trail.ts";

/** A function that a module calls, or can call, and where. */
export interface Acquisition {
  readonly name: string;
  readonly address: Va;
  /** The function that the call stands in, as an offset; undefined where no call was seen. */
  readonly from?: number;
}

/**
 * Whether what a module acquires is given back: `released` by the functions that acquire it, or by what
 * they call; `handed-on`: they are exported, and whoever calls them has it; `elsewhere`: they do not, but other code of the module calls what would; `unbalanced`: nothing
 * of the module does; `unknown`: nothing that could be read does, and some could not.
 */
export interface Balance {
  readonly state: "released" | "handed-on" | "elsewhere" | "unbalanced" | "unknown";
  readonly evidence: Evidence;
}

/**
 * Compares the acquiring functions that a module calls with the releasing ones. A free with another tag as
 * a constant is none of this one.
 *
 * @param key of the tag that leaks
 * @param codeMissing bytes of the module's code that could not be read: a release may stand there
 */
export function balanceOf(
  module: TrailModule,
  decoded: DecodedModule,
  acquired: readonly Acquisition[],
  key: number,
  codeMissing: number,
): readonly Balance[] {
  const pairs = new Map<AcquiringFunction, Acquisition[]>();
  for (const one of acquired) {
    const pair = acquiringFunction(one.name);
    if (pair === undefined) continue;
    const same = pairs.get(pair);
    if (same === undefined) pairs.set(pair, [one]);
    else same.push(one);
  }
  return [...pairs].map(([pair, calls]) => {
    const all = releasesIn(module, decoded, pair.release);
    return judge(decoded, pair, calls, { all, key, codeMissing });
  });
}

interface Found {
  readonly all: readonly Release[];
  readonly key: number;
  readonly codeMissing: number;
}

function judge(
  decoded: DecodedModule,
  pair: AcquiringFunction,
  calls: readonly Acquisition[],
  { all, key, codeMissing }: Found,
): Balance {
  const matching = all.filter(({ tag }) => tag === undefined || tag === 0 || tableKey(tag) === tableKey(key));
  const address = calls[0]?.address ?? null;
  const [any] = matching;
  const balance = (state: Balance["state"], kind: string, at: Va | null, detail: string): Balance => ({
    state,
    evidence: { kind, address: at, detail },
  });
  if (any !== undefined) {
    const releasing = new Set(matching.map(({ from }) => from));
    const open = calls.filter(({ from }) => from === undefined || !releasesItself(decoded, from, releasing));
    if (open.length === 0) {
      const near = matching.find(({ from }) => calls.some((call) => call.from === from)) ?? any;
      return balance(
        "released",
        "releases",
        near.address,
        `gives back what ${pair.acquire} gives, with ${near.name}`,
      );
    }
    if (open.every(({ from }) => from !== undefined && exportedName(decoded.image.image, from) !== null)) {
      const detail = `an exported function of it hands what ${pair.acquire} gives on to its callers`;
      return balance("handed-on", "hands-on", open[0]?.address ?? address, detail);
    }
    const detail = `what ${pair.acquire} gives is not given back by the code that calls it; elsewhere the module calls ${any.name} (${places(matching.length)})`;
    return balance("elsewhere", "not-released-there", open[0]?.address ?? address, detail);
  }
  const others = [...new Set(all.map(({ tag }) => tagText(tag ?? 0)))];
  const own =
    others.length === 0
      ? ""
      : ` (it frees only with the tags ${others.map((tag) => `\`${tag}\``).join(", ")})`;
  const detail = `calls ${pair.acquire} and none of ${pair.release.slice(0, 3).join(", ")}${own}`;
  if (codeMissing === 0) return balance("unbalanced", "unbalanced", address, detail);
  const cut = `${detail} in what could be read; ${codeMissing} bytes of its code could not`;
  return balance("unknown", "unbalanced", address, cut);
}

function places(count: number): string {
  return count === 1 ? "one place" : `${count} places`;
}

/** Whether a function releases, or a function of the image that it calls. */
function releasesItself(decoded: DecodedModule, entry: number, releasing: ReadonlySet<number>): boolean {
  if (releasing.has(entry)) return true;
  const from = decoded.image.functions.startingAt(entry);
  if (from === undefined) return false;
  const graph = new CallGraph(decoded.flows);
  return graph
    .calleesOf(from)
    .some(({ callee }) => callee.offset !== undefined && releasing.has(callee.offset));
}

interface Release {
  readonly name: string;
  readonly address: Va;
  /** The function that it stands in, as an offset. */
  readonly from: number;
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
