import type { CallEdge } from "../code/call-graph.ts";
import { findRuntimeLookups } from "../code/lookups.ts";
import { advance, type Rva } from "../core/address.ts";
import { asciiBytes, asciiZ, utf16Bytes, utf16Z } from "../core/text.ts";
import { type WordSearch, wordSearch } from "../memory/search.ts";
import type { LooksUp } from "./clue.ts";
import type { HeldFunction } from "./holders.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** A function that a module looks up by its name while it runs. */
export interface Lookup {
  readonly function: HeldFunction;
  /** The variable that the answer is kept in. */
  readonly pointer: Rva | undefined;
  /** Calls of the answer in the function that looks it up. */
  readonly calls: readonly CallEdge[];
  readonly clue: LooksUp;
}

/** Functions by the names that a module may look them up by. One may be exported by several; whoever looks it up knows one of them. */
export class NamedFunctions {
  readonly #named = new Map<string, HeldFunction>();
  /** Looks for four bytes that names begin with, in UTF-16 from their third character on. */
  readonly #search: WordSearch;
  /** Of each of them: what the longest name takes with its end, and the encoding. */
  readonly #begins: { length: number; readonly encoding: "ascii" | "utf-16" }[] = [];

  constructor(functions: readonly HeldFunction[]) {
    for (const held of functions) if (!this.#named.has(held.name)) this.#named.set(held.name, held);
    for (const held of functions)
      for (const name of held.names ?? []) if (!this.#named.has(name)) this.#named.set(name, held);
    const words: number[] = [];
    const places = new Map<number, number>();
    for (const name of this.#named.keys()) {
      if (name.length < 4) continue;
      for (const [encoding, word, length] of [
        ["ascii", wordAt(asciiBytes(name.slice(0, 4)), 0), name.length + 1],
        ["utf-16", wordAt(utf16Bytes(name.slice(0, 4)), 4), 2 * name.length + 2],
      ] as const) {
        const known = this.#begins[places.get(word) ?? -1];
        if (known !== undefined) known.length = Math.max(known.length, length);
        else {
          places.set(word, words.length);
          words.push(word);
          this.#begins.push({ encoding, length });
        }
      }
    }
    this.#search = wordSearch(words);
  }

  get size(): number {
    return this.#named.size;
  }

  /** The function that goes by a name. */
  at(name: string): HeldFunction | undefined {
    return this.#named.get(name);
  }

  /** The names that stand in a module in either encoding: their first letters are searched for, and the whole text behind them is one. */
  in(target: TrailTarget, module: TrailModule): ReadonlySet<string> {
    const found = new Set<string>();
    this.#search(target.space, module.base, module.size, (at, word) => {
      const begin = this.#begins[word];
      if (begin === undefined) return;
      const start = begin.encoding === "ascii" ? at : advance(at, -4);
      const { bytes, holes } = target.space.readSparse(start, begin.length);
      const whole = bytes.subarray(0, holes[0]?.offset ?? bytes.length);
      const name = begin.encoding === "ascii" ? asciiZ(whole) : utf16Z(whole);
      if (this.#named.has(name)) found.add(name);
    });
    return found;
  }
}

/**
 * Finds functions that a module looks up by name. The names are searched for before any code is decoded: most modules
 * hold none.
 */
export function lookupsOf(
  target: TrailTarget,
  module: TrailModule,
  decode: () => DecodedModule | undefined,
  functions: NamedFunctions,
): readonly Lookup[] {
  const names = new Set(functions.in(target, module));
  // the names of imports stand in every image that has them
  for (const { declared } of module.imports.slots) if (declared?.name != null) names.delete(declared.name);
  if (names.size === 0) return [];
  const decoded = decode();
  if (decoded === undefined) return [];
  return findRuntimeLookups(decoded.flows, names).flatMap((lookup): Lookup[] => {
    const held = functions.at(lookup.name);
    if (held === undefined) return [];
    const { name, call, pointer, encoding, uses = [] } = lookup;
    const { module: of, address } = held;
    const clue: LooksUp = {
      kind: "looks-up-at-run-time",
      function: { module: of, name, address },
      text: advance(module.base, lookup.string),
      encoding,
      call: call === undefined ? null : { at: advance(module.base, call.at), routine: call.routine },
      keptIn: pointer === undefined ? null : advance(module.base, pointer),
    };
    const calls = uses.flatMap((at): CallEdge[] =>
      call === undefined
        ? []
        : [
            {
              at,
              from: call.function,
              form: "register",
              callee: { target: undefined, name, lookedUp: true },
            },
          ],
    );
    return [{ function: held, pointer, calls, clue }];
  });
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer).getUint32(at, true);
}
