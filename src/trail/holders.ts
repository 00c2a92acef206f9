import { type Rva, rva, type Va } from "../core/address.ts";
import { groupBy } from "../core/search.ts";
import { type WordSearch, wordSearch } from "../memory/search.ts";
import { type SearchLimits, tellProgress } from "./module-search.ts";
import { isImportedAs, type TrailModule, type TrailTarget } from "./target.ts";

/** A function whose holders are looked for. */
export interface HeldFunction {
  readonly module: string;
  readonly name: string;
  /** All its names, where it has several. */
  readonly names?: readonly string[];
  /** Null where the module that exports it is not there, or its exports cannot be read. */
  readonly address: Va | null;
}

type PlacedFunction = HeldFunction & { readonly address: Va };

/** A place that holds a function's address, or that is declared to. */
export interface Holding {
  readonly module: TrailModule;
  readonly function: HeldFunction;
  readonly address: Va;
  readonly rva: Rva;
  readonly section: string | null;
  readonly slot: "iat" | "delay-iat" | null;
  /**
   * `both`: the address stands there and the image declares the name. `address`: the name is not
   * readable, or the place is no import slot. `name`: declared, and what the slot holds is not readable
   * or not yet resolved. `disagree`: declared as this function, but the slot holds another address.
   */
  readonly basis: "both" | "address" | "name" | "disagree";
}

/**
 * Finds which modules hold the addresses of `functions`: by looking at each byte of every module (the
 * article's method 1), and by the import tables (method 2), merged place by place.
 */
export function findHolders(
  target: TrailTarget,
  functions: readonly HeldFunction[],
  limits: SearchLimits = {},
): readonly Holding[] {
  const holdings: Holding[] = [];
  const searches = searchesFor(target, functions);
  target.modules.forEach((module, i) => {
    tellProgress(limits, module.name, i, target.modules.length);
    const declared = declaredSlots(module, functions);
    const seen = new Set<Va>();
    for (const [address, function_] of pointersIn(target, module, searches)) {
      seen.add(address);
      const offset = rva(Number(address - module.base));
      const slot = declared.get(offset);
      holdings.push({
        module,
        function: function_,
        address,
        rva: offset,
        section: module.image?.sectionAt(offset)?.name ?? null,
        slot: slot?.kind ?? null,
        basis: slot?.function === function_ ? "both" : "address",
      });
    }
    for (const [offset, slot] of declared) {
      const address = (module.base + BigInt(offset)) as Va;
      if (slot.function === undefined || seen.has(address)) continue;
      holdings.push({
        module,
        function: slot.function,
        address,
        rva: offset,
        section: module.image?.sectionAt(offset)?.name ?? null,
        slot: slot.kind,
        basis: slot.holdsOther ? "disagree" : "name",
      });
    }
  });
  return holdings;
}

interface PointerSearch {
  readonly search: WordSearch;
  /** What it looks for, in its order. */
  readonly functions: readonly PlacedFunction[];
}

/** 64-bit addresses by their upper 32 bits, which those of one module share, and nearly always all. */
function searchesFor(target: TrailTarget, functions: readonly HeldFunction[]): readonly PointerSearch[] {
  const placed = functions.filter((function_): function_ is PlacedFunction => function_.address !== null);
  const narrow = target.space.pointerSize === 4;
  const groups = groupBy(placed, ({ address }) => (narrow ? undefined : Number(address >> 32n)));
  return [...groups].map(([upper, held]) => {
    const words = held.map((function_) => Number(function_.address & 0xffffffffn));
    return { search: wordSearch(words, upper), functions: held };
  });
}

/** Each place in a module where one of the addresses stands; not in the module that owns it. */
function* pointersIn(
  target: TrailTarget,
  module: TrailModule,
  searches: readonly PointerSearch[],
): Generator<readonly [Va, HeldFunction]> {
  const hits: [Va, HeldFunction][] = [];
  for (const { search, functions } of searches) {
    if (functions.every((function_) => function_.module === module.name)) continue;
    search(target.space, module.base, module.size, (at, word) => {
      const function_ = functions[word];
      if (function_ !== undefined && function_.module !== module.name) hits.push([at, function_]);
    });
  }
  yield* hits.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

interface DeclaredSlot {
  readonly kind: "iat" | "delay-iat";
  readonly function: HeldFunction | undefined;
  /** The slot holds another function's address; a delay slot that was never used does not count. */
  readonly holdsOther: boolean;
}

function declaredSlots(
  module: TrailModule,
  functions: readonly HeldFunction[],
): ReadonlyMap<Rva, DeclaredSlot> {
  const slots = new Map<Rva, DeclaredSlot>();
  for (const slot of module.imports.slots) {
    const name = slot.declared?.name;
    const function_ =
      name == null
        ? undefined
        : functions.find(
            (candidate) =>
              (candidate.names ?? [candidate.name]).includes(name) &&
              isImportedAs(candidate.module, slot.declared?.dll ?? ""),
          );
    const holdsOther =
      slot.value !== undefined &&
      function_?.address !== null &&
      slot.value !== function_?.address &&
      !slot.pending;
    slots.set(slot.rva, { kind: slot.kind, function: function_, holdsOther });
  }
  return slots;
}
