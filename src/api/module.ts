import type { Va } from "../core/address.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import type { ModuleEntry } from "../kernel/modules.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { declaredBy } from "../pe/declared-imports.ts";
import { Image } from "../pe/image.ts";
import type { ImportTable } from "../pe/imports.ts";
import { isMicrosoftSigner } from "../pe/signature.ts";
import { judgePublisher, type Publisher, type Signer } from "../trail/publisher.ts";
import type { TrailModule } from "../trail/target.ts";

const NO_IMPORTS: ImportTable = { slots: [], gaps: [] };

/** A loaded module: its entry in the module list, and its image, read when it is asked for. */
export class Module implements TrailModule {
  /** As WinDbg's `lm` shows it: `nt`, `hal`, `ABCMiniFilter`. */
  readonly name: string;
  readonly imageName: string | null;
  readonly path: string | null;
  readonly base: Va;
  /** Exclusive. */
  readonly end: Va;
  /** In bytes. */
  readonly size: number;
  readonly #entry: ModuleEntry;
  readonly #space: AddressSpace;
  readonly #file: Image | undefined;
  readonly #layout: Image["layout"];
  #image: Image | Error | undefined;
  #imports: ImportTable | undefined;
  #publisher: Publisher | undefined;
  #readable: number | undefined;

  /**
   * @param file the PE file that it was loaded from, where the user gave it
   * @param layout `file`: no loader has filled its import slots
   * @internal
   */
  constructor(entry: ModuleEntry, space: AddressSpace, file?: Image, layout: Image["layout"] = "memory") {
    this.name = entry.name;
    this.imageName = entry.imageName ?? null;
    this.path = entry.path ?? null;
    this.base = entry.base;
    this.end = entry.end;
    this.size = entry.size;
    this.#entry = entry;
    this.#space = space;
    this.#file = file;
    this.#layout = layout;
  }

  /** The PE image in memory; `undefined` where its headers cannot be read, and `imageProblem` says why. */
  get image(): Image | undefined {
    const image = this.#open();
    return image instanceof Error ? undefined : image;
  }

  get imageProblem(): Error | undefined {
    const image = this.#open();
    return image instanceof Error ? image : undefined;
  }

  /**
   * The image, or why there is none.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  wholeImage(): Image {
    const image = this.#open();
    if (image instanceof Error) throw image;
    return image;
  }

  /** Its import slots; what INIT had of their names comes from the module's file, where that was given. */
  get imports(): ImportTable {
    this.#imports ??= declaredBy(this.image?.imports ?? NO_IMPORTS, this.#file?.imports, this.image);
    return this.#imports;
  }

  /** Seconds since 1970, or a hash in a reproducible build; from the module list, else from the image. */
  get timestamp(): number | null {
    return this.#entry.timestamp ?? this.image?.headers.timestamp ?? null;
  }

  get checksum(): number | null {
    return this.#entry.checksum ?? this.image?.headers.checksum ?? null;
  }

  /** Who made it, and on what that stands. */
  get publisher(): Publisher {
    this.#publisher ??= judgePublisher({
      company: this.#company(),
      signer: () => this.#signer(),
      pdbPath: () => this.#pdbPath(),
      path: this.path,
      imageName: this.imageName,
      kernelModule: this.name === "nt" || this.name === "hal",
    });
    return this.#publisher;
  }

  /** How many of its bytes can be read. */
  get readableBytes(): number {
    this.#readable ??= this.#space.readableBytes(this.base, this.size);
    return this.#readable;
  }

  #company(): string | undefined {
    const version = this.image?.version;
    const found = version?.state === "present" ? version : this.#file?.version;
    return found?.state === "present" ? (found.value.company ?? undefined) : undefined;
  }

  /** Only the file has its signature: the loader never maps it. */
  #signer(): Signer | undefined {
    const signature = this.#file?.signature;
    if (signature?.state !== "present") return undefined;
    return { name: signature.value.signer, microsoft: isMicrosoftSigner(signature.value) };
  }

  #pdbPath(): string | undefined {
    const pdb = this.image?.pdb;
    return pdb?.state === "present" ? pdb.value.path : undefined;
  }

  #open(): Image | Error {
    if (this.#image === undefined) {
      try {
        this.#image = Image.at(this.#space, this.base, {
          label: this.imageName ?? this.name,
          layout: this.#layout,
          file: this.#file,
        });
      } catch (error) {
        if (!(error instanceof MemoryError || error instanceof FormatError)) throw error;
        this.#image = error;
      }
    }
    return this.#image;
  }
}
