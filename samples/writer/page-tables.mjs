import { Area } from "./bytes.mjs";
import { SHAPES, tableEntry } from "./paging.mjs";

/** The page tables of one address space, written into physical pages as they are needed. */
export class PageTables {
  /** @type {Map<number, Uint8Array>} */ #physical;
  #newFrame;

  /**
   * @param {{ mode: import("./paging.mjs").Mode, physical: Map<number, Uint8Array>, newFrame: () => number, pteBase: bigint }} options
   *   newFrame: takes a zeroed page. pteBase: where the tables see themselves.
   */
  constructor({ mode, physical, newFrame, pteBase }) {
    this.mode = mode;
    this.shape = SHAPES[mode];
    this.#physical = physical;
    this.#newFrame = newFrame;
    this.rootFrame = newFrame();
    // a PAE root is 32 bytes anywhere in a page
    this.rootOffset = mode === "pae" ? 0x3a0 : 0;
    this.#selfMap(pteBase);
  }

  /** The physical address of the root: CR3 or TTBR. */
  get root() {
    return BigInt(this.rootFrame) * 0x1000n + BigInt(this.rootOffset);
  }

  /** The level of 4 KB pages. */
  get leaf() {
    return this.shape.levels.length - 1;
  }

  /** @param {bigint} pteBase */
  #selfMap(pteBase) {
    if (this.mode === "pae") {
      const directories = [0, 1, 2, 3].map((i) => this.#child(this.rootFrame, this.rootOffset, 0, i));
      for (const [i, pfn] of directories.entries())
        this.#set(/** @type {number} */ (directories[3]), 0, i, tableEntry(this.mode, 1, pfn));
      return;
    }
    const top = /** @type {import("./paging.mjs").Level} */ (this.shape.levels[0]);
    const index = this.mode === "x86" ? 0x300 : Number((pteBase >> top.shift) & 0x1ffn);
    this.#set(this.rootFrame, 0, index, tableEntry(this.mode, 0, this.rootFrame));
  }

  /** @param {number} table @param {number} offset @param {number} index */
  #place(table, offset, index) {
    const area = new Area(/** @type {Uint8Array} */ (this.#physical.get(table)));
    return { area, at: offset + index * this.shape.entrySize };
  }

  /** @param {number} table @param {number} offset @param {number} index @param {bigint} value */
  #set(table, offset, index, value) {
    const { area, at } = this.#place(table, offset, index);
    if (this.shape.entrySize === 4) area.u32(at, Number(value));
    else area.u64(at, value);
  }

  /** @param {number} table @param {number} offset @param {number} level @param {number} index @returns {number} */
  #child(table, offset, level, index) {
    const { area, at } = this.#place(table, offset, index);
    const entry = this.shape.entrySize === 4 ? BigInt(area.readU32(at)) : area.readU64(at);
    if (entry !== 0n) {
      const isBlock = this.mode === "arm64" ? (entry & 2n) === 0n : (entry & 0x80n) !== 0n;
      if (level === this.shape.largeLevel && isBlock)
        throw new RangeError("a large page stands here already");
      return Number((entry & 0x000ffffffffff000n) >> 12n);
    }
    const child = this.#newFrame();
    this.#set(table, offset, index, tableEntry(this.mode, level, child));
    return child;
  }

  /** Writes the entry that maps `va` at a level, making the tables above it. @param {bigint} va @param {number} leaf @param {bigint} value */
  setEntry(va, leaf, value) {
    let table = this.rootFrame;
    let offset = this.rootOffset;
    for (let level = 0; level <= leaf; level++) {
      const { shift, bits } = /** @type {import("./paging.mjs").Level} */ (this.shape.levels[level]);
      const index = Number((va >> shift) & ((1n << BigInt(bits)) - 1n));
      if (level === leaf) this.#set(table, offset, index, value);
      else {
        table = this.#child(table, offset, level, index);
        offset = 0;
      }
    }
  }
}
