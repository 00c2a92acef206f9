import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { parseTag } from "../../src/pool/tag.ts";
import type { NoTagTable, TagTable } from "../../src/pool/tag-table.ts";
import { hashKey } from "../../src/pool/tracker/layout.ts";
import { readTagTable } from "../../src/pool/tracker/read.ts";
import { PLACES, type Row, trackerMachine, VARIABLE, writer } from "../fixtures/pool-machine.ts";
import { stepsOf } from "../fixtures/steps.ts";

function found(table: TagTable | NoTagTable): TagTable {
  if ("missing" in table) throw new Error(table.reason);
  return table;
}

const printable = fc.integer({ min: 0x20, max: 0x7e }).filter((code) => code !== 0x5c);
const tagArb = fc
  .tuple(printable, printable, printable, printable)
  .map((codes) => String.fromCharCode(...codes));

interface Total {
  readonly allocations: number;
  readonly frees: number;
  readonly bytes: number;
}

const totalArb = (maxCount: number): fc.Arbitrary<Total> =>
  fc
    .tuple(fc.integer({ min: 0, max: maxCount }), fc.integer({ min: 0, max: maxCount }), fc.nat(0x7fff_ffff))
    .map(([a, b, bytes]) => ({
      allocations: Math.max(a, b),
      frees: Math.min(a, b),
      bytes: a === b ? 0 : Math.max(bytes, 1),
    }));

/** Splits a total over processors at random; a processor's bytes may be negative, its counts may not. */
function shares(
  total: Total,
  weights: readonly number[],
): { allocs: number; frees: number; bytes: number }[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  let allocs = total.allocations;
  let frees = total.frees;
  let bytes = total.bytes;
  return weights.map((weight, cpu) => {
    if (cpu === weights.length - 1) return { allocs, frees, bytes };
    const part = {
      allocs: Math.floor((total.allocations * weight) / sum),
      frees: Math.floor((total.frees * (sum - weight)) / sum / weights.length),
      bytes: cpu % 2 === 0 ? -weight * 0x1000 : weight * 0x2000,
    };
    allocs -= part.allocs;
    frees -= part.frees;
    bytes -= part.bytes;
    return part;
  });
}

describe("hashKey", () => {
  // constants compiled into Windows 8 to 11, from public decompiler listings
  it.each([
    ["Pool", 0x040d_eda5],
    ["ConT", 0x7da6_97e6],
  ])("puts %s where Windows does", (tag, hash) => {
    expect(hashKey(parseTag(tag).key, "product")).toBe(hash);
  });
});

