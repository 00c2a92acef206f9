import { PAGE_SIZE } from "../core/address.ts";
import { F64List } from "../core/f64-list.ts";
import {
  MAX_PACKED_PIECES,
  MAX_PAGE_RANGES,
  MAX_PFN,
  MAX_UNPACK_RATIO,
  MIN_UNPACK_BYTES,
} from "../core/limits.ts";
import { NOT_IN_DUMP } from "./page-map.ts";
import { RunMap, type RunTable } from "./run-map.ts";

/** Pages of a piece: all hibernation files pack 16 at most. */
export const PIECE_PAGES = 16;
/** Bytes of a piece when it is unpacked; the next one stands so far behind it. */
export const PIECE_SIZE: number = PIECE_PAGES * PAGE_SIZE;

/** How a chain of packed pieces ended: as it should, at the end of the file, at what is no such piece, at a limit. */
export interface ChainEnd {
  readonly why: "complete" | "cut-off" | "no-set" | "limit";
  /** Where, in the file. */
  readonly at: number;
  /** Pages of its pieces. */
  readonly pages: number;
}

/** Where the packed pieces of a hibernation file stand, and which pages are in each. */
export class PieceIndex {
  /** Pages that were named and are outside every physical address. */
  outside = 0;
  readonly #offsets = new F64List();
  readonly #pfns = new F64List();
  readonly #counts = new F64List();
  readonly #unpackedOffsets = new F64List();
  /** Of the last piece. */
  #pages = 0;
  #room: number;
  #preferred: RunMap | undefined;

  /** @param fileSize bytes of the file that the pieces are in */
  constructor(fileSize: number) {
    this.#room = Math.max(MIN_UNPACK_BYTES, fileSize * MAX_UNPACK_RATIO) / PAGE_SIZE;
  }

  get count(): number {
    return this.#offsets.length;
  }

  get full(): boolean {
    return (
      this.#room <= 0 || this.count >= MAX_PACKED_PIECES || this.#pfns.length + PIECE_PAGES > MAX_PAGE_RANGES
    );
  }

  /** Where a piece stands in the file. */
  offsetOf(piece: number): number {
    return this.#offsets.at(piece);
  }

  /** The next piece; its pages follow. */
  addPiece(fileOffset: number): void {
    this.#offsets.push(fileOffset);
    this.#pages = 0;
  }

  /** Where the pages stand in what the pieces unpack to. */
  get runs(): RunTable {
    return {
      pfns: this.#pfns.items,
      counts: this.#counts.items,
      fileOffsets: this.#unpackedOffsets.items,
    };
  }

  /** From here on a page that was named before stays where it is. */
  preferKnown(): void {
    this.#preferred = new RunMap(this.runs, this.count * PIECE_SIZE);
  }

  /** The next pages of the last piece. */
  addPages(pfn: number, count: number): void {
    const offset = (this.count - 1) * PIECE_SIZE + this.#pages * PAGE_SIZE;
    this.#pages += count;
    this.#room -= count;
    if (pfn + count > MAX_PFN) this.outside += count;
    else if (this.#preferred === undefined) this.#addRun(pfn, count, offset);
    else {
      for (let i = 0; i < count; i++) {
        if (this.#preferred.locate(pfn + i) !== NOT_IN_DUMP) continue;
        this.#addRun(pfn + i, 1, offset + i * PAGE_SIZE);
      }
    }
  }

  #addRun(pfn: number, count: number, offset: number): void {
    const last = this.#pfns.length - 1;
    const follows =
      last >= 0 &&
      this.#pfns.at(last) + this.#counts.at(last) === pfn &&
      this.#unpackedOffsets.at(last) + this.#counts.at(last) * PAGE_SIZE === offset;
    if (follows) {
      this.#counts.set(last, this.#counts.at(last) + count);
      return;
    }
    this.#pfns.push(pfn);
    this.#counts.push(count);
    this.#unpackedOffsets.push(offset);
  }
}
