import type { Va } from "../core/address.ts";
import { addAll, upperBound } from "../core/search.ts";
import type { Extent, Hole, Mapping } from "../memory/mapping.ts";
import type { Image } from "./image.ts";
import { changedByLoader, isFixed, otherRelocations } from "./loader-changes.ts";
import { RelocatedSource } from "./relocated-source.ts";
import { type RvaRange, subtract } from "./rva-ranges.ts";
import { sectionSpan } from "./sections.ts";

/** What to fill in beyond what cannot have changed. */
export interface FillOptions {
  /**
   * Also sections that the kernel frees after a driver's start. Absent: they stay holes, since what
   * stood there at the time of the dump is not what the file says.
   */
  readonly discardable?: boolean;
}

/**
 * A module whose file is known, as it was when it was loaded: the headers and the sections that nobody
 * writes to, relocated to the module's base.
 *
 * Left out is what the loader changes: sections that can be written to, import slots, delayed ones too,
 * and the pointers of Control Flow Guard. The kernel also rewrites calls to imports at load; these are
 * filled in as the linker wrote them.
 */
export class ImageFill {
  readonly base: Va;
  /** In bytes. */
  readonly size: number;
  readonly file: Image;
  readonly #source: RelocatedSource;
  readonly #ranges: readonly RvaRange[];

  /** @param file matched with `matchImage` */
  constructor(base: Va, file: Image, options: FillOptions = {}) {
    this.base = base;
    this.size = file.size;
    this.file = file;
    this.#source = new RelocatedSource(file, base);
    this.#ranges = fillable(file, base, options);
  }

  /**
   * What the file has at `rva`: an extent, or how many bytes it has nothing for.
   *
   * @param want at least 1
   */
  locate(rva: number, want: number): Extent | number {
    const range = this.#ranges[upperBound(this.#ranges.length, rva, (i) => this.#ranges[i]?.end ?? 0)];
    if (range === undefined) return want;
    if (rva < range.start) return Math.min(want, range.start - rva);
    // The file itself may end before its sections do.
    const inFile = this.file.space.mapping.locate(this.file.addressOf(rva), Math.min(want, range.end - rva));
    const length = Math.min(inFile.length, range.end - rva, want);
    return "fault" in inFile ? length : { source: this.#source, offset: rva, length, origin: "file" };
  }
}

/** A dump's memory with holes in known modules filled in from their files. What the dump has always wins. */
export class FilledMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly mayFill = true;
  readonly #inner: Mapping;
  readonly #fills: readonly ImageFill[];

  /** @param fills of modules that do not overlap */
  constructor(inner: Mapping, fills: readonly ImageFill[]) {
    this.pointerSize = inner.pointerSize;
    this.#inner = inner;
    this.#fills = [...fills].sort((a, b) => (a.base < b.base ? -1 : 1));
  }

  locate(at: Va, want: number): Extent | Hole {
    const found = this.#inner.locate(at, want);
    if (!("fault" in found)) return found;
    const length = Math.min(found.length, want);
    const index = upperBound<bigint>(this.#fills.length, at, (i) => this.#fills[i]?.base ?? 0n);
    const fill = this.#fills[index - 1];
    const rva = fill === undefined ? undefined : Number(at - fill.base);
    if (fill === undefined || rva === undefined || rva >= fill.size) {
      const next = this.#fills[index];
      const distance = next === undefined ? BigInt(length) : next.base - at;
      return { fault: found.fault, length: distance < BigInt(length) ? Number(distance) : length };
    }
    const filled = fill.locate(rva, Math.min(length, fill.size - rva));
    return typeof filled === "number" ? { fault: found.fault, length: filled } : filled;
  }
}

function fillable(file: Image, base: Va, options: FillOptions): readonly RvaRange[] {
  const kept: RvaRange[] = [{ start: 0, end: Math.min(file.headers.headersSize, file.size) }];
  const dropped: RvaRange[] = [...changedByLoader(file)];
  if (base !== file.preferredBase) {
    // Without its whole table nobody knows which bytes move.
    if (file.relocations.stopped !== undefined || isFixed(file)) return [];
    addAll(dropped, otherRelocations(file));
  }
  for (const section of file.sections) {
    const end = Math.min(section.rva + sectionSpan(section), file.size);
    const changes = section.writable || (section.discardable && options.discardable !== true);
    (changes ? dropped : kept).push({ start: section.rva, end });
  }
  return subtract(kept, dropped);
}
