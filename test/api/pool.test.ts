import { describe, expect, it } from "vitest";
import { buildDump } from "../../samples/leakbench/machine.mjs";
import { writeLfhSubsegment, writeVsSubsegment } from "../../samples/writer/segment-heap.mjs";
import { ask, openDump } from "../../src/index.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";

type System = Parameters<NonNullable<Parameters<typeof buildDump>[0]["also"]>>[0];
const LEAK = { tag: "AdvW", paged: false, block: { x64: 0xe0, x86: 0xd8 }, live: 96_000, frees: 60_000 };
const KEYS = { heap: 0x9d3f_51c2_77ab_e019n, lfh: 0x1b44_8e6a_c05d_7733n };

/** A machine of build 19041 whose pool is a segment heap, with the keys in nt's data; and where its blocks stand. */
function segmented(): { readonly bytes: Uint8Array; readonly vs: bigint[]; readonly lfh: bigint[] } {
  let vs: bigint[] = [];
  let lfh: bigint[] = [];
  const also = (system: System): void => {
    const { machine } = system;
    const globals = system.nt("KdPrintCircularBuffer") + 0x140n;
    machine.u64(globals, KEYS.heap).u64(globals + 8n, KEYS.lfh);
    const pool = machine.allocate(0x8000, { align: 0x1000, paged: true });
    vs = writeVsSubsegment(machine, pool, {
      key: KEYS.heap,
      pages: 4,
      blocks: [
        { tag: "Ntff", bytes: 0x240 },
        { tag: "AdvW", bytes: 0xb00, paged: false },
        { tag: "Strg", bytes: 0x690 },
        { tag: "Gone", bytes: 0x200, free: true },
      ],
    });
    lfh = writeLfhSubsegment(machine, pool + 0x4000n, {
      key: KEYS.lfh,
      pages: 2,
      block: { tag: "Even", bytes: 0x80, paged: false },
      busy: (index) => index % 2 === 0,
    });
  };
  const bytes = buildDump({
    arch: "x64",
    form: "bitmap-kernel",
    drivers: ["advworks"],
    counts: [LEAK],
    seed: 12,
    also,
  });
  return { bytes, vs, lfh };
}

describe("pool, on whole machines", () => {
  it("finds blocks of a segment heap by keys that nothing names", () => {
    const { bytes, vs, lfh } = segmented();
    using dump = openDump(bytes);
    expect(dump.pool(vs[1]! + 0x3f0n)).toMatchObject({
      module: null,
      block: { address: vs[1], bytes: 0xb00, tag: "AdvW", pool: "nonPaged", free: false },
      offset: 0x3f0,
      basis: "heap",
      missing: null,
      notes: [],
    });
    expect(dump.pool(vs[3]! + 0x20n).block).toMatchObject({ tag: "Gone", free: true, pool: null });
    expect(dump.pool(lfh[4]! + 8n)).toMatchObject({ basis: "heap", block: { address: lfh[4], free: false } });
    expect(dump.pool(lfh[5]! + 8n)).toMatchObject({ basis: "heap", block: { address: lfh[5], free: true } });
  });

  it("says in words what the tag stands for", () => {
    const { bytes, vs } = segmented();
    using dump = openDump(bytes);
    const document = ask(dump, { command: "pool", address: vs[2]! + 0x44n });
    const text = renderText("pool", document, { style: PLAIN, pointerSize: 8 });
    expect(text).toContain(
      "is 0x44 bytes into a block of `Strg`, the tag of strings of the run-time library",
    );
    expect(text).toContain("(by how the heap divides its memory)");
    expect(text).toMatch(/^\* +ffff\S+ +0x690 +allocated +Strg +paged/m);
  });

  it("says of an address in an image that it is no pool", () => {
    using dump = openDump(segmented().bytes);
    const document = dump.pool("nt!ExAllocatePoolWithTag");
    expect(document).toMatchObject({ module: "nt", block: null, missing: "no-block" });
    expect(document.notes).toEqual(["it is an address of nt, and of no pool"]);
  });

  it("finds an allocation of a page and more in the table of such (samples/leak-x64.mjs, bigLeaks)", () => {
    using dump = openDump("samples/leak-x64.dmp");
    // the second of them stands at 0xffffd70b40007000 and has 0x1800 bytes
    expect(dump.pool(0xffffd70b40007abcn)).toMatchObject({
      block: { address: 0xffffd70b40007000n, bytes: 0x1800, tag: "Se  ", pool: "paged" },
      offset: 0xabc,
      basis: "big-pages",
    });
    expect(dump.pool(0xffffd70b40007000n + 0x1800n).block).toBeNull();
  });

  it("lists the blocks of a page of Server 2003 (samples/article-2003.mjs)", () => {
    using dump = openDump("samples/article-2003.dmp");
    expect(dump.pool(0xe1401560n)).toMatchObject({
      basis: "page",
      offset: 8,
      block: { address: 0xe1401558n, bytes: 0x550, tag: "Se  ", pool: "paged", free: false },
      meaning: "what security functions allocate for their caller, who has to free it",
    });
    expect(dump.pool(0xe1401560n).page.map(({ tag, bytes, free }) => [tag, bytes, free])).toEqual([
      ["Se  ", 0x558, false],
      ["Se  ", 0x550, false],
      ["Se  ", 0x40, false],
      ["Key ", 0x68, false],
      ["ObNm", 0x28, false],
      ["CM25", 0x90, false],
      ["Free", 0x3f8, true],
    ]);
    // the tenth of those pages was written to the page file
    expect(dump.pool(0xe1409010n)).toMatchObject({ block: null, missing: "not-in-dump" });
  });
});
