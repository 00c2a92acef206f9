import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { Image } from "../../src/pe/image.ts";
import { ImageSet, type NamedImage } from "../../src/pe/resolve.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { loadPe } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const memory = new VirtualMemory(4);

/** A module whose exports are `name: rva`, or `name: forwarder`; ordinals count from 1 in the order given. */
function module(
  name: string,
  fileName: string,
  base: bigint,
  exports: Record<string, number | string>,
): NamedImage {
  const entries = Object.entries(exports);
  const edata = new Uint8Array(0x1000);
  patch(edata, { 16: 1, 20: entries.length, 24: entries.length, 28: 0x2100, 32: 0x2200, 36: 0x2300 });
  entries.forEach(([key, target], index) => {
    const text = 0x400 + index * 0x80;
    patch(edata, {
      [0x100 + index * 4]: typeof target === "number" ? target : 0x2000 + text + 0x40,
      [0x200 + index * 4]: 0x2000 + text,
      [text]: key,
      [text + 0x40]: typeof target === "number" ? "" : target,
    });
    edata[0x300 + index * 2] = index;
  });
  const sections = [
    { name: ".text", rva: 0x1000, data: new Uint8Array(0x100), use: "rx" },
    { name: ".edata", rva: 0x2000, data: edata },
  ];
  loadPe(memory, { bits: 32, directories: { 0: [0x2000, 0x1000] }, sections }, base);
  return { name, fileName, image: Image.at(memory.space, va(base), { label: fileName }) };
}

const nt = module("nt", "ntoskrnl.exe", 0x8080_0000n, {
  SeQueryInformationToken: 0x1010,
  SeCaptureObjectTypeList: 0x1050,
  RtlAlias: 0x1050,
  HalFunction: "hal.#2",
  Lost: "nowhere.Function",
  Contract: "api-ms-win-core-l1-1-0.Function",
  Here: "NTOSKRNL.There",
  There: "ntoskrnl.Here",
  Missing: "HAL.NoSuchFunction",
});
const hal = module("hal", "halmacpi.dll", 0x80a5_d000n, { First: 0x1000, Second: "fltmgr.sys.Real" });
const filter = module("fltMgr", "fltmgr.sys.dll", 0xf787_0000n, { Real: 0x1020 });
const quiet = module("quiet", "quiet.sys", 0xf788_0000n, {});
const halByName = { ...hal, fileName: "hal.dll" };
const images = new ImageSet([nt, halByName, filter, quiet]);

describe("an address", () => {
  // The article: "(8096c8cc) nt!SeQueryInformationToken+0x3d | (8096cdc0) nt!SeCaptureObjectTypeList"
  it("has an export below and one above", () => {
    const found = images.near(va(0x8080_104dn));
    expect(found).toMatchObject({
      module: nt,
      rva: 0x104d,
      below: { name: "SeQueryInformationToken", rva: 0x1010 },
      above: { rva: 0x1050 },
    });
  });

  it("is resolved to all names of the nearest place below, with the distance", () => {
    expect(images.resolve(va(0x8080_104dn))).toMatchObject({
      module: nt,
      offset: 0x3d,
      exports: [{ name: "SeQueryInformationToken" }],
    });
    expect(images.resolve(va(0x8080_1050n))).toMatchObject({
      offset: 0,
      exports: [{ name: "RtlAlias" }, { name: "SeCaptureObjectTypeList" }].reverse(),
    });
  });

  it("in a module that exports nothing has the distance from its base", () => {
    expect(images.resolve(va(0xf788_1004n))).toEqual({
      module: quiet,
      rva: 0x1004,
      exports: [],
      offset: 0x1004,
    });
  });

  it("in no module is in none, also right behind one", () => {
    expect(images.moduleAt(va(0x8080_2fffn))).toBe(nt);
    expect(images.resolve(va(0x8080_3000n))).toBeUndefined();
    expect(images.near(va(0n))).toBeUndefined();
  });
});

describe("a name", () => {
  it("leads to a function, in any case of the file's letters but not of the function's", () => {
    expect(images.locate("NTOSKRNL.EXE", "SeQueryInformationToken")).toMatchObject({
      module: nt,
      address: 0x8080_1010n,
      forwarders: [],
    });
    expect(images.locate("ntoskrnl.exe", "sequeryinformationtoken")).toEqual({
      missing: "no-export",
      forwarders: [],
    });
    expect(images.locate("ntoskrnl.exe", 2)).toMatchObject({ export: { name: "SeCaptureObjectTypeList" } });
  });

  it("leads through forwarders by name and by ordinal, over two modules", () => {
    expect(images.locate("ntoskrnl.exe", "HalFunction")).toMatchObject({
      module: filter,
      address: 0xf787_1020n,
      export: { name: "Real" },
      forwarders: ["hal.#2", "fltmgr.sys.Real"],
    });
  });

  it.each([
    ["ntoskrnl.exe", "Lost", "no-module"],
    ["ntoskrnl.exe", "Contract", "api-set"],
    ["ext-ms-win-ntos-ksr-l1-1-0.dll", "KsrQuery", "api-set"],
    ["ntoskrnl.exe", "Here", "cycle"],
    ["ntoskrnl.exe", "Missing", "no-export"],
    ["hal.sys", "First", "no-module"],
  ])("%s!%s says why it leads nowhere: %s", (dll, name, reason) => {
    expect(images.locate(dll, name)).toMatchObject({ missing: reason });
  });

  it("is followed through as many forwarders as no Windows has, and then given up (MAX_FORWARDERS)", () => {
    const steps = Array.from({ length: 17 }, (_, i) => [`F${i}`, `chain.F${i + 1}`]);
    const chain = module("chain", "chain.sys", 0xf789_0000n, { ...Object.fromEntries(steps), F17: 0x1040 });
    const found = new ImageSet([chain]);
    expect(found.locate("chain.sys", "F1")).toMatchObject({
      address: 0xf789_1040n,
      forwarders: { length: 16 },
    });
    expect(found.locate("chain.sys", "F0")).toMatchObject({ missing: "cycle", forwarders: { length: 17 } });
  });

  it("is unreadable, not absent, where the module's export names are gone", () => {
    const holed = new VirtualMemory(4)
      .write(0x8080_0000n, memory.space.read(va(0x8080_0000n), 0x2000))
      .map(0x8080_2000n, 0x1000);
    holed.pageOut(0x8080_2000n, 1);
    const image = Image.at(holed.space, va(0x8080_0000n));
    const gone = new ImageSet([{ name: "nt", fileName: "ntoskrnl.exe", image }]);
    expect(gone.locate("ntoskrnl.exe", "SeQueryInformationToken")).toEqual({
      missing: "unreadable",
      forwarders: [],
    });
  });
});
