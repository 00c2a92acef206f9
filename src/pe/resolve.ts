import { advance, type Rva, type Va } from "../core/address.ts";
import { MAX_FORWARDERS } from "../core/limits.ts";
import { ModuleMap } from "../core/module-map.ts";
import type { Export } from "./exports.ts";
import type { Image } from "./image.ts";

/** An image with the names that others know it by. */
export interface NamedImage {
  /** As `lm` shows it: `nt`, `ABCMiniFilter`. */
  readonly name: string;
  /** As imports and forwarders name it: `ntoskrnl.exe`. */
  readonly fileName: string;
  readonly image: Image;
}

/** What stands at an address, as far as exports tell. */
export interface Resolved<T extends NamedImage> {
  readonly module: T;
  readonly rva: Rva;
  /** The exports of the nearest place at or below, of more than 64 the first; empty where the module exports nothing there. */
  readonly exports: readonly Export[];
  /** Bytes from that place, or, without exports, from the module's base. 0: it is the function itself. */
  readonly offset: number;
}

/** The exports around an address. */
export interface Near<T extends NamedImage> {
  readonly module: T;
  readonly rva: Rva;
  readonly below?: Export;
  readonly above?: Export;
}

/** Why a name led to no function. */
export type Unlocated =
  /** No module has the file name. */
  | "no-module"
  /** `api-ms-…` and `ext-ms-…` name contracts, and only the machine's own table says who fulfils them. */
  | "api-set"
  /** The module has no such export, and its table was read whole. */
  | "no-export"
  /** The module's table was not read whole, and what was read has no such export. */
  | "unreadable"
  /** Forwarders that lead in a circle, or further than Windows follows. */
  | "cycle";

/** Where a name leads. */
export type Located<T extends NamedImage> =
  | {
      readonly module: T;
      readonly export: Export;
      readonly address: Va;
      /** The forwarders on the way, in order. */
      readonly forwarders: readonly string[];
    }
  | { readonly missing: Unlocated; readonly forwarders: readonly string[] };

/** Several images in one address space: addresses to names, and names to addresses. */
export class ImageSet<T extends NamedImage = NamedImage> {
  readonly modules: readonly T[];
  readonly #map: ModuleMap<T>;
  readonly #byFile: ReadonlyMap<string, T>;

  /** @param modules where two have the same name, the first is meant */
  constructor(modules: readonly T[]) {
    this.modules = modules;
    this.#map = new ModuleMap(modules, ({ image }) => ({
      base: image.base,
      end: advance(image.base, image.size),
    }));
    const byFile = new Map<string, T>();
    const keys = [fileKey, stemKey, (module: T) => module.name.toLowerCase()];
    for (const key of keys) {
      for (const module of modules) if (!byFile.has(key(module))) byFile.set(key(module), module);
    }
    this.#byFile = byFile;
  }

  moduleAt(address: Va): T | undefined {
    return this.#map.at(address);
  }

  /** By file name with or without its extension, or by the name that `lm` shows; in any case of letters. */
  moduleNamed(name: string): T | undefined {
    return this.#byFile.get(name.toLowerCase());
  }

  /** The function at `address`, or the nearest below it. `undefined`: in no module. */
  resolve(address: Va): Resolved<T> | undefined {
    const near = this.near(address);
    if (near === undefined) return undefined;
    const { module, rva, below } = near;
    if (below === undefined) return { module, rva, exports: [], offset: rva };
    return { module, rva, exports: module.image.exports.at(below.rva), offset: rva - below.rva };
  }

  /** The exports below and above `address`, as `ln` shows them. `undefined`: in no module. */
  near(address: Va): Near<T> | undefined {
    const module = this.moduleAt(address);
    const rva = module?.image.rvaOf(address);
    if (module === undefined || rva === undefined) return undefined;
    return { module, rva, ...module.image.exports.near(rva) };
  }

  /**
   * The function that an import means, through forwarders.
   *
   * @param dll as the import names it: `ntoskrnl.exe`, `HAL.dll`
   * @param symbol its name, or its ordinal
   */
  locate(dll: string, symbol: string | number): Located<T> {
    const forwarders: string[] = [];
    let module = this.moduleNamed(dll);
    let file = dll;
    let wanted = symbol;
    for (let step = 0; step <= MAX_FORWARDERS; step++) {
      if (module === undefined) return { missing: isApiSet(file) ? "api-set" : "no-module", forwarders };
      const { exports } = module.image;
      const found = typeof wanted === "string" ? exports.byName(wanted) : exports.byOrdinal(wanted);
      if (found === undefined) {
        return { missing: exports.stopped === undefined ? "no-export" : "unreadable", forwarders };
      }
      if (found.forwarder === undefined) {
        return { module, export: found, address: module.image.addressOf(found.rva), forwarders };
      }
      if (forwarders.includes(found.forwarder)) break;
      forwarders.push(found.forwarder);
      const next = parseForwarder(found.forwarder);
      file = next.file;
      wanted = next.symbol;
      module = this.moduleNamed(file);
    }
    return { missing: "cycle", forwarders };
  }

  /** The function that a forwarder stands for: `NTOSKRNL.ExFreePool`, `hal.#12`. */
  followForwarder(forwarder: string): Located<T> {
    const { file, symbol } = parseForwarder(forwarder);
    return this.locate(file, symbol);
  }
}

/** `hal.#12` and `NTOSKRNL.ExFreePool`; the last dot parts them, since a file's name may hold dots. */
function parseForwarder(text: string): { readonly file: string; readonly symbol: string | number } {
  const dot = text.lastIndexOf(".");
  const file = text.slice(0, Math.max(0, dot));
  const symbol = text.slice(dot + 1);
  return { file, symbol: /^#\d{1,5}$/.test(symbol) ? Number(symbol.slice(1)) : symbol };
}

function fileKey(module: NamedImage): string {
  return module.fileName.toLowerCase();
}

function stemKey(module: NamedImage): string {
  return fileKey(module).replace(/\.[^.]*$/, "");
}

function isApiSet(file: string): boolean {
  return /^(?:api|ext)-/i.test(file);
}
