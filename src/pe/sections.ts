import { Format } from "pe-library";
import { type Rva, rva } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { asciiZ } from "../core/text.ts";

export const SECTION_HEADER_SIZE = 40;

/** One section of an image. */
export interface Section {
  readonly name: string;
  readonly rva: Rva;
  /** Bytes in memory; those past `fileSize` are zero. 0: as many as in the file. */
  readonly virtualSize: number;
  /** Bytes in the file, starting at `fileOffset`. */
  readonly fileSize: number;
  readonly fileOffset: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** The kernel frees it once the driver has started: in a dump it is usually gone. */
  readonly discardable: boolean;
  /** IMAGE_SCN_*, as they stand there. */
  readonly characteristics: number;
}

const NAME_SIZE = 8;
const DISCARDABLE = 0x0200_0000;
const EXECUTE = 0x2000_0000;
const READ = 0x4000_0000;
const WRITE = 0x8000_0000;

/**
 * Reads the section table.
 *
 * @param table the `count` headers, IMAGE_SECTION_HEADER[]
 * @throws {FormatError} the table is cut short
 * @see Microsoft PE Format, "Section Table (Section Headers)"
 */
export function parseSections(table: Bytes, count: number): readonly Section[] {
  const { array } = table.slice(0, count * SECTION_HEADER_SIZE, "section table");
  // pe-library decodes names with what throws in a browser for bytes that are no UTF-8: it gets none.
  const nameless = Uint8Array.from(array);
  for (let at = 0; at < nameless.length; at += SECTION_HEADER_SIZE) nameless.fill(0, at, at + NAME_SIZE);
  const headers = Format.ImageSectionHeaderArray.from(nameless.buffer, count);
  return Array.from({ length: count }, (_, index) => {
    const header = headers.get(index);
    const { characteristics } = header;
    const nameAt = index * SECTION_HEADER_SIZE;
    return {
      name: asciiZ(array.subarray(nameAt, nameAt + NAME_SIZE)),
      rva: rva(header.virtualAddress),
      virtualSize: header.virtualSize,
      fileSize: header.sizeOfRawData,
      fileOffset: header.pointerToRawData,
      readable: (characteristics & READ) !== 0,
      writable: (characteristics & WRITE) !== 0,
      executable: (characteristics & EXECUTE) !== 0,
      discardable: (characteristics & DISCARDABLE) !== 0,
      characteristics,
    };
  });
}

/** Bytes that a section takes in memory. */
export function sectionSpan(section: Section): number {
  return section.virtualSize === 0 ? section.fileSize : section.virtualSize;
}

/** Two sections that want the same bytes of memory. */
export interface SectionOverlap {
  /** The one that starts first: its bytes are read. */
  readonly shown: Section;
  readonly hidden: Section;
  readonly start: Rva;
  /** In bytes. */
  readonly length: number;
}

/** Sections whose ranges overlap the one before them, which no loader takes. */
export function overlapsOf(sections: readonly Section[]): readonly SectionOverlap[] {
  const overlaps: SectionOverlap[] = [];
  let shown: Section | undefined;
  for (const section of [...sections].sort((a, b) => a.rva - b.rva)) {
    const end = section.rva + sectionSpan(section);
    const free = shown === undefined ? 0 : shown.rva + sectionSpan(shown);
    const length = Math.min(free, end) - section.rva;
    if (shown !== undefined && length > 0) {
      overlaps.push({ shown, hidden: section, start: section.rva, length });
    }
    if (end > free) shown = section;
  }
  return overlaps;
}
