import { PAGE_SIZE, type Pa } from "../core/address.ts";
import { MAX_READ } from "../core/limits.ts";
import { DAMAGED, type PageMap, TRUNCATED } from "../dump/page-map.ts";
import type { ByteSource } from "../source/source.ts";

/** Physical memory with its holes: `bytes` is zero where nothing could be read. */
export interface PhysicalBytes {
  readonly start: Pa;
  readonly bytes: Uint8Array;
  /** In order of address. `not-in-dump`: never written to the dump; `truncated`: past the end of the file; `damaged`: packed, and cannot be unpacked. */
  readonly holes: readonly {
    readonly offset: number;
    readonly length: number;
    readonly kind: "not-in-dump" | "truncated" | "damaged";
  }[];
}

/** Pages that stand together. */
export interface PhysicalPages {
  /** The first page's number: its address by 4,096. */
  readonly pfn: number;
  /** In pages. */
  readonly count: number;
}

/** A machine's physical memory, as far as a dump holds it. */
export class PhysicalSpace {
  readonly #source: ByteSource;
  readonly #pages: PageMap;

  /** @internal */
  constructor(source: ByteSource, pages: PageMap) {
    this.#source = source;
    this.#pages = pages;
  }

  /** Pages of 4,096 bytes that can be read, and those that the dump claims to hold and the file ends before. */
  get pages(): { readonly present: number; readonly missing: number } {
    const { present, missing } = this.#pages;
    return { present, missing };
  }

  /** The pages that the dump claims to hold, in order; those that are missing are among them. */
  *runs(): IterableIterator<PhysicalPages> {
    for (const { pfn, count } of this.#pages.runs()) yield { pfn, count };
  }

  /** Whether a page can be read. */
  has(pfn: number): boolean {
    return this.#pages.locate(pfn) >= 0;
  }

  /**
   * Reads what there is of `length` bytes, and says what there is not.
   *
   * @param at a physical address, from 0 on
   * @throws {RangeError} more than 1 GB at once, or no physical address
   */
  read(at: number, length: number): PhysicalBytes {
    if (!(Number.isInteger(length) && length >= 0 && length <= MAX_READ))
      throw new RangeError(`a read takes 0 to ${MAX_READ} bytes, not ${length}`);
    if (!(Number.isInteger(at) && at >= 0 && at + length <= MOST))
      throw new RangeError(`no physical address: ${String(at)}`);
    const bytes = new Uint8Array(length);
    const holes: { offset: number; length: number; kind: PhysicalBytes["holes"][number]["kind"] }[] = [];
    for (let done = 0; done < length; ) {
      const address = at + done;
      const inPage = address % PAGE_SIZE;
      const part = Math.min(PAGE_SIZE - inPage, length - done);
      const offset = this.#pages.locate(Math.floor(address / PAGE_SIZE));
      if (offset >= 0) this.#source.read(offset + inPage, bytes.subarray(done, done + part));
      else {
        const kind = KINDS[offset] ?? "not-in-dump";
        const last = holes.at(-1);
        if (last !== undefined && last.kind === kind && last.offset + last.length === done)
          last.length += part;
        else holes.push({ offset: done, length: part, kind });
      }
      done += part;
    }
    return { start: at as Pa, bytes, holes };
  }
}

/** Processors have at most 52 bits of physical address. */
const MOST = 2 ** 52;
const KINDS: Readonly<Record<number, "truncated" | "damaged">> = {
  [TRUNCATED]: "truncated",
  [DAMAGED]: "damaged",
};
