import { advance, type Va } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { FormatError, MemoryError, type MemoryFault } from "../core/errors.ts";
import { MAX_NAME_BYTES } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import { asciiZ } from "../core/text.ts";
import type { Stop } from "../core/walk.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** Why a table of an image ended early: a hole, a loop, a cap, or bytes that are no such table. */
export type TableStop = Stop | FormatError;

/** The fault or the format error in what was thrown; anything else is thrown on. */
export function toTableStop(error: unknown): MemoryFault | FormatError {
  if (error instanceof MemoryError) return error.fault;
  if (error instanceof FormatError) return error;
  throw error;
}

/** Headers, and most resource trees, are read piece by piece from one stretch of this length. */
const WINDOW = 0x800;

/** Reads one image by RVA, in memory and in files alike, and nothing outside of it. */
export class RvaReader {
  readonly space: AddressSpace;
  readonly base: Va;
  /** In bytes. */
  readonly size: number;
  readonly pointerSize: 4 | 8;
  /** Stands for the file in messages. */
  readonly label: string;
  /** The bytes that the last small read was cut from; `undefined` where a hole is among them. */
  #window: Uint8Array | undefined;
  #windowAt = -1;

  constructor(space: AddressSpace, base: Va, size: number, pointerSize: 4 | 8, label: string) {
    this.space = space;
    this.base = base;
    this.size = size;
    this.pointerSize = pointerSize;
    this.label = label;
  }

  /** @throws {MemoryError} a hole, or the end of the image */
  read(at: number, length: number): Uint8Array {
    const windowed = this.#fromWindow(at, length);
    if (windowed !== undefined) return windowed;
    const inside = this.#inside(at, length);
    const bytes = this.space.read(this.#va(at), inside);
    if (inside < length) throw new MemoryError(this.#outside(at + inside), inside);
    return bytes;
  }

  /** As `read`, as a view whose errors name the image and the RVA. */
  bytes(at: number, length: number): Bytes {
    return new Bytes(this.read(at, length), this.label, at);
  }

  /** What can be read of `length` bytes, cut at the end of the image. */
  table(at: number, length: number): SparseTable {
    const inside = this.#inside(at, length);
    const { bytes, holes } = this.space.readSparse(this.#va(at), inside);
    return new SparseTable(bytes, holes, this.#outside(at + inside), this.pointerSize);
  }

  /**
   * Text up to its zero.
   *
   * @throws {MemoryError} a hole before the zero
   * @throws {FormatError} no zero within `MAX_NAME_BYTES`
   */
  text(at: number, field: string): string {
    for (const length of [FIRST_TEXT_READ, MAX_NAME_BYTES]) {
      const table = this.table(at, length);
      const text = table.text(0);
      if (typeof text === "string") return text;
      if (text !== undefined) throw new MemoryError(text, 0);
      if (table.length < length) throw new MemoryError(this.#outside(at + table.length), table.length);
    }
    const found = `no zero in ${MAX_NAME_BYTES} bytes`;
    throw new FormatError({
      file: this.label,
      offset: at,
      field,
      expected: "text that ends in a zero",
      found,
    });
  }

  /** `undefined`: it is too long, or reaches over a window's end or into a hole. */
  #fromWindow(at: number, length: number): Uint8Array | undefined {
    const start = Math.floor(at / WINDOW) * WINDOW;
    if (at < 0 || at + length > Math.min(start + WINDOW, this.size)) return undefined;
    if (start !== this.#windowAt) {
      this.#window = this.space.tryRead(this.#va(start), WINDOW);
      this.#windowAt = start;
    }
    return this.#window?.slice(at - start, at - start + length);
  }

  #inside(at: number, length: number): number {
    return Math.max(0, Math.min(length, this.size - at));
  }

  #va(at: number): Va {
    return advance(this.base, at);
  }

  #outside(at: number): MemoryFault {
    return { kind: "not-mapped", va: this.#va(at), level: "section" };
  }
}

/** Most names are shorter; one read of a page's part is as fast as a read of eight bytes. */
const FIRST_TEXT_READ = 128;

/** Bytes with holes, asked one value at a time: `undefined` where a byte of the value is missing. */
export class SparseTable {
  readonly bytes: Uint8Array;
  readonly holes: readonly {
    readonly offset: number;
    readonly length: number;
    readonly fault: MemoryFault;
  }[];
  readonly #view: DataView;
  readonly #end: MemoryFault;
  readonly #pointerSize: 4 | 8;

  constructor(
    bytes: Uint8Array,
    holes: readonly { readonly offset: number; readonly length: number; readonly fault: MemoryFault }[],
    end: MemoryFault,
    pointerSize: 4 | 8,
  ) {
    this.bytes = bytes;
    this.holes = holes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = end;
    this.#pointerSize = pointerSize;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Why the `length` bytes from `at` are not all there. */
  fault(at: number, length: number): MemoryFault | undefined {
    const { holes } = this;
    const hole =
      holes[upperBound(holes.length, at, (i) => (holes[i]?.offset ?? 0) + (holes[i]?.length ?? 0))];
    if (hole !== undefined && hole.offset < at + length) return hole.fault;
    return at + length > this.bytes.length ? this.#end : undefined;
  }

  u16(at: number): number | undefined {
    return this.fault(at, 2) === undefined ? this.#view.getUint16(at, true) : undefined;
  }

  u32(at: number): number | undefined {
    return this.fault(at, 4) === undefined ? this.#view.getUint32(at, true) : undefined;
  }

  pointer(at: number): Va | undefined {
    if (this.fault(at, this.#pointerSize) !== undefined) return undefined;
    if (this.#pointerSize === 4) return BigInt(this.#view.getUint32(at, true)) as Va;
    return this.#view.getBigUint64(at, true) as Va;
  }

  /** Text from `at` to its zero; the fault before it; `undefined` where neither comes in `MAX_NAME_BYTES`. */
  text(at: number): string | MemoryFault | undefined {
    const rest = this.bytes.subarray(at, at + MAX_NAME_BYTES);
    const zero = rest.indexOf(0);
    const length = zero === -1 ? rest.length : zero + 1;
    const fault = this.fault(at, length);
    if (fault !== undefined) return fault;
    return zero === -1 ? undefined : asciiZ(rest.subarray(0, length));
  }
}
