import type { Keeping } from "../code/fates.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { interiorDistances } from "../code/interior-pointers.ts";
import { placesTaken } from "../code/xrefs.ts";
import type { Rva } from "../core/address.ts";
import type { BitSet } from "../core/bit-set.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { ReleaseCall } from "./release-calls.ts";
import { releasesKept, type Same } from "./same-place.ts";

/** Something that is kept: where, and the function that puts it there. */
export interface KeptPlaces {
  readonly from: CodeFunction;
  readonly places: readonly Keeping[];
}

/** Tells of one module's releases whether they may be of what is kept, whatever pointers their code has to it. */
export class SamePlaces {
  readonly #decoded: DecodedModule;
  readonly #releases: readonly ReleaseCall[];
  readonly #kept: readonly Keeping[];
  /** By function: how far behind its start a structure is known by in it, and in those that it calls or that call it. */
  readonly #distances = new Map<Rva, ReadonlySet<number>>();
  #structures: BitSet | undefined;

  /** @param kept all that is asked about */
  constructor(decoded: DecodedModule, releases: readonly ReleaseCall[], kept: readonly KeptPlaces[]) {
    this.#decoded = decoded;
    this.#releases = releases;
    this.#kept = kept.flatMap(({ places }) => places);
  }

  of(release: ReleaseCall, { from, places }: KeptPlaces): Same {
    const all = places.map((place) => releasesKept(release, place));
    if (all.includes("same-place")) return "same-place";
    const others = places
      .flatMap((place) => this.#otherwise(from, release, place))
      .map((place) => releasesKept(release, place));
    if (others.includes("same-place")) return "same-place";
    return [...all, ...others].includes("perhaps") ? "perhaps" : "no";
  }

  /** How a place may be known to code that has the structure by an interior pointer, or a variable by its structure. */
  #otherwise(from: CodeFunction, release: ReleaseCall, place: Keeping): readonly Keeping[] {
    switch (place.in) {
      case "field": {
        const { flows, image } = this.#decoded;
        const there = image.functions.owning(release.at).map((found) => interiorDistances(flows, found));
        const distances = [this.#near(from), ...there].flatMap((some) => [...some]);
        const variables = variablesOf(release).filter((rva) => this.#taken().has(rva - place.offset));
        return [
          ...distances.map((far): Keeping => ({ ...place, offset: place.offset - far })),
          ...variables.map((rva): Keeping => ({ in: "global", rva })),
        ];
      }
      case "global": {
        const offsets = fieldsOf(release).filter((offset) => this.#taken().has(place.rva - offset));
        return offsets.map((offset): Keeping => ({ in: "field", offset }));
      }
      default:
        return [];
    }
  }

  #near(from: CodeFunction): ReadonlySet<number> {
    const done = this.#distances.get(from.entry);
    if (done !== undefined) return done;
    const { flows, graph, image } = this.#decoded;
    const inner = flows
      .of(from)
      .calls.flatMap((site) => flows.callees.of(site))
      .flatMap(({ offset }) => (offset === undefined ? [] : (image.functions.startingAt(offset) ?? [])));
    const outer = graph.callersOf([from.entry]).map((edge) => edge.from);
    const near = new Set([from, ...inner, ...outer]);
    const distances = new Set([...near].flatMap((found) => [...interiorDistances(flows, found)]));
    this.#distances.set(from.entry, distances);
    return distances;
  }

  /** Of the places where a structure would start that has a variable as a field, those whose address is taken. */
  #taken(): BitSet {
    if (this.#structures === undefined) {
      const offsets = new Set(this.#releases.flatMap(fieldsOf));
      const variables = new Set(this.#releases.flatMap(variablesOf));
      const starts = this.#kept.flatMap((place) => {
        if (place.in === "global") return [...offsets].map((offset) => place.rva - offset);
        return place.in === "field" ? [...variables].map((rva) => rva - place.offset) : [];
      });
      this.#structures = placesTaken(this.#decoded.image, starts);
    }
    return this.#structures;
  }
}

/** The variables that a release is given, or the addresses of. */
function variablesOf({ value }: ReleaseCall): readonly number[] {
  return value.flatMap((atom) => (atom.kind === "loaded" || atom.kind === "address" ? [atom.rva] : []));
}

/** How far behind a pointer it stands what a release is given. */
function fieldsOf({ value }: ReleaseCall): readonly number[] {
  return value.flatMap((atom) => {
    if (atom.kind === "field" || atom.kind === "offset") return [atom.offset];
    return atom.kind === "unknown" ? [atom.behind ?? atom.moved ?? 0] : [];
  });
}
