import Long from "long";
import { describe, expect, it } from "vitest";
import { advance, hex, toVa, va, windbgHex } from "../../src/core/address.ts";

describe("toVa", () => {
  it.each([
    ["8096c909", 0x8096c909n],
    ["0x8096C909", 0x8096c909n],
    ["fffff804'7ba00000", 0xfffff8047ba00000n],
    ["fffff804`7ba00000", 0xfffff8047ba00000n],
    ["0xfffff8047ba00000", 0xfffff8047ba00000n],
    ["fffff8047ba00000n", 0xfffff8047ba00000n],
    [" 10 ", 0x10n],
  ])("reads %s as WinDbg means it", (text, address) => {
    expect(toVa(text)).toBe(address);
  });

  it.each(["", "0x", "80 96", "8096c909'", "fffff804'7ba", "nt", "-1", "12345678123456781"])(
    "refuses %j",
    (text) => {
      expect(() => toVa(text)).toThrow(TypeError);
    },
  );

  it("takes a Long without its sign", () => {
    expect(toVa(Long.fromString("fffff8047ba00000", true, 16))).toBe(0xfffff8047ba00000n);
    expect(toVa(Long.fromBits(0x7ba00000, 0xfffff804 | 0, false))).toBe(0xfffff8047ba00000n);
  });

  it("refuses a number that doubles cannot hold exactly", () => {
    expect(toVa(0x8096c909)).toBe(0x8096c909n);
    expect(() => toVa(0xfffff8047ba00000)).toThrow(RangeError);
    expect(() => toVa(1.5)).toThrow(RangeError);
    expect(() => toVa(-1)).toThrow(RangeError);
  });

  it("refuses more than 64 bits", () => {
    expect(toVa(0xffffffffffffffffn)).toBe(0xffffffffffffffffn);
    expect(() => toVa(1n << 64n)).toThrow(RangeError);
    expect(() => toVa(-1n)).toThrow(RangeError);
  });
});

describe("addresses as text", () => {
  it("are unpadded in JSON and padded as WinDbg pads them", () => {
    expect(hex(0n)).toBe("0x0");
    expect(hex(0x8096c909n)).toBe("0x8096c909");
    expect(windbgHex(0x1000n, 4)).toBe("00001000");
    expect(windbgHex(0xfffff8047ba00000n, 8)).toBe("fffff804`7ba00000");
    expect(windbgHex(0x1000n, 8)).toBe("00000000`00001000");
  });
});

describe("advance", () => {
  it("wraps at 64 bits, as the processor does", () => {
    expect(advance(va(0xffffffffffffffffn), 2)).toBe(1n);
    expect(advance(va(0n), -1)).toBe(0xffffffffffffffffn);
  });
});
