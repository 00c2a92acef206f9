import { FileError } from "./file-error.ts";
import { type ByteSource, checkOffset } from "./source.ts";

/** What a web worker offers for reading a Blob without a promise; Node and the page's own thread do not. */
declare const FileReaderSync: (new () => { readAsArrayBuffer(blob: BlobLike): ArrayBuffer }) | undefined;

/** A Blob or File, as far as it is looked at. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): BlobLike;
}

/** A browser takes 1.5 ms for any slice up to this size, since another process reads it (measured with Chromium). */
const WINDOW_BYTES = 0x40000;
const MOST_WINDOWS = 64;

/** A Blob or File in a web worker, read where it is asked for, some neighbourhood at a time. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: BlobLike;
  readonly #read: (part: BlobLike) => ArrayBuffer;
  /** By their number, the last used last. */
  readonly #windows = new Map<number, Uint8Array>();

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

  /**
   * @throws {RangeError} `offset` is no offset
   * @throws {FileError} the browser refused; a file that was changed since it was chosen, above all
   */
  read(offset: number, into: Uint8Array): number {
    const want = Math.max(0, Math.min(into.length, this.size - checkOffset(offset)));
    if (want >= WINDOW_BYTES) {
      into.set(this.#part(offset, offset + want));
      return want;
    }
    for (let done = 0; done < want; ) {
      const index = Math.floor((offset + done) / WINDOW_BYTES);
      const start = offset + done - index * WINDOW_BYTES;
      const part = this.#window(index).subarray(start, start + want - done);
      into.set(part, done);
      done += part.length;
    }
    return want;
  }

  /** Nothing to close. */
  [Symbol.dispose](): void {
    this.#windows.clear();
  }

  #window(index: number): Uint8Array {
    const known = this.#windows.get(index);
    const start = index * WINDOW_BYTES;
    const bytes = known ?? this.#part(start, Math.min(this.size, start + WINDOW_BYTES));
    this.#windows.delete(index);
    this.#windows.set(index, bytes);
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size > MOST_WINDOWS) this.#windows.delete(oldest);
    }
    return bytes;
  }

  #part(start: number, end: number): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(this.#read(this.#blob.slice(start, end)));
    } catch (cause) {
      throw this.#unreadable(cause instanceof Error ? cause.message : String(cause), { cause });
    }
    if (bytes.length === end - start) return bytes;
    throw this.#unreadable(`${end - start} bytes wanted at ${start}, ${bytes.length} given`);
  }

  #unreadable(reason: string, options?: ErrorOptions): FileError {
    const advice = `reading failed; choose it again, it may have changed: ${reason}`;
    return new FileError(this.name, "unreadable", advice, options);
  }
}

function nameOf(blob: BlobLike): string {
  return "name" in blob && typeof blob.name === "string" ? blob.name : "blob";
}
