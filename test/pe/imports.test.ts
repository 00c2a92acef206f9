import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { declaredBy } from "../../src/pe/declared-imports.ts";
import { Image } from "../../src/pe/image.ts";
import { importsDocument } from "../../src/report/imports-document.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { loadPe, type PeSpec, peSource } from "../fixtures/pe.ts";
import { stepsOf } from "../fixtures/steps.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const BASE = 0xb8f0_4000n;
const NT = 0x8096_c8ccn;

// IAT at 0x1000: ntoskrnl.exe's two slots, a zero, hal.dll's one slot, a zero. Delay IAT at 0x1040 (two).
const THUNKS: Record<number, number> = {
  0: 0x3100,
  4: 0x8000_000c,
  8: 0,
  12: 0x3120,
  16: 0,
  0x40: 0x14010,
  0x44: 0x14020,
};

// INIT, at 0x3000: descriptors, their lookup tables and names; gone in a dump.
const INIT = patch(new Uint8Array(0x200), {
  0: 0x3080, // lookup table
  12: 0x3160, // name
  16: 0x1000, // address table
  20: 0x3090,
  32: 0x3170,
  36: 0x100c,
  0x80: 0x3100,
  0x84: 0x8000_000c,
  0x90: 0x3120,
  0x100: 0x6553_04d2, // hint 0x4d2, "Se…"
  0x104: "QueryInformationToken",
  0x120: 0x654b_0053,
  0x124: "BugCheckEx",
  0x160: "ntoskrnl.exe",
  0x170: "HAL.dll",
});

// Delay descriptors, at 0x2000, in a section that stays.
const DELAY = patch(new Uint8Array(0x100), {
  0: 1,
  4: 0x2080, // name
  12: 0x1040, // address table
  16: 0x2060, // lookup table
  0x60: 0x2090,
  0x64: 0x8000_0007,
  0x80: "dxgkrnl.sys",
  0x90: 0x7844_0001,
  0x94: "gk",
});

const SPEC: PeSpec = {
  bits: 32,
  directories: { 1: [0x3000, 0x3c], 12: [0x1000, 0x14], 13: [0x2000, 0x40] },
  sections: [
    { name: ".rdata", rva: 0x1000, data: patch(new Uint8Array(0x100), THUNKS) },
    { name: ".didat", rva: 0x2000, data: DELAY },
    { name: "INIT", rva: 0x3000, data: INIT, use: "rxd" },
    { name: ".text", rva: 0x4000, data: new Uint8Array(0x100), use: "rx" },
  ],
};

/** The image after the loader: the slots hold addresses, the delayed ones the image's own thunks. */
function loaded(): VirtualMemory {
  const thunk = Number(BASE) + 0x4010;
  return loadPe(new VirtualMemory(4), SPEC, BASE)
    .u32(BASE + 0x1000n, Number(NT))
    .u32(BASE + 0x1004n, 0x8096_000a)
    .u32(BASE + 0x100cn, 0x80a6_0010)
    .u32(BASE + 0x1040n, thunk)
    .u32(BASE + 0x1044n, 0xf787_3892);
}

function imageIn(memory: VirtualMemory): Image {
  return Image.at(memory.space, va(BASE), { label: "leaky.sys" });
}

const DECLARED = [
  { dll: "ntoskrnl.exe", name: "SeQueryInformationToken", ordinal: null, hint: 0x4d2 },
  { dll: "ntoskrnl.exe", name: null, ordinal: 12 },
  { dll: "HAL.dll", name: "KeBugCheckEx", ordinal: null, hint: 0x53 },
  { dll: "dxgkrnl.sys", name: "Dxgk", ordinal: null, hint: 1 },
  { dll: "dxgkrnl.sys", name: null, ordinal: 7 },
];

