import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

describe("Callees.at", () => {
  const image = codeImage({
    machine: "x86",
    parts: [
      {
        rva: 0x1000,
        bytes: laidOut(0x100, {
          // mov edi, edi; push ebp; mov ebp, esp; pop ebp; jmp 1080
          0: "8b ff 55 8b ec 5d e9 75 00 00 00",
          // push ebp; mov ebp, esp; pop ebp; jmp [2000]
          0x10: "55 89 e5 5d ff 25 00 20 00 80",
          // endbr32; jmp short 1000
          0x20: "f3 0f 1e fb eb da",
          // push ebp; mov ebp, esp; push 1; pop ebp; pop ebp; jmp 1080: it does something
          0x30: "55 8b ec 6a 01 5d 5d e9 44 00 00 00",
          0x80: "55 8b ec 5d c2 04 00",
        }),
      },
      { rva: 0x2000, bytes: "00 00 00 00", executable: false },
    ],
    slots: { ExAllocatePoolWithTag: 0x2000 },
    exports: { ExFreePool: 0x1080 },
    relocations: [0x1016],
  });
  const { callees } = new DataFlow(analyzeImage(image));

  it("sees a pool routine behind a jump, with an idle frame in front of it", () => {
    expect(callees.at(0x1000)).toMatchObject({ name: "ExFreePool", offset: 0x1080, thunk: 0x1000 });
    expect(callees.at(0x1010)).toMatchObject({ name: "ExAllocatePoolWithTag", slot: 0x2000, thunk: 0x1010 });
  });

  it("sees through one such jump to the next", () => {
    expect(callees.at(0x1020)).toMatchObject({ name: "ExFreePool", thunk: 0x1020 });
  });

  it("takes a function that does something first for no thunk", () => {
    expect(callees.at(0x1030)).not.toHaveProperty("name");
  });
});
