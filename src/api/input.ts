import { FormatError } from "../core/errors.ts";
import { MAX_POOLTAG_BYTES } from "../core/limits.ts";
import { printable } from "../core/text.ts";
import { parseTagFile, type TagFile } from "../pool/pooltags.ts";
import { BlobSource } from "../source/blob.ts";
import { BytesSource } from "../source/bytes-source.ts";
import { type FileInput, type FileUrl, isBlob, isSource, isUrl } from "../source/given.ts";
import { openFile, pathOfUrl } from "../source/node-files.ts";
import type { ByteSource } from "../source/source.ts";

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
  if (isBlob(input)) return new BlobSource(input);
  throw new TypeError(
    `${what} is a path, a file: URL, a Uint8Array, an ArrayBuffer, a Blob or a ByteSource, not ${described(input)}`,
  );
}

/** @throws {TypeError} the URL leads to no file */
export function pathOf(url: FileUrl, what: string): string {
  if (url.protocol === "file:") return pathOfUrl(url.href);
  throw new TypeError(`${what} is a file: URL where it is a URL, not one of ${url.protocol}`);
}

/** A value as a message names it. */
export function described(value: unknown): string {
  if (typeof value === "string") return `"${printable(value)}"`;
  if (typeof value !== "object" || value === null)
    return typeof value === "function" ? "a function" : String(value);
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
