import { PAGE_SIZE } from "../core/address.ts";
import { MAX_ROOT_SEARCH_PAGES } from "../core/limits.ts";
import type { PageFormat } from "./page-format.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

const ENTRIES = 512;

/**
 * Finds root tables in low physical memory by their habit of mapping themselves. A hit can be the
 * table of any process, or chance: the caller looks whether the kernel can be read through it.
 *
 * @returns physical addresses, in ascending order
 */
export function* findRoots({ source, pages }: PhysicalMemory, format: PageFormat): Generator<bigint> {
  const end = Math.min(pages.highestPfn + 1, MAX_ROOT_SEARCH_PAGES);
  const bytes = new Uint8Array(PAGE_SIZE);
  const words = new Uint32Array(bytes.buffer);
  for (let pfn = 0; pfn < end; pfn++) {
    const offset = pages.locate(pfn);
    if (offset < 0 || source.read(offset, bytes) !== PAGE_SIZE) continue;
    const address = BigInt(pfn) * BigInt(PAGE_SIZE);
    if (format.name === "x86-pae") {
      for (let at = 0; at < words.length; at += 8) {
        if (isPaeRoot(words, at, pfn, { source, pages })) yield address + BigInt(at * 4);
      }
    } else if (format.name === "x86" ? mapsItself32(words, pfn) : mapsItself64(words, pfn, format)) {
      yield address;
    }
  }
}

/** x86 keeps its page tables at 0xc0000000: entry 0x300 is the directory itself. */
function mapsItself32(words: Uint32Array, pfn: number): boolean {
  const entry = words[0x300] ?? 0;
  return (entry & 0x81) === 1 && entry >>> 12 === pfn;
}

/** The entry stands anywhere in the upper half: its place is random since Windows 10 1607. */
function mapsItself64(words: Uint32Array, pfn: number, format: PageFormat): boolean {
  for (let entry = ENTRIES / 2; entry < ENTRIES; entry++) {
    const low = words[entry * 2] ?? 0;
    const high = words[entry * 2 + 1] ?? 0;
    if ((low & 1) !== 0 && format.entryKind(low, high, 0) === "next" && format.nextPage(low, high) === pfn) {
      return true;
    }
  }
  return false;
}

/** PAE's page directories stand at 0xc0600000: the fourth begins with entries for all four. */
function isPaeRoot(words: Uint32Array, at: number, pfn: number, { source, pages }: PhysicalMemory): boolean {
  const directories: number[] = [];
  for (let i = 0; i < 4; i++) {
    const low = words[at + i * 2] ?? 0;
    const high = words[at + i * 2 + 1] ?? 0;
    // bits 1, 2, 5 to 8 and those over the physical address are reserved
    if ((low & 0x1e7) !== 1 || high > 0xf) return false;
    directories.push(high * 0x100000 + (low >>> 12));
  }
  const last = pages.locate(directories[3] ?? pfn);
  return (
    last >= 0 &&
    directories.every((directory, i) => {
      const low = source.u32At(last + i * 8);
      return (
        low > 0 &&
        (low & 1) === 1 &&
        (source.u32At(last + i * 8 + 4) & 0xf) * 0x100000 + (low >>> 12) === directory
      );
    })
  );
}
