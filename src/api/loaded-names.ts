import type { NamedExport } from "../code/callees.ts";
import type { Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { ImageSet, type NamedImage } from "../pe/resolve.ts";
import type { FollowForwarder } from "../report/exports-document.ts";
import type { NamedFunction } from "../report/imports-document.ts";
import { exportNames } from "../symbols/exports.ts";
import { placeNamed } from "../symbols/image-names.ts";
import type { NameSpace } from "./expression.ts";
import type { Module } from "./module.ts";
import type { ModuleList } from "./module-list.ts";

/** Names of places in the modules of one address space, both ways. Images are opened as names of them are asked for. */
export class LoadedNames implements NameSpace {
  readonly #space: AddressSpace;
  readonly #modules: ModuleList;
  readonly #variable: (name: string) => Va | undefined;
  #set: ImageSet<NamedImage> | undefined;

  /** @param variable where a variable of the kernel stands that nt does not export */
  constructor(space: AddressSpace, modules: ModuleList, variable: (name: string) => Va | undefined) {
    this.#space = space;
    this.#modules = modules;
    this.#variable = variable;
  }

  get pointerSize(): 4 | 8 {
    return this.#space.pointerSize;
  }

  /** The kernel's first. */
  get moduleNames(): readonly string[] {
    const { items, kernel } = this.#modules;
    const names = ({ name, imageName }: Module): string[] => [name, imageName ?? name];
    return [...(kernel === undefined ? [] : names(kernel)), ...items.flatMap(names)];
  }

  moduleBase(name: string): Va | undefined {
    return this.#modules.named(name)?.base;
  }

  /** An export, else what the module's file calls so, where that was given and has symbols, else a variable of the kernel. */
  symbolAddress(module: string, name: string): Va | undefined {
    const found = this.#modules.named(module);
    const exported = this.exported(module, name) ?? placeIn(found, name);
    if (exported !== undefined || found === undefined) return exported;
    return found === this.#modules.kernel ? this.#variable(name) : undefined;
  }

  symbolNames(module: string): Iterable<string> {
    const image = this.#modules.named(module)?.image;
    return image === undefined ? [] : exportNames(image).items.map(({ name }) => name);
  }

  pointerAt(address: Va): Va {
    return this.#space.readPointer(address);
  }

  /** Where an import leads, through forwarders, by name or ordinal; `undefined` where that is not known. */
  exported(module: string, name: string | number): Va | undefined {
    const found = this.#images.locate(module, name);
    return "missing" in found ? undefined : found.address;
  }

  /** What starts at an address; no other image is opened than the one that holds it. */
  startingAt(address: Va): NamedExport | undefined {
    const module = this.#modules.at(address);
    if (module?.image === undefined) return undefined;
    const names = exportNames(module.image)
      .at(Number(address - module.base))
      .map((named) => named.name);
    const [name] = names;
    return name === undefined ? undefined : { module: module.name, name, names };
  }

  /** The function at or below an address. Where it has several names, the one that was asked for. */
  nearest(address: Va, declared: string | null): NamedFunction | null {
    const found = this.#images.resolve(address);
    if (found === undefined) {
      const module = this.#modules.at(address);
      return module === undefined
        ? null
        : { module: module.name, name: null, offset: Number(address - module.base) };
    }
    const [first] = found.exports;
    const asked = declared === null ? undefined : found.module.image.exports.byName(declared);
    const isThere = asked !== undefined && asked.forwarder === undefined && asked.rva === first?.rva;
    const name = isThere ? declared : first === undefined ? null : (first.name ?? `#${first.ordinal}`);
    return { module: found.module.name, name, offset: found.offset };
  }

  /** Where a forwarder leads. */
  follow(forwarder: string): ReturnType<FollowForwarder> {
    const found = this.#images.followForwarder(forwarder);
    if ("missing" in found) return null;
    return { module: found.module.name, name: found.export.name, address: found.address };
  }

  get #images(): ImageSet<NamedImage> {
    if (this.#set === undefined) {
      const images: NamedImage[] = [];
      for (const module of this.#modules.items) {
        const { name, image, imageName } = module;
        if (image !== undefined) images.push({ name, fileName: imageName ?? name, image });
      }
      this.#set = new ImageSet(images);
    }
    return this.#set;
  }
}

function placeIn(module: Module | undefined, name: string): Va | undefined {
  const found = module?.image === undefined ? undefined : placeNamed(module.image, name);
  return found === undefined ? undefined : module?.image?.addressOf(found.rva);
}
