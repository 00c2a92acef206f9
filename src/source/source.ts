import { Bytes } from "../core/bytes.ts";

/**
 * Random access to bytes that stay as they are. Reading is synchronous: a page walk is four
 * dependent reads.
 */
export interface ByteSource extends Disposable {
  /** The file's name, for messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Fills `into` from `offset` on.
   *
   * @returns how many bytes there were; fewer than asked for only at the end
   */
  read(offset: number, into: Uint8Array): number;
}

/**
 * The offset itself, so that a wrong one never reaches the operating system.
 *
 * @throws {RangeError} negative, or not a safe integer
 */
export function checkOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new RangeError(`not a file offset: ${offset}`);
}

/** What there is of `length` bytes from `offset` on: fewer at the end of the source, none behind it, however far. */
export function readAt(source: ByteSource, offset: number, length: number): Bytes {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - offset)));
  const read = bytes.length === 0 ? 0 : source.read(offset, bytes);
  return new Bytes(bytes.subarray(0, read), source.name, offset);
}
