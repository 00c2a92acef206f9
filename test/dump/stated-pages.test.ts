import { describe, expect, it } from "vitest";
import { statedRuns } from "../../src/dump/full.ts";
import { readDumpHeader } from "../../src/dump/header.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { dumpBytes, type Patch } from "../fixtures/dump-bytes.ts";

function runs(bits: 32 | 64, patches: Readonly<Record<number, Patch>>): unknown {
  return statedRuns(readDumpHeader(new BytesSource(dumpBytes(bits, 0x3000, patches), "made.dmp")));
}

/** Two runs, 0x9e and 0x7ff00 pages: PHYSICAL_MEMORY_DESCRIPTOR at 0x64 or 0x88 of the header. */
const NARROW = { 0x64: 2, 0x68: 0x7ff9e, 0x6c: 1, 0x70: 0x9e, 0x74: 0x200, 0x78: 0x7ff00 };
const WIDE = { 0x88: 2, 0x90: 0x7ff9en, 0x98: 1n, 0xa0: 0x9en, 0xa8: 0x200n, 0xb0: 0x7ff00n };

const RUNS = [
  { pfn: 1, count: 0x9e },
  { pfn: 0x200, count: 0x7ff00 },
];

describe("the machine's memory by a dump's header, whatever the dump's form", () => {
  it("is its runs", () => {
    expect(runs(32, NARROW)).toEqual(RUNS);
    expect(runs(64, WIDE)).toEqual(RUNS);
  });

  it("is not known where nobody filled the block, or it contradicts itself", () => {
    expect(runs(64, {})).toBeUndefined();
    expect(runs(64, { ...WIDE, 0x88: 0 })).toBeUndefined();
    expect(runs(64, { ...WIDE, 0x88: 1 })).toBeUndefined();
    expect(runs(64, { ...WIDE, 0x90: 0x7ff9fn })).toBeUndefined();
    expect(runs(64, { ...WIDE, 0x88: 43 })).toBeUndefined();
    expect(runs(64, { ...WIDE, 0xa8: 1n << 60n })).toBeUndefined();
    expect(runs(32, { ...NARROW, 0x68: 0 })).toBeUndefined();
  });
});
