import { describe, expect, it } from "vitest";
import type { Seen, Via } from "../../src/code/tag-use.ts";
import { rva, va } from "../../src/core/address.ts";
import { referenceDocument } from "../../src/report/scan-document.ts";

const wordsOf = (seen: Seen | null, via: readonly Via[] = [], marked = false): string | null =>
  referenceDocument({
    address: va(0x80001026n),
    module: "tagged",
    rva: rva(0x1026),
    section: ".text",
    bytes: "53 65 20 20",
    text: "Se  ",
    use: "allocate",
    seen,
    via,
    protected: marked,
    allocationSize: null,
    poolType: null,
    function: null,
    nearest: null,
    origin: "dump",
  }).detail;

const ALLOCATOR = { name: "ExAllocatePoolWithTag" } as const;

describe("the words for what code does with a tag", () => {
  it("name the routine, and say what is no known one", () => {
    const seen = { kind: "argument", index: 3, of: ALLOCATOR, at: 0x1012, known: true } as const;
    expect(wordsOf({ kind: "also", first: seen, uses: ["free", "compare"] })).toBe(
      "argument 3 of ExAllocatePoolWithTag at 0x1012; also free and compare",
    );
    expect(wordsOf({ ...seen, known: false, of: { offset: 0x1040 } })).toBe(
      "argument 3 of the function at 0x1040 at 0x1012, which is no known pool routine",
    );
    expect(wordsOf({ ...seen, known: false, of: {} })).toMatch(
      /^argument 3 of a function that nothing names/,
    );
  });

  it("follow it through a variable, and say what it went through", () => {
    const there: Seen = { kind: "passed", at: 0x1052, to: { offset: 0x1010 }, routine: ALLOCATOR.name };
    const seen: Seen = {
      kind: "from-there",
      first: { kind: "stored", at: 0x1020, into: { variable: 0x3010 } },
      there: { kind: "in-variable", there },
    };
    const via: readonly Via[] = [
      { kind: "variable", at: 0x3010 },
      { kind: "wrapper", wrapper: { offset: 0x1010 }, routine: ALLOCATOR.name },
    ];
    expect(wordsOf(seen, via, true)).toBe(
      "stored at 0x1020 into the variable at 0x3010; there in a variable: passed at 0x1052 to the function at 0x1010, which calls ExAllocatePoolWithTag with it; the variable at 0x3010, the function at 0x1010, which passes it to ExAllocatePoolWithTag; with the protected bit",
    );
  });

  it("cut a long text, and quote it", () => {
    expect(wordsOf({ kind: "text", text: `"${"x".repeat(50)}` })).toBe(
      `letters of the text "\\"${"x".repeat(39)}…"`,
    );
  });

  it("are none where there is no code to look at", () => {
    expect(wordsOf(null)).toBeNull();
    expect(wordsOf(null, [], true)).toBe("with the protected bit");
  });
});
