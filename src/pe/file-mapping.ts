import { hex, PAGE_SIZE, type Va, va } from "../core/address.ts";
import { FormatError } from "../core/errors.ts";
import { lookedAt } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import type { Extent, Hole, Mapping } from "../memory/mapping.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import type { HeaderReader, ImageHeaders } from "./headers.ts";
import { sectionSpan } from "./sections.ts";

/** RVAs from `start` to `end` that the loader maps: `fileSize` bytes of the file, then zeros. */
interface LoaderRange {
  readonly start: number;
  readonly end: number;
  readonly fileOffset: number;
  readonly fileSize: number;
}

interface MappedRange extends LoaderRange {
  /** Of its bytes of the file, those that are looked at: sections can show the same ones again and again. */
  readonly shown: number;
}

const SECTOR = 0x200;

/**
 * A PE file as the loader would put it into memory at its preferred base, before it relocates it and
 * binds its imports.
 *
 * Where sections overlap, which no loader takes, the first address range wins.
 */
export class FileImageMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly base: Va;
  readonly source: ByteSource;
  readonly #ranges: readonly MappedRange[];
  readonly #size: number;

  constructor(source: ByteSource, headers: ImageHeaders) {
    this.source = source;
    this.pointerSize = headers.pointerSize;
    this.base = va(headers.preferredBase);
    this.#size = headers.imageSize;
    this.#ranges = withoutOverlaps(
      headers.sectionAlignment < PAGE_SIZE && isFlat(headers)
        ? [flatRange(headers, source.size)]
        : loaderRanges(headers),
      headers.imageSize,
      lookedAt(source.size),
    );
  }

  locate(at: Va, want: number): Extent | Hole {
    const distance = BigInt.asUintN(64, at - this.base);
    if (distance >= BigInt(this.#size)) return this.#hole(at, want, "section");
    const rva = Number(distance);
    const next = this.#firstAfter(rva);
    const range = this.#ranges[next - 1];
    if (range === undefined || rva >= range.end) {
      const end = this.#ranges[next]?.start ?? this.#size;
      return this.#hole(at, Math.min(want, end - rva), "section");
    }
    const into = rva - range.start;
    if (into >= range.fileSize) {
      return {
        source: this.source,
        offset: undefined,
        length: Math.min(want, range.end - rva),
        origin: "file",
      };
    }
    if (into >= range.shown) {
      return { fault: { kind: "passed-over", va: at }, length: Math.min(want, range.fileSize - into) };
    }
    const offset = range.fileOffset + into;
    const inRange = Math.min(want, range.shown - into);
    if (offset >= this.source.size) return this.#hole(at, inRange, "file");
    return {
      source: this.source,
      offset,
      length: Math.min(inRange, this.source.size - offset),
      origin: "file",
    };
  }

  #hole(va: Va, length: number, level: "section" | "file"): Hole {
    return { fault: { kind: "not-mapped", va, level }, length };
  }

  /** The index of the first range that starts past `rva`. */
  #firstAfter(rva: number): number {
    return upperBound(this.#ranges.length, rva, (i) => this.#ranges[i]?.start ?? 0);
  }
}

/** Reads the headers of a file for `parseHeaders`; errors name the file and the offset in it. */
export function fileHeaderReader(source: ByteSource): HeaderReader {
  return (offset, length, field) => {
    const there = readAt(source, offset, length);
    if (there.length < length) {
      const [expected, found] = [`${length} bytes`, `the end at ${hex(source.size)}`];
      throw new FormatError({ file: source.name, offset, field, expected, found });
    }
    return there;
  };
}

/** Below page alignment the loader maps the file as it is; then each section stands at its own offset. */
function isFlat(headers: ImageHeaders): boolean {
  return headers.sections.every((section) => section.fileSize === 0 || section.fileOffset === section.rva);
}

function flatRange(headers: ImageHeaders, fileSize: number): LoaderRange {
  const ends = headers.sections.map((section) => section.fileOffset + section.fileSize);
  const promised = Math.max(headers.headersSize, ...ends);
  const mapped = Math.min(headers.imageSize, Math.max(promised, fileSize));
  return { start: 0, end: headers.imageSize, fileOffset: 0, fileSize: mapped };
}

function loaderRanges(headers: ImageHeaders): readonly LoaderRange[] {
  const { sectionAlignment, fileAlignment, headersSize } = headers;
  // Sections start at whole sectors, whatever the field says, unless the file is aligned below that.
  const offsetUnit = fileAlignment >= SECTOR ? SECTOR : 1;
  const mapUnit = sectionAlignment < PAGE_SIZE ? 1 : PAGE_SIZE;
  const header = { start: 0, end: roundUp(headersSize, mapUnit), fileOffset: 0, fileSize: headersSize };
  const sections = headers.sections.map((section) => {
    const length = roundUp(sectionSpan(section), mapUnit);
    const fileSize = section.fileOffset === 0 ? 0 : Math.min(section.fileSize, length);
    const fileOffset = section.fileOffset - (section.fileOffset % offsetUnit);
    return { start: section.rva, end: section.rva + length, fileOffset, fileSize };
  });
  return [header, ...sections];
}

function withoutOverlaps(
  ranges: readonly LoaderRange[],
  imageSize: number,
  most: number,
): readonly MappedRange[] {
  let left = most;
  const kept: MappedRange[] = [];
  let free = 0;
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const start = Math.max(range.start, free);
    const end = Math.min(range.end, imageSize);
    if (start >= end) continue;
    const cut = start - range.start;
    const fileSize = Math.max(0, Math.min(range.fileSize - cut, end - start));
    const shown = Math.min(fileSize, left);
    left -= shown;
    kept.push({ start, end, fileOffset: range.fileOffset + cut, fileSize, shown });
    free = end;
  }
  return kept;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
