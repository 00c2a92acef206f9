import { Area, concat, utf16 } from "./bytes.mjs";
import { Frames } from "./frames.mjs";
import { PageTables } from "./page-tables.mjs";
import {
  demandZeroEntry,
  pagedOutEntry,
  prototypeEntry,
  SHAPES,
  subsectionEntry,
  transitionEntry,
  validEntry,
} from "./paging.mjs";

/**
 * @typedef {"valid" | "transition" | "paged-out" | "demand-zero" | "prototype" | "not-in-dump"} PageState
 * @typedef {{ state?: PageState, large?: boolean, scatter?: boolean, executable?: boolean, writable?: boolean, prototype?: PrototypeState }} MapOptions
 * @typedef {"absent" | "valid" | "transition" | "paged-out"} PrototypeState what the prototype PTE says; absent: the mapped file is not in memory
 * @typedef {{ state: PageState, frame: number | undefined, bytes: Uint8Array, large: boolean, executable: boolean, writable: boolean, prototype: PrototypeState, prototypeVa?: bigint, settled?: boolean }} Page settled: its entry is written
 */

const POOL = {
  32: { nonPaged: 0x89400000n, paged: 0xe1000000n, prototype: 0xe3000000n },
  64: { nonPaged: 0xffffbe0e40000000n, paged: 0xffffd70b10000000n, prototype: 0xffffd70f80000000n },
  /** Until Windows 8 kernel space had 8 TB. */
  8: { nonPaged: 0xfffffa8040000000n, paged: 0xfffff8a010000000n, prototype: 0xfffff8af80000000n },
};

/**
 * The memory of one machine: physical pages, real page tables over them, and a pool-like region.
 * Everything is addressed by virtual address; `pages()` gives the physical side.
 */
export class Machine {
  /** @type {Map<number, Uint8Array>} */ #physical = new Map();
  /** @type {Map<bigint, Page>} */ #virtual = new Map();
  /** @type {PageTables} */ #tables;
  /** @type {{ nonPaged: bigint, paged: bigint, prototype: bigint }} */ #pool;
  /** Pages whose entries are still to be written: a page that ends up outside memory never takes a frame. @type {Set<bigint>} */ #unsettled =
    new Set();
  #pageFileOffset = 0x1a00;

