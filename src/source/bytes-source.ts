import { type ByteSource, checkOffset } from "./source.ts";

/** A file that is already in memory. */
export class BytesSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  /** @param bytes used as they are, not copied: they must not change while the source is open */
  constructor(bytes: Uint8Array, name = "bytes") {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  /** @throws {RangeError} `offset` is no offset */
  read(offset: number, into: Uint8Array): number {
    const part = this.#bytes.subarray(Math.min(checkOffset(offset), this.size), offset + into.length);
    into.set(part);
    return part.length;
  }

  /** Nothing to close. */
  [Symbol.dispose](): void {
    return;
  }
}
