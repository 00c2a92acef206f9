import type { CallSite } from "../../code/call-site.ts";
import type { CodeFunction } from "../../code/function-table.ts";
import { type StringAt, stringAt } from "../../code/image-text.ts";
import type { Va } from "../../core/address.ts";
import type { MemoryFault } from "../../core/errors.ts";
import { addAll } from "../../core/search.ts";
import type { Abi } from "../../isa/abi.ts";
import type { Mention, PrintedInstruction } from "../../isa/printed.ts";
import { printableCount, tableKey } from "../../pool/tag.ts";
import type { DecodedModule } from "../module-codes.ts";
import type { TrailModule } from "../target.ts";
import type { ChosenLine, ListingDoubt } from "./lines.ts";
import type { CodeNames, NamedPlace } from "./names.ts";

/** A number of an instruction with what it means; `place` where it is an address. */
export interface NamedMention {
  readonly mention: Mention;
  readonly place: NamedPlace | undefined;
}

/** Something that an instruction refers to. */
export type Referral =
  | NamedPlace
  /** What a call leads to, through a register, a thunk or a variable. */
  | { readonly kind: "callee"; readonly address: Va | undefined; readonly name: string }
  /** A variable that holds the address of a function, or of what was looked up by that name. */
  | { readonly kind: "pointer" | "looked-up"; readonly address: Va; readonly name: string }
  | { readonly kind: "text"; readonly address: Va; readonly found: StringAt | MemoryFault }
  /** Four printable bytes, as a value of the instruction or of the variable at `address`. */
  | { readonly kind: "tag"; readonly address: Va | undefined; readonly key: number };

/** Tells what the instructions of one module refer to. */
export class CodeReferences {
  readonly #module: TrailModule | undefined;
  readonly #decoded: DecodedModule | undefined;
  readonly #names: CodeNames;
  readonly #pointerSize: 4 | 8;
  #relocated: ReadonlySet<number> | undefined;

  constructor(
    module: TrailModule | undefined,
    decoded: DecodedModule | undefined,
    names: CodeNames,
    { pointerSize }: Abi,
  ) {
    this.#module = module;
    this.#decoded = decoded;
    this.#names = names;
    this.#pointerSize = pointerSize;
  }

  /** Each part of the instruction's text, with a name where it is the address of something. */
  name(address: Va, { parts }: PrintedInstruction): readonly (string | NamedMention)[] {
    return parts.map((part) =>
      typeof part === "string" ? part : { mention: part, place: this.#place(address, part) },
    );
  }

  /** @param site the call that the instruction is */
  of(parts: readonly (string | NamedMention)[], site: CallSite | undefined): readonly Referral[] {
    const found: Referral[] = [];
    for (const part of parts) {
      if (typeof part === "string") continue;
      const { mention, place } = part;
      if (place === undefined) addAll(found, tagIn(mention));
      else addAll(found, [place, ...this.#standsAt(place, mention)]);
    }
    if (site !== undefined) addAll(found, this.#callees(site, found));
    return found;
  }

  #place(address: Va, mention: Mention): NamedPlace | undefined {
    const value = BigInt.asUintN(this.#pointerSize * 8, mention.value) as Va;
    const sure = mention.kind === "branch" || mention.kind === "memory";
    return sure || this.#isAddress(address, mention, value) ? this.#names.at(value) : undefined;
  }

  /** Whether a number is an address of the module: relocations tell, and where there are none its range. */
  #isAddress(address: Va, { offset, size, kind }: Mention, value: Va): boolean {
    const module = this.#module;
    if (module?.image === undefined || offset === undefined) return false;
    if (value < module.base || value >= module.end) return false;
    if (kind === "displacement" ? this.#pointerSize === 8 : size !== this.#pointerSize) return false;
    const { relocations } = module.image;
    if (relocations.rvas.length === 0 || relocations.stopped !== undefined) return true;
    this.#relocated ??= new Set(relocations.rvas);
    return this.#relocated.has(Number(address - module.base) + offset);
  }

  #standsAt(place: NamedPlace, mention: Mention): readonly Referral[] {
    const image = this.#module?.image;
    const rva = image?.rvaOf(place.address);
    if (image === undefined || rva === undefined || mention.kind === "branch") return [];
    const { address } = place;
    if (place.kind === "function" || place.kind === "import-slot") return [];
    const { size } = mention;
    if (size === 0 || mention.kind === "immediate") {
      // Code that is somebody's is no text.
      if (this.#decoded?.image.functions.owning(rva).length !== 0) return [];
      const found = stringAt(image, rva);
      return found === undefined ? [] : [{ kind: "text", address, found }];
    }
    if (place.kind !== "data" || mention.kind !== "memory") return [];
    if (size === image.pointerSize) {
      const pointer = this.#pointer(rva, address);
      if (pointer !== undefined) return [pointer];
    }
    const key = size === 4 ? image.space.tryReadU32(address) : undefined;
    return key === undefined || !looksLikeTag(key) ? [] : [{ kind: "tag", address, key }];
  }

  #pointer(rva: number, address: Va): Referral | undefined {
    const flows = this.#decoded?.flows;
    if (flows === undefined) return undefined;
    const { name, module, lookedUp } = flows.callees.throughSlot(rva);
    if (name === undefined) return undefined;
    return lookedUp
      ? { kind: "looked-up", address, name }
      : { kind: "pointer", address, name: `${module ?? this.#module?.name}!${name}` };
  }

  /** What the call leads to, without what the instruction's own text says. */
  #callees(site: CallSite, said: readonly Referral[]): readonly Referral[] {
    const { flows } = this.#decoded ?? {};
    if (flows === undefined) return [];
    const names = new Set(said.flatMap((one) => ("name" in one ? [one.name] : [])));
    return flows.callees.of(site).flatMap((callee): Referral[] => {
      const { target, name, module, slot, lookedUp } = callee;
      if ((name === undefined || lookedUp) && target === undefined && slot !== undefined) {
        const address = this.#module?.image?.addressOf(slot);
        const pointer = address === undefined ? undefined : this.#pointer(slot, address);
        if (pointer === undefined || !("name" in pointer) || names.has(pointer.name)) return [];
        return [pointer.kind === "pointer" ? { ...pointer, kind: "callee" } : pointer];
      }
      const known =
        name === undefined
          ? target === undefined
            ? undefined
            : this.#names.at(target)?.name
          : lookedUp
            ? name
            : `${module ?? this.#module?.name}!${name}`;
      if (known === undefined || names.has(known)) return [];
      names.add(known);
      return [{ kind: "callee", address: target, name: known }];
    });
  }
}

function tagIn({ kind, value }: Mention): readonly Referral[] {
  const high = value >> 32n;
  if (kind !== "immediate" || (high !== 0n && high !== 0xffffffffn)) return [];
  const key = Number(BigInt.asUintN(32, value));
  return looksLikeTag(key) ? [{ kind: "tag", address: undefined, key }] : [];
}

function looksLikeTag(key: number): boolean {
  return printableCount(tableKey(key)) === 4;
}

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
