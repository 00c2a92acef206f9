import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

describe("JumpTables", () => {
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
