import { describe, expect, it } from "vitest";
import { leakX64 } from "../../samples/leak-x64.mjs";
import { type HibernationForm, type Packing, writeHibernation } from "../../samples/writer/hibernation.mjs";
import { writeHibernation7 } from "../../samples/writer/hibernation-7.mjs";
import { contextX64, contextX86 } from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { PAGE_SIZE, va } from "../../src/core/address.ts";
import type { OpenedDump } from "../../src/dump/format.ts";
import { readDump } from "../../src/dump/open.ts";
import { DAMAGED, NOT_IN_DUMP, type PageMap, TRUNCATED } from "../../src/dump/page-map.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import { x64 } from "../../src/memory/x64.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { CachedSource } from "../../src/source/page-cache.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { patch } from "../fixtures/dump-bytes.ts";

const TAKEN = 133_456_789_012_345_678n;

const open = (bytes: Uint8Array, name = "hiberfil.sys"): OpenedDump => readDump(new BytesSource(bytes, name));

function memoryOf({ memory }: OpenedDump): { pages: PageMap; source: ByteSource } {
  if ("blocks" in memory) throw new Error("no pages");
  return memory;
}

/** The page numbers of `machine` of which `dump` has other bytes, or none. */
function differing(machine: Machine, dump: OpenedDump): readonly number[] {
  const { pages, source } = memoryOf(dump);
  const bytes = new Uint8Array(PAGE_SIZE);
  return [...machine.pages()].flatMap(([pfn, wanted]) => {
    const offset = pages.locate(pfn);
    if (offset >= 0) source.read(offset, bytes);
    return offset >= 0 && Buffer.from(bytes).equals(wanted) ? [] : [pfn];
  });
}

/** Where the packed bytes of a set stand, by the heads of those before it. */
function dataOf(file: Uint8Array, start: number, set: number): [from: number, to: number] {
  const view = new DataView(file.buffer, file.byteOffset);
  const head = view.getUint32(start, true);
  const from = start + 4 + (head & 0xff) * 8;
  const to = from + ((head >>> 8) & 0x3fffff);
  return set === 0 ? [from, to] : dataOf(file, to, set - 1);
}

/** A machine of some pages, none of them like another. */
function small(mode: "x64" | "pae" = "x64"): Machine {
  const machine = new Machine({ mode, physicalPages: 0x800, chunkFrames: 8, seed: 11 });
  const base = machine.is64 ? 0xfffff80640000000n : 0x80800000n;
  machine.map(base, 0x60 * PAGE_SIZE);
  for (let at = 0; at < 0x60 * PAGE_SIZE; at += 0x20) machine.u32(base + BigInt(at), at * 2654435761);
  return machine;
}

const leak = leakX64();

describe.each(["8.1", "10", "11"] as const)("a hibernation file of Windows %s", (form) => {
  const { machine } = leak.system;
  it.each(["plain", "huffman", "stored", "mixed"] as const)("has the machine's pages: %s", (packing) => {
    const dump = open(writeHibernation(machine, { form, packing, systemTime: TAKEN }));
    expect(differing(machine, dump)).toEqual([]);
    expect(memoryOf(dump).pages).toMatchObject({ present: machine.pages().size, missing: 0 });
    expect(dump).toMatchObject({
      kind: "hibernation",
      notes: [],
      facts: { source: "header", taken: { value: TAKEN, source: "header" } },
    });
    expect(dump.facts.machine).toBeUndefined();
    expect(dump.facts.bugcheck).toBeUndefined();
  });
});

describe.each(["8.1-x86", "10-x86"] as const)("a hibernation file of 32-bit Windows, %s", (form) => {
  it("has the machine's pages", () => {
    const machine = small("pae");
    const dump = open(writeHibernation(machine, { form, packing: "mixed", systemTime: TAKEN }));
    expect(differing(machine, dump)).toEqual([]);
    expect(dump).toMatchObject({ notes: [], facts: { machine: { value: "x86" }, taken: { value: TAKEN } } });
  });
});