describe("the imports of an image", () => {
  it("in a file are names and ordinals, with no addresses", () => {
    const { slots, gaps } = Image.fromFile(peSource(SPEC)).imports;
    expect(slots.map(({ rva, kind, value, declared }) => [rva, kind, value, declared])).toEqual([
      [0x1000, "iat", undefined, DECLARED[0]],
      [0x1004, "iat", undefined, DECLARED[1]],
      [0x100c, "iat", undefined, DECLARED[2]],
      [0x1040, "delay-iat", undefined, DECLARED[3]],
      [0x1044, "delay-iat", undefined, DECLARED[4]],
    ]);
    expect(gaps).toEqual([]);
  });

  it("in memory are addresses beside the names, each slot once, and no terminator", () => {
    const { slots, gaps } = imageIn(loaded()).imports;
    expect(
      slots.map(({ rva, kind, value, pending, declared }) => [rva, kind, value, pending, declared]),
    ).toEqual([
      [0x1000, "iat", NT, false, DECLARED[0]],
      [0x1004, "iat", 0x8096000an, false, DECLARED[1]],
      [0x100c, "iat", 0x80a60010n, false, DECLARED[2]],
      [0x1040, "delay-iat", BASE + 0x4010n, true, DECLARED[3]],
      [0x1044, "delay-iat", 0xf7873892n, false, DECLARED[4]],
    ]);
    expect(gaps).toEqual([]);
  });

  it("are still found by the address table once INIT is gone, and it is said that the names are", () => {
    const { slots, gaps } = imageIn(loaded().pageOut(BASE + 0x3000n, 0x200)).imports;
    expect(slots.map(({ rva, value, declared }) => [rva, value, declared?.name])).toEqual([
      [0x1000, NT, undefined],
      [0x1004, 0x8096000an, undefined],
      [0x100c, 0x80a60010n, undefined],
      [0x1040, BASE + 0x4010n, "Dxgk"],
      [0x1044, 0xf7873892n, null],
    ]);
    expect(slots[0]).not.toHaveProperty("declared");
    expect(gaps).toEqual([
      { table: "descriptors", dll: null, stopped: { kind: "paged-out", va: BASE + 0x3000n, level: "PTE" } },
    ]);
  });

  it("keep the names and say why there is no address where the address table is a hole", () => {
    const { slots, gaps } = imageIn(loaded().pageOut(BASE + 0x1000n, 0x100)).imports;
    const fault = { kind: "paged-out", va: BASE + 0x1000n, level: "PTE" };
    expect(slots).toHaveLength(5);
    expect(slots[0]).toEqual({
      rva: 0x1000,
      kind: "iat",
      value: undefined,
      fault,
      pending: false,
      declared: DECLARED[0],
    });
    expect(gaps).toEqual([{ table: "address-directory", dll: null, stopped: fault }]);
  });

  it("go on by the addresses where only the lookup table is gone", () => {
    const data = patch(INIT.slice(), { 0: 0x5000, 20: 0x5000 });
    const spec: PeSpec = {
      ...SPEC,
      imageSize: 0x6000,
      sections: SPEC.sections!.map((section) => (section.name === "INIT" ? { ...section, data } : section)),
    };
    const memory = loadPe(new VirtualMemory(4), spec, BASE).u32(BASE + 0x1000n, Number(NT));
    const { slots, gaps } = imageIn(memory).imports;
    expect(slots.slice(0, 3).map(({ rva, declared }) => [rva, declared])).toEqual([
      [0x1000, { dll: "ntoskrnl.exe", name: null, ordinal: null }],
      [0x1004, { dll: "ntoskrnl.exe", name: null, ordinal: null }],
      [0x100c, { dll: "HAL.dll", name: null, ordinal: null }],
    ]);
    expect(gaps.map(({ table, dll }) => [table, dll])).toEqual([
      ["lookup", "ntoskrnl.exe"],
      ["lookup", "HAL.dll"],
    ]);
  });

  it("are the names in the address table of a file that has no lookup table", () => {
    const data = patch(INIT.slice(), { 0: 0, 20: 0 });
    const file = Image.fromFile(
      peSource({
        ...SPEC,
        sections: SPEC.sections!.map((section) => (section.name === "INIT" ? { ...section, data } : section)),
      }),
    );
    expect(file.imports.slots.slice(0, 3).map(({ declared }) => declared)).toEqual(DECLARED.slice(0, 3));
  });

  it("are read from delay descriptors of the oldest form, which hold addresses", () => {
    const base = 0x10000;
    const data = patch(DELAY.slice(), {
      0: 0,
      4: base + 0x2080,
      12: base + 0x1040,
      16: base + 0x2060,
      0x60: base + 0x2090,
    });
    const file = Image.fromFile(
      peSource({
        ...SPEC,
        sections: SPEC.sections!.map((section) =>
          section.name === ".didat" ? { ...section, data } : section,
        ),
      }),
    );
    expect(file.imports.slots.slice(3).map(({ rva, declared }) => [rva, declared])).toEqual([
      [0x1040, DECLARED[3]],
      [0x1044, DECLARED[4]],
    ]);
  });

  it("of 64 bits have ordinals by bit 63", () => {
    const data = patch(new Uint8Array(0x100), {
      0: 0x2040,
      12: 0x2080,
      16: 0x1000,
      0x40: 0x8000_0000_0000_0101n,
      0x48: 0x2090n,
      0x80: "a.sys",
      0x92: "Name",
    });
    const spec: PeSpec = {
      bits: 64,
      directories: { 1: [0x2000, 40] },
      sections: [
        { name: ".rdata", rva: 0x1000, data: new Uint8Array(0x40) },
        { name: ".idata", rva: 0x2000, data },
      ],
    };
    const memory = loadPe(new VirtualMemory(8), spec, 0xfffff800_10000000n).u64(
      0xfffff800_10001000n,
      0xfffff804_7ba00010n,
    );
    const { slots } = Image.at(memory.space, va(0xfffff800_10000000n)).imports;
    expect(slots).toEqual([
      {
        rva: 0x1000,
        kind: "iat",
        value: 0xfffff804_7ba00010n,
        pending: false,
        declared: { dll: "a.sys", name: null, ordinal: 0x101 },
      },
      {
        rva: 0x1008,
        kind: "iat",
        value: 0n,
        pending: false,
        declared: { dll: "a.sys", name: "Name", ordinal: null, hint: 0 },
      },
    ]);
  });
});

