import { statSync } from "node:fs";
import { Image } from "../pe/image.ts";
import type { ExportsDocument, HeadersDocument, ImportsDocument } from "../report/documents.ts";
import { openFile } from "../source/file-source.ts";
import type { ByteSource } from "../source/source.ts";
import { exportsDocument } from "./exports.ts";
import { headersDocument } from "./headers.ts";
import { importsDocument } from "./imports.ts";

/** One PE file by itself. Its import slots are as the linker left them: no address is in them yet. */
export class ImageFile implements Disposable {
  readonly image: Image;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
    this.image = Image.fromFile(source);
  }

  headers(): HeadersDocument {
    return headersDocument(this.image.label, this.image);
  }

  imports(): ImportsDocument {
    return importsDocument(this.image.label, this.image, this.image.imports, () => null);
  }

  exports(): ExportsDocument {
    return exportsDocument(this.image.label, this.image, () => null);
  }

  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }
}

/**
 * Opens a PE file.
 *
 * @throws {FormatError} the file is no PE image
 * @throws {FileError} the path leads to no readable file
 */
export function openImageFile(path: string): ImageFile {
  const source = openFile(path);
  try {
    return new ImageFile(source);
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}

/**
 * Whether a file starts as a PE image does; a dump does not.
 *
 * @throws {FileError} the path leads to no readable file
 */
export function isImageFile(path: string): boolean {
  using source = openFile(path);
  const start = new Uint8Array(2);
  return source.read(0, start) === 2 && start[0] === 0x4d && start[1] === 0x5a;
}

/** Whether a path leads to a folder; what leads nowhere is none. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
