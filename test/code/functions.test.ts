import { describe, expect, it } from "vitest";
import { analyzeImage, functionsAt } from "../../src/code/functions.ts";
import type { Image } from "../../src/pe/image.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";
import { functionsOf, laidOut } from "../fixtures/functions-of.ts";

describe("analyzeImage, 32-bit", () => {
  it("gives a far cold block to the function that jumps to it, and not to its neighbours", () => {
    // 1000: push ebp; mov ebp, esp; test eax, eax; je 1200; 100d: pop ebp; ret. Its cold block: xor eax, eax; jmp 100d
    const bytes = laidOut(0x300, {
      0: "55 8b ec 85 c0 0f 84 f5 01 00 00 90 90 5d c3",
      0x100: "55 8b ec 5d c3",
      0x200: "33 c0 e9 04 fe ff ff",
    });
    bytes.set(fromHex("0d 00 00 00"), 0x2ff - 4);
    expect(
      functionsOf({
        machine: "x86",
        parts: [{ rva: 0x1000, bytes: bytes.subarray(0, 0x280) }],
        exports: { A: 0x1000, B: 0x1100 },
      }),
    ).toEqual(["1000 export 1000-100f,1200-1207", "1100 export 1100-1105"]);
  });

  it("gives a block that two functions jump to, to both", () => {
    // each: push ebp; mov ebp, esp; test eax, eax; je 1200; pop ebp; ret. Shared: pop ebp; ret
    const bytes = laidOut(0x300, {
      0: "55 8b ec 85 c0 0f 84 f5 01 00 00 5d c3",
      0x100: "55 8b ec 85 c0 0f 84 f5 00 00 00 5d c3",
      0x200: "b8 01 00 00 c0 5d c3",
    });
    const image = codeImage({
      machine: "x86",
      parts: [{ rva: 0x1000, bytes }],
      exports: { A: 0x1000, B: 0x1100 },
    });
    expect(functionsAt(image, 0x1203).map(({ entry }) => entry)).toEqual([0x1000, 0x1100]);
    expect(analyzeImage(image).functions.count).toBe(2);
  });

  it("ends a function where another starts, behind a call that does not come back", () => {
    // 1000: push 0; call [KeBugCheckEx], directly followed by 1010: push ebp; mov ebp, esp; pop ebp; ret
    const bytes = laidOut(0x100, {
      0: "6a 00 ff 15 00 20 00 80 90 90 90 90 90 90 90 90",
      0x10: "55 8b ec 5d c3",
    });
    expect(
      functionsOf({
        machine: "x86",
        parts: [
          { rva: 0x1000, bytes },
          { rva: 0x2000, bytes: "00 00 00 00", executable: false },
        ],
        slots: { KeBugCheckEx: 0x2000 },
        exports: { A: 0x1000 },
      }),
    ).toEqual(["1000 export 1000-1008", "1010 flow 1010-1015"]);
  });

  it("finds a thread's routine that never returns, though what gave its address away is gone", () => {
    // 1010: push ebp; push edi; push esi; push ebx; mov ebx, [esp+14]; 1018: push ebx; call [KeWait]; jmp 1018
    const options = (calls: string): Parameters<typeof functionsOf>[0] => ({
      machine: "x86",
      parts: [
        {
          rva: 0x1000,
          bytes: laidOut(0x40, { 0: "55 8b ec 5d c3", 0x10: `55 57 56 53 8b 5c 24 14 53 ${calls} eb f7` }),
        },
        { rva: 0x2000, bytes: "00 00 00 00", executable: false },
      ],
      slots: { KeWaitForSingleObject: 0x2000 },
      exports: { A: 0x1000 },
    });
    expect(functionsOf(options("ff 15 00 20 00 80"))).toEqual([
      "1000 export 1000-1005",
      "1010 flow 1010-1021",
    ]);
    // the same without a call of anybody may be anything
    expect(functionsOf(options("ff 05 00 20 00 80"))).toEqual(["1000 export 1000-1005"]);
  });

  it("finds such a routine also where the compiler pads nothing", () => {
    const image = (routine: string): Parameters<typeof functionsOf>[0] => ({
      machine: "x86",
      parts: [
        // 1000: push ebp; mov ebp, esp; pop ebp; ret
        { rva: 0x1000, bytes: `55 8b ec 5d c3 ${routine}` },
        { rva: 0x2000, bytes: "00 00 00 00", executable: false },
      ],
      slots: { PsTerminateSystemThread: 0x2000 },
      exports: { A: 0x1000 },
    });
    // 1005: push esi; xor esi, esi; push esi; call [PsTerminateSystemThread]; int3
    expect(functionsOf(image("56 33 f6 56 ff 15 00 20 00 80 cc"))).toEqual([
      "1000 export 1000-1005",
      "1005 flow 1005-100f",
    ]);
    // mov [ecx], eax; …: eax has to come from somewhere
    expect(functionsOf(image("56 89 01 56 ff 15 00 20 00 80 cc"))).toEqual(["1000 export 1000-1005"]);
  });

  it("starts a function at its place for a patch, also where nothing is padded and no frame follows", () => {
    // 1000: ret. 1001: mov edi, edi; push esi; mov esi, ecx; mov eax, [esi]; pop esi; ret. 100a: mov edi, edi; push ecx; xor eax, eax; pop ecx; ret
    const bytes = "c3 8b ff 56 8b f1 8b 06 5e c3 8b ff 51 33 c0 59 c3";
    expect(functionsOf({ machine: "x86", parts: [{ rva: 0x1000, bytes }], exports: { A: 0x1000 } })).toEqual([
      "1000 export 1000-1001",
      "1001 flow 1001-100a",
      "100a flow 100a-1011",
    ]);
  });

  it("takes neither a jump table's words nor its labels for functions", () => {
    // 1000: cmp eax, 2; ja 1030; jmp [eax*4+1040]; labels 1020, 1028, 1030: ret; the table behind them
    const bytes = laidOut(0x100, {
      0: "83 f8 02 77 2b ff 24 85 40 10 00 80",
      0x20: "33 c0 c3",
      0x28: "b0 01 c3",
      0x30: "c3",
      0x40: "20 10 00 80 28 10 00 80 30 10 00 80 55 8b ec 5d c3",
    });
    expect(
      functionsOf({
        machine: "x86",
        parts: [{ rva: 0x1000, bytes }],
        exports: { A: 0x1000 },
        relocations: [0x1008, 0x1040, 0x1044, 0x1048],
      }),
    ).toEqual(["1000 export 1000-100c,1020-1031", "104c flow 104c-1051"]);
  });

  it("finds functions that only pointers lead to, in a file by relocations and in memory by the words of data", () => {
    const bytes = laidOut(0x100, { 0: "c3", 0x20: "8b 44 24 04 c2 04 00" });
    const parts = [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: "20 10 00 80 20 10 00 00", executable: false },
    ];
    const expected = ["1000 export 1000-1001", "1020 flow 1020-1027"];
    expect(functionsOf({ machine: "x86", parts, exports: { A: 0x1000 }, relocations: [0x2000] })).toEqual(
      expected,
    );
    expect(functionsOf({ machine: "x86", parts, exports: { A: 0x1000 } })).toEqual(expected);
  });

  it("follows a jump into the middle of an instruction without end", () => {
    // 1000: jmp 1001, over and over: eb ff c0 = jmp -1; inc eax; then ret
    expect(
      functionsOf({ machine: "x86", parts: [{ rva: 0x1000, bytes: "eb ff c0 c3" }], exports: { A: 0x1000 } }),
    ).toEqual(["1000 export 1000-1004"]);
  });
});