describe("the imports of an image whose file is at hand", () => {
  const file = Image.fromFile(peSource(SPEC)).imports;

  it("have the addresses of memory and the names of the file", () => {
    const image = imageIn(loaded().pageOut(BASE + 0x3000n, 0x200));
    const { slots } = declaredBy(image.imports, file, image);
    expect(slots.map(({ value, declared }) => [value, declared])).toEqual([
      [NT, DECLARED[0]],
      [0x8096000an, DECLARED[1]],
      [0x80a60010n, DECLARED[2]],
      [BASE + 0x4010n, DECLARED[3]],
      [0xf7873892n, DECLARED[4]],
    ]);
  });

  it("are read from memory also where only the file knows that there is a slot", () => {
    const gone = loaded().pageOut(BASE + 0x2000n, 0x1200);
    const image = imageIn(gone);
    expect(image.imports.slots.map(({ rva }) => rva)).toEqual([0x1000, 0x1004, 0x100c]);
    const { slots } = declaredBy(image.imports, file, image);
    expect(slots.slice(3).map(({ rva, kind, value, pending }) => [rva, kind, value, pending])).toEqual([
      [0x1040, "delay-iat", BASE + 0x4010n, true],
      [0x1044, "delay-iat", 0xf7873892n, false],
    ]);
  });

  it("have the file's name where memory shows an ordinal, or what leads to no name", () => {
    const image = imageIn(loadPe(new VirtualMemory(4), withEntries(0x8000_5678n, 0x8178_b126n), BASE));
    expect(image.imports.slots[0]?.declared).toMatchObject({ name: null, ordinal: 0x5678 });
    const { slots } = declaredBy(image.imports, file, image);
    expect(slots.slice(0, 3).map(({ declared }) => declared)).toEqual(DECLARED.slice(0, 3));
  });

  it("say why a slot that only the file knows of cannot be read", () => {
    const image = imageIn(loaded().pageOut(BASE + 0x1000n, 0x2200));
    const { slots } = declaredBy(image.imports, file, image);
    expect(slots).toHaveLength(5);
    expect(slots[0]).toMatchObject({
      declared: DECLARED[0],
      fault: { kind: "paged-out", va: BASE + 0x1000n },
    });
  });
});

