import { findRuntimeLookups } from "../code/lookups.ts";
import { advance, type Rva } from "../core/address.ts";
import { standsAt } from "../core/byte-search.ts";
import { asciiBytes, utf16Bytes } from "../core/text.ts";
import { findWords } from "../memory/search.ts";
import type { LooksUp } from "./clue.ts";
import type { HeldFunction } from "./holders.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** A function that a module looks up by its name while it runs. */
export interface Lookup {
  readonly function: HeldFunction;
  /** The variable that the answer is kept in. */
  readonly pointer: Rva | undefined;
  readonly clue: LooksUp;
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
  // the names of imports stand in every image that has them
  const imported = new Set(module.imports.slots.map(({ declared }) => declared?.name));
  const named = byNames(functions);
  const names = namesIn(
    target,
    module,
    [...named.keys()].filter((name) => !imported.has(name)),
  );
  if (names.size === 0) return [];
  const decoded = decode();
  if (decoded === undefined) return [];
  return findRuntimeLookups(decoded.flows, names).flatMap((lookup): Lookup[] => {
    const held = named.get(lookup.name);
    if (held === undefined) return [];
    const { name, call, pointer, encoding } = lookup;
    const { module: of, address } = held;
    const clue: LooksUp = {
      kind: "looks-up-at-run-time",
      function: { module: of, name, address },
      text: advance(module.base, lookup.string),
      encoding,
      call: call === undefined ? null : { at: advance(module.base, call.at), routine: call.routine },
      keptIn: pointer === undefined ? null : advance(module.base, pointer),
    };
    return [{ function: held, pointer, clue }];
  });
}

/** One function may be exported by several names; whoever looks it up knows one of them. */
function byNames(functions: readonly HeldFunction[]): ReadonlyMap<string, HeldFunction> {
  const named = new Map<string, HeldFunction>();
  for (const held of functions) if (!named.has(held.name)) named.set(held.name, held);
  for (const held of functions)
    for (const name of held.names ?? []) if (!named.has(name)) named.set(name, held);
  return named;
}

/** The names that stand in a module in either encoding; their first letters are searched for, and the rest compared. */
function namesIn(target: TrailTarget, module: TrailModule, names: Iterable<string>): ReadonlySet<string> {
  const words: number[] = [];
  const texts: { readonly name: string; readonly bytes: Uint8Array; readonly skip: number }[] = [];
  for (const name of names) {
    if (name.length < 4) continue;
    const ascii = asciiBytes(name);
    const utf16 = utf16Bytes(name);
    words.push(wordAt(ascii, 0), wordAt(utf16, 4));
    texts.push({ name, bytes: ascii, skip: 0 }, { name, bytes: utf16, skip: 4 });
  }
  const found = new Set<string>();
  findWords(target.space, module.base, module.size, words, (at, word) => {
    const text = texts[word];
    if (text === undefined || found.has(text.name)) return;
    const bytes = target.space.tryRead(advance(at, -text.skip), text.bytes.length);
    if (bytes !== undefined && standsAt(bytes, 0, text.bytes)) found.add(text.name);
  });
  return found;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer).getUint32(at, true);
}
