import { FormatError } from "../core/errors.ts";
import { type ByteSource, checkOffset } from "./source.ts";

/** Pieces of a file, each packed for itself. */
export interface PackedPieces {
  readonly count: number;
  /** Bytes of the largest piece when it is unpacked. */
  readonly size: number;
  /**
   * Unpacks one.
   *
   * @param into `size` zeros; what a smaller piece leaves is read by nobody
   * @throws {FormatError} it is broken
   */
  unpack(piece: number, into: Uint8Array): void;
}

/** Unpacked bytes that are kept: the pages of one image lie scattered over many pieces. */
const KEPT_BYTES = 16 * 0x10_0000;
const UNKNOWN = 0;
const WHOLE = 1;
const BROKEN = 2;

/**
 * What a file with packed pieces unpacks to, each piece when it is asked for. Piece `n` stands at `n * size`, and the
 * last ones that were read are kept.
 */
export class UnpackedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: ByteSource;
  readonly #pieces: PackedPieces;
  readonly #states: Uint8Array;
  /** By piece; the one used last stands last. */
  readonly #kept = new Map<number, Uint8Array>();
  readonly #keep: number;
  #tried = 0;
  #broken = 0;
  #problem: FormatError | undefined;

  /** @param file what the pieces are in; closed with this source */
  constructor(file: ByteSource, pieces: PackedPieces) {
    this.name = file.name;
    this.size = pieces.count * pieces.size;
    this.#file = file;
    this.#pieces = pieces;
    this.#states = new Uint8Array(pieces.count);
    this.#keep = Math.max(1, Math.floor(KEPT_BYTES / pieces.size));
  }

  /** What is wrong with pieces that were asked for; `undefined` where none of them was broken. */
  get broken(): { readonly count: number; readonly of: number; readonly first: FormatError } | undefined {
    if (this.#problem === undefined) return undefined;
    return { count: this.#broken, of: this.#tried, first: this.#problem };
  }

  /** Whether the piece around an offset can be unpacked. */
  isWhole(offset: number): boolean {
    const piece = Math.floor(offset / this.#pieces.size);
    if (this.#states[piece] === UNKNOWN) this.#try(piece);
    return this.#states[piece] === WHOLE;
  }

  /**
   * @throws {FormatError} a piece of it is broken: ask `isWhole` first
   * @throws {RangeError} `offset` is no offset
   */
  read(offset: number, into: Uint8Array): number {
    const { size } = this.#pieces;
    const want = Math.max(0, Math.min(into.length, this.size - checkOffset(offset)));
    for (let done = 0; done < want; ) {
      const piece = Math.floor((offset + done) / size);
      const start = offset + done - piece * size;
      const length = Math.min(want - done, size - start);
      into.set(this.#unpacked(piece).subarray(start, start + length), done);
      done += length;
    }
    return want;
  }

  [Symbol.dispose](): void {
    this.#kept.clear();
    this.#file[Symbol.dispose]();
  }

  #try(piece: number): void {
    this.#tried++;
    try {
      this.#unpacked(piece);
      this.#states[piece] = WHOLE;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#states[piece] = BROKEN;
      this.#broken++;
      this.#problem ??= error;
    }
  }

  #unpacked(piece: number): Uint8Array {
    const known = this.#kept.get(piece);
    if (known !== undefined) {
      this.#kept.delete(piece);
      this.#kept.set(piece, known);
      return known;
    }
    const bytes = this.#room();
    this.#pieces.unpack(piece, bytes);
    this.#kept.set(piece, bytes);
    return bytes;
  }

  /** Zeros; those of the piece that was used longest ago where the room is full. */
  #room(): Uint8Array {
    const [oldest] = this.#kept;
    if (oldest === undefined || this.#kept.size < this.#keep) return new Uint8Array(this.#pieces.size);
    this.#kept.delete(oldest[0]);
    return oldest[1].fill(0);
  }
}