/** INIT with other lookup entries: the two of ntoskrnl.exe, one of them by ordinal, and the one of hal.dll. */
function withEntries(named: bigint, other: bigint): PeSpec {
  const data = patch(INIT.slice(), { 0x80: Number(named), 0x90: Number(other) });
  return {
    ...SPEC,
    sections: SPEC.sections!.map((section) => (section.name === "INIT" ? { ...section, data } : section)),
  };
}

describe("the lookup entries of an image that the kernel's loader bound", () => {
  const names = (spec: PeSpec, change = (memory: VirtualMemory): VirtualMemory => memory) => {
    const { slots, gaps } = imageIn(change(loadPe(new VirtualMemory(4), spec, BASE))).imports;
    return { declared: slots.slice(0, 3).map(({ declared }) => declared), gaps };
  };

  it("are addresses: on x86 their top bit is set, and they are no ordinals", () => {
    const { declared, gaps } = names(withEntries(BASE + 0x3100n, BASE + 0x3120n));
    expect(declared).toEqual(DECLARED.slice(0, 3));
    expect(gaps).toEqual([]);
  });

  it("are addresses of where a boot driver stood before it was moved, all from one base", () => {
    const { declared, gaps } = names(withEntries(0x8178_b100n, 0x8178_b120n));
    expect(declared).toEqual(DECLARED.slice(0, 3));
    expect(gaps).toEqual([]);
  });

  it("are found by the earlier base that a longer table shows, where one entry alone fits two places", () => {
    const spec = withEntries(0x8178_b100n, 0x8178_b120n);
    const init = spec.sections!.find(({ name }) => name === "INIT")!;
    // A page further on another record stands where hal.dll's one entry could lead, too.
    const data = patch(new Uint8Array(0x1200), { 0x1120: 0x6f46_0001, 0x1124: "o" });
    data.set(init.data);
    // ntoskrnl.exe's table has two names: its ordinal becomes the second.
    new DataView(data.buffer).setUint32(0x84, 0x8178_b120, true);
    const sections = spec.sections!.map((one) => (one === init ? { ...one, data } : one)).slice(0, 3);
    const { declared, gaps } = names({ ...spec, sections });
    expect(declared.map((one) => one?.name)).toEqual([
      "SeQueryInformationToken",
      "KeBugCheckEx",
      "KeBugCheckEx",
    ]);
    expect(gaps).toEqual([]);
  });

  it("that lead to no name are neither an ordinal nor a name, and that is said", () => {
    const { declared, gaps } = names(withEntries(0x8178_b104n, 0x8178_b126n));
    expect(declared).toEqual([
      { dll: "ntoskrnl.exe", name: null, ordinal: null },
      { dll: "ntoskrnl.exe", name: null, ordinal: 12 },
      { dll: "HAL.dll", name: null, ordinal: null },
    ]);
    expect(gaps.map(({ table, dll }) => [table, dll])).toEqual([
      ["names", "ntoskrnl.exe"],
      ["names", "HAL.dll"],
    ]);
  });

  it("are no ordinals where their names are paged out either", () => {
    const spec = withEntries(BASE + 0x4010n, BASE + 0x4020n);
    const { declared, gaps } = names(spec, (memory) => memory.pageOut(BASE + 0x4000n, 0x100));
    expect(declared.map((one) => [one?.name, one?.ordinal])).toEqual([
      [null, null],
      [null, 12],
      [null, null],
    ]);
    expect(gaps[0]?.stopped).toMatchObject({ kind: "paged-out", va: BASE + 0x4012n });
  });

  it("are names in a file that was written out of memory, too", () => {
    const file = Image.fromFile(peSource(withEntries(0x8178_b100n, 0x8178_b120n)));
    expect(file.imports.slots.slice(0, 3).map(({ declared }) => declared)).toEqual(DECLARED.slice(0, 3));
  });

  it("of 64 bits are no ordinals for their top bit", () => {
    const base = 0xfffff800_10000000n;
    const data = patch(new Uint8Array(0x100), {
      0: 0x2040,
      12: 0x2080,
      16: 0x1000,
      0x40: base + 0x2090n,
      0x48: 0x8000_0000_0000_0101n,
      0x80: "a.sys",
      0x92: "Name",
    });
    const spec: PeSpec = {
      bits: 64,
      directories: { 1: [0x2000, 40] },
      sections: [
        { name: ".rdata", rva: 0x1000, data: new Uint8Array(0x40) },
        { name: ".idata", rva: 0x2000, data },
      ],
    };
    const read = (at: bigint) => Image.at(loadPe(new VirtualMemory(8), spec, at).space, va(at)).imports.slots;
    const expected = [
      { dll: "a.sys", name: "Name", ordinal: null, hint: 0 },
      { dll: "a.sys", name: null, ordinal: 0x101 },
    ];
    expect(read(base).map(({ declared }) => declared)).toEqual(expected);
    // Moved since, by four pages and to far away.
    expect(read(base - 0x4000n).map(({ declared }) => declared)).toEqual(expected);
    expect(read(0xfffff804_7e5a_0000n).map(({ declared }) => declared)).toEqual(expected);
  });
});

