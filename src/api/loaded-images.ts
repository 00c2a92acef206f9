import { FormatError, MemoryError } from "../core/errors.ts";
import { lookedAt } from "../core/limits.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ModuleEntry } from "../kernel/modules.ts";
import { AddressSpace } from "../memory/address-space.ts";
import { withinLimit } from "../memory/limited-mapping.ts";
import { FilledMapping, ImageFill } from "../pe/fill.ts";
import { Image } from "../pe/image.ts";
import type { KnownImage } from "../pe/match.ts";
import { plural } from "../report/words.ts";
import { type GivenImage, GivenImages } from "./images.ts";

/** Kernel memory with the holes of modules filled in from the PE files that were given for them. */
export class LoadedImages implements Disposable {
  readonly space: AddressSpace;
  readonly #folder: GivenImages | undefined;
  readonly #files: ReadonlyMap<ModuleEntry, Image>;
  readonly #used: string[] = [];
  readonly #passedOver: number;

  /**
   * @param bytes of memory that the dump holds
   * @throws {FileError} a folder cannot be listed
   */
  constructor(kernel: Kernel, given: readonly GivenImage[], bytes: number) {
    const files = new Map<ModuleEntry, Image>();
    this.#files = files;
    if (given.length > 0) this.#folder = new GivenImages(given);
    const filled = this.#folder === undefined ? kernel.space : this.#filled(kernel, this.#folder, files);
    const limit = lookedAt(bytes + (this.#folder?.bytes ?? 0));
    const { space, passedOver } = withinLimit(filled, kernel.modules.items, limit);
    this.space = space;
    this.#passedOver = passedOver;
  }

  #filled(kernel: Kernel, folder: GivenImages, files: Map<ModuleEntry, Image>): AddressSpace {
    const fills: ImageFill[] = [];
    for (const entry of kernel.modules.items) {
      const known = knownImage(kernel.space, entry);
      const found = known === undefined ? undefined : folder.find(known);
      if (found === undefined) continue;
      files.set(entry, found.image);
      fills.push(new ImageFill(entry.base, found.image));
      this.#used.push(entry.name);
    }
    return new AddressSpace(new FilledMapping(kernel.space.mapping, fills));
  }

  /** The PE file that a module was loaded from, where it was given and is the one. */
  fileOf(entry: ModuleEntry): Image | undefined {
    return this.#files.get(entry);
  }

  get notes(): readonly string[] {
    const passedOver = passedOverNotes(this.#passedOver);
    if (this.#folder === undefined) return passedOver;
    const used = this.#used.length === 0 ? "none of the files given is one that was loaded" : undefined;
    return [...passedOver, ...(used === undefined ? [] : [used]), ...this.#folder.notes];
  }

  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]();
  }
}

function passedOverNotes(modules: number): readonly string[] {
  if (modules === 0) return [];
  const were = `${plural(modules, "module")} ${modules === 1 ? "was" : "were"}`;
  return [`${were} passed over, in whole or in part: all of them together lead to more bytes than there are`];
}

/** What the dump alone knows of a module: its list, and where they can be read, the image's own headers. */
function knownImage(space: AddressSpace, entry: ModuleEntry): KnownImage | undefined {
  if (entry.imageName === undefined) return undefined;
  const image = imageAt(space, entry);
  const timestamp = entry.timestamp ?? image?.timestamp;
  const checksum = entry.checksum ?? image?.checksum;
  const pdb = image?.pdb.state === "present" ? image.pdb.value : undefined;
  return {
    fileName: entry.imageName,
    size: entry.size,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(pdb === undefined ? {} : { pdb }),
  };
}

function imageAt(space: AddressSpace, entry: ModuleEntry): Image | undefined {
  try {
    return Image.at(space, entry.base);
  } catch (error) {
    if (error instanceof MemoryError || error instanceof FormatError) return undefined;
    throw error;
  }
}
