import { FormatError } from "../core/errors.ts";
import { addTo } from "../core/search.ts";
import { Image } from "../pe/image.ts";
import { type KnownImage, matchImage } from "../pe/match.ts";
import { FileError, openFile } from "../source/file-source.ts";
import type { ByteSource } from "../source/source.ts";
import { filesBelow } from "./files-below.ts";

/** A PE file that is the one a module was loaded from. */
export interface MatchedFile {
  readonly path: string;
  readonly image: Image;
}

/** PE files that the user gave, opened when a module asks for them. */
export class GivenImages implements Disposable {
  readonly #paths: ReadonlyMap<string, readonly string[]>;
  readonly #open: ByteSource[] = [];
  readonly #notes: string[] = [];

  /**
   * Lists the files below `folders`, without opening any.
   *
   * @throws {FileError} a folder cannot be listed
   */
  constructor(folders: readonly string[]) {
    const paths = new Map<string, string[]>();
    for (const folder of folders) {
      const { files, notes } = filesBelow(folder);
      this.#notes.push(...notes);
      for (const { path } of files) addTo(paths, baseName(path), path);
    }
    this.#paths = paths;
  }

  /** Files that bear the name of a module that none was taken for, and why. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** The file that `known` was loaded from, if it is among those given. */
  find(known: KnownImage): MatchedFile | undefined {
    const others: string[] = [];
    for (const path of this.#candidates(known.fileName.toLowerCase())) {
      const image = this.#openImage(path);
      if (image === undefined) continue;
      const { matched, because } = matchImage(image, path, known);
      if (matched) return { path, image };
      others.push(
        `${baseName(path)} of the files given is not the one that was loaded: ${because.join("; ")}`,
      );
    }
    this.#notes.push(...others);
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const source of this.#open.splice(0)) source[Symbol.dispose]();
  }

  #candidates(fileName: string): readonly string[] {
    const names = KERNEL_FILES.includes(fileName) ? KERNEL_FILES : [fileName];
    return names.flatMap((name) => this.#paths.get(name) ?? []);
  }

  #openImage(path: string): Image | undefined {
    try {
      const source = openFile(path);
      this.#open.push(source);
      return Image.fromFile(source);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      this.#notes.push(error.message);
      return undefined;
    }
  }
}

/** Setup copies the kernel that fits the machine under one name, whatever it was called on the medium. */
const KERNEL_FILES: readonly string[] = ["ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe"];

function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, "").toLowerCase();
}
