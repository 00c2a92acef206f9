import type { Va } from "../core/address.ts";
import { FormatError } from "../core/errors.ts";
import { upperBound } from "../core/search.ts";
import { moduleNames } from "../kernel/names.ts";
import { AddressSpace } from "../memory/address-space.ts";
import type { Extent, Hole, Mapping } from "../memory/mapping.ts";
import { Image } from "../pe/image.ts";
import { RelocatedSource } from "../pe/relocated-source.ts";
import { parseTag } from "../pool/tag.ts";
import { answer } from "../report/answer.ts";
import { layoutNotes } from "../report/image-notes.ts";
import { type Trail, trailDocument } from "../report/trail-document.ts";
import { plural } from "../report/words.ts";
import { FileError } from "../source/file-error.ts";
import { type FileUrl, isSource } from "../source/given.ts";
import { openFile } from "../source/node-files.ts";
import type { ByteSource } from "../source/source.ts";
import { traceTag } from "../trail/trace.ts";
import { eachOnce, filesBelow } from "./files-below.ts";
import { folderOf } from "./images.ts";
import { Module } from "./module.ts";
import { ModuleList } from "./module-list.ts";
import { type WorkOptions, Workspace } from "./workspace.ts";

/** PE files side by side in one address space, as if a machine had loaded them; the addresses are made up. */
export class ImageFolder extends Workspace implements Disposable {
  readonly folder: string;
  /** Files that were left out, and why. */
  readonly notes: readonly string[];
  readonly #sources: readonly ByteSource[];

  /**
   * Use `openFolder`.
   *
   * @internal
   */
  constructor(
    folder: string,
    sources: readonly ByteSource[],
    placed: readonly Placed[],
    notes: readonly string[],
  ) {
    const pointerSize = placed[0]?.file.pointerSize ?? 8;
    const space = new AddressSpace(new FolderMapping(placed, pointerSize));
    const names = moduleNames(placed, undefined);
    const items = placed.map(
      ({ imageName, base, file }, i) =>
        new Module(
          {
            name: names[i] ?? imageName,
            imageName,
            path: undefined,
            base,
            end: (base + BigInt(file.size)) as Va,
            size: file.size,
            entryPoint: file.addressOf(file.entryPoint),
            timestamp: file.timestamp,
            checksum: file.checksum,
          },
          space,
          file,
          "file",
        ),
    );
    super(space, new ModuleList(items, undefined, { items: [] }, undefined), { build: undefined });
    this.folder = folder;
    this.notes = notes;
    this.#sources = sources;
  }

  /** @internal */
  protected get machine(): string {
    return this.modules.items[0]?.image?.machine ?? "unknown";
  }

  /**
   * From a tag to the drivers that can make it grow, as far as files alone tell. Programs and libraries of user mode that
   * stand among drivers are not looked at: they have no way to the pool but through the kernel.
   */
  trace(tag: string, work: WorkOptions = {}): Trail {
    const kernelMode = this.modules.items.filter((module) => !isUserMode(module));
    const modules = kernelMode.length === 0 ? this.modules.items : kernelMode;
    const left = this.modules.items.length - modules.length;
    const findings = traceTag({ ...this.target, modules }, parseTag(tag), undefined, work);
    const notes =
      left === 0
        ? []
        : [`${plural(left, "image")} of user mode ${left === 1 ? "was" : "were"} not looked at`];
    const trail = trailDocument(findings, this.space.pointerSize, [FILES_ALONE, ...notes, ...this.notes]);
    return answer(trail, () => ({ ...trail, more: [], input: null }));
  }