  /**
   * @param {{ mode: import("./paging.mjs").Mode, processors?: number, build?: number, physicalPages?: number, chunkFrames?: number, seed?: number, pteBase?: bigint }} options
   *   build: decides the layout of paged-out entries. pteBase: where the page tables see themselves.
   *   chunkFrames: pages that stand together physically, in shuffled order.
   */
  constructor({
    mode,
    processors = 1,
    build,
    physicalPages = 0x40000,
    chunkFrames = 64,
    seed = 2003,
    pteBase,
  }) {
    this.mode = mode;
    this.shape = SHAPES[mode];
    this.is64 = this.shape.is64;
    this.pointerSize = this.is64 ? 8 : 4;
    this.machineType = this.shape.machineType;
    this.processors = processors;
    this.build = build ?? (this.is64 ? 19041 : 3790);
    this.physicalPages = physicalPages;
    this.frames = new Frames({ physicalPages, chunkFrames, seed });
    this.#pool = { ...POOL[this.is64 ? (this.build < 9600 ? 8 : 64) : 32] };

    this.pteBase =
      pteBase ?? (mode === "x64-la57" ? 0xff68000000000000n : this.is64 ? 0xfffff68000000000n : 0xc0000000n);
    this.#tables = new PageTables({
      mode,
      physical: this.#physical,
      newFrame: () => this.#newFrame(),
      pteBase: this.pteBase,
    });
    /** CR3 or TTBR: the value for the dump header. */
    this.directoryTableBase = this.#tables.root;
  }

  #newFrame() {
    const pfn = this.frames.take();
    this.#physical.set(pfn, new Uint8Array(0x1000));
    return pfn;
  }

  #settleAll() {
    for (const number of this.#unsettled) {
      this.#unsettled.delete(number);
      const page = this.#virtual.get(number);
      if (page !== undefined) this.#settle(number << 12n, page);
    }
  }

  /** @param {bigint} va @param {Page} page */
  #settle(va, page) {
    const leaf = this.#tables.leaf;
    page.settled = true;
    if (page.frame !== undefined && !page.large) {
      if (this.#physical.delete(page.frame)) this.frames.release(page.frame);
      page.frame = undefined;
    }
    const inMemory = () => {
      page.frame = this.frames.take();
      this.#physical.set(page.frame, page.bytes);
      return page.frame;
    };
    switch (page.state) {
      case "valid":
        return this.#tables.setEntry(va, leaf, validEntry(this.mode, inMemory(), { ...page, large: false }));
      case "not-in-dump":
        page.frame = this.frames.takeAbsent();
        return this.#tables.setEntry(va, leaf, validEntry(this.mode, page.frame, { ...page, large: false }));
      case "transition":
        return this.#tables.setEntry(va, leaf, transitionEntry(inMemory()));
      case "demand-zero":
        return this.#tables.setEntry(va, leaf, demandZeroEntry());
      case "paged-out":
        return this.#tables.setEntry(va, leaf, this.#pagedOut());
      case "prototype": {
        page.prototypeVa ??= this.#prototypeSlot();
        const target =
          page.prototype === "valid"
            ? validEntry(this.mode, inMemory(), { ...page, large: false })
            : page.prototype === "transition"
              ? transitionEntry(inMemory())
              : page.prototype === "paged-out"
                ? this.#pagedOut()
                : subsectionEntry(this.mode, page.prototypeVa & ~0xfffn);
        if (this.shape.entrySize === 4) this.u32(page.prototypeVa, Number(target));
        else this.u64(page.prototypeVa, target);
        return this.#tables.setEntry(va, leaf, prototypeEntry(this.mode, page.prototypeVa));
      }
    }
  }

  #pagedOut() {
    this.#pageFileOffset += 3;
    return pagedOutEntry(this.mode, this.build, 0, this.#pageFileOffset);
  }

  #prototypeSlot() {
    const va = this.#pool.prototype;
    if (!this.#virtual.has(va >> 12n)) this.map(va & ~0xfffn, 0x1000, { executable: false });
    this.#pool.prototype += BigInt(this.shape.entrySize);
    return va;
  }

  /**
   * Maps whole pages around [va, va+length).
   * @param {bigint} va @param {number} length bytes @param {MapOptions} [options]
   *   large: one 2 MB page each (4 MB on x86 without PAE) over an aligned physical range; the pages
   *   outside [va, va+length) are mapped too, but are not in the dump. scatter: false gives one
   *   contiguous physical range.
   */
  map(
    va,
    length,
    {
      state = "valid",
      large = false,
      scatter = true,
      executable = true,
      writable = true,
      prototype = "absent",
    } = {},
  ) {
    const first = va >> 12n;
    const count = Number(((va + BigInt(length) + 0xfffn) >> 12n) - first);
    if (large) return this.#mapLarge(first, count, { executable, writable });
    const base = scatter || state !== "valid" ? undefined : this.frames.reserveRun(count);
    for (let i = 0; i < count; i++) {
      const number = first + BigInt(i);
      if (this.#virtual.has(number))
        throw new RangeError(`0x${(number << 12n).toString(16)} is mapped already`);
      /** @type {Page} */
      const page = {
        state,
        frame: undefined,
        bytes: new Uint8Array(0x1000),
        large: false,
        executable,
        writable,
        prototype,
      };
      this.#virtual.set(number, page);
      if (base === undefined) this.#unsettled.add(number);
      else {
        page.frame = base + i;
        page.settled = true;
        this.#physical.set(base + i, page.bytes);
        this.#tables.setEntry(
          number << 12n,
          this.#tables.leaf,
          validEntry(this.mode, base + i, { executable, writable, large: false }),
        );
      }
    }
  }

  /** @param {bigint} first @param {number} count @param {{ executable: boolean, writable: boolean }} how */
  #mapLarge(first, count, how) {
    const each = this.shape.largeSize / 0x1000;
    const start = (first / BigInt(each)) * BigInt(each);
    const end = first + BigInt(count);
    for (let block = start; block < end; block += BigInt(each)) {
      const base = this.frames.reserve(each, each);
      this.#tables.setEntry(
        block << 12n,
        this.shape.largeLevel,
        validEntry(this.mode, base, { ...how, large: true }),
      );
      for (let i = 0; i < each; i++) {
        const number = block + BigInt(i);
        if (this.#virtual.has(number))
          throw new RangeError(`0x${(number << 12n).toString(16)} is mapped already`);
        const present = number >= first && number < end;
        const bytes = new Uint8Array(present ? 0x1000 : 0);
        this.#virtual.set(number, {
          state: present ? "valid" : "not-in-dump",
          frame: base + i,
          bytes,
          large: true,
          ...how,
          prototype: "absent",
        });
        if (present) this.#physical.set(base + i, bytes);
      }
    }
  }

  /**
   * Changes what became of the pages of [va, va+length): their content leaves the dump or comes back.
   * Inside a large page only "valid" and "not-in-dump" are possible.
   * @param {bigint} va @param {number} length @param {PageState} state @param {PrototypeState} [prototype]
   */
  setState(va, length, state, prototype = "absent") {
    for (const [number, page] of this.#pagesOf(va, length)) {
      page.state = state;
      page.prototype = prototype;
      if (state === "demand-zero") page.bytes.fill(0);
      if (!page.large) this.#unsettled.add(number);
      else if (state === "not-in-dump") this.#physical.delete(/** @type {number} */ (page.frame));
      else if (state === "valid") {
        if (page.bytes.length === 0) page.bytes = new Uint8Array(0x1000);
        this.#physical.set(/** @type {number} */ (page.frame), page.bytes);
      } else throw new RangeError(`a large page cannot be ${state}`);
    }
  }

  /** Takes the mapping away altogether, as for a discarded section. @param {bigint} va @param {number} length */
  unmap(va, length) {
    for (const [number, page] of this.#pagesOf(va, length)) {
      if (page.large) throw new RangeError("part of a large page cannot be unmapped");
      if (page.frame !== undefined && this.#physical.delete(page.frame)) this.frames.release(page.frame);
      this.#unsettled.delete(number);
      if (page.settled === true) this.#tables.setEntry(number << 12n, this.#tables.leaf, 0n);
      this.#virtual.delete(number);
    }
  }

  /**
   * Maps the pages of [va, va+length) to those of `frames` in turn: much address space that takes few pages of memory.
   * They cannot be written to or read through `va`.
   * @param {bigint} va @param {number} length @param {readonly bigint[]} frames addresses that are mapped
   */
  alias(va, length, frames) {
    this.#settleAll();
    const entries = frames.map((at) => {
      const frame = this.#virtual.get(at >> 12n)?.frame;
      if (frame === undefined) throw new RangeError(`0x${at.toString(16)} has no page`);
      return validEntry(this.mode, frame, { executable: false, writable: true, large: false });
    });
    for (let i = 0; i * 0x1000 < length; i++) {
      const entry = /** @type {bigint} */ (entries[i % entries.length]);
      this.#tables.setEntry(va + BigInt(i) * 0x1000n, this.#tables.leaf, entry);
    }
  }

  /** @param {bigint} va */
  isMapped(va) {
    return this.#virtual.has(va >> 12n);
  }

  /** Whether a reader of the dump can get the page's bytes. @param {bigint} va */
  isReadable(va) {
    const page = this.#virtual.get(va >> 12n);
    this.#settleAll();
    return (
      page !== undefined &&
      (page.state === "demand-zero" || (page.frame !== undefined && this.#physical.has(page.frame)))
    );
  }

  /** @param {bigint} va @returns {bigint | undefined} the physical address, for pages that have one */
  physicalAddress(va) {
    this.#settleAll();
    const frame = this.#virtual.get(va >> 12n)?.frame;
    return frame === undefined ? undefined : BigInt(frame) * 0x1000n + (va & 0xfffn);
  }

  /** @param {bigint} va @param {number} length @returns {Generator<[bigint, Page]>} */
  *#pagesOf(va, length) {
    for (let number = va >> 12n; number << 12n < va + BigInt(length); number++) {
      const page = this.#virtual.get(number);
      if (page === undefined) throw new RangeError(`0x${(number << 12n).toString(16)} is not mapped`);
      yield [number, page];
    }
  }

  /** @param {bigint} va @param {number} length @param {(page: Page, pageOffset: number, offset: number, count: number) => void} visit */
  #eachPiece(va, length, visit) {
    for (let done = 0; done < length; ) {
      const at = va + BigInt(done);
      const page = this.#virtual.get(at >> 12n);
      if (page === undefined || page.bytes.length === 0)
        throw new RangeError(`0x${at.toString(16)} is not mapped`);
      const inPage = Number(at & 0xfffn);
      const count = Math.min(0x1000 - inPage, length - done);
      visit(page, inPage, done, count);
      done += count;
    }
  }

  /** Writes through the mapping. A page that is not in the dump keeps its bytes for `read` only. @param {bigint} va @param {Uint8Array} bytes */
  write(va, bytes) {
    this.#eachPiece(va, bytes.length, (page, inPage, done, count) => {
      if (page.state === "demand-zero")
        throw new RangeError(`0x${va.toString(16)} is demand-zero: nothing can be written there`);
      page.bytes.set(bytes.subarray(done, done + count), inPage);
    });
    return this;
  }

  /** @param {bigint} va @param {number} length @returns {Uint8Array} a copy */
  read(va, length) {
    const out = new Uint8Array(length);
    this.#eachPiece(va, length, (page, inPage, done, count) =>
      out.set(page.bytes.subarray(inPage, inPage + count), done),
    );
    return out;
  }

  /**
   * Room in a pool-like region, zeroed and mapped.
   * @param {number} length bytes @param {{ align?: number, paged?: boolean }} [options]
   * @returns {bigint} its address
   */
  allocate(length, { align = this.is64 ? 16 : 8, paged = false } = {}) {
    const region = paged ? "paged" : "nonPaged";
    const unit = BigInt(align);
    const va = ((this.#pool[region] + unit - 1n) / unit) * unit;
    this.#pool[region] = va + BigInt(length);
    for (let page = va >> 12n; page << 12n < va + BigInt(length); page++) {
      if (!this.#virtual.has(page)) this.map(page << 12n, 0x1000, { executable: false });
    }
    return va;
  }

  /** @param {bigint} va @param {number} value */
  u8(va, value) {
    return this.write(va, Uint8Array.of(value));
  }
  /** @param {bigint} va @param {number} value */
  u16(va, value) {
    return this.write(va, new Area(2).u16(0, value).bytes);
  }
  /** @param {bigint} va @param {number} value */
  u32(va, value) {
    return this.write(va, new Area(4).u32(0, value).bytes);
  }
  /** @param {bigint} va @param {bigint | number} value */
  u64(va, value) {
    return this.write(va, new Area(8).u64(0, value).bytes);
  }
  /** @param {bigint} va @param {bigint | number} value */
  pointer(va, value) {
    return this.is64 ? this.u64(va, value) : this.u32(va, Number(BigInt.asUintN(32, BigInt(value))));
  }
  /** @param {bigint} va */
  readU32(va) {
    return new Area(this.read(va, 4)).readU32(0);
  }
  /** @param {bigint} va */
  readPointer(va) {
    return this.is64 ? new Area(this.read(va, 8)).readU64(0) : BigInt(this.readU32(va));
  }

  /** Links entries into a circular LIST_ENTRY chain. @param {readonly bigint[]} links the head first */
  linkList(links) {
    links.forEach((va, i) => {
      this.pointer(va, /** @type {bigint} */ (links[(i + 1) % links.length]));
      this.pointer(
        va + BigInt(this.pointerSize),
        /** @type {bigint} */ (links[(i + links.length - 1) % links.length]),
      );
    });
  }

  /** Writes a UNICODE_STRING at `va`, its text in the pool. @param {bigint} va @param {string} text @param {bigint} [buffer] */
  unicodeString(va, text, buffer = this.allocate(text.length * 2 + 2, { align: 2 })) {
    this.write(buffer, concat(utf16(text), new Uint8Array(2)));
    this.u16(va, text.length * 2);
    this.u16(va + 2n, text.length * 2 + 2);
    return this.pointer(va + BigInt(this.pointerSize), buffer);
  }

  /** The physical pages that the dump holds, in ascending order of page number. @returns {Map<number, Uint8Array>} */
  pages() {
    this.#settleAll();
    return new Map([...this.#physical].sort(([a], [b]) => a - b));
  }

  /** The pages of `pages()`, and zero pages for what is unused in between, so that few runs cover them. @returns {Map<number, Uint8Array>} */
  pagesWithFiller() {
    this.#settleAll();
    const all = new Map(this.#physical);
    const zero = new Uint8Array(0x1000);
    for (const pfn of this.frames.free) if (!all.has(pfn)) all.set(pfn, zero);
    return new Map([...all].sort(([a], [b]) => a - b));
  }
}
