import type { CallSite } from "../code/call-site.ts";
import type { CodeFunction } from "../code/function-table.ts";
import type { ListingDoubt } from "./code-doubts.ts";
import type { ChosenLine } from "./code-lines.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { TrailModule } from "./target.ts";

/** The calls of the functions whose lines are listed, followed when the first line of each is asked for. */
export class CodeSites {
  readonly #module: TrailModule | undefined;
  readonly #decoded: DecodedModule | undefined;
  readonly #doubts: ListingDoubt[];
  readonly #known = new Map<number, ReadonlyMap<number, CallSite>>();

  constructor(module: TrailModule | undefined, decoded: DecodedModule | undefined, doubts: ListingDoubt[]) {
    this.#module = module;
    this.#decoded = decoded;
    this.#doubts = doubts;
  }

  at({ piece, address }: ChosenLine): CallSite | undefined {
    if (piece.owner === undefined || this.#module === undefined || this.#decoded === undefined)
      return undefined;
    return this.#of(this.#decoded, piece.owner).get(Number(address - this.#module.base));
  }

  #of({ flows }: DecodedModule, owner: CodeFunction): ReadonlyMap<number, CallSite> {
    const known = this.#known.get(owner.entry);
    if (known !== undefined) return known;
    const flow = flows.of(owner);
    if (flow.truncated) this.#doubts.push({ kind: "not-followed" });
    const sites = new Map(flow.calls.map((site) => [site.instruction.start, site]));
    this.#known.set(owner.entry, sites);
    return sites;
  }
}
