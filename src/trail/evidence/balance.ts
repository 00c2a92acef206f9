import { CallGraph } from "../../code/calls.ts";
import type { Va } from "../../core/address.ts";
import { tagText } from "../../pool/tag.ts";
import type { DecodedModule } from "../module-codes.ts";
import { type AcquiringFunction, acquiringFunction } from "../pairs.ts";
import { exportedName } from "../places.ts";
import type { TrailModule } from "../target.ts";
import type { Evidence } from "../trail.ts";
import { canBeOf, type Release, releasesIn } from "./releases.ts";

/** A function that a module calls, or can call, and where. */
export interface Acquisition {
  readonly name: string;
  readonly address: Va;
  /** The function that the call stands in, as an offset; undefined where no call was seen. */
  readonly from?: number;
  /** Who gives it back in the caller's place; undefined where nobody is known to. */
  readonly takenOver?: string;
  /** What gives it back, where the table of pairs does not have it. */
  readonly pair?: AcquiringFunction;
}

/**
 * Whether what a module acquires is given back: `released` by the functions that acquire it, or by what
 * they call; `handed-on`: they are exported, and whoever calls them has it; `elsewhere`: they do not, but
 * other code of the module calls what would, `elsewhere-any` with a function that frees whatever memory; `perhaps`: it is seen to have a way that is not followed;
 * `unbalanced`: nothing of the module does; `unknown`: nothing that could be read does, and some could not.
 */
export interface Balance {
  readonly state:
    | "released"
    | "handed-on"
    | "elsewhere"
    | "elsewhere-any"
    | "perhaps"
    | "unbalanced"
    | "unknown";
  readonly evidence: Evidence;
}

/**
 * Compares the acquiring functions that a module calls with the releasing ones. A free with another tag as
 * a constant is none of this one.
 *
 * @param key of the tag that leaks
 * @param codeMissing bytes of the module's code that could not be read: a release may stand there
 * @param otherWay says in which other way the module may give back, by functions of these names
 */
export function balanceOf(
  module: TrailModule,
  decoded: DecodedModule,
  acquired: readonly Acquisition[],
  key: number,
  codeMissing: number,
  otherWay: (names: readonly string[], called: ReadonlySet<string>) => string | undefined = () => undefined,
): readonly Balance[] {
  const byName = new Map<string, { pair: AcquiringFunction; calls: Acquisition[] }>();
  for (const one of acquired) {
    const pair = one.pair ?? acquiringFunction(one.name);
    if (pair === undefined) continue;
    const same = byName.get(pair.acquire);
    if (same === undefined) byName.set(pair.acquire, { pair, calls: [one] });
    else same.calls.push(one);
  }
  return [...byName.values()].map(({ pair, calls }) => {
    const all = releasesIn(module, decoded, pair.release);
    return judge(decoded, pair, calls, { all, key, codeMissing, otherWay });
  });
}

interface Found {
  readonly all: readonly Release[];
  readonly key: number;
  readonly codeMissing: number;
  readonly otherWay: (names: readonly string[], called: ReadonlySet<string>) => string | undefined;
}

function judge(
  decoded: DecodedModule,
  pair: AcquiringFunction,
  given: readonly Acquisition[],
  { all, key, codeMissing, otherWay }: Found,
): Balance {
  const matching = all.filter((release) => canBeOf(release, key));
  const own = given.filter(({ takenOver }) => takenOver === undefined);
  const calls = own.length === 0 ? given : own;
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
    if (open.every(({ from }) => from === undefined)) {
      const detail = `no call of ${pair.acquire} was seen; the module calls ${any.name} (${places(matching.length)})`;
      return balance("elsewhere", "may-release", any.address, detail);
    }
    const detail = `what ${pair.acquire} gives is not given back by the code that calls it; elsewhere the module calls ${any.name} (${places(matching.length)})`;
    // memory is freed all over a driver: that it frees some elsewhere tells little of this
    const state = pair.release.includes("ExFreePool") ? "elsewhere-any" : "elsewhere";
    return balance(state, "not-released-there", open[0]?.address ?? address, detail);
  }
  const perhaps =
    own.length === 0 ? given[0]?.takenOver : otherWay(pair.release, new Set(all.map(({ name }) => name)));
  if (perhaps !== undefined) {
    const detail = `is not seen to give back what ${pair.acquire} gives, but ${perhaps}`;
    return balance("perhaps", "may-release", address, detail);
  }
  const others = [...new Set(all.map(({ tag }) => tagText(tag ?? 0)))];
  const otherTags =
    others.length === 0
      ? ""
      : ` (it frees only with the tags ${others.map((tag) => `\`${tag}\``).join(", ")})`;
  const detail = `calls ${pair.acquire} and none of ${pair.release.slice(0, 3).join(", ")}${otherTags}`;
  if (pair.guessed === true)
    return balance("unknown", "unbalanced", address, `${detail}, with which the library frees it`);
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
