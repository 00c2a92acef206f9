import { advance, type Va } from "../core/address.ts";
import { MemoryError, type MemoryFault } from "../core/errors.ts";
import { MAX_READ } from "../core/limits.ts";
import { asciiZ, utf16Z } from "../core/text.ts";
import type { Mapping, Origin } from "./mapping.ts";

/** A stretch of addresses that reads, or fails, in one way. */
export interface Span {
  readonly start: Va;
  /** In bytes. */
  readonly length: number;
  /** Who gives the bytes, or why there are none. */
  readonly content: Origin | MemoryFault;
}

/** Bytes with their holes: `bytes` is zero where nothing could be read, and `holes` says where. */
export interface SparseBytes {
  readonly start: Va;
  readonly bytes: Uint8Array;
  /** In order of address, merged where the same fault goes on. */
  readonly holes: readonly {
    readonly offset: number;
    readonly length: number;
    readonly fault: MemoryFault;
  }[];
}

/** Virtual memory: what a debugger's `db` reads. */
export class AddressSpace {
  /**
   * How addresses lead to bytes.
   *
   * @internal
   */
  readonly mapping: Mapping;
  /** In bytes. */
  readonly pointerSize: 4 | 8;
  readonly #mask: bigint;
  /** Where single values are read to: making an array for each would cost more than the read. */
  readonly #word = new DataView(new ArrayBuffer(8));
  readonly #wordBytes: Readonly<Record<1 | 2 | 4 | 8, Uint8Array>> = {
    1: new Uint8Array(this.#word.buffer, 0, 1),
    2: new Uint8Array(this.#word.buffer, 0, 2),
    4: new Uint8Array(this.#word.buffer, 0, 4),
    8: new Uint8Array(this.#word.buffer, 0, 8),
  };

  /** @internal */
  constructor(mapping: Mapping) {
    this.mapping = mapping;
    this.pointerSize = mapping.pointerSize;
    this.#mask = mapping.pointerSize === 4 ? 0xffffffffn : 0xffffffffffffffffn;
  }

  /**
   * Reads `length` bytes.
   *
   * @throws {MemoryError} a hole, with what was read before it
   * @throws {RangeError} more than `MAX_READ` at once
   */
  read(at: Va, length: number): Uint8Array {
    const into = new Uint8Array(checkLength(length));
    const fault = this.#fill(at, into);
    if (fault !== undefined) throw new MemoryError(fault.fault, fault.offset);
    return into;
  }

  /** As `read`, with `undefined` for a hole. */
  tryRead(at: Va, length: number): Uint8Array | undefined {
    const into = new Uint8Array(checkLength(length));
    return this.#fill(at, into) === undefined ? into : undefined;
  }

  /** Reads what there is of `length` bytes, and says what there is not. */
  readSparse(at: Va, length: number): SparseBytes {
    const bytes = new Uint8Array(checkLength(length));
    const holes: { offset: number; length: number; fault: MemoryFault }[] = [];
    this.readSparseInto(at, bytes, (offset, size, fault) => {
      const last = holes.at(-1);
      if (last !== undefined && last.offset + last.length === offset && last.fault.kind === fault.kind) {
        last.length += size;
      } else {
        holes.push({ offset, length: size, fault });
      }
    });
    return { start: at, bytes, holes };
  }

  /** Fills `into`, leaving each hole's bytes as they are and telling it to `hole`. */
  readSparseInto(
    at: Va,
    into: Uint8Array,
    hole: (offset: number, length: number, fault: MemoryFault) => void,
  ): void {
    let done = 0;
    while (done < into.length) {
      const stop = this.#fill(advance(at, done), into.subarray(done));
      if (stop === undefined) return;
      hole(done + stop.offset, stop.length, stop.fault);
      done += stop.offset + stop.length;
    }
  }

  /** What of `length` bytes can be read, without reading them. Merged, in order of address. */
  spans(at: Va, length: number): readonly Span[] {
    const spans: { start: Va; length: number; content: Origin | MemoryFault }[] = [];
    for (let done = 0; done < length; ) {
      const start = advance(at, done);
      const found = this.mapping.locate(start, length - done);
      const content = "fault" in found ? found.fault : found.origin;
      const size = Math.min(found.length, length - done);
      const last = spans.at(-1);
      if (last !== undefined && kindOf(last.content) === kindOf(content)) last.length += size;
      else spans.push({ start, length: size, content });
      done += size;
    }
    return spans;
  }

  /** How many of `length` bytes can be read. */
  readableBytes(at: Va, length: number): number {
    let readable = 0;
    for (let done = 0; done < length; ) {
      const found = this.mapping.locate(advance(at, done), length - done);
      const size = Math.min(found.length, length - done);
      if (!("fault" in found)) readable += size;
      done += size;
    }
    return readable;
  }

  /** @throws {MemoryError} it cannot be read, as all values below */
  readU8(at: Va): number {
    return this.#value(at, 1).getUint8(0);
  }

  readI8(at: Va): number {
    return this.#value(at, 1).getInt8(0);
  }

  /** Little-endian, as all values below. */
  readU16(at: Va): number {
    return this.#value(at, 2).getUint16(0, true);
  }

  readI16(at: Va): number {
    return this.#value(at, 2).getInt16(0, true);
  }

  readU32(at: Va): number {
    return this.#value(at, 4).getUint32(0, true);
  }

  readI32(at: Va): number {
    return this.#value(at, 4).getInt32(0, true);
  }

  readU64(at: Va): bigint {
    return this.#value(at, 8).getBigUint64(0, true);
  }

  readI64(at: Va): bigint {
    return this.#value(at, 8).getBigInt64(0, true);
  }

  /**
   * Text up to its zero.
   *
   * @param encoding of Windows' `CHAR` (one byte a character, as Latin-1 has it) or `WCHAR` texts
   * @param most characters that are read; a longer text is cut
   * @throws {MemoryError} the text leads into a hole
   */
  readText(at: Va, encoding: "ascii" | "utf-16", most = 1024): string {
    const size = encoding === "ascii" ? 1 : 2;
    const { bytes, holes } = this.readSparse(at, most * size);
    const [hole] = holes;
    const readable = hole === undefined ? bytes : bytes.subarray(0, hole.offset);
    const text = encoding === "ascii" ? asciiZ(readable) : utf16Z(readable);
    if (hole !== undefined && text.length * size + size > hole.offset)
      throw new MemoryError(hole.fault, hole.offset);
    return text;
  }

  /**
   * The text of a UNICODE_STRING: its length in bytes (16 bits), and the pointer to it behind that.
   *
   * @throws {MemoryError} it, or the text, cannot be read
   */
  readUnicodeString(at: Va): string {
    const length = this.readU16(at);
    return length === 0 ? "" : utf16Z(this.read(this.readPointer(advance(at, this.pointerSize)), length));
  }

  /**
   * Reads a pointer of the machine's size.
   *
   * @throws {MemoryError}
   */
  readPointer(at: Va): Va {
    return (this.pointerSize === 4 ? BigInt(this.readU32(at)) : this.readU64(at)) as Va;
  }

  tryReadU32(at: Va): number | undefined {
    return this.#fill(at, this.#wordBytes[4]) === undefined ? this.#word.getUint32(0, true) : undefined;
  }

  tryReadPointer(at: Va): Va | undefined {
    if (this.#fill(at, this.#wordBytes[this.pointerSize]) !== undefined) return undefined;
    const { pointerSize } = this;
    return (
      pointerSize === 4 ? BigInt(this.#word.getUint32(0, true)) : this.#word.getBigUint64(0, true)
    ) as Va;
  }

  /**
   * The address cut to the machine's width: KDBG holds 32-bit addresses sign-extended.
   *
   * @internal
   */
  narrow(address: bigint): Va {
    return (address & this.#mask) as Va;
  }

  #value(at: Va, size: 1 | 2 | 4 | 8): DataView {
    const fault = this.#fill(at, this.#wordBytes[size]);
    if (fault !== undefined) throw new MemoryError(fault.fault, fault.offset);
    return this.#word;
  }

  #fill(at: Va, into: Uint8Array): { fault: MemoryFault; offset: number; length: number } | undefined {
    let done = 0;
    while (done < into.length) {
      const found = this.mapping.locate(done === 0 ? at : advance(at, done), into.length - done);
      const size = Math.min(found.length, into.length - done);
      if ("fault" in found) return { fault: found.fault, offset: done, length: size };
      const part = size === into.length ? into : into.subarray(done, done + size);
      if (found.offset === undefined) part.fill(0);
      else if (found.source.read(found.offset, part) !== size) {
        throw new RangeError(
          `${found.source.name} ended inside a page that its mapping gave: it changed while open`,
        );
      }
      done += size;
    }
    return undefined;
  }
}

function kindOf(content: Origin | MemoryFault): string {
  return typeof content === "string" ? content : content.kind;
}

function checkLength(length: number): number {
  if (Number.isInteger(length) && length >= 0 && length <= MAX_READ) return length;
  throw new RangeError(`a read takes 0 to ${MAX_READ} bytes, not ${length}`);
}