describe("a hibernation file of Windows 7", () => {
  const contexts = {
    x86: contextX86({ eip: 0x82a00010, esp: 0x807fff00, ebx: 7 }),
    x64: contextX64({ rip: 0xfffff80002a00010n, rsp: 0xfffff80000b9cf00n, r15: 7n }),
  };
  it.each([
    ["x64", "x64", leak.system.machine, false],
    ["x64 with many ranges", "x64", leak.system.machine, true],
    ["x86", "x86", small("pae"), false],
    ["x86 with many ranges", "x86", small("pae"), true],
  ] as const)("has the machine's pages, and the state of a processor: %s", (_name, name, machine, single) => {
    const dump = open(
      writeHibernation7(machine, {
        systemTime: TAKEN,
        context: contexts[name],
        idt: 0x8003f400n,
        syscall: 0xfffff800n,
        single,
      }),
    );
    expect(differing(machine, dump)).toEqual([]);
    expect(memoryOf(dump).pages).toMatchObject({ present: machine.pages().size, missing: 0 });
    const source = "processor-state";
    expect(dump).toMatchObject({
      kind: "hibernation",
      notes: [],
      facts: {
        machine: { value: name, source: "header" },
        taken: { value: TAKEN, source: "header" },
        roots: [{ value: machine.directoryTableBase, source }],
      },
    });
    expect(dump.facts.pae).toEqual(name === "x86" ? { value: true, source } : undefined);
    const { x86, x64: wide } = {
      x86: { eip: 0x82a00010n, esp: 0x807fff00n, ebx: 7n },
      x64: { rip: 0xfffff80002a00010n, rsp: 0xfffff80000b9cf00n, r15: 7n },
    };
    const syscall = name === "x64" ? 0xfffff800n : 0n;
    expect(dump.facts.system).toMatchObject([
      {
        value: {
          cr3: machine.directoryTableBase,
          paging: true,
          long: name === "x64",
          idt: 0x8003f400n,
          syscall,
        },
        source,
      },
    ]);
    expect(dump.facts.contexts).toMatchObject([{ value: name === "x86" ? x86 : wide, source }]);
  });

  // 255 entries fill a table of 64 bits: the leak's 511 pages take three
  const many = () => writeHibernation7(leak.system.machine, { single: true });
  const second = new DataView(many().buffer).getUint32(6 * PAGE_SIZE, true) * PAGE_SIZE;

  it("is read as far as it goes, where a table leads back", () => {
    const dump = open(patch(many(), { [second]: 6 }));
    expect(dump.notes).toEqual(["what follows is no set of pages: 510 pages of the tables are read"]);
    expect(memoryOf(dump).pages.present).toBe(510);
  });

  it.each([
    ["no table", (file: Uint8Array) => patch(file, { [second + 8]: 0x100 }), 255],
    ["no block", (file: Uint8Array) => patch(file, { [second + PAGE_SIZE]: 0 }), 255],
    ["a block of too many pages", (file: Uint8Array) => patch(file, { [second + PAGE_SIZE + 8]: 0x1f }), 255],
    [
      "a block that is too large",
      (file: Uint8Array) => patch(file, { [second + PAGE_SIZE + 8]: 0xffffff0f }),
      255,
    ],
  ])("is read as far as it goes, where there is %s", (_name, change, pages) => {
    const dump = open(change(many()));
    expect(dump.notes).toEqual([`what follows is no set of pages: ${pages} pages of the tables are read`]);
    expect(memoryOf(dump).pages.present).toBe(pages);
  });

  it("is read as far as it goes, where it was cut off", () => {
    const dump = open(many().subarray(0, second + 2 * PAGE_SIZE));
    expect(dump.notes).toEqual([
      expect.stringMatching(/^the file ends early: \d+ pages of the tables are read; copy it again$/),
    ]);
  });

  it("is none where no block follows the first table", () => {
    const bytes = patch(many(), { [7 * PAGE_SIZE]: "other" });
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({
        offset: 6 * PAGE_SIZE,
        field: "the pages",
        found: expect.stringMatching(/^what cannot be unpacked: it is of Windows Vista/),
      }),
    );
  });
});

