import { hex, type Va } from "../../core/address.ts";
import type { ImportSlot } from "../../pe/imports.ts";
import { namesAt } from "../../symbols/image-names.ts";
import { placeOf } from "../function-place.ts";
import type { DecodedModule } from "../module-codes.ts";
import type { TrailModule, TrailTarget } from "../target.ts";

/** How a place is called. */
export interface NamedPlace {
  /** `function`: one starts there; `code`: inside one, or code that is nobody's. */
  readonly kind: "function" | "code" | "import-slot" | "data";
  readonly address: Va;
  /** `nt!SeQueryInformationToken+0x6c`, `ctstor+0x3008`; of an import slot, the function that it stands for. */
  readonly name: string;
}

/** Names places as the listing of one module's code needs them. */
export class CodeNames {
  readonly #target: TrailTarget;
  readonly #module: TrailModule | undefined;
  readonly #decoded: DecodedModule | undefined;
  readonly #slots: ReadonlyMap<number, ImportSlot>;

  /** @param module whose code is listed; of others only their exports are looked at */
  constructor(target: TrailTarget, module: TrailModule | undefined, decoded: DecodedModule | undefined) {
    this.#target = target;
    this.#module = module;
    this.#decoded = decoded;
    this.#slots = new Map(module?.imports.slots.map((slot) => [slot.rva, slot]));
  }

  /** Undefined for what stands in no module. */
  at(address: Va): NamedPlace | undefined {
    const module = this.#module;
    if (module === undefined || address < module.base || address >= module.end)
      return this.#elsewhere(address);
    const rva = Number(address - module.base);
    if (this.#slots.has(rva)) return { kind: "import-slot", address, name: this.#slotName(rva) };
    const { image } = module;
    const [named] = image === undefined ? [] : namesAt(image, rva);
    const isCode = this.#decoded?.image.code.isCode(rva) === true;
    if (named !== undefined)
      return { kind: isCode ? "function" : "data", address, name: `${module.name}!${named.name}` };
    const place = isCode ? placeOf(module, address) : null;
    const offset = offsetIn(module, rva);
    if (place === null) return { kind: isCode ? "code" : "data", address, name: offset };
    const kind = place.entry === address ? "function" : "code";
    // A far piece may stand below the entry; there the name and a distance would tell nothing.
    const near = place.fragment === null || place.fragment.start === place.entry;
    if (place.name === null || !near) return { kind, address, name: offset };
    return { kind, address, name: `${module.name}!${place.name}+${hex(address - place.entry)}` };
  }

  #slotName(rva: number): string {
    const callee = this.#decoded?.flows.callees.throughSlot(rva);
    const module = callee?.module ?? "?";
    const ordinal = this.#slots.get(rva)?.declared?.ordinal ?? null;
    return `${module}!${callee?.name ?? (ordinal === null ? "?" : `#${ordinal}`)}`;
  }

  #elsewhere(address: Va): NamedPlace | undefined {
    const exported = this.#target.resolve(address);
    if (exported !== undefined)
      return { kind: "function", address, name: `${exported.module}!${exported.name}` };
    const module = this.#target.moduleAt(address);
    if (module === undefined) return undefined;
    return { kind: "data", address, name: offsetIn(module, Number(address - module.base)) };
  }
}

function offsetIn({ name }: TrailModule, rva: number): string {
  return rva === 0 ? name : `${name}+${hex(rva)}`;
}