describe("import descriptors as the loader takes them", () => {
  it("have their names in the address table where the lookup table would stand in the headers or past the image", () => {
    for (const nowhere of [1, 0x11, 0x3ff, 0xffff_ffff, 0x7000]) {
      const data = patch(INIT.slice(), { 0: nowhere, 20: nowhere });
      const sections = SPEC.sections!.map((one) => (one.name === "INIT" ? { ...one, data } : one));
      const { slots, gaps } = Image.fromFile(peSource({ ...SPEC, sections })).imports;
      expect(slots.slice(0, 3).map(({ declared }) => declared)).toEqual(DECLARED.slice(0, 3));
      expect(gaps).toEqual([]);
    }
  });

  it("that share a slot leave there what the last one declares, and the first is not forgotten", () => {
    // hal.dll's one slot is ntoskrnl.exe's second.
    const data = patch(INIT.slice(), { 36: 0x1004 });
    const sections = SPEC.sections!.map((one) => (one.name === "INIT" ? { ...one, data } : one));
    const { slots, replaced } = Image.fromFile(peSource({ ...SPEC, sections })).imports;
    expect(slots.slice(0, 2).map(({ rva, declared }) => [rva, declared])).toEqual([
      [0x1000, DECLARED[0]],
      [0x1004, DECLARED[2]],
    ]);
    expect(replaced).toEqual([{ rva: 0x1004, declared: DECLARED[1] }]);
    const image = Image.fromFile(peSource({ ...SPEC, sections }));
    const document = importsDocument(
      "made.sys",
      image,
      image.imports,
      () => null,
      () => undefined,
    );
    expect(document.notes).toEqual([
      "address tables overlap, and the loader fills them in order: 1 slot was declared before, 0x11004 as ntoskrnl.exe!#12",
    ]);
  });
});

