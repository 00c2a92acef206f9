import { describe, expect, it } from "vitest";
import { functionsOf, laidOut } from "../fixtures/functions-of.ts";

describe("leaf functions of 64-bit code", () => {
  it("start with the nop that leaves room for a patch", () => {
    // 1010: xchg ax, ax; mov rax, rcx; ret
    const bytes = laidOut(0x40, { 0: "90 c3", 0x10: "66 90 48 8b c1 c3", 0x30: "90 c3" });
    const unwind = [
      [0x1000, 0x1002],
      [0x1030, 0x1032],
    ] as const;
    expect(functionsOf({ parts: [{ rva: 0x1000, bytes }], unwind })).toEqual([
      "1000 pdata 1000-1002",
      "1010 flow 1010-1016",
      "1030 pdata 1030-1032",
    ]);
  });

  it("do not start with the nops that fill up to a paragraph", () => {
    const bytes = laidOut(0x40, {
      0: "90 c3",
      2: "66 2e 0f 1f 84 00 00 00 00 00 0f 1f 40 00",
      0x10: "8b c1 c3",
    });
    expect(functionsOf({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x1002]] })).toEqual([
      "1000 pdata 1000-1002",
      "1010 flow 1010-1013",
    ]);
  });

  it("are found where nothing but a jump of another function leads", () => {
    // 1000: jmp 1009. 1005: pop r14; ret, which nothing leads to. 1009: mov eax, [rdi]; ret
    const bytes = laidOut(0x20, { 0: "e9 04 00 00 00 41 5e c3 90 8b 07 c3" });
    expect(functionsOf({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x1005]] })).toEqual([
      "1000 pdata 1000-1005",
      "1009 flow 1009-100c",
    ]);
  });

  it("take no text for code", () => {
    const bytes = laidOut(0x60, { 0: "90 c3", 0x10: "=Unloading the driver\0" });
    expect(functionsOf({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x1002]] })).toEqual([
      "1000 pdata 1000-1002",
    ]);
  });
});

describe("unwind data of version 2", () => {
  // 1000: sub rsp, 28h; add rsp, 28h; jmp 1200. 1200: xor eax, eax; ret
  const bytes = laidOut(0x300, { 0: "48 83 ec 28 48 83 c4 28 e9 f3 01 00 00", 0x200: "33 c0 c3" });
  const unwind = [
    [0x1000, 0x100d, 0x2000],
    [0x1200, 0x1203, 0x2008],
  ] as const;
  const functions = (second: string): string[] =>
    functionsOf({
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x2000, bytes: `01 04 01 00 04 42 00 00 ${second}`, executable: false },
      ],
      unwind,
    });

  it("tells where epilogs are in codes that are no frame", () => {
    // two UWOP_EPILOG: a function without a frame that is jumped to
    expect(functions("02 00 02 00 01 16 02 06")).toEqual(["1000 pdata 1000-100d", "1200 pdata 1200-1203"]);
  });

  it("tells of a frame behind them", () => {
    // UWOP_EPILOG, then UWOP_ALLOC_SMALL with no prologue: a cold part
    expect(functions("02 00 02 00 01 16 00 42")).toEqual(["1000 pdata 1000-100d,1200-1203"]);
  });
});
