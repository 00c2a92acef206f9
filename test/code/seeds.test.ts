import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

describe("readSeeds", () => {
  it("looks through 64 MB of data for pointers to code, and says that there is more (MAX_POINTER_SCAN)", () => {
    // 1000: ret. 1020: mov eax, [esp+4]; ret 4, to which only the pointer behind 64 MB of zeros leads
    const bytes = laidOut(0x40, { 0: "c3", 0x20: "8b 44 24 04 c2 04 00" });
    const image = codeImage({
      machine: "x86",
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x2000, bytes: "", size: 0x400_0000, executable: false },
        { rva: 0x400_2000, bytes: "20 10 00 80", executable: false },
      ],
      exports: { A: 0x1000 },
    });
    const { seeds, notes } = analyzeImage(image);
    expect(seeds.pointers.places).toEqual(Uint32Array.of());
    expect(notes).toEqual(["the image has more data than is looked through for pointers to its code"]);
  });
});