describe("hostile imports", () => {
  it("that fit an earlier base everywhere are given up soon, and said to be (MAX_LOOKUP_PROBES)", () => {
    // Each page holds the same record at its start, and every entry leads to the start of a page.
    const data = new Uint8Array(0x40_0000);
    for (let page = 0; page < data.length; page += 0x1000) patch(data, { [page + 2]: "Name" });
    const entries = new Uint32Array(data.buffer, 0x100, 0x300);
    entries.fill(0x9000_1000);
    patch(data, { 0x40: 0x1100, 0x4c: 0x1002, 0x50: 0x1fff000 & 0x3ff000 });
    const spec: PeSpec = {
      bits: 32,
      directories: { 1: [0x1040, 20] },
      sections: [{ name: "x", rva: 0x1000, data }],
    };
    const image = Image.fromFile(peSource(spec));
    expect(stepsOf(() => void image.imports)).toBeLessThan(25_000_000);
    const { slots, gaps } = image.imports;
    expect(slots).toHaveLength(0x300);
    expect(slots.map(({ declared }) => declared?.name).filter((name) => name !== null)).toEqual([]);
    expect(gaps).toMatchObject([{ table: "names", stopped: "limit" }]);
  });

  /** The notes of an image whose import directory stands at the start of the data, at 0x1000. */
  const notesOf = (data: Uint8Array): { image: Image; notes: readonly string[] } => {
    const sections = [{ name: "x", rva: 0x1000, data }];
    const image = Image.fromFile(peSource({ bits: 32, directories: { 1: [0x1000, data.length] }, sections }));
    const { notes } = importsDocument(
      "made.sys",
      image,
      image.imports,
      () => null,
      () => undefined,
    );
    return { image, notes };
  };

  it("from more DLLs than any image has are those of the first, and that is said (MAX_IMPORT_DLLS)", () => {
    // each of 1,025 DLLs is a.sys, with a table of its own that asks for #7
    const count = 1025;
    const lookup = 0x1020 + count * 20;
    const tables = lookup + 8;
    const data = patch(new Uint8Array(0x20 + count * 28), {
      [lookup - 0x1000]: 0x8000_0007,
      [count * 20 + 0x14]: "a.sys",
    });
    for (let i = 0; i < count; i++)
      patch(data, { [i * 20]: lookup, [i * 20 + 12]: 0x1014 + count * 20, [i * 20 + 16]: tables + i * 4 });
    const { image, notes } = notesOf(data);
    expect(image.imports.slots.map(({ rva }) => rva)).toEqual(
      Array.from({ length: 1024 }, (_, i) => tables + i * 4),
    );
    expect(notes).toEqual(["the import descriptors end early: it is longer than any real one"]);
  });

  it("of more functions than any image asks for are the first, and that is said (MAX_IMPORTS)", () => {
    const data = patch(new Uint8Array(0x80 + 65_538 * 4), {
      0: 0x1080,
      12: 0x1040,
      16: 0x1080,
      0x40: "a.sys",
    });
    new Uint32Array(data.buffer, 0x80, 65_537).fill(0x8000_0007);
    const { image, notes } = notesOf(data);
    expect(image.imports.slots).toHaveLength(65_536);
    expect(notes).toEqual(["the names cannot be read of a.sys: it is longer than any real one"]);
  });

  // a file of 1 MB, with one DLL's name of 4,090 characters beside each of 65,000 slots, took 1.7 GB to show
  it("have their DLL's name as far as all names together have 4,194,304 characters", () => {
    const name = "D".repeat(4095);
    const data = patch(new Uint8Array(0x1080 + 1100 * 4), { 0: 0x2080, 12: 0x1040, 16: 0x2080, 0x40: name });
    new Uint32Array(data.buffer, 0x1080, 1099).fill(0x8000_0007);
    const { image, notes } = notesOf(data);
    const named = image.imports.slots.map(({ declared }) => declared?.dll);
    expect(named).toEqual([...Array(1024).fill(name), ...Array(75).fill(null)]);
    expect(image.imports.slots.at(-1)?.declared).toEqual({ dll: null, name: null, ordinal: 7 });
    expect(notes).toEqual([`some names cannot be read of ${name}: it is longer than any real one`]);
  });

  it("that never end are cut at the cap, soon, and said to be", () => {
    // Every descriptor and every lookup entry is 0x2020: all of them lead everywhere.
    const data = new Uint8Array(0x80000);
    new Uint32Array(data.buffer).fill(0x2020);
    const spec: PeSpec = {
      bits: 32,
      directories: { 1: [0x2000, 20], 12: [0x2000, 0xffffffff] },
      sections: [{ name: "x", rva: 0x1000, data }],
    };
    const image = Image.fromFile(peSource(spec));
    expect(stepsOf(() => void image.imports)).toBeLessThan(8_000_000);
    const { slots, gaps } = image.imports;
    expect(slots.length).toBeLessThanOrEqual(65_536);
    expect(gaps.map(({ stopped }) => stopped)).toContain("limit");
  });

  it("outside the image are a gap, not a slot", () => {
    const data = patch(INIT.slice(), { 16: 0xfffffff0, 36: 0x3ffe });
    const file = Image.fromFile(
      peSource({
        ...SPEC,
        imageSize: 0x4000,
        directories: { 1: [0x3000, 40] },
        sections: SPEC.sections!.slice(0, 3).map((section) =>
          section.name === "INIT" ? { ...section, data } : section,
        ),
      }),
    );
    expect(file.imports.slots).toEqual([]);
    expect(file.imports.gaps.map(({ table, dll }) => [table, dll])).toEqual([
      ["addresses", "ntoskrnl.exe"],
      ["addresses", "HAL.dll"],
    ]);
  });
});
