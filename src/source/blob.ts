import { type ByteSource, checkOffset } from "./source.ts";

/** What a web worker offers for reading a Blob without a promise; Node and the page's own thread do not. */
declare const FileReaderSync: (new () => { readAsArrayBuffer(blob: BlobLike): ArrayBuffer }) | undefined;

/** A Blob or File, as far as it is looked at. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): BlobLike;
}

/** A Blob or File in a web worker, read where it is asked for. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: BlobLike;
  readonly #read: (part: BlobLike) => ArrayBuffer;

  /** @throws {TypeError} this thread cannot read a Blob synchronously; the message says what can be done */
  constructor(blob: BlobLike, name: string = nameOf(blob)) {
    if (typeof FileReaderSync === "undefined") {
      throw new TypeError(
        "a Blob can be read synchronously only in a web worker; here, pass new Uint8Array(await blob.arrayBuffer())",
      );
    }
    const reader = new FileReaderSync();
    this.name = name;
    this.size = blob.size;
    this.#blob = blob;
    this.#read = (part) => reader.readAsArrayBuffer(part);
  }

  /** @throws {RangeError} `offset` is no offset */
  read(offset: number, into: Uint8Array): number {
    const start = Math.min(checkOffset(offset), this.size);
    const part = new Uint8Array(this.#read(this.#blob.slice(start, start + into.length)));
    into.set(part);
    return part.length;
  }

  /** Nothing to close. */
  [Symbol.dispose](): void {
    return;
  }
}

function nameOf(blob: BlobLike): string {
  return "name" in blob && typeof blob.name === "string" ? blob.name : "blob";
}
