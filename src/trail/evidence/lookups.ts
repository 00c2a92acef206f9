import { findRuntimeLookups } from "../../code/lookups.ts";
import type { Va } from "../../core/address.ts";
import { findWords } from "../../memory/find-words.ts";
import type { HeldFunction } from "../importers.ts";
import type { DecodedModule } from "../module-codes.ts";
import type { TrailModule, TrailTarget } from "../target.ts";
import type { Evidence } from "../trail.ts";

/** A function that a module looks up by its name while it runs. */
export interface Lookup {
  readonly function: HeldFunction;
  /** The code was seen that takes the name; else the name only stands there. */
  readonly called: boolean;
  /** The variable that the answer is kept in. */
  readonly pointer?: number;
  readonly evidence: Evidence;
}

/**
 * Finds functions that a module looks up by name. The names' first letters are searched for before any code
 * is decoded: most modules hold none.
 */
export function lookupsOf(
  target: TrailTarget,
  module: TrailModule,
  decode: () => DecodedModule | undefined,
  functions: readonly HeldFunction[],
): readonly Lookup[] {
  const names = namesIn(target, module, functions);
  if (names.size === 0) return [];
  const decoded = decode();
  if (decoded === undefined) return [];
  return findRuntimeLookups(decoded.flows, names).flatMap((lookup): Lookup[] => {
    const held = functions.find((candidate) => candidate.name === lookup.name);
    if (held === undefined) return [];
    const address = (module.base + BigInt(lookup.call?.at ?? lookup.string)) as Va;
    const kept =
      lookup.pointer === undefined ? "" : `, and keeps the answer at +0x${lookup.pointer.toString(16)}`;
    const detail =
      lookup.call === undefined
        ? `holds the name ${lookup.name} as ${lookup.encoding === "utf-16" ? "UTF-16" : "ASCII"} text; nothing was seen to look it up`
        : `looks ${lookup.name} up by its name through ${lookup.call.routine}${kept}`;
    return [
      {
        function: held,
        called: lookup.call !== undefined,
        ...(lookup.pointer === undefined ? {} : { pointer: lookup.pointer }),
        evidence: { kind: "looks-up-at-run-time", address, detail },
      },
    ];
  });
}

/** The names whose first letters stand in a module in either encoding. */
function namesIn(
  target: TrailTarget,
  module: TrailModule,
  functions: readonly HeldFunction[],
): ReadonlySet<string> {
  const words: number[] = [];
  const owners: string[] = [];
  for (const { name } of functions) {
    if (name.length < 4) continue;
    const code = (i: number): number => name.charCodeAt(i) & 0xff;
    words.push(
      (code(0) | (code(1) << 8) | (code(2) << 16) | (code(3) << 24)) >>> 0,
      (code(2) | (code(3) << 16)) >>> 0,
    );
    owners.push(name, name);
  }
  const found = new Set<string>();
  findWords(target.space, module.base, module.size, words, (_at, word) => {
    const owner = owners[word];
    if (owner !== undefined) found.add(owner);
  });
  return found;
}