describe("readTagTable", () => {
  it.each([
    ["A32", 3790, false],
    ["A32", 2600, true],
    ["A64", 3790, false],
    ["A64", 15063, false],
    ["B32", 19041, false],
    ["B64", 19041, false],
    ["C64", 20348, false],
  ] as const)("reads back every table of layout %s, build %d", (layout, build, xpHash) => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(tagArb, totalArb(1_000_000_000), totalArb(1_000_000_000)), {
          selector: ([tag]) => tag,
          minLength: 8,
          maxLength: 120,
        }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: xpHash ? 1 : 8 }),
        fc.constantFrom(128, 256, 1024, 4096),
        (tags, weights, hashed) => {
          const processors: Row[][] = weights.map(() => []);
          for (const [tag, nonPaged, paged] of tags) {
            const np = shares(nonPaged, weights);
            const p = shares(paged, weights);
            processors.forEach((rows, cpu) => {
              rows.push({ tag, nonPaged: np[cpu]!, paged: p[cpu]! });
            });
          }
          const { kernel } = trackerMachine({ layout, build, hashed, processors, xpHash });
          const table = found(readTagTable(kernel));
          const read = new Map(table.tags.map((usage) => [usage.tag, usage]));
          expect(table).toMatchObject({
            layout,
            score: 1,
            complete: true,
            processors: { read: weights.length, of: weights.length },
            hash: xpHash ? "bytes" : "product",
          });
          expect(read.size).toBe(tags.length);
          for (const [tag, nonPaged, paged] of tags) {
            const usage = read.get(tag);
            expect(usage?.nonPaged).toMatchObject({
              ...nonPaged,
              outstanding: nonPaged.allocations - nonPaged.frees,
            });
            expect(usage?.paged).toMatchObject({ ...paged, outstanding: paged.allocations - paged.frees });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  const hot = [
    "Io  ",
    "Hal ",
    "MdlP",
    "Pool",
    "ObSt",
    "Irp ",
    "NDdb",
    "IrpL",
    "IoOp",
    "Mdl ",
    "File",
    "Proc",
  ];
  const rows = (scale: number): Row[] =>
    hot.map((tag, i) => ({
      tag,
      nonPaged: { allocs: scale * (i + 2), frees: i, bytes: scale * 64 * (i + 1) },
    }));

  it("gives the mask that the table has, not a smaller one that fits it too", () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ tag: `T${`${i}`.padStart(3, "0")}` }));
    const { kernel } = trackerMachine({ layout: "B64", build: 19041, hashed: 2048, processors: [many] });
    expect(found(readTagTable(kernel)).slots).toBe(2048);
  });

  it("does not take a larger mask that three keys fit by chance", () => {
    for (const tags of [
      ["Se  ", "Toke", "Irp "],
      ["ABCx", "ABCy", "ABCz"],
      ["CM31", "Ntff", "MmSt"],
    ]) {
      const made = trackerMachine({
        layout: "B64",
        build: 19041,
        hashed: 4096,
        processors: [tags.map((tag) => ({ tag }))],
      });
      expect(found(readTagTable(made.kernel))).toMatchObject({ complete: true, notes: [] });
    }
  });

  it("reads a table larger than the usual one", () => {
    const many = Array.from({ length: 900 }, (_, i) => ({ tag: `T${`${i}`.padStart(3, "0")}` }));
    const { kernel } = trackerMachine({ layout: "A64", build: 9600, hashed: 32_768, processors: [many] });
    const table = found(readTagTable(kernel));
    expect([table.slots, table.tags.length, table.layout]).toEqual([32_768, 900, "A64"]);
  });

  it("adds up processors, of which each alone would give negative counts", () => {
    const tag = "Leak";
    const filler = rows(1);
    const { kernel } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [
        [...filler, { tag, paged: { allocs: 10, frees: 5000, bytes: -400_000 } }],
        [{ tag, paged: { allocs: 9000, frees: 10, bytes: 900_000 } }],
        [{ tag: "Pool" }],
      ],
    });
    const usage = found(readTagTable(kernel)).tags.find((one) => one.tag === tag);
    expect(usage?.paged).toEqual({
      allocations: 9010,
      frees: 5010,
      outstanding: 4000,
      bytes: 500_000,
      bytesPerAllocation: 125,
    });
    expect(usage?.doubt).toBeUndefined();
  });

  it("says that only one processor's share is there when the array cannot be found", () => {
    const { kernel } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      withoutArray: true,
      processors: [
        [...rows(1), { tag: "Leak", paged: { allocs: 1, frees: 3, bytes: -128 } }],
        rows(1),
        rows(2),
      ],
    });
    const table = found(readTagTable(kernel));
    expect(table).toMatchObject({ complete: false, processors: { read: 1, of: 3 }, array: undefined });
    expect(table.tags.find((usage) => usage.tag === "Leak")?.doubt).toBe("negative");
    expect(table.notes.join()).toContain("only processor 0's table of 3 was found");
  });

  it("finds the array by the code too, and says so", () => {
    const made = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [rows(1), rows(2)],
    });
    // mov r8,[rip+mask]; lea rax,[image]; mov r13,[rax+rdx*8+array]; imul rcx,rax,9E5Fh; imul r15,rcx,38h
    const { code, data, nt } = PLACES[8];
    const array = Number(data - nt) + VARIABLE.array;
    const bytes = [
      ...[0x4c, 0x8b, 0xac, 0xd0, array & 0xff, (array >> 8) & 0xff, (array >> 16) & 0xff, array >>> 24],
      ...[0x48, 0x69, 0xc8, 0x5f, 0x9e, 0, 0],
      ...[0x4c, 0x6b, 0xf9, 0x38],
    ];
    made.memory.write(code + 0x201n, Uint8Array.from(bytes));
    const table = found(readTagTable(made.kernel));
    expect(table.array).toBe(data + BigInt(VARIABLE.array));
    expect(table.basis.join("; ")).toMatch(/hashing code indexes it, and the keys .* are the first one's/);
    expect(table.basis.join("; ")).toContain("has the same stride");
  });

  it("reads what is left of processors whose tables are paged out, and counts them", () => {
    const made = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [rows(1), rows(2), rows(3), rows(4)],
    });
    made.memory.pageOut(made.tables[2]!, 4097 * made.stride);
    const table = found(readTagTable(made.kernel));
    expect(table).toMatchObject({ complete: false, processors: { read: 3, of: 4 } });
    const pool = table.tags.find((usage) => usage.tag === "Pool");
    expect(pool?.nonPaged.allocations).toBe((1 + 2 + 4) * 5);
  });

  it("marks the tags whose slot one processor lacks, and only those", () => {
    const made = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [rows(1), rows(2)],
    });
    const slots = writer.assignSlots(hot, 4096, writer.tagHash);
    made.memory.pageOut(made.tables[1]! + BigInt(slots.get("Proc")! * made.stride), 1);
    const table = found(readTagTable(made.kernel));
    expect(table.complete).toBe(false);
    const partial = table.tags.filter((usage) => usage.doubt === "partial").map((usage) => usage.tag);
    expect(partial).toContain("Proc");
    expect(partial.length).toBeLessThan(hot.length);
    expect(table.notes.join()).toMatch(/entries cannot be read/);
  });

  it("gives what a half paged out table still holds", () => {
    const many = Array.from({ length: 400 }, (_, i) => ({
      tag: `T${`${i}`.padStart(3, "0")}`,
      paged: { allocs: 2, frees: 1, bytes: 64 },
    }));
    const made = trackerMachine({ layout: "A32", build: 3790, hashed: 4096, processors: [many] });
    made.memory.pageOut(made.tables[0]! + 0x4000n, 0xc000);
    const table = found(readTagTable(made.kernel));
    expect(table.layout).toBe("A32");
    expect(table.complete).toBe(false);
    expect(table.tags.length).toBeGreaterThan(100);
    expect(table.tags.length).toBeLessThan(300);
    expect(table.tags.every((usage) => usage.paged.bytes === 64)).toBe(true);
  });

  it("reads a table with every slot taken, and its overflow entry", () => {
    const hashed = 512;
    const full = Array.from({ length: hashed }, (_, i) => ({
      tag: `T${`${i}`.padStart(3, "0")}`,
      nonPaged: { allocs: i + 1, frees: 0, bytes: 32 * (i + 1) },
    }));
    const made = trackerMachine({ layout: "A64", build: 7601, hashed, processors: [full] });
    const overflow = made.tables[0]! + BigInt(hashed * made.stride);
    made.memory
      .u32(overflow, parseTag("OVFL").key)
      .u32(overflow + 4n, 70)
      .u32(overflow + 8n, 20)
      .u64(overflow + 16n, 800n);
    const table = found(readTagTable(made.kernel));
    expect([table.slots, table.tags.length]).toEqual([hashed, hashed]);
    expect(table.overflow?.nonPaged).toMatchObject({
      allocations: 70,
      frees: 20,
      outstanding: 50,
      bytes: 800,
    });
  });

  it("keeps outstanding counts right when 32-bit counts have wrapped", () => {
    const wrapping = { tag: "Wrap", nonPaged: { allocs: 0x1_0000_0010, frees: 0xffff_fff0, bytes: 4096 } };
    const { kernel } = trackerMachine({
      layout: "A32",
      build: 3790,
      hashed: 512,
      processors: [[...rows(1), wrapping]],
    });
    const table = found(readTagTable(kernel));
    expect(table.tags.find((usage) => usage.tag === "Wrap")?.nonPaged).toMatchObject({
      allocations: 0x1_0000_0010,
      frees: 0xffff_fff0,
      outstanding: 32,
      bytesPerAllocation: 128,
    });
    expect(table.notes.join()).toContain("went past 32 bits");
  });

  it("does not show a counter past 2^53 as one", () => {
    const absurd = { tag: "Huge", paged: { allocs: 0x7fff_ffff_ffff_ffffn, frees: 0, bytes: 1n << 60n } };
    const { kernel } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 512,
      processors: [[...rows(1), absurd]],
    });
    const table = found(readTagTable(kernel));
    expect(table.tags.find((usage) => usage.tag === "Huge")?.doubt).toBe("implausible");
    expect(table.complete).toBe(false);
  });

  it("believes the data before the build, and says so", () => {
    const { kernel } = trackerMachine({ layout: "C64", build: 19041, hashed: 512, processors: [rows(1)] });
    const table = found(readTagTable(kernel));
    expect(table.layout).toBe("C64");
    expect(table.notes.join()).toContain("build 19041 should have layout B64");
  });

  /** A machine whose data begins with pointers to other things. */
  function machineBehind(pointers: readonly bigint[]) {
    const made = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 64,
      processors: [rows(1), rows(2)],
    });
    const before = PLACES[8].data - 0x4_0000n;
    const words = new BigUint64Array(0x4_0000 / 8);
    words.set(pointers);
    made.memory.write(before, new Uint8Array(words.buffer));
    const writable = [{ start: va(before), length: 0x4_0000 }, ...made.kernel.nt!.writable];
    return { ...made, kernel: { ...made.kernel, nt: { ...made.kernel.nt!, writable } } };
  }
  const COMPLETE = { complete: true, processors: { read: 2, of: 2 }, notes: [] };

  it("looks for the array at 4,096 places that hold the first table's address (MAX_POINTER_HITS)", () => {
    const first = PLACES[8].tables;
    const behind = (places: number) =>
      found(readTagTable(machineBehind(Array.from({ length: places }, () => first)).kernel));
    // the pointer that KDBG names is one more, and the array the next
    expect(behind(4094)).toMatchObject(COMPLETE);
    expect(behind(4095)).toMatchObject({
      complete: false,
      processors: { read: 1, of: 2 },
      notes: expect.arrayContaining([
        "the first tag table's address stands at more places than the 4096 that were looked at",
      ]),
    });
  });

  it("looks for it without KDBG behind 16,383 pages that are none (MAX_TABLE_CANDIDATES)", () => {
    const behind = (pages: number) => {
      const away = Array.from(
        { length: pages },
        (_, i) => PLACES[8].tables + 0x1000_0000n + BigInt(i) * 0x1000n,
      );
      return readTagTable({ ...machineBehind(away).kernel, variables: undefined });
    };
    expect(behind(16_383)).toMatchObject(COMPLETE);
    expect(behind(16_384)).toMatchObject({
      missing: "no-pointer",
      reason:
        "no tag table found, because no KDBG block was found to name it, and nothing in the kernel's data proves to be one; there are more pages that could be one than were looked at",
    });
  });

  it("measures 64 pages that look like a table (MAX_TABLE_ATTEMPTS)", () => {
    const behind = (pages: number) => {
      const alike = Array.from(
        { length: pages },
        (_, i) => PLACES[8].tables + 0x1000_0000n + BigInt(i) * 0x1000n,
      );
      const { memory, kernel } = machineBehind(alike);
      for (const at of alike) memory.u32(at, parseTag("Pool").key);
      return readTagTable({ ...kernel, variables: undefined });
    };
    expect(behind(63)).toMatchObject(COMPLETE);
    expect(behind(64)).toMatchObject({
      missing: "no-pointer",
      reason: expect.stringMatching(/; there are more pages that could be one than were looked at$/),
    });
  });

  it("looks at 256 places of code that hash a tag, and says where there are more (MAX_HASH_SITES)", () => {
    const notes = (places: number) => {
      const { memory, kernel } = trackerMachine({
        layout: "B64",
        build: 19041,
        hashed: 512,
        processors: [rows(1)],
      });
      for (let i = 0; i < places; i++) memory.u32(PLACES[8].code + BigInt(i * 8), 40_543);
      return found(readTagTable(kernel)).notes;
    };
    expect(notes(256)).toEqual([]);
    expect(notes(257)).toEqual([
      "the hash's multiplier stands at more places of the kernel than the 256 that were looked at",
    ]);
  });

  it("finds the table without KDBG, through nt's data", () => {
    const { kernel, tables } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [rows(1), rows(2)],
    });
    const table = found(readTagTable({ ...kernel, variables: undefined }));
    expect(table.at).toBe(tables[0]);
    expect(table.processors).toEqual({ read: 2, of: 2 });
    expect(table.basis.join()).toContain("a search of the kernel's data");
  });
});

