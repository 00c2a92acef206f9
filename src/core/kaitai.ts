import Long from "long";
import kaitai from "../generated/kaitai-struct.js";
import { hex, type Va } from "./address.ts";
import { Bytes, hexDigits } from "./bytes.ts";
import { FormatError } from "./errors.ts";

type StreamClass = (typeof kaitai.KaitaiStream)["default"];

/** What the code generated from `ksy/` reads: the package's stream, whose type embedders need not have. */
export interface KaitaiStream {
  /** In bytes. */
  readonly size: number;
  pos: number;
  seek(to: number): void;
  readU2le(): number;
  readU4le(): number;
  readBytes(length: number): Uint8Array;
}

// The package declares `export default` where its code says `module.exports`.
const StreamBase = kaitai.KaitaiStream as unknown as StreamClass;

/** A class generated from `ksy/`; `P` are the layout's own parameters. */
export type Layout<T, P extends readonly unknown[]> = new (
  stream: KaitaiStream,
  parent: undefined,
  root: undefined,
  ...params: P
) => T;

/** `u64` of `ksy/u64.ksy`: the two halves, each unsigned. */
export interface U64Halves {
  readonly low: number;
  readonly high: number;
}

interface ValidationError {
  readonly expected?: unknown;
  readonly min?: unknown;
  readonly max?: unknown;
  readonly actual: unknown;
}

/**
 * A stream that knows its place in the file, so that a read past the end, now or later by a lazy
 * field, is a `FormatError`.
 */
class FileStream extends StreamBase {
  readonly #bytes: Bytes;
  readonly #field: string;

  constructor(bytes: Bytes, field: string) {
    const { buffer, byteOffset, byteLength } = bytes.array;
    super(new DataView(buffer as ArrayBuffer, byteOffset, byteLength));
    this.#bytes = bytes;
    this.#field = field;
  }

  /** Called by the runtime before each read. */
  override ensureBytesLeft(length: number): void {
    if (length >= 0 && this.pos + length <= this.size) return;
    const end = this.#bytes.fileOffset + this.#bytes.length;
    this.#bytes.fail(this.pos, this.#field, `${length} bytes`, `the end at ${hex(end)}`);
  }

  /** The runtime wraps lengths at 32 bits before it checks them. */
  override readBytes(length: number): Uint8Array {
    this.ensureBytesLeft(length);
    return super.readBytes(length);
  }

  /** The runtime moves a position outside the stream to its nearer end. */
  override seek(position: number): void {
    if (!(position >= 0 && position <= this.size)) {
      const last = this.#bytes.fileOffset + this.size;
      this.#bytes.fail(0, this.#field, `a position up to ${hex(last)}`, `position ${position}`);
    }
    super.seek(position);
  }

  /** The generated code's way to read a field of known size as a layout of its own. */
  part(array: Uint8Array): FileStream {
    const offset = array.byteOffset - this.#bytes.array.byteOffset;
    return new FileStream(new Bytes(array, this.#bytes.file, this.#bytes.fileOffset + offset), this.#field);
  }
}

/**
 * Reads one structure by its layout, from the first byte on.
 *
 * @param field what the structure is, for the error
 * @throws {FormatError} the bytes end before the structure does, or a value that the layout fixes is another
 */
export function readStruct<T, P extends readonly unknown[]>(
  Struct: Layout<T, P>,
  bytes: Bytes,
  field: string,
  ...params: P
): T {
  const stream = new FileStream(bytes, field);
  try {
    return new Struct(stream, undefined, undefined, ...params);
  } catch (cause) {
    if (cause instanceof FormatError || !isValidationError(cause)) throw cause;
    const { actual } = cause;
    const offset = bytes.fileOffset + stream.pos - (actual instanceof Uint8Array ? actual.length : 0);
    const problem = { file: bytes.file, offset, field, expected: expectation(cause), found: show(actual) };
    throw new FormatError(problem, { cause });
  }
}

/** As `readStruct`, over bytes of no file. */
export function parseWith<T, P extends readonly unknown[]>(
  Struct: Layout<T, P>,
  bytes: Uint8Array,
  ...params: P
): T {
  return readStruct(Struct, new Bytes(bytes, "bytes"), Struct.name, ...params);
}

/** The exact value, unsigned. */
export function toBigInt({ low, high }: U64Halves): bigint {
  return Long.fromBits(low, high, true).toBigInt();
}

/** The address in a field of the machine's pointer size. */
export function toAddress(value: U64Halves | number): Va {
  return (typeof value === "number" ? BigInt(value) : toBigInt(value)) as Va;
}

function isValidationError(error: unknown): error is Error & ValidationError {
  return error instanceof Error && error.name.startsWith("Validation");
}

function expectation(error: ValidationError): string {
  if ("expected" in error) return show(error.expected);
  if ("min" in error) return `${show(error.min)} or more`;
  if ("max" in error) return `${show(error.max)} or less`;
  return "a value that the format knows";
}

function show(value: unknown): string {
  return value instanceof Uint8Array ? hexDigits(value) : String(value);
}