  close(): void {
    for (const source of this.#sources) source[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const FILES_ALONE =
  "these are files, not a dump: usage, stacks and what was loaded are not known, and the addresses are made up";

const NATIVE = 1;
/** What only user mode can load. */
const USER_LIBRARIES = /^(?:ntdll|kernel32|kernelbase|user32|advapi32|ucrtbase|msvcrt)\.dll$|^api-ms-win-/i;

/**
 * Whether an image is a program or library of user mode. The subsystem alone does not tell: public drivers are built for
 * others than the native one, too.
 */
function isUserMode({ imageName, image, imports }: Module): boolean {
  if (image === undefined || image.subsystem === NATIVE) return false;
  if (imageName === null || /\.sys$|^hal\.|^nt(?:oskrnl|krnl)/i.test(imageName)) return false;
  return imports.slots.some(({ declared }) => USER_LIBRARIES.test(declared?.dll ?? ""));
}

/** A file and the base that was made up for it. */
interface Placed {
  readonly imageName: string;
  readonly base: Va;
  readonly file: Image;
}

/**
 * Opens the PE files below a folder as one address space.
 *
 * @param given the folder; or the files, as sources under their names, which stay the caller's to close
 * @throws {FileError} the folder cannot be listed
 * @throws {FormatError} there is no PE image in it
 * @throws {TypeError} it is neither a path, a URL nor a list of sources
 */
export function openFolder(given: string | FileUrl | readonly ByteSource[]): ImageFolder {
  const { folder, found, ...listed } = filesIn(given);
  const sources: ByteSource[] = [];
  const notes: string[] = [...listed.notes];
  const files: { imageName: string; file: Image }[] = [];
  for (const one of found) {
    try {
      const source = typeof one === "string" ? openFile(one) : one;
      if (source !== one) sources.push(source);
      const file = Image.fromFile(source);
      files.push({ imageName: source.name, file });
      for (const note of layoutNotes(file)) notes.push(`${source.name}: ${note}`);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      notes.push(`left out: ${error.message}`);
    }
  }
  const machine = kernelOf(files)?.file.machine ?? files[0]?.file.machine;
  if (machine === undefined) {
    for (const source of sources) source[Symbol.dispose]();
    throw new FormatError({
      file: folder,
      offset: 0,
      field: "the folder",
      expected: "one of PE images (.sys, .exe, .dll)",
      found: ["none that can be read", ...notes.slice(0, 3)].join("; "),
    });
  }
  const others = files.filter(({ file }) => file.machine !== machine);
  if (others.length > 0) notes.push(`left out: ${others.length} images that are not for ${machine}`);
  return new ImageFolder(folder, sources, place(files.filter(({ file }) => file.machine === machine)), notes);
}

interface FilesIn {
  readonly folder: string;
  readonly found: readonly (string | ByteSource)[];
  readonly notes: readonly string[];
}

function filesIn(given: string | FileUrl | readonly ByteSource[]): FilesIn {
  if (isSourceList(given)) return { folder: "the files given", found: given, notes: [] };
  const folder = folderOf(given, "what is opened");
  const { files, notes } = filesBelow(folder);
  return { folder, found: eachOnce(files), notes };
}

function isSourceList(given: string | FileUrl | readonly ByteSource[]): given is readonly ByteSource[] {
  return Array.isArray(given) && given.every(isSource);
}

function kernelOf<T extends { readonly imageName: string }>(files: readonly T[]): T | undefined {
  return files.find(({ imageName }) => /^nt(?:oskrnl|krnl)/i.test(imageName));
}

const START: Readonly<Record<4 | 8, bigint>> = { 4: 0x80000000n, 8: 0xfffff80000000000n };
const GRANULE = 0x10000n;

/** The kernel first, the others behind it by name, with a gap between them. */
function place(files: readonly { readonly imageName: string; readonly file: Image }[]): readonly Placed[] {
  const kernel = kernelOf(files);
  const sorted = [...files].sort((a, b) => {
    if (a === kernel || b === kernel) return a === kernel ? -1 : 1;
    return a.imageName.toLowerCase() < b.imageName.toLowerCase() ? -1 : 1;
  });
  let next = START[sorted[0]?.file.pointerSize ?? 8];
  return sorted.map(({ imageName, file }) => {
    const base = next as Va;
    next += ((BigInt(file.size) + GRANULE - 1n) / GRANULE + 1n) * GRANULE;
    return { imageName, base, file };
  });
}

/** Files relocated to their made-up bases. */
class FolderMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly mayFill = true;
  /** By base. */
  readonly #placed: readonly (Placed & { readonly source: RelocatedSource })[];

  /** @param placed by base */
  constructor(placed: readonly Placed[], pointerSize: 4 | 8) {
    this.pointerSize = pointerSize;
    this.#placed = placed.map((one) => ({ ...one, source: new RelocatedSource(one.file, one.base) }));
  }

  locate(at: Va, want: number): Extent | Hole {
    const next = upperBound<bigint>(this.#placed.length, at, (i) => this.#placed[i]?.base ?? 0n);
    const found = this.#placed[next - 1];
    if (found === undefined || at >= found.base + BigInt(found.file.size)) {
      const gap = (this.#placed[next]?.base ?? at + BigInt(want)) - at;
      const length = gap < BigInt(want) ? Number(gap) : want;
      return { fault: { kind: "not-mapped", va: at, level: "section" }, length };
    }
    const rva = Number(at - found.base);
    const inFile = found.file.space.mapping.locate(
      found.file.addressOf(rva),
      Math.min(want, found.file.size - rva),
    );
    if ("fault" in inFile) return { fault: { ...inFile.fault, va: at }, length: inFile.length };
    return inFile.offset === undefined ? inFile : { ...inFile, source: found.source, offset: rva };
  }
}
