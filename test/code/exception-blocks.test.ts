import { describe, expect, it } from "vitest";
import { functionsOf, laidOut } from "../fixtures/functions-of.ts";

/** A prologue that registers a table: push ebp; mov ebp, esp; push -1; push TABLE; push 80001100; mov eax, fs:[0]; … */
const prologue = (table: string): string =>
  `55 8b ec 6a ff 68 ${table} 68 00 11 00 80 64 a1 00 00 00 00 33 c0 5d c3`;

describe("blocks of __try in 32-bit code", () => {
  const pieces = {
    0: prologue("00 20 00 80"),
    0x40: prologue("0c 20 00 80"),
    // mov esp, [ebp-18h]; xor eax, eax; jmp 1015
    0x80: "8b 65 e8 33 c0 eb 8e",
    // mov eax, [ebp-14h]; ret: the filter
    0x90: "8b 45 ec c3",
    // push [ebp-20h]; call 1100; ret: a __finally block, which the function also calls
    0xa0: "ff 75 e0 e8 58 00 00 00 c3",
    0x100: "55 8b ec 5d c3",
  };
  const handler = { F: 0x1000, G: 0x1040, Handler: 0x1100 };

  it("belong to the function that names their table", () => {
    // _except_handler3: level, filter, handler; the table of the first function ends where the second one's starts
    const table = "ff ff ff ff 90 10 00 80 80 10 00 80 ff ff ff ff 00 00 00 00 a0 10 00 80";
    const options = {
      machine: "x86" as const,
      parts: [
        { rva: 0x1000, bytes: laidOut(0x200, pieces) },
        { rva: 0x2000, bytes: table, executable: false },
      ],
      exports: handler,
    };
    const expected = [
      "1000 export 1000-1019,1080-1094",
      "1040 export 1040-1059,10a0-10a9",
      "1100 export 1100-1105",
    ];
    expect(functionsOf(options)).toEqual(expected);
    const relocations = [0x1006, 0x100b, 0x1046, 0x104b, 0x2004, 0x2008, 0x2014];
    expect(functionsOf({ ...options, relocations })).toEqual(expected);
  });

  it("are found behind the cookies of _except_handler4, in a table that stands in the code", () => {
    // push 8; push 80001180; call 1100
    const bytes = laidOut(0x200, {
      0: "6a 08 68 80 11 00 80 e8 f4 00 00 00 33 c0 c3",
      // mov esp, [ebp-18h]; jmp 100c
      0x80: "8b 65 e8 eb 87",
      0x90: "8b 45 ec c3",
      0x100: "55 8b ec 5d c3",
      0x180: "fe ff ff ff 00 00 00 00 d8 ff ff ff 00 00 00 00 fe ff ff ff 90 10 00 80 80 10 00 80",
    });
    expect(
      functionsOf({
        machine: "x86",
        parts: [{ rva: 0x1000, bytes }],
        exports: { F: 0x1000 },
        relocations: [0x1003, 0x1194, 0x1198],
      }),
    ).toEqual(["1000 export 1000-100f,1080-1094", "1100 flow 1100-1105"]);
  });
});

describe("blocks of __try in 64-bit code", () => {
  const bytes = laidOut(0x100, {
    0: "48 83 ec 28 33 c0 48 83 c4 28 c3",
    // push rbp; sub rsp, 20h; mov rbp, rdx; add rsp, 20h; pop rbp; ret
    0x40: "40 55 48 83 ec 20 48 8b ea 48 83 c4 20 5d c3",
    0x60: "c3",
  });
  const rows = [
    [0x1000, 0x100b, 0x2000],
    [0x1040, 0x104f, 0x2030],
  ] as const;
  const funclet = "01 06 02 00 06 32 02 50";

  it("belong to the function whose scope table names them", () => {
    // UNWIND_INFO with EHANDLER, one code, the handler at 1060, one scope: 1004-1006, handler 1040, no target
    const info =
      "09 04 01 00 04 42 00 00 60 10 00 00 01 00 00 00 04 10 00 00 06 10 00 00 40 10 00 00 00 00 00 00".concat(
        " 00".repeat(16),
        funclet,
      );
    const parts = [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: info, executable: false },
    ];
    expect(functionsOf({ parts, unwind: rows, exports: { Handler: 0x1060 } })).toEqual([
      "1000 pdata 1000-100b,1040-104f",
      "1060 export 1060-1061",
    ]);
  });

  it("are not guessed from the data of other languages", () => {
    const info =
      "09 04 01 00 04 42 00 00 60 10 00 00 01 00 00 00 04 90 00 00 06 10 00 00 40 10 00 00 00 00 00 00".concat(
        " 00".repeat(16),
        funclet,
      );
    const parts = [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: info, executable: false },
    ];
    expect(functionsOf({ parts, unwind: rows, exports: { Handler: 0x1060 } })).toEqual([
      "1000 pdata 1000-100b",
      "1040 pdata 1040-104f",
      "1060 export 1060-1061",
    ]);
  });
});
