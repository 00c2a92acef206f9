import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { realImages } from "../../bench/realcode.mjs";
import { openImageFile } from "../../src/api/image-file.ts";
import type { Rva } from "../../src/core/address.ts";
import { Bytes } from "../../src/core/bytes.ts";
import { FormatError } from "../../src/core/errors.ts";
import { readCoffSymbols } from "../../src/pe/coff-symbols.ts";
import type { HeaderReader } from "../../src/pe/headers.ts";
import { headersDocument } from "../../src/report/headers-document.ts";
import { coffNames } from "../../src/symbols/coff.ts";
import { exportNames } from "../../src/symbols/exports.ts";
import { namesAt, placeNamed } from "../../src/symbols/image-names.ts";
import { NameTable } from "../../src/symbols/names.ts";
import { coffFile, imageOf } from "../fixtures/coff-file.ts";
import { type Patch, patch } from "../fixtures/dump-bytes.ts";
import { buildPe, NT_OFFSET, type PeSpec } from "../fixtures/pe.ts";

const CODE = { name: ".text", rva: 0x1000, data: new Uint8Array(0x200).fill(0xc3), use: "rx" };
const DATA = { name: ".data", rva: 0x2000, data: new Uint8Array(0x200), use: "rw" };
const X64: PeSpec = { bits: 64, sections: [CODE, DATA] };
const X86: PeSpec = { bits: 32, sections: [CODE, DATA] };

describe("names by COFF symbols", () => {
  const records = [
    { name: "driver.c", value: 0, section: -2, storage: 103, type: 0, auxiliary: 1 },
    { name: ".text", value: 0, section: 1, storage: 3, type: 0, auxiliary: 1 },
    { name: "DriverEntry", value: 0x10, section: 1 },
    { name: "Unload", value: 0x40, section: 1, storage: 3 },
    { name: "loop_1", value: 0x48, section: 1, storage: 3, type: 0 },
    { name: "a_variable_with_a_long_name", value: 8, section: 2, storage: 3, type: 0 },
    { name: "ImportedThing", value: 0, section: 0 },
  ];
  const image = imageOf(coffFile(X64, records));

  it("are those of functions and variables, and of no section, file or label", () => {
    expect(coffNames(image).items).toEqual([
      { name: "DriverEntry", rva: 0x1010, basis: "symbol" },
      { name: "Unload", rva: 0x1040, basis: "symbol" },
      { name: "a_variable_with_a_long_name", rva: 0x2008, basis: "symbol" },
    ]);
  });

  it("are found by place, around a place and by name", () => {
    const names = coffNames(image);
    expect(names.at(0x1040)).toEqual([{ name: "Unload", rva: 0x1040, basis: "symbol" }]);
    expect(names.at(0x1041)).toEqual([]);
    expect(names.near(0x1050)).toMatchObject({ below: { name: "Unload" }, above: { rva: 0x2008 } });
    expect(names.near(0x1000)).toEqual({ above: { name: "DriverEntry", rva: 0x1010, basis: "symbol" } });
    expect(names.byName("DriverEntry")?.rva).toBe(0x1010);
    expect(names.byName("ImportedThing")).toBeUndefined();
  });

  it("name what no export does, and nothing is taken for an export by them", () => {
    expect(namesAt(image, 0x1010)).toMatchObject([{ name: "DriverEntry", basis: "symbol" }]);
    expect(placeNamed(image, "Unload")?.rva).toBe(0x1040);
    expect(exportNames(image).items).toEqual([]);
  });

  it("are shown without what 32-bit compilers put around them", () => {
    const names = ["_DriverEntry@8", "@Fast@4", "_cdecl_one", "___wine_stub", "plain"].map((name, i) => ({
      name,
      value: i * 16,
      section: 1,
    }));
    expect(coffNames(imageOf(coffFile(X86, names))).items.map(({ name }) => name)).toEqual([
      "DriverEntry",
      "Fast",
      "cdecl_one",
      "__wine_stub",
      "plain",
    ]);
  });
});

