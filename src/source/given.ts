import type { BlobLike } from "./blob.ts";
import type { ByteSource } from "./source.ts";

/**
 * What a file is given as: its path, a `file:` URL, its bytes, or anything that reads like a file. Where there is no file
 * system, as in a browser, paths and URLs are not taken; a Blob or File is taken where it can be read, in a web worker.
 */
export type FileInput = string | FileUrl | Uint8Array | ArrayBuffer | BlobLike | ByteSource;

/** A URL, as far as it is looked at: that of Node and of browsers is one. */
export interface FileUrl {
  readonly href: string;
  readonly protocol: string;
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

/** Whether something is a Blob or File; typed arrays and buffers were looked for before. */
export function isBlob(input: unknown): input is BlobLike {
  return (
    typeof input === "object" &&
    input !== null &&
    "slice" in input &&
    typeof input.slice === "function" &&
    "arrayBuffer" in input &&
    "size" in input &&
    typeof input.size === "number"
  );
}

/** Whether something is a URL, of Node or of a browser. */
export function isUrl(input: unknown): input is FileUrl {
  return typeof input === "object" && input !== null && "href" in input && "protocol" in input;
}