const MIXED: { form: HibernationForm; packing: Packing } = { form: "10", packing: "mixed" };

describe("what a hibernation file does not hold", () => {
  const machine = small();
  const written = writeHibernation(machine, MIXED);
  const start = new DataView(written.buffer).getUint32(0x70, true) * PAGE_SIZE;

  it("is said to be missing, and is no zeros", () => {
    const { pages } = memoryOf(open(written));
    expect([pages.locate(0x7ff), pages.locate(2 ** 45), pages.runLength(0x7ff, 8)]).toEqual([
      NOT_IN_DUMP,
      NOT_IN_DUMP,
      0,
    ]);
  });

  it("is said where the file ends early", () => {
    const dump = open(written.subarray(0, start + 0x9000));
    expect(dump.notes).toEqual([
      expect.stringMatching(
        /^the file ends early: \d+ of \d+ pages of the kernel set are read; copy it again$/,
      ),
    ]);
    expect(differing(machine, dump).length).toBeGreaterThan(0);
    expect(memoryOf(dump).pages.locate(differing(machine, dump)[0]!)).not.toBe(TRUNCATED);
  });

  it("is said where a set cannot be unpacked, and the others are read", () => {
    const broken = written.slice();
    // every third set is packed with Huffman codes
    const [codes] = dataOf(written, start, 3);
    broken.fill(0x11, codes, codes + 256);
    const dump = open(broken);
    const lost = differing(machine, dump);
    expect(lost.length).toBe(16);
    const { pages, source } = memoryOf(dump);
    expect(lost.map((pfn) => pages.locate(pfn))).toEqual(lost.map(() => DAMAGED));
    expect(lost.map((pfn) => pages.runLength(pfn, 4))).toEqual(lost.map(() => 0));
    expect(dump.notes).toEqual([
      expect.stringMatching(
        /^1 of the \d+ packed pieces that were asked for cannot be unpacked; the first: hiberfil.sys\+0x[0-9a-f]+: the table of code lengths should be codes that fill 32768 places, found 8388608 places taken$/,
      ),
    ]);
    const mapping = new PageTableMapping(
      { source: new CachedSource(source), pages },
      x64(4, 19041),
      machine.directoryTableBase,
    );
    const faults = new AddressSpace(mapping)
      .spans(va(0xfffff80640000000n), 0x60 * PAGE_SIZE)
      .map(({ content }) => (typeof content === "string" ? content : content.kind));
    expect(new Set(faults)).toEqual(new Set(["dump", "damaged"]));
  });

  it("is not what two readers of the format read in two ways: method 1 is either", () => {
    const changed = written.slice();
    for (const set of [0, 1, 3, 4]) {
      const [from] = set === 0 ? [start] : dataOf(written, start, set - 1).slice(1);
      changed[from! + 3] = (changed[from! + 3]! & 0x3f) | 0x40;
    }
    const dump = open(changed);
    expect([differing(machine, dump), dump.notes]).toEqual([[], []]);
  });

  it("is not what the upper bits of a size say, which no reader knows", () => {
    const changed = written.slice();
    changed[start + 3] = changed[start + 3]! | 0x30;
    const dump = open(changed);
    expect([differing(machine, dump), dump.notes]).toEqual([[], []]);
  });

  it("is a page that is named twice, and stays where it is named with the run that starts first", () => {
    const [, next] = dataOf(written, start, 0);
    const view = new DataView(written.buffer);
    const own = view.getBigUint64(next + 4, true);
    const twice = (view.getBigUint64(start + 4, true) & ~15n) | (own & 15n);
    const dump = open(patch(written.slice(), { [next + 4]: twice }));
    expect(dump.notes).toEqual([
      expect.stringMatching(/^runs of pages that overlap another: \d+; the lower one is read$/),
    ]);
    const first = Number(own >> 4n);
    expect(differing(machine, dump)).toEqual(
      Array.from({ length: Number(own & 15n) + 1 }, (_, i) => first + i),
    );
  });

  it("is what follows a head that is none", () => {
    const broken = patch(written.slice(), { [start]: 0x11 });
    expect(() => open(broken)).toThrow(expect.objectContaining({ field: "the pages", offset: start }));
  });

  it("is said where pages are outside every physical address", () => {
    const first = (new DataView(written.buffer).getUint32(start + 4, true) & 15) + 1;
    const dump = open(patch(written.slice(), { [start + 8]: 0xffffffff }));
    expect(dump.notes).toEqual([`pages outside every physical address: ${first}; they are left out`]);
    expect(differing(machine, dump).length).toBe(first);
  });
});