describe("a place with many names", () => {
  it("is known by the first 64 of them, and each of them leads to it (MAX_NAMES_OF_PLACE)", () => {
    const names = Array.from({ length: 65 }, (_, i) => ({ name: `Name${i}`, rva: 0x1000 as Rva }));
    const table = new NameTable("export", [...names, { name: "Next", rva: 0x1010 as Rva }]);
    expect(table.at(0x1000)).toHaveLength(64);
    expect(table.at(0x1000)[63]?.name).toBe("Name63");
    expect(table.byName("Name64")?.rva).toBe(0x1000);
    expect(table.at(0x1010)).toEqual([{ name: "Next", rva: 0x1010, basis: "export" }]);
  });
});

describe("hostile symbol tables", () => {
  const one = [{ name: "DriverEntry", value: 0x10, section: 1 }];

  it.each([
    ["outside the file", 0x7fff_0000, 1],
    ["of 4 billion symbols", undefined, 0xffff_ffff],
  ])("%s are unreadable, and said to be where", (_, at, count) => {
    const bytes = coffFile(X64, one);
    const view = new DataView(bytes.buffer);
    if (at !== undefined) view.setUint32(NT_OFFSET + 12, at, true);
    view.setUint32(NT_OFFSET + 16, count, true);
    const { symbols } = imageOf(bytes);
    expect(symbols).toMatchObject({
      state: "unreadable",
      reason: { name: "FormatError", file: "driver.sys" },
    });
    expect(coffNames(imageOf(bytes)).items).toEqual([]);
    expect(headersDocument("driver.sys", imageOf(bytes)).notes).toEqual([
      expect.stringMatching(/^the symbol table cannot be read: driver\.sys\+/),
    ]);
  });

  const past = "their names or places make no sense, or the table is longer than any real one";

  it("leave out names and places that make no sense, and count them", () => {
    const odd = [
      ...one,
      { name: "Beyond", value: 0x10_0000, section: 1 },
      { name: "NoSuchSection", value: 0, section: 9 },
    ];
    const image = imageOf(coffFile(X64, odd));
    expect(image.symbols).toMatchObject({ value: { items: [{ name: "DriverEntry" }], leftOut: 2 } });
    expect(headersDocument("driver.sys", image).notes).toEqual([`2 symbols cannot be read: ${past}`]);
  });

  /** A function's record. */
  const record = patch(new Uint8Array(18), { 0: "Function", 8: 0x10, 12: 0x0020_0001, 16: Uint8Array.of(2) });
  const headers = { ...imageOf(buildPe(X64)).headers, symbolTableOffset: 0x1000 };
  const asked = (length: number, bytes: Readonly<Record<number, Patch>>): Bytes =>
    new Bytes(patch(new Uint8Array(length), bytes), "driver.sys");

  it("leave out places past the image, and count them", () => {
    const bytes = coffFile(X64, [
      { name: "DriverEntry", value: 0x10, section: 1 },
      { name: "counter", value: 0x10, section: 2, type: 0 },
    ]);
    const [optionalHeader, secondSection] = [NT_OFFSET + 24, 0xf0 + 40];
    new DataView(bytes.buffer).setUint32(optionalHeader + secondSection + 12, 0xffff_fff5, true);
    expect(imageOf(bytes).symbols).toMatchObject({
      state: "present",
      value: { items: [{ name: "DriverEntry" }], leftOut: 1 },
    });
  });

  it("of more symbols than any program has are read so far, and the others are counted (MAX_COFF_SYMBOLS)", () => {
    // every 256th of 1,048,577 records is a function's, the last one too
    const piece = new Uint8Array(18 * 4096);
    for (let at = 0; at < piece.length; at += 18 * 256)
      patch(piece, { [at]: record, [at + 17]: Uint8Array.of(255) });
    const symbolCount = 0x10_0001;
    const end = 0x1000 + symbolCount * 18;
    const read: HeaderReader = (at, length) =>
      at === end ? asked(4, { 0: 4 }) : new Bytes(piece.subarray(0, length), "driver.sys");
    const found = readCoffSymbols(read, { ...headers, symbolCount });
    expect(found).toMatchObject({ state: "present", value: { leftOut: 1 } });
    expect(found.state === "present" ? found.value.items.length : 0).toBe(4096);
  });

  it("with more text than the names of any program have do without the rest, and count it (MAX_COFF_STRING_BYTES)", () => {
    // one name ends at the last byte that is read, the other begins behind it
    const strings = patch(new Uint8Array(0x200_0010), {
      0: 0x200_0010,
      0x1ff_fff0: "the_last_name",
      0x200_0000: "lost",
    });
    const table = asked(36, { 0: record, 18: record });
    patch(table.array, { 0: 0, 4: 0x1ff_fff0, 18: 0, 22: 0x200_0000 });
    const read: HeaderReader = (at, length) =>
      at === 0x1000 ? table : new Bytes(strings.subarray(0, length), "driver.sys");
    expect(readCoffSymbols(read, { ...headers, symbolCount: 2 })).toEqual({
      state: "present",
      value: { items: [{ name: "the_last_name", rva: 0x1010, code: true }], leftOut: 1 },
    });
  });

  it("with names that share bytes have as much text as their table can, and count the others", () => {
    // 220,000 of them, in a file of 4 MB, took 1.1 GB
    const strings = patch(new Uint8Array(4 + 4096).fill(0x41), { 0: 4 + 4096, 4099: Uint8Array.of(0) });
    const piece = new Uint8Array(18 * 4096);
    const shared = patch(Uint8Array.from(record), { 0: 0, 4: 4 });
    for (let at = 0; at < piece.length; at += 18) piece.set(shared, at);
    const symbolCount = 3 * 4096;
    const end = 0x1000 + symbolCount * 18;
    const read: HeaderReader = (at, length) =>
      new Bytes((at === end ? strings : piece).subarray(0, length), "driver.sys");
    const found = readCoffSymbols(read, { ...headers, symbolCount });
    const items = Array.from({ length: 8195 }, () => ({ name: "A".repeat(4095), rva: 0x1010, code: true }));
    expect(found).toEqual({ state: "present", value: { items, leftOut: symbolCount - 8195 } });
  });

  it("with any byte changed give names or say why not", () => {
    const bytes = coffFile(X64, [...one, { name: "Another_of_some_length", value: 0x20, section: 1 }]);
    const start = bytes.length - 100;
    fc.assert(
      fc.property(fc.integer({ min: start, max: bytes.length - 1 }), fc.nat(255), (at, value) => {
        const { symbols } = imageOf(Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte)));
        return symbols.state !== "unreadable" || symbols.reason instanceof FormatError;
      }),
    );
  });
});