describe("readTagTable, where there is none", () => {
  const made = () =>
    trackerMachine({
      layout: "A32",
      build: 2600,
      hashed: 512,
      processors: [[{ tag: "Pool" }]],
      xpHash: true,
    });
  const variable = PLACES[4].data + BigInt(VARIABLE.poolTrackTable);

  it("says that tagging is off in XP", () => {
    const { memory, kernel } = made();
    memory.u32(variable, 0);
    expect(readTagTable(kernel)).toMatchObject({
      missing: "tagging-off",
      reason: expect.stringContaining("gflags"),
    });
  });

  it.each([
    ["no-pointer", 0x1000],
    ["unreadable", 0xa000_0000],
    ["empty", 0x8080_0000],
  ])("is %s when the pointer is %d", (kind, pointer) => {
    const { memory, kernel } = made();
    memory.u32(variable, pointer);
    const nowhere = { ...kernel, nt: undefined };
    expect(readTagTable(nowhere)).toMatchObject({ missing: kind, processors: { read: 0, of: 1 } });
  });

  it("refuses what stands there when it is no tag table", () => {
    const { memory, kernel, tables } = made();
    const noise = new Uint8Array(0x20000);
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
      noise[i] = 0x20 + ((x >>> 16) % 0x5f);
    }
    memory.write(tables[0]!, noise);
    expect(readTagTable(kernel)).toMatchObject({ missing: "no-layout" });
  });

  it.each([
    [20348, { missing: "ambiguous" }],
    [19041, { layout: "B64", complete: false }],
  ])("does not trust a table that two layouts fit, build %d", (build, expected) => {
    // one table in which the keys of stride 28h and those of stride 38h both stand where they hash to
    const { memory, kernel, tables } = trackerMachine({
      layout: "A64",
      build,
      hashed: 64,
      processors: [[{ tag: "Pool" }]],
    });
    const bytes = new Uint8Array(65 * 0x50);
    const view = new DataView(bytes.buffer);
    for (const stride of [0x28, 0x38]) {
      for (let slot = 0; slot < 64; slot += 3) {
        const at = slot * stride;
        if (at % (stride === 0x28 ? 0x38 : 0x28) === 0 && at !== 0) continue;
        for (let key = 0x2020_2020; ; key += 0x0101) {
          if ((hashKey(key, "product") & 63) !== slot) continue;
          if (view.getUint32(at, true) === 0) view.setUint32(at, key, true);
          break;
        }
      }
    }
    memory.write(tables[0]!, new Uint8Array(0x3000)).write(tables[0]!, bytes);
    expect(readTagTable(kernel)).toMatchObject(expected);
  });

  it("ends soon on a table that claims a million entries", () => {
    const { memory, kernel, tables } = made();
    for (let at = 0n; at < 0x100_0000n; at += 0x1_0000n) {
      memory.write(tables[0]! + at, new Uint8Array(0x1_0000).fill(0x41));
    }
    expect(readTagTable(kernel)).toMatchObject({ missing: "no-layout" });
    expect(stepsOf(() => void readTagTable(kernel))).toBeLessThan(1_100_000);
  });

  it("survives any bytes in place of the table", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4096 }), fc.nat(0x3000), (bytes, at) => {
        const { memory, kernel, tables } = trackerMachine({
          layout: "B64",
          build: 19041,
          hashed: 128,
          processors: [
            [{ tag: "Pool" }, { tag: "Irp " }, { tag: "File" }, { tag: "Mdl " }],
            [{ tag: "Pool" }],
          ],
        });
        memory.write(tables[0]! + BigInt(at), bytes);
        const table = readTagTable(kernel);
        if (!("missing" in table)) expect(table.score).toBeGreaterThanOrEqual(0.95);
      }),
      { numRuns: 60 },
    );
  });
});
