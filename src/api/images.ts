import { FormatError } from "../core/errors.ts";
import { MAX_IMAGE_MATCHES } from "../core/limits.ts";
import { addAll, addTo } from "../core/search.ts";
import { grouped } from "../core/text.ts";
import { Image } from "../pe/image.ts";
import { type KnownImage, matchImage } from "../pe/match.ts";
import { plural } from "../report/words.ts";
import { type BlobLike, BlobSource } from "../source/blob.ts";
import { FileError } from "../source/file-error.ts";
import { type FileUrl, isBlob, isSource, isUrl } from "../source/given.ts";
import { openFile } from "../source/node-files.ts";
import type { ByteSource } from "../source/source.ts";
import { filesBelow } from "./files-below.ts";
import { described, pathOf } from "./input.ts";

/** A PE file that is the one a module was loaded from. */
export interface MatchedFile {
  readonly path: string;
  readonly image: Image;
}

/** A folder of PE files; or one file as a source, which bears its name, or as a File of a browser. */
export type GivenImage = string | FileUrl | BlobLike | ByteSource;

/** Files that are not the ones that were loaded, and of which it is said one by one. */
const MOST_OTHERS = 100;

/** PE files that the user gave, opened when a module asks for them. */
export class GivenImages implements Disposable {
  /** By their names in small letters. */
  readonly #files: ReadonlyMap<string, readonly (string | ByteSource)[]>;
  /** Those that were opened, each once; `undefined`: it is no image. */
  readonly #images = new Map<string | ByteSource, Image | undefined>();
  readonly #open: ByteSource[] = [];
  readonly #notes: string[] = [];
  /** Of files that bear a module's name and are another file. */
  readonly #others: string[] = [];
  #untold = 0;
  #bytes = 0;
  #left = MAX_IMAGE_MATCHES;

  /**
   * Lists the files below folders, without opening any.
   *
   * @throws {FileError} a folder cannot be listed
   * @throws {TypeError} one is neither a folder nor a source
   */
  constructor(given: readonly GivenImage[]) {
    const found = new Map<string, (string | ByteSource)[]>();
    for (const file of given) {
      const one = isBlob(file) ? new BlobSource(file) : file;
      if (isSource(one)) {
        addTo(found, baseName(one.name), one);
        continue;
      }
      const { files, notes } = filesBelow(folderOf(one, "an entry of images"));
      addAll(this.#notes, notes);
      for (const { path } of files) addTo(found, baseName(path), path);
    }
    this.#files = found;
  }

  /** Files that bear the name of a module that none was taken for, and why. */
  get notes(): readonly string[] {
    const untold =
      this.#untold === 0
        ? []
        : [`${plural(this.#untold, "more file")} of the names of modules are other ones`];
    const cut =
      this.#left >= 0
        ? []
        : [
            `more files bear the names of modules than are held against them: ${grouped(MAX_IMAGE_MATCHES)} were`,
          ];
    return [...this.#notes, ...this.#others, ...untold, ...cut];
  }

  /** Of all files that were opened. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The file that `known` was loaded from, if it is among those given. */
  find(known: KnownImage): MatchedFile | undefined {
    const others: string[] = [];
    let further = 0;
    for (const file of this.#candidates(known.fileName.toLowerCase())) {
      if (this.#left <= 0) {
        this.#left = -1;
        break;
      }
      const image = this.#imageIn(file);
      if (image === undefined) continue;
      this.#left--;
      const path = typeof file === "string" ? file : file.name;
      const { matched, because } = matchImage(image, path, known);
      if (matched) return { path, image };
      if (this.#others.length + others.length === MOST_OTHERS) further++;
      else
        others.push(
          `${baseName(path)} of the files given is not the one that was loaded: ${because.join("; ")}`,
        );
    }
    addAll(this.#others, others);
    this.#untold += further;
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const source of this.#open.splice(0)) source[Symbol.dispose]();
  }

  #candidates(fileName: string): readonly (string | ByteSource)[] {
    const names = KERNEL_FILES.includes(fileName) ? KERNEL_FILES : [fileName];
    return names.flatMap((name) => this.#files.get(name) ?? []);
  }

  #imageIn(file: string | ByteSource): Image | undefined {
    if (!this.#images.has(file)) this.#images.set(file, this.#openImage(file));
    return this.#images.get(file);
  }

  #openImage(file: string | ByteSource): Image | undefined {
    try {
      const source = typeof file === "string" ? openFile(file) : file;
      if (source !== file) this.#open.push(source);
      this.#bytes += source.size;
      return Image.fromFile(source);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      this.#notes.push(error.message);
      return undefined;
    }
  }
}

/** @throws {TypeError} it is none */
export function folderOf(given: string | FileUrl, what: string): string {
  if (typeof given === "string") return given;
  if (isUrl(given)) return pathOf(given, what);
  throw new TypeError(`${what} is the path or the file: URL of a folder, not ${described(given)}`);
}

/** Setup copies the kernel that fits the machine under one name, whatever it was called on the medium. */
const KERNEL_FILES: readonly string[] = ["ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe"];

function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, "").toLowerCase();
}
