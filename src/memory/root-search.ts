import { PAGE_SIZE } from "../core/address.ts";
import { MAX_ROOT_SEARCH_PAGES } from "../core/limits.ts";
import { asciiBytes } from "../core/text.ts";
import { TRUNCATED } from "../dump/page-map.ts";
import type { PageFormat } from "./page-format.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { ROOT_SCAN_WASM } from "./root-scan-wasm.js";

const ENTRIES = 512;
const ENTRY_WORDS = PAGE_SIZE / 4;
/** Pages that are read at once: they fill the memory of wasm/root-scan.wat. */
const PIECE = 256;

/** A table that maps itself, which can be the root of a machine's page tables. */
export interface RootCandidate {
  readonly format: PageFormat;
  /** Its physical address. */
  readonly root: bigint;
}

/** Page numbers from the first up to the second. */
export type PageRange = readonly [from: number, to: number];

/** Where the System process's root stands as a rule, and where else it can. */
export const LOW_PAGES: PageRange = [0, MAX_ROOT_SEARCH_PAGES];
export const HIGH_PAGES: PageRange = [MAX_ROOT_SEARCH_PAGES, Number.MAX_SAFE_INTEGER];

/**
 * Finds root tables in physical memory by their habit of mapping themselves, in one pass for all formats. A hit can be the
 * table of any process, or chance: the caller looks whether the kernel can be read through it.
 *
 * @returns by address, the lowest first
 */
export function* findRoots(
  memory: PhysicalMemory,
  formats: readonly PageFormat[],
  [from, to]: PageRange,
): Generator<RootCandidate> {
  const { source, pages } = memory;
  const { bytes, next } = rootScan();
  const words = new Uint32Array(bytes.buffer);
  for (const run of pages.runs()) {
    const end = Math.min(run.pfn + run.count, to);
    for (let pfn = Math.max(run.pfn, from); pfn < end; ) {
      const count = pages.runLength(pfn, Math.min(PIECE, end - pfn));
      if (count === 0) {
        // behind the end of the file there is nothing more of the run
        if (pages.locate(pfn) === TRUNCATED) break;
        pfn++;
        continue;
      }
      const read = source.read(pages.locate(pfn), bytes.subarray(0, count * PAGE_SIZE));
      const whole = Math.floor(read / PAGE_SIZE);
      for (let i = next(0, whole, pfn); i < whole; i = next(i + 1, whole, pfn)) {
        const page = words.subarray(i * ENTRY_WORDS, (i + 1) * ENTRY_WORDS);
        for (const format of formats) yield* rootsIn(page, pfn + i, format, memory);
      }
      pfn += count;
    }
  }
}

/** Memory for pages, and the search for the next of them, from one up to another, that can hold a root; pages are counted from the first, whose number is given. */
function rootScan(): { bytes: Uint8Array; next: (from: number, to: number, pfn: number) => number } {
  const module = new WebAssembly.Module(asciiBytes(atob(ROOT_SCAN_WASM)));
  const { memory, next } = new WebAssembly.Instance(module).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof next !== "function") {
    throw new TypeError("wasm/root-scan.wat exports memory and next");
  }
  return { bytes: new Uint8Array(memory.buffer), next: (from, to, pfn) => Number(next(from, to, pfn)) };
}

function* rootsIn(
  words: Uint32Array,
  pfn: number,
  format: PageFormat,
  memory: PhysicalMemory,
): Generator<RootCandidate> {
  const address = BigInt(pfn) * BigInt(PAGE_SIZE);
  if (format.name === "x86-pae") {
    for (let at = 0; at < words.length; at += 8) {
      if (isPaeRoot(words, at, pfn, memory)) yield { format, root: address + BigInt(at * 4) };
    }
  } else if (format.name === "x86" ? mapsItself32(words, pfn) : mapsItself64(words, pfn, format)) {
    yield { format, root: address };
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
