import { describe, expect, it } from "vitest";
import { type Rva, va } from "../../src/core/address.ts";
import { ExportTable } from "../../src/pe/exports.ts";
import { Image } from "../../src/pe/image.ts";
import { exportsDocument } from "../../src/report/exports-document.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { loadPe, type PeSpec, peSource } from "../fixtures/pe.ts";
import { stepsOf } from "../fixtures/steps.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

/** An export directory at RVA 0x2000: three addresses, an unused ordinal, and a forwarder. */
const DIRECTORY = patch(new Uint8Array(0x200), {
  12: 0x2100, // Name
  16: 5, // Base
  20: 5, // NumberOfFunctions
  24: 4, // NumberOfNames
  28: 0x2040, // AddressOfFunctions
  32: 0x2060, // AddressOfNames
  36: 0x2080, // AddressOfNameOrdinals
  0x40: 0x1010,
  0x44: 0,
  0x48: 0x1080,
  0x4c: 0x2140, // inside the directory: a forwarder
  0x50: 0x1040,
  0x60: 0x2110,
  0x64: 0x2120,
  0x68: 0x2130,
  0x6c: 0x2138,
  0x80: 0x0003_0002, // Beta -> index 2, Away -> index 3
  0x84: 0x0002_0000, // Alpha -> index 0, Bis -> index 2
  0x100: "made.sys",
  0x110: "Beta",
  0x120: "Away",
  0x130: "Alpha",
  0x138: "Bis",
  0x140: "hal.#12",
});

const SPEC: PeSpec = {
  bits: 32,
  directories: { 0: [0x2000, 0x200] },
  sections: [
    { name: ".text", rva: 0x1000, data: new Uint8Array(0x200), use: "rx" },
    { name: ".edata", rva: 0x2000, data: DIRECTORY },
  ],
};

function withDirectory(patches: Parameters<typeof patch>[1], spec: PeSpec = SPEC): Image {
  const data = patch(DIRECTORY.slice(), patches);
  return Image.fromFile(
    peSource({ ...spec, sections: [...spec.sections!.slice(0, 1), { name: ".edata", rva: 0x2000, data }] }),
  );
}