describe("the state of a hibernation file", () => {
  const machine = small();
  const found = (bytes: Uint8Array, name?: string): unknown => {
    try {
      return open(bytes, name);
    } catch (error) {
      if (!(error instanceof Error) || !("found" in error)) throw error;
      return error.found;
    }
  };

  it("is a fast start, where users were logged off before", () => {
    expect(open(writeHibernation(machine, { form: "10", fastStart: true })).notes).toEqual([
      expect.stringMatching(/^users were logged off before Windows was hibernated \(fast start\)/),
    ]);
  });

  it.each(["RSTR", "HORM", "BRKP"])("is as good as new: %s", (signature) => {
    const dump = open(writeHibernation(machine, { form: "11", signature }));
    expect(differing(machine, dump)).toEqual([]);
    expect(dump.notes).toEqual([]);
  });

  it("is resumed, and what it holds is from before that", () => {
    expect(open(writeHibernation(machine, { form: "11", signature: "WAKE" })).notes).toEqual([
      "Windows was resumed from this file: it shows the machine as it was before that",
    ]);
  });

  it("is resumed and emptied", () => {
    const bytes = writeHibernation(machine, { form: "11", signature: "WAKE" }).fill(0, PAGE_SIZE);
    expect(found(bytes)).toBe(
      "nothing: Windows was resumed from this file, and empties it then; hibernate the machine again, and copy the file while Windows is off",
    );
  });

  it("is cut off in its header", () => {
    const header = writeHibernation(machine, MIXED);
    expect(found(header.subarray(0, 0x400))).toBe("the end at 0x400: copy the file again");
    expect(found(header.subarray(0, 4), "x.bin")).toBe("the end at 0x4: copy the file again");
  });

  it("is encrypted, whole or behind the header", () => {
    const bytes = writeHibernation(machine, MIXED);
    const noise = Uint8Array.from(bytes, (byte, i) => byte ^ (Math.imul(i + 1, 0x9e3779b1) >>> 24));
    expect(found(noise)).toMatch(/the file is encrypted with its volume, as BitLocker does it/);
    noise.set(bytes.subarray(0, PAGE_SIZE));
    expect(found(noise)).toMatch(/it is encrypted, or was written over/);
    // another name says nothing of what it is
    expect(found(noise.fill(0x77, 0, 8), "x.bin")).toMatch(/no format known here/);
  });

  it("is wiped, or never was used", () => {
    expect(found(new Uint8Array(0x8000))).toMatch(/^zeros: the machine was not hibernated/);
  });

  it.each([
    ["hibr", /Windows XP, 2003 or before/],
    ["wake", /Windows XP, 2003 or before/],
  ])("is too old: %s", (signature, words) => {
    expect(found(writeHibernation(machine, { form: "10", signature }))).toMatch(words);
  });

  it.each([
    ["of a Windows that is not known", writeHibernation(machine, { form: "11", lengthSelf: 0x500 })],
    ["without the number of the kernel's pages", patch(writeHibernation(machine, MIXED), { 0x230: 0n })],
  ])("is read up to a head of zeros: %s", (_name, bytes) => {
    const dump = open(bytes);
    expect(differing(machine, dump)).toEqual([]);
    expect(dump.notes).toEqual([
      "the header does not tell how many pages the kernel set has: it was read up to its end mark",
    ]);
  });
});
