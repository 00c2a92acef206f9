import { describe, expect, it } from "vitest";
import { type NameSpace, parseAddress } from "../../src/api/expression.ts";
import { va } from "../../src/core/address.ts";

const BASE = va(0x80800000n);
const NAMES: NameSpace = {
  pointerSize: 4,
  moduleBase: (name) => (["nt", "add"].includes(name) ? BASE : undefined),
  exportAddress: (module, name) => (module === "nt" && name === "SeX" ? va(0x8096c8ccn) : undefined),
};

describe("parseAddress", () => {
  it.each([
    ["8096c909", 0x8096c909n],
    ["nt", 0x80800000n],
    ["nt+16c909", 0x8096c909n],
    ["nt!SeX", 0x8096c8ccn],
    ["nt!SeX+0x3d", 0x8096c909n],
    ["nt!SeX + 3d", 0x8096c909n],
    ["nt!SeX-c", 0x8096c8c0n],
    // an address wins over a module of that name, as in WinDbg
    ["add", 0xaddn],
    ["ffffffff8096c909", 0x8096c909n],
  ])("reads %s", (text, address) => {
    expect(parseAddress(text, NAMES)).toBe(address);
  });

  it("says which part is not known", () => {
    expect(() => parseAddress("zz!SeX", NAMES)).toThrow(/no module "zz"/);
    expect(() => parseAddress("nt!SeY", NAMES)).toThrow(/nt exports no "SeY"/);
    expect(() => parseAddress("whatever", NAMES)).toThrow(/neither an address nor a module/);
  });

  it("refuses an address that a 32-bit machine does not have", () => {
    expect(() => parseAddress(0xfffff8047ba00000n, NAMES)).toThrow(RangeError);
    expect(parseAddress(0xfffff8047ba00000n, { ...NAMES, pointerSize: 8 })).toBe(0xfffff8047ba00000n);
  });
});
