import { describe, expect, it } from "vitest";
import { headerWords } from "../../src/report/header-words.ts";
import { pooltrail } from "../fixtures/cli.ts";

describe("the headers' words", () => {
  // the article: 14C machine (i386); 102 characteristics: Executable, 32 bit word machine; 1 subsystem (Native)
  it("are those of the article's !dh", () => {
    const { stdout } = pooltrail("headers", "samples/article-2003.dmp", "ABCMiniFilter");
    expect(stdout).toMatch(/^ +14C machine \(i386\)$/m);
    expect(stdout).toMatch(/^ +102 characteristics \(executable, 32 bit word machine\)$/m);
    expect(stdout).toMatch(/^ +1 subsystem \(Native\)$/m);
    expect(stdout).toMatch(/^ +10B magic \(PE32\)$/m);
    expect(stdout).toMatch(/^ +0 dll characteristics$/m);
  });

  // Microsoft PE Format's tables
  it.each([
    ["machine", 0x8664, "X64"],
    ["machine", 0xaa64, "ARM64"],
    ["machine", 0x1234, ""],
    ["characteristics", 0x2022, "executable, addresses over 2 GB, DLL"],
    ["characteristics", 0x40, "40"],
    [
      "dllCharacteristics",
      0x41e0,
      "high entropy addresses, dynamic base, integrity checked, NX compatible, control flow guard",
    ],
    ["dllCharacteristics", 1, "1"],
    ["subsystem", 16, "Windows boot application"],
    ["magic", 0x20b, "PE32+"],
    ["checksum", 0x8664, ""],
  ])("of %s %i", (name, value, words) => {
    expect(headerWords(name, value)).toBe(words);
  });
});
