import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { ModuleMap } from "../../src/core/module-map.ts";

function mapOf(...modules: readonly (readonly [name: string, base: bigint, size: number])[]) {
  const map = new ModuleMap(modules, ([, base, size]) => ({ base: va(base), end: va(base + BigInt(size)) }));
  return {
    at: (address: bigint) => map.at(va(address))?.[0],
    atHalves: (low: number, high: number) => map.atHalves(low, high)?.[0],
  };
}

describe("ModuleMap", () => {
  it("finds images on both sides of a multiple of 4 GB", () => {
    const map = mapOf(
      ["across", 0xfffff804_ffff_f000n, 0x3000],
      ["below", 0xfffff804_0000_0000n, 0x1000],
      ["empty", 0xfffff806_0000_0000n, 0],
    );
    expect(map.atHalves(0xffff_f000, 0xfffff804)).toBe("across");
    expect(map.atHalves(0x1fff, 0xfffff805)).toBe("across");
    expect(map.atHalves(0x2000, 0xfffff805)).toBeUndefined();
    expect(map.atHalves(0xfff, 0xfffff804)).toBe("below");
    expect(map.atHalves(0xfff, 0)).toBeUndefined();
    expect(map.at(0xfffff805_0000_1fffn)).toBe("across");
    expect(map.at(0xfffff806_0000_0000n)).toBeUndefined();
    expect(mapOf().atHalves(0, 0)).toBeUndefined();
  });

  it("of images that overlap gives the one that starts last, and the outer one behind it", () => {
    const map = mapOf(
      ["outer", 0x80000000n, 0x9000],
      ["inner", 0x80002000n, 0x1000],
      ["next", 0x80003000n, 0x1000],
    );
    expect([0x80001fffn, 0x80002000n, 0x80003000n, 0x80004000n, 0x80009000n].map(map.at)).toEqual([
      "outer",
      "inner",
      "next",
      "outer",
      undefined,
    ]);
  });
});
