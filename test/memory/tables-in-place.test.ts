import { expect, it } from "vitest";
import { pa } from "../../src/core/address.ts";
import { mapOf } from "../../src/dump/run-map.ts";
import { tablesInPlace } from "../../src/memory/tables-in-place.ts";
import { x64 } from "../../src/memory/x64.ts";

const PAGE = 0x1000;
const ROOT = 0x100;

/**
 * What stands in a page of a machine with 256 tables below the upper half of its root, 512 below each of them, and one
 * below each of those.
 */
function entriesOf(pfn: number): readonly number[] {
  if (pfn === ROOT) return Array.from({ length: 512 }, (_, i) => (i < 256 ? 0 : 0x1000 + i - 256));
  if (pfn >= 0x1000 && pfn < 0x1100)
    return Array.from({ length: 512 }, (_, i) => 0x10000 + (pfn - 0x1000) * 512 + i);
  return [ROOT];
}

it("counts page tables up to as many as tell enough (MAX_TABLES_CHECKED)", () => {
  const size = 0x40000 * PAGE;
  const read: number[] = [];
  const source = {
    name: "tables",
    size,
    read(offset: number, into: Uint8Array) {
      read.push(offset / PAGE);
      const words = new BigUint64Array(into.buffer, 0, 512);
      entriesOf(offset / PAGE).forEach((pfn, i) => {
        words[i] = pfn === 0 ? 0n : (BigInt(pfn) << 12n) | 0x63n;
      });
      return PAGE;
    },
    [Symbol.dispose]: () => undefined,
  };
  const pages = mapOf([{ pfn: 0, count: size / PAGE, offset: 0 }], size);
  expect(tablesInPlace({ source, pages }, x64(4, 19041), pa(ROOT * PAGE))).toBe(4096);
  // the root, the 256 below it, and of those below them the first
  expect([read.length, read.at(-1)]).toEqual([4097, 0x10000 + 4096 - 256 - 1]);
});
