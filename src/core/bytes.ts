import { hex } from "./address.ts";
import { FormatError } from "./errors.ts";

/**
 * A bounds-checked, little-endian view of bytes that knows which file they come from, so that each
 * error can say where.
 */
export class Bytes {
  readonly file: string;
  /** Where the first byte stands in the file. */
  readonly fileOffset: number;
  readonly array: Uint8Array;
  readonly #view: DataView;

  constructor(array: Uint8Array, file: string, fileOffset = 0) {
    this.array = array;
    this.file = file;
    this.fileOffset = fileOffset;
    this.#view = new DataView(array.buffer, array.byteOffset, array.byteLength);
  }

  get length(): number {
    return this.array.length;
  }

  u8(at: number, field: string): number {
    this.#check(at, 1, field);
    return this.#view.getUint8(at);
  }

  u16(at: number, field: string): number {
    this.#check(at, 2, field);
    return this.#view.getUint16(at, true);
  }

  u32(at: number, field: string): number {
    this.#check(at, 4, field);
    return this.#view.getUint32(at, true);
  }

  u64(at: number, field: string): bigint {
    this.#check(at, 8, field);
    return this.#view.getBigUint64(at, true);
  }

  /** `length` bytes from `at`, over the same memory. */
  slice(at: number, length: number, field: string): Bytes {
    this.#check(at, length, field);
    return new Bytes(this.array.subarray(at, at + length), this.file, this.fileOffset + at);
  }

  /** @throws {FormatError} always; for a value that is there but wrong */
  fail(at: number, field: string, expected: string, found: string): never {
    throw new FormatError({ file: this.file, offset: this.fileOffset + at, field, expected, found });
  }

  #check(at: number, length: number, field: string): void {
    if (Number.isInteger(at) && at >= 0 && at + length <= this.array.length) return;
    const end = hex(this.fileOffset + this.array.length);
    const offset = this.fileOffset + (Number.isFinite(at) ? Math.max(0, at) : 0);
    throw new FormatError({
      file: this.file,
      offset,
      field,
      expected: length === 1 ? "1 byte" : `${length} bytes`,
      found: `the end at ${end}`,
    });
  }
}

/** Two lower-case hex digits a byte. */
export function hexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a pointer as they stand in memory. */
export function pointerBytes(address: bigint, size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, address, true);
  return bytes.subarray(0, size);
}

/** The four bytes of a 32-bit number as they stand in memory. */
export function wordBytes(word: number): Uint8Array {
  return Uint8Array.of(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
}
