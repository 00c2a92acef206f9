import { fileURLToPath } from "node:url";
import { FormatError } from "../core/errors.ts";
import { MAX_POOLTAG_BYTES } from "../core/limits.ts";
import { printable } from "../core/text.ts";
import { parseTagFile, type TagFile } from "../pool/pooltags.ts";
import { BytesSource } from "../source/bytes-source.ts";
import { openFile } from "../source/file-source.ts";
import type { ByteSource } from "../source/source.ts";

/** What a file is given as: its path, a `file:` URL, its bytes, or anything that reads like a file. */
export type FileInput = string | FileUrl | Uint8Array | ArrayBuffer | ByteSource;

/** A URL, as far as it is looked at: that of Node and of browsers is one. */
export interface FileUrl {
  readonly href: string;
  readonly protocol: string;
}

/**
 * A file, whatever it was given as. A source that was given stays the caller's to close.
 *
 * @param what it is, for the error
 * @throws {FileError} a path leads to no readable file
 * @throws {TypeError} it is none of what is taken
 */
export function openInput(input: FileInput | undefined, what: string): ByteSource {
  if (typeof input === "string") return openFile(input);
  if (isUrl(input)) return openFile(pathOf(input, what));
  if (input instanceof Uint8Array) return new BytesSource(input);
  if (input instanceof ArrayBuffer) return new BytesSource(new Uint8Array(input));
  if (isSource(input)) return input;
  throw new TypeError(
    `${what} is a path, a file: URL, a Uint8Array, an ArrayBuffer or a ByteSource, not ${described(input)}`,
  );
}

/** Whether something reads like a file. */
export function isSource(input: unknown): input is ByteSource {
  return (
    typeof input === "object" &&
    input !== null &&
    "read" in input &&
    typeof input.read === "function" &&
    "size" in input &&
    typeof input.size === "number"
  );
}

export function isUrl(input: unknown): input is FileUrl {
  return typeof input === "object" && input !== null && "href" in input && "protocol" in input;
}

/** @throws {TypeError} the URL leads to no file */
export function pathOf(url: FileUrl, what: string): string {
  if (url.protocol === "file:") return fileURLToPath(url.href);
  throw new TypeError(`${what} is a file: URL where it is a URL, not one of ${url.protocol}`);
}

/** A value as a message names it. */
export function described(value: unknown): string {
  if (typeof value === "string") return `"${printable(value)}"`;
  if (typeof value !== "object" || value === null) return String(value);
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? `a value of ${name}` : "an object";
}

/**
 * Reads what tags mean from a file in pooltag.txt's format, for `tags({ descriptions })`.
 *
 * @throws {FileError} a path leads to no readable file
 * @throws {FormatError} it is far longer than such files are
 * @throws {TypeError} it is none of what is taken
 */
export function readTagFile(input: FileInput): TagFile {
  const source = openInput(input, "a tag file");
  try {
    if (source.size > MAX_POOLTAG_BYTES) {
      const expected = `a pooltag.txt of ${MAX_POOLTAG_BYTES} bytes at most`;
      throw new FormatError({
        file: source.name,
        offset: 0,
        field: "the file",
        expected,
        found: `${source.size}`,
      });
    }
    const bytes = new Uint8Array(source.size);
    // in the code page of whoever edited it; the tags are ASCII
    return parseTagFile(new TextDecoder("windows-1252").decode(bytes.subarray(0, source.read(0, bytes))));
  } finally {
    if (source !== input) source[Symbol.dispose]();
  }
}