/** `[ 14](sec  1)(fl 0x00)(ty   20)(scl   3) (nx 0) 0x0000000000000070 parse_token` */
const OBJDUMP = /^\[ *\d+\]\(sec +(\d+)\)\(fl 0x\w+\)\(ty +20\)\(scl +[23]\) \(nx \d+\) 0x(\w+) (\S+)$/gm;

describe("GNU objdump on the same bytes", () => {
  const files = realImages({ fetch: false }).wine.filter((path) => /http\.sys|ndis\.sys|ntoskrnl/.test(path));
  const objdump = "x86_64-w64-mingw32-objdump";
  const missing = files.length === 0 || spawnSync(objdump, ["--version"]).status !== 0;
  if (missing) console.error("objdump's symbols are skipped: no Wine images, or no binutils-mingw-w64");

  it.skipIf(missing)("names the same functions at the same places", () => {
    for (const path of files) {
      using file = openImageFile(path);
      const { sections } = file.image;
      const { stdout } = spawnSync(objdump, ["-t", path], { encoding: "utf8", maxBuffer: 1 << 26 });
      const expected = [...stdout.matchAll(OBJDUMP)].flatMap(([, section, value, name]) => {
        const found = sections[Number(section) - 1];
        return found?.executable && !name?.startsWith(".")
          ? [`${(found.rva + Number(`0x${value}`)).toString(16)} ${name}`]
          : [];
      });
      const { symbols } = file.image;
      if (symbols.state !== "present") throw new Error(`${path} has no symbols`);
      const found = symbols.value.items.filter(({ code }) => code);
      expect(found.map(({ rva, name }) => `${rva.toString(16)} ${name}`)).toEqual(expected);
      expect(expected.length).toBeGreaterThan(50);
    }
  });
});
