import { describe, expect, it } from "vitest";
import type { Value } from "../../src/code/abstract-value.ts";
import { mixedWords, storesVector } from "../../src/code/vector-words.ts";

const word = (name: string): Value => [{ kind: "result", key: name, call: 0 }];
const [a, b, c, d, e, f, g, h] = ["a", "b", "c", "d", "e", "f", "g", "h"].map(word);
const names = (words: readonly Value[] | undefined): unknown =>
  words?.map((value) => value.map(({ key }) => key).join("|"));

/** What the Intel manual's pseudocode makes of two registers of two words, and of four. */
const of64 = (mnemonic: string, order = 0): unknown =>
  names(mixedWords(mnemonic, [a!, b!], [c!, d!], order, 8));
const of32 = (mnemonic: string, order = 0): unknown =>
  names(mixedWords(mnemonic, [a!, b!, c!, d!], [e!, f!, g!, h!], order, 4));

describe("the words of vector registers", () => {
  it("puts lower halves behind each other", () => {
    for (const mnemonic of ["punpcklqdq", "unpcklpd", "movlhps", "vpunpcklqdq"]) {
      expect([mnemonic, of64(mnemonic)]).toEqual([mnemonic, ["a", "c"]]);
      expect([mnemonic, of32(mnemonic)]).toEqual([mnemonic, ["a", "b", "e", "f"]]);
    }
    // movhps xmm0, [memory]
    expect(names(mixedWords("movhps", [a!, b!], [c!], 0, 8))).toEqual(["a", "c"]);
  });

  it("follows the order that an immediate tells", () => {
    expect(of64("shufpd", 1)).toEqual(["b", "c"]);
    expect(of64("shufpd", 2)).toEqual(["a", "d"]);
    expect(of64("pshufd", 0x4e)).toEqual(["d", "c"]);
    expect(of64("pshufd", 0xe4)).toEqual(["c", "d"]);
    expect(of32("pshufd", 0x1b)).toEqual(["h", "g", "f", "e"]);
    expect(of32("shufps", 0x4e)).toEqual(["c", "d", "e", "f"]);
  });

  it("knows no order of others, and nothing of what is computed", () => {
    expect(of64("unpckhpd")).toEqual(["a|b|c|d", "a|b|c|d"]);
    expect(of64("pshufd", 0x1b)).toEqual(["a|b|c|d", "a|b|c|d"]);
    expect(of64("paddq")).toBeUndefined();
    expect(mixedWords("punpcklqdq", undefined, undefined, 0, 8)).toBeUndefined();
  });

  it("knows what stores a register, or its upper half", () => {
    expect(["movups", "movdqu", "vmovaps", "movhps", "movq"].map(storesVector)).not.toContain(false);
    expect(["pxor", "shufpd"].map(storesVector)).not.toContain(true);
  });
});
