import { describe, expect, it } from "vitest";
import { buildMachine } from "../../samples/leakbench/machine.mjs";
import { raw, squeezed } from "../../samples/writer/containers.mjs";
import { readDump } from "../../src/dump/open.ts";
import { placeFlatFile } from "../../src/kernel/flat-layout.ts";
import { openMachine } from "../../src/kernel/open-machine.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

type Run = [base: number, count: number];

const PAGES = 0x3000;
/** Pages that the file lacks at its end. */
const CUT = 0x40;

/** Where nothing else of the machine is; each table there maps 2 MB. */
const SPREAD = { x64: 0xffff_9000_0000_0000n, x86: 0x9000_0000n } as const;

/** @param spread pages that are mapped 2 MB apart, so that their tables stand all over memory */
function machineWith(arch: "x64" | "x86", hole: Run, spread: number) {
  const { machine, memory } = buildMachine({
    arch,
    seed: 31,
    drivers: ["nwindav", "ctstor", "humong"],
    counts: [{ tag: "Se  ", paged: true, block: { x64: 0x60, x86: 0x58 }, live: 1000 }],
    physicalPages: PAGES,
    hole,
  }).system;
  // what is there so far gets its place first: the kernel below the devices
  machine.pages();
  for (let i = 0n; i < spread; i++) machine.map(SPREAD[arch] + i * 0x20_0000n, 0x1000);
  return { machine, memory };
}

/** All but what is left out. */
function without(...left: readonly Run[]): Run[] {
  let next = 0;
  const runs = left.map(([base, count]): Run => {
    const run: Run = [next, base - next];
    next = base + count;
    return run;
  });
  return [...runs, [next, PAGES - next]];
}

function placesOf(file: Uint8Array, pfns: readonly number[]) {
  const { dump } = openMachine(readDump(new BytesSource(file, "memory.raw")));
  if (!("pages" in dump.memory)) throw new Error("a flat file has pages");
  const { pages } = dump.memory;
  return {
    pages: pfns.map((pfn) => (pages.locate(pfn) < 0 ? "none" : pages.locate(pfn) / 0x1000)),
    missing: pages.missing,
    notes: dump.notes,
  };
}

/** Page tables and images stand above the devices' memory, and tell where it is. */
describe.each(["x64", "x86"] as const)(
  "a flat file of a machine (%s) with its kernel on both sides",
  (arch) => {
    const HOLE: Run = [0x400, 0x800];
    const { machine, memory } = machineWith(arch, HOLE, 96);
    const last = PAGES - CUT - 1;

    it.each<[string, Uint8Array, readonly number[], number]>([
      ["with its holes", raw(machine), [0x3ff, 0xc00, last], 0],
      ["longer than memory", raw(machine, { pages: PAGES + 0x100 }), [0x3ff, 0xc00, last], 0],
      ["without the largest", squeezed(machine, without(HOLE)), [0x3ff, 0x400, last - 0x800], 0],
      ["without a part of it", squeezed(machine, without([0x420, 0x7e0])), [0x3ff, 0x420, last - 0x7e0], 0],
      ["without all", squeezed(machine, memory), [0x39e, 0x39f, last - 0x861], 0],
      ["with its holes, cut short", raw(machine, { pages: PAGES - CUT }), [0x3ff, 0xc00, last], CUT],
      [
        "without the largest, cut short",
        squeezed(machine, without(HOLE)).subarray(0, (PAGES - 0x800 - CUT) * 0x1000),
        [0x3ff, 0x400, last - 0x800],
        CUT,
      ],
      [
        "without all, cut short",
        squeezed(machine, memory).subarray(0, (PAGES - 0x861 - CUT) * 0x1000),
        [0x39e, 0x39f, last - 0x861],
        CUT,
      ],
    ])("%s: each page is where the machine had it", (_, file, pages, missing) => {
      expect(placesOf(file, [0x3ff, 0xc00, last])).toMatchObject({ pages, missing });
    });
  },
);

describe("a flat file whose kernel is below the devices' memory", () => {
  const HOLE: Run = [0x1400, 0x800];
  const { machine } = machineWith("x64", HOLE, 0);

  it("is read only below it where the file's length tells nothing", () => {
    const file = squeezed(machine, without(HOLE));
    const { pages, notes } = placesOf(file.subarray(0, file.length - CUT * 0x1000), [0x13ff, 0x1c00]);
    expect(pages).toEqual([0x13ff, "none"]);
    expect(notes).toContain(
      "the file leaves out memory, and nothing in it tells where its pages from page 1c00 on belong: they are not read",
    );
  });

  it("is read whole where the length fits", () => {
    expect(placesOf(squeezed(machine, without(HOLE)), [0x13ff, 0x1c00]).pages).toEqual([0x13ff, 0x1400]);
  });
});

describe("a flat file of memory with many holes", () => {
  /** Runs of 100 pages with holes of 1, 2, 3 … pages between them; the file lacks all holes but the smallest. */
  function placed(holes: number) {
    const start = (run: number): number => run * 100 + (run * (run + 1)) / 2;
    const runs = Array.from({ length: holes + 1 }, (_, i) => ({ pfn: start(i), count: 100 }));
    const inFile = (run: number): number => run * 100 + Math.min(run, 1);
    const { pages, note } = placeFlatFile(
      runs,
      (inFile(holes) + 100) * 0x1000,
      (tried) => runs.filter(({ pfn }, i) => tried.locate(pfn) === inFile(i) * 0x1000).length,
    );
    return { wrong: runs.filter(({ pfn }, i) => pages.locate(pfn) !== inFile(i) * 0x1000).length, note };
  }

  it("is tried for the 16 largest, and says so where that does not fit (MAX_FLAT_LAYOUTS)", () => {
    expect(placed(17)).toEqual({
      wrong: 0,
      note: "the file leaves out 16 holes in the machine's memory (152 pages), put back by what the kernel says",
    });
    const { wrong, note } = placed(18);
    expect(wrong).toBeGreaterThan(0);
    expect(note).toMatch(
      /; of 18 holes in the machine's memory only the 16 largest were tried: pages may belong elsewhere$/,
    );
  });
});

describe("a flat file of page tables that lead to themselves and nowhere else", () => {
  it("ends with one line that says so", () => {
    const pages = 0x100;
    const file = new Uint8Array(pages * 0x1000);
    const words = new BigUint64Array(file.buffer);
    for (let pfn = 0; pfn < pages; pfn++)
      words.fill((BigInt(pfn) << 12n) | 0x63n, pfn * 512, (pfn + 1) * 512);
    expect(() => placesOf(file, [])).toThrow(
      "in 256 pages, neither a processor's start block nor a table that maps itself (of x64, ARM64, x86 or PAE) leads to an image of nt with a list of modules; there are more such tables than are tried",
    );
  });

  it("says so too where it has more of them than are tried (MAX_ROOTS)", () => {
    // the directories of 32-bit machines: 0xc0000000 leads to the directory itself
    const tables = (pages: number) => {
      const words = new Uint32Array(pages * 1024);
      // an entry of 64 bits there leads elsewhere
      for (let pfn = 0; pfn < pages; pfn++) words.set([pfn * 0x1000 + 0x63, 0x100], pfn * 1024 + 0x300);
      return new Uint8Array(words.buffer);
    };
    expect(() => placesOf(tables(4096), [])).toThrow(/with a list of modules$/);
    expect(() => placesOf(tables(4097), [])).toThrow(
      /list of modules; there are more such tables than are tried$/,
    );
  });
});
