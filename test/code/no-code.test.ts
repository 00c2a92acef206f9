import { describe, expect, it } from "vitest";
import { functionsOf, laidOut } from "../fixtures/functions-of.ts";

// 1000: push ebp; mov ebp, esp; push 1040; call 1020; push 1060; call 1020; pop ebp; ret
// 1020: push ebp; mov ebp, esp; pop ebp; ret 4
const CALLER = "55 8b ec 68 40 10 00 80 e8 13 00 00 00 68 60 10 00 80 e8 09 00 00 00 5d c3";
const PUSHES = [0x1004, 0x100e];
const FUNCTIONS = ["1000 export 1000-1019", "1020 flow 1020-1027"];

/** What is pushed stands at 1040 and 1060. */
function withConstants(pieces: Readonly<Record<number, string>>, relocations: readonly number[] | undefined) {
  return functionsOf({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes: laidOut(0x200, { 0: CALLER, 0x20: "55 8b ec 5d c2 04 00", ...pieces }) },
      { rva: 0x2000, bytes: "40 10 00 80 60 10 00 80 00 00 00 00", executable: false },
    ],
    exports: { F: 0x1000 },
    ...(relocations === undefined ? {} : { relocations: [...PUSHES, 0x2000, 0x2004, ...relocations] }),
  });
}

describe.each([
  ["with relocations", []],
  ["where memory has no relocations left", undefined],
] as const)("what linkers merge into 32-bit code, %s", (_, relocations) => {
  it("takes no texts for functions, nor letters with zeros between", () => {
    const pieces = {
      0x40: "41 00 00 00 42 00 00 00 43 00 00 00 44 00 00 00",
      0x50: "=Watch\0",
      0x60: "=Initializing watch\n\0\xccWatchProcessor.c\0\0\0\0Cleaning up of Process %d\n\0\xccSe\0Un\0Unload\0",
      0xc0: "=U\0n\0l\0o\0a\0d\0 \0P\0r\0o\0c\0e\0s\0s\0\0\0",
    };
    expect(withConstants(pieces, relocations)).toEqual(FUNCTIONS);
  });

  it("takes no numbers for functions", () => {
    // A GUID, doubles, and a table of 16-bit numbers whose first byte reads as `ret`; bytes of sqlite's own tables.
    const pieces = {
      0x40: "50 8d 1e 62 d8 a7 11 4f 9b 6c 00 a0 c9 62 0e 31",
      0x50: "00 a0 b6 43 00 00 00 00 61 54 52 27 a0 99 3e 40 00 00 7a 44 00 00 00 00 80 cb a4 4c 59 fc a3 4a",
      0x80: "17 01 f1 00 f2 00 e1 00 c3 00 e3 00 c3 00 38 01 c3 00 da 00 c3 00 3c 01 c3 00 eb 00 fe 00 c3 00",
      0xa0: "40 9c 00 00 00 00 00 00 50 c3 00 00 00 00 00 00 24 f4 00 00 00 00 00 80 96 98 00 00 00 00 00 20",
    };
    expect(withConstants(pieces, relocations)).toEqual(FUNCTIONS);
  });

  it("takes no table of pointers for a function", () => {
    const pieces = { 0x40: "00 10 00 80 20 10 00 80 00 10 00 80", 0x60: "20 10 00 80 00 10 00 80" };
    const words = relocations === undefined ? undefined : [0x1040, 0x1044, 0x1048, 0x1060, 0x1064];
    expect(withConstants(pieces, words)).toEqual(FUNCTIONS);
  });
});

describe("where 32-bit functions start and end", () => {
  it("still takes what a pointer leads to for a function, when it reads as one", () => {
    // push ecx; mov ecx, [esp+8]; and, with no prologue, mov eax, [80002000]; ret 4
    const pieces = { 0x40: "51 8b 4c 24 08 33 c0 59 c2 04 00", 0x60: "a1 00 20 00 80 c2 04 00" };
    expect(withConstants(pieces, [0x1061])).toEqual([
      ...FUNCTIONS,
      "1040 flow 1040-104b",
      "1060 flow 1060-1068",
    ]);
  });

  it.each([
    ["push tag; push ebx; push 0", "68 44 72 76 67 53 6a 00"],
    ["push tag; push 1000", "68 44 72 76 67 68 00 10 00 00"],
    ["mov ecx, tag; push ebx; push 0", "b9 44 72 76 67 53 6a 00"],
  ])("takes no arguments of letters for text: %s", (_, pushes) => {
    // push ebx; call [2000]; the pushes; call [2000]; pop ebx; ret 4
    const body = `53 ff 15 00 20 00 80 ${pushes} ff 15 00 20 00 80 5b c2 04 00`;
    const end = (0x1040 + body.split(" ").length).toString(16);
    const pieces = { 0x40: body, 0x60: "a1 00 20 00 80 c2 04 00" };
    expect(withConstants(pieces, [0x1043, 0x1061])).toEqual([
      ...FUNCTIONS,
      `1040 flow 1040-${end}`,
      "1060 flow 1060-1068",
    ]);
  });

  it("ends a function at a call that text follows", () => {
    // push ebp; mov ebp, esp; call [2000]; "Processor Thread"
    const bytes = laidOut(0x80, { 0: "55 8b ec ff 15 00 20 00 80", 9: "=Processor Thread list\0" });
    expect(
      functionsOf({
        machine: "x86",
        parts: [
          { rva: 0x1000, bytes },
          { rva: 0x2000, bytes: "00 00 00 00", executable: false },
        ],
        exports: { F: 0x1000 },
      }),
    ).toEqual(["1000 export 1000-1009"]);
  });

  it("takes the middle of a block for no function because the instruction before ends with zeros", () => {
    // 1010, which nothing leads to: mov [ecx+158h], ebx; mov eax, [esp+8]; ret
    const bytes = laidOut(0x40, { 0: "55 8b ec 5d c3", 0x10: "89 99 58 01 00 00 8b 44 24 08 c3" });
    expect(functionsOf({ machine: "x86", parts: [{ rva: 0x1000, bytes }], exports: { F: 0x1000 } })).toEqual([
      "1000 export 1000-1005",
    ]);
  });

  it("starts a function at the place for a patch in front of it", () => {
    // 1010: mov edi, edi; mov eax, ecx; ret
    const bytes = laidOut(0x40, { 0: "55 8b ec 5d c3", 0x10: "8b ff 8b c1 c3" });
    expect(functionsOf({ machine: "x86", parts: [{ rva: 0x1000, bytes }], exports: { F: 0x1000 } })).toEqual([
      "1000 export 1000-1005",
      "1010 flow 1010-1015",
    ]);
  });
});