describe("analyzeImage, 64-bit", () => {
  it("joins the fragments of chained unwind data to their function", () => {
    const bytes = laidOut(0x300, { 0: "90 c3", 0x100: "c3", 0x200: "90 90 c3" });
    expect(
      functionsOf({
        parts: [{ rva: 0x1000, bytes }],
        unwind: [
          [0x1000, 0x1002],
          [0x1100, 0x1101],
          [0x1200, 0x1203],
        ],
        chains: { 0x1200: 0x1000 },
      }),
    ).toEqual(["1000 pdata 1000-1002,1200-1203", "1100 pdata 1100-1101"]);
  });

  it("takes a piece with a frame but no prologue for a part of the function that jumps to it", () => {
    // 1000: sub rsp, 28h; test eax, eax; je 1200; add rsp, 28h; ret. 1200: add rsp, 28h; ret
    const bytes = laidOut(0x300, {
      0: "48 83 ec 28 85 c0 0f 84 f4 01 00 00 48 83 c4 28 c3",
      0x200: "48 83 c4 28 c3",
    });
    const parts = [
      { rva: 0x1000, bytes },
      // UNWIND_INFO: version 1, prologue of 4 bytes, one code; the same with a prologue of none
      { rva: 0x2000, bytes: "01 04 01 00 04 42 00 00 01 00 01 00 00 42 00 00", executable: false },
    ];
    expect(
      functionsOf({
        parts,
        unwind: [
          [0x1000, 0x1011, 0x2000],
          [0x1200, 0x1205, 0x2008],
        ],
      }),
    ).toEqual(["1000 pdata 1000-1011,1200-1205"]);
    expect(
      functionsOf({
        parts,
        unwind: [
          [0x1000, 0x1011, 0x2000],
          [0x1200, 0x1205, 0x2000],
        ],
      }),
      "a prologue makes it a function",
    ).toEqual(["1000 pdata 1000-1011", "1200 pdata 1200-1205"]);
  });

  it("finds leaf functions between those with unwind data", () => {
    const bytes = laidOut(0x100, {
      0: "90 90 c3",
      0x10: "48 8b c1 c3",
      0x20: "ff 25 00 00 00 00",
      0x30: "90 c3",
    });
    expect(
      functionsOf({
        parts: [{ rva: 0x1000, bytes }],
        unwind: [
          [0x1000, 0x1003],
          [0x1030, 0x1032],
        ],
      }),
    ).toEqual(["1000 pdata 1000-1003", "1010 flow 1010-1014", "1020 flow 1020-1026", "1030 pdata 1030-1032"]);
  });

  it("takes only what is aligned behind padding for a function, where unwind data is missing", () => {
    // 1000: known. 1003: int3, then a cold block. 1020: the end of a function, behind code. 1040: xor eax, eax; ret.
    const bytes = laidOut(0x50, {
      0: "33 c0 c3",
      4: "33 c9 c3",
      0x1d: "8b 45 08",
      0x20: "41 5e c3",
      0x40: "33 c0 c3",
    });
    const parts = [{ rva: 0x1000, bytes }];
    const unwind = [[0x1000, 0x1003]] as const;
    expect(functionsOf({ parts, unwind })).toContain("1004 flow 1004-1007");
    expect(functionsOf({ parts, unwind, unwindStopped: true })).toEqual([
      "1000 pdata 1000-1003",
      "1040 flow 1040-1043",
    ]);
  });

  it("answers with overlapping unwind entries, and says that there are some", () => {
    const { functions, notes } = analyzeImage(
      codeImage({
        parts: [{ rva: 0x1000, bytes: new Uint8Array(0x100).fill(0x90) }],
        unwind: [
          [0x1000, 0x1080],
          [0x1040, 0x10c0],
        ],
      }),
    );
    expect(functions.owning(0x1050).map(({ entry }) => entry)).toEqual([0x1000, 0x1040]);
    expect(notes).toEqual(["1 unwind entry overlaps others"]);
  });
});

