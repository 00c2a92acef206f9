import { advance, PAGE_SIZE, type Va } from "../../core/address.ts";
import { MAX_OBJECTS_SEEN } from "../../core/limits.ts";
import type { ModuleMap } from "../../core/module-map.ts";
import { type Block, parseBlockHeader, parsePoolPage } from "../../pool/blocks.ts";
import type { PoolKernel } from "../../pool/pool-kernel.ts";
import { printableCount, tableKey } from "../../pool/tag.ts";
import type { ContentModule, StepPointer } from "./block-contents.ts";

/** A pointer into an image that an object holds, or the driver object that it names. */
export interface ObjectPointer<M> {
  readonly module: M;
  readonly through: Va;
  readonly target: Va;
  readonly by: Exclude<StepPointer["by"], "list">;
}

/** Of an object: callbacks and tables of functions stand at its start. */
const OBJECT_BYTES = 0x80;
/** Where the end of the object is not known. */
const SHORT_BYTES = 0x40;
/** How far before an object its block may begin: headers of objects take up to 0x70 bytes. */
const MOST_BEFORE = 0x100;
const PAGES_KEPT = 512;

/** DEVICE_OBJECT and DRIVER_OBJECT as wdm.h has them, by pointer size: their kinds, sizes and fields. */
const DEVICE = { type: 3, size: { 4: 0xb8, 8: 0x150 }, driverObject: 8 } as const;
const DRIVER = { type: 4, size: { 4: 0xa8, 8: 0x150 }, driverStart: { 4: 0xc, 8: 0x18 } } as const;

/** Looks at what pointers lead to, one step and no further; each object once. */
export class PoolObjects<M extends ContentModule> {
  /** There were more objects than are looked at. */
  cut = false;
  readonly #kernel: PoolKernel;
  readonly #images: ModuleMap<M>;
  readonly #key: number;
  readonly #seen = new Map<bigint, readonly ObjectPointer<M>[]>();
  readonly #pages = new Map<bigint, Page | undefined>();

  /** @param key of the tag whose blocks these are: another block of it is no step further */
  constructor(kernel: PoolKernel, images: ModuleMap<M>, key: number) {
    this.#kernel = kernel;
    this.#images = images;
    this.#key = tableKey(key);
  }

  /** What an object leads to, from `target` on. */
  at(target: Va): readonly ObjectPointer<M>[] {
    const known = this.#seen.get(target);
    if (known !== undefined) return known;
    if (this.#seen.size >= MAX_OBJECTS_SEEN) {
      this.cut = true;
      return [];
    }
    const found = this.#look(target);
    this.#seen.set(target, found);
    return found;
  }

  /** What the whole block leads to in which an address stands: the head of a list is not at its start. */
  around(place: Va): readonly ObjectPointer<M>[] {
    const page = this.#page(place);
    const block = page === undefined ? undefined : this.#blockOf(page, Number(place & 0xfffn));
    if (page === undefined || block === undefined) return this.at(place);
    const from = block.start + 2 * this.#kernel.space.pointerSize;
    const start = (place & ~0xfffn) as Va;
    for (let at = from; at < Math.min(from + MOST_BEFORE, block.end); at += 8) {
      const named = this.#driverOf(advance(start, at));
      if (named !== undefined) return [named];
    }
    return this.#pointersIn(page, start, from, block.end);
  }

  #look(target: Va): readonly ObjectPointer<M>[] {
    const page = this.#page(target);
    if (page === undefined) return [];
    const offset = Number(target & 0xfffn);
    const block = this.#blockOf(page, offset);
    if (block !== undefined && (block.key === this.#key || block.free)) return [];
    const named = this.#driverOf(target);
    if (named !== undefined) return [named];
    const end =
      block === undefined
        ? Math.min(offset + SHORT_BYTES, PAGE_SIZE)
        : Math.min(offset + OBJECT_BYTES, block.end);
    return this.#pointersIn(page, (target & ~0xfffn) as Va, offset, end);
  }

  #pointersIn(page: Page, start: Va, from: number, to: number): readonly ObjectPointer<M>[] {
    const { pointerSize } = this.#kernel.space;
    const found: ObjectPointer<M>[] = [];
    const modules = new Set<M>();
    for (let at = from; at + pointerSize <= to; at += pointerSize) {
      const low = page.view.getUint32(at, true);
      const high = pointerSize === 8 ? page.view.getUint32(at + 4, true) : 0;
      const module = this.#images.atHalves(low, high);
      if (module === undefined || modules.has(module)) continue;
      modules.add(module);
      const target = ((BigInt(high) << 32n) | BigInt(low)) as Va;
      found.push({ module, through: advance(start, at), target, by: "pointer" });
    }
    return found;
  }

  /** The driver of a device object, or of a driver object. */
  #driverOf(target: Va): ObjectPointer<M> | undefined {
    const { space } = this.#kernel;
    const { pointerSize } = space;
    const head = space.tryReadU32(target);
    if (head === undefined) return undefined;
    const isDevice = (head & 0xffff) === DEVICE.type && head >>> 16 >= DEVICE.size[pointerSize];
    const driver = isDevice ? space.tryReadPointer(advance(target, DEVICE.driverObject)) : target;
    if (driver === undefined) return undefined;
    if (space.tryReadU32(driver) !== ((DRIVER.size[pointerSize] << 16) | DRIVER.type)) return undefined;
    const through = advance(driver, DRIVER.driverStart[pointerSize]);
    const start = space.tryReadPointer(through);
    const module = start === undefined ? undefined : this.#images.at(start);
    if (start === undefined || module === undefined) return undefined;
    return { module, through, target: start, by: isDevice ? "device" : "driver" };
  }

  #page(address: Va): Page | undefined {
    const start = address & ~0xfffn;
    if (this.#pages.has(start)) return this.#pages.get(start);
    if (this.#pages.size >= PAGES_KEPT) this.#pages.clear();
    const { space, build } = this.#kernel;
    const bytes = space.tryRead(start as Va, PAGE_SIZE);
    const page =
      bytes === undefined
        ? undefined
        : {
            view: new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE),
            blocks: parsePoolPage(bytes, space.pointerSize, build),
          };
    this.#pages.set(start, page);
    return page;
  }

  /** The block around an offset; `undefined` where none can be told. */
  #blockOf({ view, blocks }: Page, offset: number): Extent | undefined {
    const { space, build } = this.#kernel;
    const exact = blocks?.findLast((block) => block.offset <= offset);
    if (exact !== undefined) {
      const { offset: start, bytes, pool, key } = exact;
      return { start, end: start + bytes, key: tableKey(key), free: pool === undefined };
    }
    const unit = 2 * space.pointerSize;
    const nearest = offset - (offset % unit) - unit;
    for (let start = nearest; start >= Math.max(0, offset - MOST_BEFORE); start -= unit) {
      const { bytes, pool, key } = parseBlockHeader(view, start, space.pointerSize, build);
      const end = start + bytes;
      if (pool === undefined || end <= offset || end > PAGE_SIZE || printableCount(key) < 3) continue;
      return { start, end, key: tableKey(key), free: false };
    }
    return undefined;
  }
}

interface Page {
  readonly view: DataView;
  readonly blocks: readonly Block[] | undefined;
}

/** Offsets in a page. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly key: number;
  readonly free: boolean;
}