describe("the export table", () => {
  const { exports } = Image.fromFile(peSource(SPEC));

  it("lists each name, each function without a name, and no unused ordinal", () => {
    expect(exports.dllName).toBe("made.sys");
    expect(exports.items).toEqual([
      { name: "Alpha", ordinal: 5, rva: 0x1010 },
      { name: "Beta", ordinal: 7, rva: 0x1080 },
      { name: "Bis", ordinal: 7, rva: 0x1080 },
      { name: "Away", ordinal: 8, rva: 0x2140, forwarder: "hal.#12" },
      { name: null, ordinal: 9, rva: 0x1040 },
    ]);
    expect(exports.stopped).toBeUndefined();
  });

  it("is searched by name, by ordinal and by place", () => {
    expect(exports.byName("Beta")?.ordinal).toBe(7);
    expect(exports.byName("beta")).toBeUndefined();
    expect(exports.byOrdinal(9)?.rva).toBe(0x1040);
    expect(exports.byOrdinal(6)).toBeUndefined();
    expect(exports.at(0x1080).map(({ name }) => name)).toEqual(["Beta", "Bis"]);
    expect(exports.at(0x2140)).toEqual([]);
  });

  it("gives the first 64 of those at one place, and finds each by its name and ordinal (MAX_NAMES_OF_PLACE)", () => {
    const items = Array.from({ length: 65 }, (_, i) => ({ name: `F${i}`, ordinal: i, rva: 0x1000 as Rva }));
    const table = new ExportTable("x.sys", [...items, { name: "Again", ordinal: 0, rva: 0x2000 as Rva }]);
    expect(table.at(0x1000)).toEqual(items.slice(0, 64));
    expect(table.byName("F64")).toBe(items[64]);
    expect(table.byOrdinal(64)).toBe(items[64]);
    expect(table.byOrdinal(0)).toBe(items[0]);
  });

  it("gives the nearest below and above, where a forwarder is no neighbour", () => {
    expect(exports.near(0x1050)).toMatchObject({ below: { ordinal: 9 }, above: { name: "Beta" } });
    expect(exports.near(0x1040)).toMatchObject({ below: { ordinal: 9 }, above: { name: "Beta" } });
    expect(exports.near(0x100f)).toEqual({ above: exports.items[0] });
    expect(exports.near(0x3000)).toEqual({ below: exports.items[1] });
  });

  it("is the same from memory", () => {
    const memory = loadPe(new VirtualMemory(4), SPEC, 0x8000_0000n);
    expect(Image.at(memory.space, va(0x8000_0000n)).exports.items).toEqual(exports.items);
  });

  it("keeps what stands before a page that was paged out, and says why there is no more", () => {
    const data = patch(new Uint8Array(0x1100), { 0: DIRECTORY, 0x68: 0x3000, 0x6c: 0x3010, 0x1000: "Alpha" });
    const spec = { ...SPEC, sections: [SPEC.sections![0]!, { name: ".edata", rva: 0x2000, data }] };
    const memory = loadPe(new VirtualMemory(4), spec, 0x8000_0000n).pageOut(0x8000_3000n, 1);
    const holed = Image.at(memory.space, va(0x8000_0000n)).exports;
    expect(holed.items.map(({ name, ordinal }) => [name, ordinal])).toEqual([
      [null, 5],
      ["Beta", 7],
      ["Away", 8],
      [null, 9],
    ]);
    expect(holed.stopped).toEqual({ kind: "paged-out", va: 0x8000_3000n, level: "PTE" });
  });

  it("is empty and says why where the directory itself cannot be read", () => {
    const memory = loadPe(new VirtualMemory(4), SPEC, 0x8000_0000n).pageOut(0x8000_2000n, 1);
    const gone = Image.at(memory.space, va(0x8000_0000n)).exports;
    expect(gone).toMatchObject({ dllName: null, items: [], stopped: { kind: "paged-out" } });
  });

  it("is empty without a stop where the image exports nothing", () => {
    const none = Image.fromFile(peSource({ ...SPEC, directories: {} })).exports;
    expect(none).toMatchObject({ dllName: null, items: [] });
    expect(none.stopped).toBeUndefined();
  });

  it.each([
    ["4 billion functions", { 20: 0xffffffff }],
    ["4 billion names", { 24: 0xffffffff }],
    ["tables outside the image", { 28: 0xfffffff0, 32: 0xfffffff0, 36: 0xfffffff0 }],
  ])("with %s ends soon, and says that it is not all", (_, patches) => {
    const image = withDirectory(patches);
    expect(stepsOf(() => void image.exports)).toBeLessThan(120_000);
    const found = image.exports;
    expect(found.stopped).toBeDefined();
    expect(found.items.length).toBeLessThanOrEqual(65_536 * 2);
  });

  it("ends where it has more functions or names than there are ordinals, and says so (MAX_EXPORTS)", () => {
    // one function and one name more than fit; all names are the first function's, and all are "Alpha"
    const count = 65_537;
    const data = new Uint8Array(0x200 + count * 10);
    patch(data, {
      0: DIRECTORY,
      20: count,
      24: count,
      28: 0x2200,
      32: 0x2200 + count * 4,
      36: 0x2200 + count * 8,
    });
    const rvas = new Uint32Array(data.buffer, 0x200, count * 2);
    rvas.fill(0x1010, 0, count).fill(0x2130, count);
    const sections = [SPEC.sections![0]!, { name: ".edata", rva: 0x2000, data }];
    const image = Image.fromFile(peSource({ ...SPEC, sections }));
    const { exports, notes } = exportsDocument("made.sys", image, () => null);
    expect(exports.filter(({ ordinal }) => ordinal === 5)).toHaveLength(65_536);
    expect(exports.at(-1)).toMatchObject({ name: null, ordinal: 5 + 65_535 });
    expect(notes).toEqual([
      "the table of export names ends early: it is longer than any real one",
      "the export table ends early: it is longer than any real one",
    ]);
  });

  it("has no names longer than linkers write, and says so (MAX_NAME_BYTES)", () => {
    const data = patch(new Uint8Array(0x3000), { 0: DIRECTORY, 0x60: 0x2800, 0x64: 0x4000 });
    data.fill(0x41, 0x800, 0x800 + 4096).fill(0x42, 0x2000, 0x2000 + 4095);
    const sections = [SPEC.sections![0]!, { name: ".edata", rva: 0x2000, data }];
    const image = Image.fromFile(peSource({ ...SPEC, sections }));
    expect(image.exports.items.find(({ ordinal }) => ordinal === 8)?.name).toBe("B".repeat(4095));
    expect(exportsDocument("made.sys", image, () => null).notes).toEqual([
      "1 export name cannot be read: made.sys+0x2800: export name should be text that ends in a zero, found no zero in 4096 bytes",
    ]);
  });

  it("whose names share bytes is read for so many bytes in all, and says so (MAX_NAME_BYTES_TOTAL)", () => {
    // 4,096 times the same 4,096 bytes, and one name more; the last function has it
    const count = 4097;
    const data = new Uint8Array(0x2000 + count * 10);
    patch(data, {
      0: DIRECTORY,
      12: 0x2140,
      20: 1,
      24: count,
      28: 0x4000,
      32: 0x4004,
      36: 0x4004 + count * 4,
    });
    data.fill(0x41, 0x200, 0x200 + 4095);
    patch(data, { 0x2000: 0x1010, 0x140: "x" });
    new Uint32Array(data.buffer, 0x2004, count).fill(0x2200);
    const sections = [SPEC.sections![0]!, { name: ".edata", rva: 0x2000, data }];
    const image = Image.fromFile(peSource({ ...SPEC, sections }));
    const { exports, notes } = exportsDocument("made.sys", image, () => null);
    expect(exports).toHaveLength(4096);
    expect(notes).toEqual(["1 export name cannot be read: it is longer than any real one"]);
  });

  it("with a name that has no zero says so by name and place", () => {
    const data = patch(new Uint8Array(0x2000).fill(0x41), { 0: DIRECTORY, 0x60: 0x2800 });
    const spec = { ...SPEC, sections: [SPEC.sections![0]!, { name: ".edata", rva: 0x2000, data }] };
    const found = Image.fromFile(peSource(spec)).exports;
    expect(found.stopped).toMatchObject({
      name: "FormatError",
      file: "made.sys",
      offset: 0x2800,
      field: "export name",
    });
    expect(found.byName("Alpha")?.rva).toBe(0x1010);
  });

  it("does not end where only a name cannot be read: the functions are all there", () => {
    const { items, gaps, stopped } = withDirectory({ 0x64: 0x7100_0000, 0x68: 0x7200_0000 }).exports;
    expect(items.map(({ name, ordinal }) => [name, ordinal])).toEqual([
      [null, 5],
      ["Beta", 7],
      ["Bis", 7],
      [null, 8],
      [null, 9],
    ]);
    expect(gaps).toMatchObject([
      { part: "name", count: 2, stopped: { kind: "not-mapped", va: 0x7101_0000n } },
    ]);
    // A name that was looked for in vain may be one of these two.
    expect(stopped).toBeDefined();
  });

  it("is whole where only the image's own name cannot be read", () => {
    const { dllName, items, gaps, stopped } = withDirectory({ 12: 0x19_8050 }).exports;
    expect(dllName).toBeNull();
    expect(items).toEqual(exports.items);
    expect(gaps).toMatchObject([{ part: "dll-name", count: 1 }]);
    expect(stopped).toBeUndefined();
  });

  it("says in words which of these it is, and which exports stand outside the image", () => {
    const notes = (patches: Parameters<typeof patch>[1]) =>
      exportsDocument("made.sys", withDirectory(patches), () => null).notes;
    expect(notes({ 0x64: 0x7100_0000 })).toEqual([
      "1 export name cannot be read: 0x71010000 lies outside the image",
    ]);
    expect(notes({ 12: 0x19_8050 })).toEqual([
      "the image's own name in its export table cannot be read: 0x1a8050 lies outside the image",
    ]);
    expect(notes({ 20: 0xffffffff })[0]).toMatch(/^the export table ends early: /);
    expect(notes({ 0x50: 0x7473_6574 })).toEqual(["1 export stands outside the image of 0x3000 bytes"]);
    expect(notes({})).toEqual([]);
  });
});
