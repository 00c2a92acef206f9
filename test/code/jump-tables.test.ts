import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

describe("JumpTables", () => {
  it("finds a table by its offset in the image where the register with the base was set far before", () => {
    const image = codeImage({
      machine: "x64",
      parts: [
        {
          rva: 0x1000,
          bytes: laidOut(0x60, {
            0: "4c 8d 05 f9 ef ff ff", // lea r8,[the image's base]
            7: "90".repeat(13),
            0x14: "83 f9 01", // cmp ecx,1
            0x17: "77 10", // ja 1029
            0x19: "48 63 c1", // movsxd rax,ecx
            0x1c: "41 8b 8c 80 00 20 00 00", // mov ecx,[r8+rax*4+2000]
            0x24: "4c 01 c1", // add rcx,r8
            0x27: "ff e1", // jmp rcx
            0x29: "c3",
            0x40: "31 c0 c3",
            0x50: "b0 01 c3",
          }),
        },
        { rva: 0x2000, bytes: "40100000 50100000 40100000", executable: false },
      ],
      exports: { A: 0x1000 },
    });
    expect(analyzeImage(image).functions.startingAt(0x1000)?.fragments).toEqual([
      { start: 0x1000, end: 0x102a },
      { start: 0x1040, end: 0x1053 },
    ]);
  });

  it("says that a table has more than 4,096 entries, whose labels are not told (MAX_JUMP_TABLE)", () => {
    // 1000: jmp [eax*4+2000]; the labels 1010, and behind 4,096 of them 1020: xor eax, eax; ret
    const bytes = laidOut(0x40, { 0: "ff 24 85 00 20 00 80", 0x10: "33 c0 c3", 0x20: "33 c0 c3" });
    const labels = Uint32Array.from({ length: 4097 }, (_, index) =>
      index < 4096 ? 0x8000_1010 : 0x8000_1020,
    );
    const image = codeImage({
      machine: "x86",
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x2000, bytes: new Uint8Array(labels.buffer), executable: false },
      ],
      exports: { A: 0x1000 },
      relocations: Array.from(labels.keys(), (index) => 0x2000 + index * 4),
    });
    const { functions, notes } = analyzeImage(image);
    expect(functions.startingAt(0x1000)?.fragments).toEqual([{ start: 0x1000, end: 0x1013 }]);
    expect(notes).toEqual(["a jump table has more entries than are looked at"]);
  });
});
