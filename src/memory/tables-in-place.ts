import { PAGE_SIZE, type Pa } from "../core/address.ts";
import { MAX_TABLES_CHECKED } from "../core/limits.ts";
import type { PageMap } from "../dump/page-map.ts";
import type { ByteSource } from "../source/source.ts";
import type { PageFormat } from "./page-format.ts";

/** Memory as a file holds it. */
interface HeldMemory {
  readonly source: ByteSource;
  readonly pages: PageMap;
}

/** Devices stand below 4 GB, where a small machine has no memory. */
const DEVICES_END = 0x10_0000;

/**
 * How many pages that page tables call tables look like such, less those that do not: where a memory map puts pages
 * elsewhere than the machine had them, other bytes stand there.
 *
 * @param root of the kernel, whose half of the addresses is looked at
 */
export function tablesInPlace(memory: HeldMemory, format: PageFormat, root: Pa): number {
  const highest = Math.max(memory.pages.highestPfn, DEVICES_END);
  const seen = new Set<number>([Math.floor(root / PAGE_SIZE)]);
  const first = format.levels[0];
  if (first === undefined) return 0;
  const entries = 2 ** first.bits;
  const start = readWords(memory, Math.floor(root / PAGE_SIZE));
  const at = ((root % PAGE_SIZE) + (entries / 2) * format.entrySize) / 4;
  const queue: { readonly words: Uint32Array; readonly level: number }[] = [];
  if (start !== undefined) {
    queue.push({ words: start.subarray(at, at + ((entries / 2) * format.entrySize) / 4), level: 0 });
  }
  let sum = 0;
  for (const { words, level } of queue) {
    if (level + 1 >= format.levels.length) continue;
    for (const page of pagesIn(words, format, level)) {
      if (seen.has(page) || seen.size > MAX_TABLES_CHECKED) continue;
      seen.add(page);
      const table = readWords(memory, page);
      const named = table === undefined ? [] : pagesIn(table, format, level + 1);
      if (table === undefined || named.length === 0) continue;
      const right = named.every((pfn) => pfn <= highest);
      sum += right ? 1 : -1;
      if (right) queue.push({ words: table, level: level + 1 });
    }
  }
  return sum;
}

/** Pages that entries lead to: tables, or at the last level what is mapped. */
function pagesIn(words: Uint32Array, format: PageFormat, level: number): readonly number[] {
  const step = format.entrySize / 4;
  const found: number[] = [];
  for (let at = 0; at < words.length; at += step) {
    const low = words[at] ?? 0;
    const high = step === 2 ? (words[at + 1] ?? 0) : 0;
    if (format.entryKind(low, high, level) === "next") found.push(format.nextPage(low, high));
  }
  return found;
}

function readWords({ source, pages }: HeldMemory, pfn: number): Uint32Array | undefined {
  const offset = pages.locate(pfn);
  if (offset < 0) return undefined;
  const bytes = new Uint8Array(PAGE_SIZE);
  return source.read(offset, bytes) === PAGE_SIZE ? new Uint32Array(bytes.buffer) : undefined;
}
