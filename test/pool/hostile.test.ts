import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Mapping } from "../../src/memory/mapping.ts";
import { readBigPages } from "../../src/pool/big-pages.ts";
import { findLeaks } from "../../src/pool/leaks.ts";
import { readMemorySummary } from "../../src/pool/memory-summary.ts";
import type { PoolKernel, PoolVariables } from "../../src/pool/pool-kernel.ts";
import { findMasterTable } from "../../src/pool/tracker/find.ts";
import { readHashCode } from "../../src/pool/tracker/hash-code.ts";
import { findProcessorTables } from "../../src/pool/tracker/processors.ts";
import { readTagTable } from "../../src/pool/tracker/read.ts";
import { masterKeys, readTrackerTable } from "../../src/pool/tracker/rows.ts";
import { PLACES, trackerMachine, variables, writer } from "../fixtures/pool-machine.ts";

const FIELDS: readonly (keyof PoolVariables)[] = [
  "poolTrackTable",
  "expPagedPoolDescriptor",
  "expNumberOfPagedPools",
  "nonPagedPoolDescriptor",
  "mmNumberOfPhysicalPages",
  "mmPhysicalMemoryBlock",
  "mmAvailablePages",
  "mmModifiedPageListHead",
  "mmMaximumNonPagedPoolInBytes",
  "mmSizeOfPagedPoolInBytes",
  "mmPagedPoolInformation",
  "mmPagedPoolCommit",
  "mmTotalCommittedPages",
  "mmNonPagedPoolStart",
  "mmNonPagedPoolEnd",
  "mmPagedPoolStart",
  "mmPagedPoolEnd",
];

/** Every question that the pool layer answers. */
function askAll(kernel: PoolKernel): void {
  const table = readTagTable(kernel);
  if ("missing" in table) expect(table.reason).toMatch(/^no tag table found, because ./);
  else findLeaks(table, { pools: readMemorySummary(kernel).lines });
  for (const { pages, from, reason } of Object.values(readMemorySummary(kernel).lines)) {
    if (pages === null) expect([from, reason]).toEqual([null, expect.stringMatching(/./)]);
    else expect(Number.isSafeInteger(pages) && pages >= 0).toBe(true);
  }
  readBigPages(kernel);
}

describe("the pool layer", () => {
  it.each([
    ["A32", 2600],
    ["A32", 3790],
    ["A64", 7601],
    ["A64", 14393],
    ["B64", 19041],
    ["C64", 26100],
    ["B32", 17763],
    ["A64", 0],
  ] as const)("answers whatever nt's data and KDBG hold: layout %s, build %d", (layout, build) => {
    const pointerSize = layout.endsWith("32") ? 4 : 8;
    const places = PLACES[pointerSize];
    const address = fc.oneof(
      fc.nat(0x1ff8).map((offset) => places.data + BigInt(offset)),
      fc.nat(0x4000).map((offset) => places.tables + BigInt(offset)),
      fc.bigInt(0n, pointerSize === 4 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x1ff0), address), { maxLength: 40 }),
        fc.array(fc.tuple(fc.constantFrom(...FIELDS), address), { maxLength: 17 }),
        fc.array(fc.tuple(fc.nat(0x3000), fc.uint8Array({ minLength: 1, maxLength: 300 })), { maxLength: 4 }),
        fc.option(fc.integer({ min: 1, max: 2048 }), { nil: undefined }),
        (words, fields, noise, processors) => {
          const tags = ["Pool", "Irp ", "File", "Mdl ", "Proc"].map((tag) => ({ tag }));
          const made = trackerMachine({ layout, build, hashed: 128, processors: [tags, tags] });
          for (const [offset, value] of words) made.memory.pointer(places.data + BigInt(offset & ~7), value);
          for (const [offset, bytes] of noise) made.memory.write(places.tables + BigInt(offset), bytes);
          const named = variables(Object.fromEntries(fields));
          askAll({ ...made.kernel, processors, variables: named });
          askAll({ ...made.kernel, processors });
        },
      ),
      {
        numRuns: 25,
        // a block at the very end of the address space: its field was looked for past 64 bits
        examples:
          pointerSize === 4 ? [] : [[[], [["mmPagedPoolInformation", 2n ** 64n - 0x58n]], [], undefined]],
      },
    );
  });

  it("reads 1 GB of the tables of 300 processors, all one page seen at different addresses (MAX_TRACKER_BYTES)", () => {
    const { assignSlots, trackerTable, tagHash } = writer;
    const tags = Array.from({ length: 300 }, (_, i) => `T${`${i}`.padStart(3, "0")}`);
    const hashed = 65_536;
    const slots = assignSlots(tags, hashed, tagHash);
    const table = trackerTable(
      "C64",
      hashed,
      slots,
      tags.map((tag) => ({ tag, paged: { allocs: 1, frees: 0, bytes: 64 } })),
    );
    const data = PLACES[8].data;
    const tables = PLACES[8].tables;
    const spacing = 0x80_0000n;
    const variable = new Uint8Array(0x8000);
    const view = new DataView(variable.buffer);
    view.setBigUint64(0x80, tables, true);
    for (let cpu = 0; cpu < 300; cpu++)
      view.setBigUint64(0x100 + cpu * 8, tables + BigInt(cpu) * spacing, true);
    const source = (bytes: Uint8Array) => ({
      name: "hostile",
      size: bytes.length,
      read: (offset: number, into: Uint8Array) => {
        into.set(bytes.subarray(offset, offset + into.length));
        return into.length;
      },
      [Symbol.dispose]() {
        /* holds nothing */
      },
    });
    const [data0, table0] = [source(variable), source(table)];
    const mapping: Mapping = {
      pointerSize: 8,
      locate(at: Va, want: number) {
        const inData = Number(at - data);
        if (inData >= 0 && inData < variable.length) {
          return {
            source: data0,
            offset: inData,
            length: Math.min(want, variable.length - inData),
            origin: "dump",
          };
        }
        const inTables = at - tables;
        const offset = inTables < 0n || inTables >= spacing * 300n ? -1 : Number(inTables % spacing);
        if (offset < 0 || offset >= table.length) {
          return {
            fault: { kind: "not-mapped", va: at, level: "PTE" },
            length: 0x1000 - Number(at & 0xfffn),
          };
        }
        return { source: table0, offset, length: Math.min(want, table.length - offset), origin: "dump" };
      },
    };
    const kernel: PoolKernel = {
      space: new AddressSpace(mapping),
      build: 22621,
      processors: 300,
      nt: { base: va(data), size: 0x8000, writable: [{ start: va(data), length: 0x8000 }], code: [] },
      variables: variables({ poolTrackTable: data + 0x80n }),
      triage: false,
    };
    const master = findMasterTable(kernel, readHashCode(kernel));
    if ("missing" in master) throw new Error(master.reason);
    const { fit } = master;
    const first = readTrackerTable(kernel.space, master.at, fit.layout, fit.mask + 2);
    const found = findProcessorTables(kernel, first, masterKeys(first, fit), fit, readHashCode(kernel));
    // 204 tables of 65,537 entries, 0x50 bytes each, have 1 GB; the first one is processor 0's own
    expect(found.tables.filter((at) => at !== undefined)).toHaveLength(205);
    expect(found.notes).toEqual(["the processors have more bytes of tag tables than are read"]);
  });
});
