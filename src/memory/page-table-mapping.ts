import { PAGE_SIZE, type Pa, pa, type Va, va } from "../core/address.ts";
import type { MemoryFault, PageLevel } from "../core/errors.ts";
import { DAMAGED, NOT_IN_DUMP } from "../dump/page-map.ts";
import type { Extent, Hole, Mapping } from "./mapping.ts";
import type { EntryKind, PageFormat } from "./page-format.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** Page numbers are split here, so that each level's index comes out of 32-bit arithmetic. */
const SPLIT_BITS = 27;
const SPLIT = 2 ** SPLIT_BITS;

/** A level, prepared for the walk. */
interface Step {
  readonly name: PageLevel;
  /** Pages that one entry covers. */
  readonly pages: number;
  readonly entries: number;
  /** The index stands in the page number's upper part. */
  readonly upper: boolean;
  readonly shift: number;
}

/** Virtual addresses through page tables in a dump. */
export class PageTableMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly format: PageFormat;
  /** Where the root table stands. */
  readonly root: Pa;
  readonly #memory: PhysicalMemory;
  readonly #steps: readonly Step[];
  /** Pages that can be addressed: of the whole space in 32 bits, of each half in 64. */
  readonly #halfPages: number;
  /** The highest translated bit and those above it, in an address of the upper half. */
  readonly #ones: number;
  /** The translated bits of an address's upper 32. */
  readonly #highMask: number;
  readonly #rootPage: number;
  readonly #rootStart: number;

  /** An address on its way from bigint to its two halves, without a bigint operation. */
  readonly #door = new BigUint64Array(1);
  readonly #doorHalves = new Uint32Array(this.#door.buffer);

  /** The last-level table that was walked to last, and which one of all it is: most reads stay in it. */
  #walkedRegion = -1;
  #walkedTable = 0;
  #walkedOffset = 0;

  // What the last resolution found: a walk allocates nothing.
  /** `undefined`: the page is in the dump, at `#offset`. */
  #fault: MemoryFault["kind"] | undefined;
  /** The level whose entry, or whose table, is the reason for the fault. */
  #level: PageLevel | undefined;
  /** The page, or the table that is missing. */
  #page = 0;
  #offset = 0;
  /** Pages from the one asked for on that resolve alike. */
  #run = 0;
  /** The page that was resolved last, where that ended a stretch: who reads on asks for it next. */
  #ahead = -1;

  /** @param directoryTableBase as the header, the register or the process holds it, with its flag bits */
  constructor(memory: PhysicalMemory, format: PageFormat, directoryTableBase: bigint) {
    this.pointerSize = format.pointerSize;
    this.format = format;
    this.root = format.root(directoryTableBase);
    this.#memory = memory;
    this.#rootPage = Math.floor(this.root / PAGE_SIZE);
    this.#rootStart = this.root % PAGE_SIZE;
    this.#halfPages = 2 ** (format.addressBits - 12 - (format.pointerSize === 8 ? 1 : 0));
    this.#highMask = 2 ** (format.addressBits - 32) - 1;
    this.#ones = 2 ** (65 - format.addressBits) - 1;
    this.#steps = format.levels.map(({ name, shift, bits }) => {
      const upper = shift - 12 >= SPLIT_BITS;
      const indexShift = upper ? shift - 12 - SPLIT_BITS : shift - 12;
      return { name, pages: 2 ** (shift - 12), entries: 2 ** bits, upper, shift: indexShift };
    });
  }

  locate(at: Va, want: number): Extent | Hole {
    const first = this.#pageIndex(at);
    if (first === undefined) return this.#notCanonical(at, want);
    const before = (this.#doorHalves[0] as number) & 0xfff;
    const limit = Math.min(Math.ceil((before + want) / PAGE_SIZE), this.#pagesToEnd(first));
    if (first !== this.#ahead) this.#resolve(first, limit, true);
    this.#ahead = -1;
    let run = this.#run;
    if (this.#fault === undefined) {
      const offset = this.#offset;
      while (run < limit) {
        this.#resolve(first + run, limit - run, true);
        if (this.#fault !== undefined || this.#offset !== offset + run * PAGE_SIZE) {
          this.#ahead = first + run;
          break;
        }
        run += this.#run;
      }
      const length = Math.min(want, run * PAGE_SIZE - before);
      return { source: this.#memory.source, offset: offset + before, length, origin: "dump" };
    }
    const fault = this.#faultAt(at);
    const level = this.#level;
    while (run < limit) {
      this.#resolve(first + run, limit - run, true);
      if (this.#fault !== fault.kind || this.#level !== level) {
        this.#ahead = first + run;
        break;
      }
      run += this.#run;
    }
    return { fault, length: Math.min(want, run * PAGE_SIZE - before) };
  }

  /** The number of the page within the bits that are translated, or `undefined` for no address of this machine. */
  #pageIndex(at: Va): number | undefined {
    const { addressBits, ignoresHighBits } = this.format;
    this.#door[0] = at;
    const low = this.#doorHalves[0] as number;
    const high = this.#doorHalves[1] as number;
    if (addressBits === 32) return high === 0 ? low >>> 12 : undefined;
    const repeated = high >>> (addressBits - 33);
    const upper = repeated & 1;
    const half = ignoresHighBits ? (high >>> 23) & 1 : repeated === 0 ? 0 : repeated === this.#ones ? 1 : -1;
    if (upper !== half) return undefined;
    return (high & this.#highMask) * 0x100000 + (low >>> 12);
  }

  #pagesToEnd(first: number): number {
    return first < this.#halfPages ? this.#halfPages - first : 2 * this.#halfPages - first;
  }

  #notCanonical(at: Va, want: number): Hole {
    const fault: MemoryFault = { kind: "not-canonical", va: at };
    if (this.pointerSize === 4) return { fault, length: want };
    const size = BigInt(this.#halfPages) << 12n;
    return { fault, length: Math.min(want, Number(size - (at % size))) };
  }

  /** Finds `page` and as many of the `max` pages from it on as one table answers for in the same way. */
  #resolve(page: number, max: number, followPrototype: boolean): void {
    const { format } = this;
    const { source, pages } = this.#memory;
    const upper = Math.floor(page / SPLIT);
    const lower = page - upper * SPLIT;
    const last = this.#steps.length - 1;
    const region = Math.floor(page / (this.#steps[last] as Step).entries);
    const walked = region === this.#walkedRegion;
    let table = walked ? this.#walkedTable : this.#rootPage;
    let tableOffset = walked ? this.#walkedOffset : pages.locate(table);
    let start = walked ? 0 : this.#rootStart;
    for (let level = walked ? last : 0; ; level++) {
      const step = this.#steps[level] as Step;
      const index = ((step.upper ? upper : lower) >>> step.shift) & (step.entries - 1);
      const at = tableOffset + start + index * format.entrySize;
      const low = tableOffset < 0 ? -1 : source.u32At(at);
      const high = low < 0 || format.entrySize === 4 ? 0 : source.u32At(at + 4);
      const rest = (step.upper ? upper : lower) & ((1 << step.shift) - 1);
      const within = step.upper ? rest * SPLIT + lower : rest;
      if (low < 0 || high < 0) {
        this.#page = table;
        this.#fail(absence(tableOffset), step.name);
        this.#run = Math.min(max, (step.entries - index) * step.pages - within);
        return;
      }
      const kind = format.entryKind(low, high, level);
      if (kind === "next" || kind === "transition") {
        table = this.#target(kind, low, high);
        if (level === last) {
          this.#settle(table, 1);
          this.#extendPages(at, Math.min(max, step.entries - index));
          return;
        }
        tableOffset = pages.locate(table);
        start = 0;
        if (level === last - 1) {
          this.#walkedRegion = region;
          this.#walkedTable = table;
          this.#walkedOffset = tableOffset;
        }
        continue;
      }
      if (kind === "large") {
        this.#settle(format.largePage(low, high, level) + within, Math.min(max, step.pages - within));
        return;
      }
      const follow = kind === "prototype" && level === last && followPrototype;
      const fault = follow ? this.#resolvePrototype(low, high) : kind;
      if (fault === undefined) return;
      this.#fail(fault, step.name);
      this.#run = Math.min(max, step.pages - within);
      if (!follow) this.#extendHole(kind, at, level, step.entries - index, max);
      return;
    }
  }

  #target(kind: "next" | "transition", low: number, high: number): number {
    if (kind === "next") return this.format.nextPage(low, high);
    return this.format.transitionPage(low, high, this.#memory.pages.highestPfn);
  }

  #fail(fault: MemoryFault["kind"], level: PageLevel | undefined): void {
    this.#fault = fault;
    this.#level = level;
  }

  /** Records where `page` stands in the file, and for how many of `max` consecutive pages that goes on. */
  #settle(page: number, max: number): void {
    const { pages } = this.#memory;
    const offset = pages.locate(page);
    this.#page = page;
    this.#offset = offset;
    this.#run = 1;
    this.#fail(absence(offset), undefined);
    if (offset >= 0) {
      this.#fault = undefined;
      if (max > 1) this.#run = Math.max(1, pages.runLength(page, max));
      return;
    }
    while (this.#run < max && pages.locate(page + this.#run) === offset) this.#run++;
  }

  /** After the page of the entry at `at` was settled: how many of the next entries' pages follow it in the file. */
  #extendPages(at: number, max: number): void {
    if (max <= 1) return;
    const { format } = this;
    const { source, pages } = this.#memory;
    const words = format.entrySize / 4;
    const entries = source.wordsAt(at, max * words);
    const level = this.#steps.length - 1;
    const present = this.#fault === undefined;
    const step = present ? PAGE_SIZE : 0;
    let last = this.#page;
    let lastLow = entries[0] as number;
    let lastHigh = words === 1 ? 0 : (entries[1] as number);
    /** Up to here the next page's number is proof enough: pages that follow in memory follow in the file. */
    let together = present ? pages.runLength(last, max) : 0;
    for (; this.#run < max; this.#run++) {
      const low = entries[this.#run * words] as number;
      const high = words === 1 ? 0 : (entries[this.#run * words + 1] as number);
      let page = last + 1;
      // most entries are the one before them, one page further
      if (low !== lastLow + PAGE_SIZE || high !== lastHigh) {
        const kind = format.entryKind(low, high, level);
        if (kind !== "next" && kind !== "transition") return;
        page = this.#target(kind, low, high);
      }
      if (page !== last + 1 || this.#run >= together) {
        if (pages.locate(page) !== this.#offset + this.#run * step) return;
        if (present) together = this.#run + pages.runLength(page, max - this.#run);
      }
      last = page;
      lastLow = low;
      lastHigh = high;
    }
  }

  /** After a hole of `kind` at the entry at `at`: how far the next entries of its table say the same. */
  #extendHole(kind: EntryKind, at: number, level: number, entries: number, max: number): void {
    const { format } = this;
    const { source } = this.#memory;
    const step = this.#steps[level] as Step;
    for (let entry = 1; entry < entries && this.#run < max; entry++) {
      const next = at + entry * format.entrySize;
      const high = format.entrySize === 4 ? 0 : source.u32At(next + 4) >>> 0;
      if (format.entryKind(source.u32At(next) >>> 0, high, level) !== kind) return;
      this.#run = Math.min(max, this.#run + step.pages);
    }
  }

  /**
   * Follows a prototype entry, one level deep: a prototype of a prototype leads nowhere.
   *
   * @returns why there is no page, or `undefined` when it was settled
   */
  #resolvePrototype(low: number, high: number): MemoryFault["kind"] | undefined {
    const { format } = this;
    const address = format.prototypeAddress(low, high);
    const page = address === undefined ? undefined : this.#pageIndex(va(address));
    if (address === undefined || page === undefined) return "prototype";
    const within = Number(address & 0xfffn);
    this.#resolve(page, 1, false);
    if (this.#fault !== undefined || within % format.entrySize !== 0) return "prototype";
    const at = this.#offset + within;
    const entryLow = this.#memory.source.u32At(at);
    const entryHigh = format.entrySize === 4 ? 0 : this.#memory.source.u32At(at + 4);
    if (entryLow < 0 || entryHigh < 0) return "prototype";
    const kind = format.entryKind(entryLow, entryHigh, this.#steps.length - 1);
    if (kind === "next" || kind === "transition") {
      this.#settle(this.#target(kind, entryLow, entryHigh), 1);
      return undefined;
    }
    return kind === "paged-out" || kind === "demand-zero" ? kind : "prototype";
  }

  /** The fault of the last resolution. */
  #faultAt(at: Va): MemoryFault {
    const kind = this.#fault;
    const level = this.#level ?? "PTE";
    if (kind === "not-in-dump" || kind === "truncated" || kind === "damaged") {
      const address = pa(this.#page * PAGE_SIZE);
      return this.#level === undefined ? { kind, va: at, pa: address } : { kind, va: at, pa: address, level };
    }
    if (kind === "paged-out") return { kind, va: at, level };
    if (kind === "demand-zero") return { kind, va: at, level };
    return kind === "prototype" ? { kind, va: at, level } : { kind: "not-mapped", va: at, level };
  }
}

/** Why the page map has no offset; of an offset that the file ends before, `truncated`. */
function absence(offset: number): "not-in-dump" | "truncated" | "damaged" {
  if (offset === NOT_IN_DUMP) return "not-in-dump";
  return offset === DAMAGED ? "damaged" : "truncated";
}