describe("analyzeImage on hostile input", () => {
  it("ends on a section of zeros that no file holds, without reading them", () => {
    const { functions, code } = analyzeImage(
      codeImage({
        machine: "x86",
        parts: [{ rva: 0x1000, bytes: "c3", size: 0x3fff_0000 }],
        exports: { A: 0x1000 },
      }),
    );
    expect(functions.count).toBe(1);
    expect(code.readable).toBe(1);
  });

  it.each(["x86", "x64"] as const)("ends on zeros that a file holds, in %s", (machine) => {
    const bytes = new Uint8Array(0x10_0000);
    const { functions } = analyzeImage(
      codeImage({ machine, parts: [{ rva: 0x1000, bytes }], exports: { A: 0x1000, B: 0x2000 } }),
    );
    expect(functions.count).toBe(2);
  });

  it.each(["x86", "x64"] as const)(
    "keeps what can be read where every other page is missing, in %s",
    (machine) => {
      const bytes = new Uint8Array(0x10000).fill(0x90);
      for (let at = 0x10; at < bytes.length; at += 0x20)
        bytes.set([0x55, 0x8b, 0xec, 0x5d, 0xc3, 0xcc, 0xcc, 0xcc], at);
      const holes = [1, 3, 5, 7].map((page) => [0x1000 + page * 0x1000, 0x2000 + page * 0x1000] as const);
      const { functions, code } = analyzeImage(
        codeImage({ machine, parts: [{ rva: 0x1000, bytes }], holes, exports: { A: 0x1010 } }),
      );
      expect(code.missing).toBe(0x4000);
      expect(functions.count).toBeGreaterThan(300);
      const inHole = Array.from(functions.entries).filter((entry) =>
        holes.some(([start, end]) => entry >= start && entry < end),
      );
      expect(inHole).toEqual([]);
    },
  );

  it("keeps no more functions than the cap, and says how many it left out (MAX_FUNCTIONS)", () => {
    const unwind = Array.from({ length: 0x4_0002 }, (_, index) => [0x1000 + index, 0x1001 + index] as const);
    const { functions, notes } = analyzeImage(
      codeImage({ parts: [{ rva: 0x1000, bytes: new Uint8Array(0x4_0100).fill(0xc3) }], unwind }),
    );
    expect(functions.count).toBe(0x4_0000);
    expect(notes.at(-1)).toBe("2 functions are more than are kept");
  });

  it("keeps what it was asked for last, of all images in one address space (MAX_CODE_KEPT)", () => {
    const parts = [{ rva: 0x1000, bytes: "c3" }];
    const image = codeImage({ parts, size: 0xc0_0000 });
    const [a, b, c] = [image, { ...image } as Image, { ...image } as Image];
    const [first, second] = [analyzeImage(a), analyzeImage(b)];
    expect(analyzeImage(a)).toBe(first);
    analyzeImage(c);
    expect(analyzeImage(a)).toBe(first);
    expect(analyzeImage(b)).not.toBe(second);
  });

  it("says that it does not decode ARM64, and gives what unwind data tells", () => {
    const { functions, notes } = analyzeImage(
      codeImage({
        machine: "arm64",
        parts: [{ rva: 0x1000, bytes: new Uint8Array(0x100) }],
        unwind: [[0x1000, 0x1010]],
      }),
    );
    expect(functions.at(0)).toEqual({
      entry: 0x1000,
      basis: "pdata",
      fragments: [{ start: 0x1000, end: 0x1010 }],
    });
    expect(notes).toEqual(["arm64 code is not decoded"]);
  });
});
