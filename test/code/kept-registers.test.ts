import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { JumpTables } from "../../src/code/jump-tables.ts";
import { writtenBy } from "../../src/code/kept-registers.ts";
import { codeImage } from "../fixtures/code-image.ts";

/** What 64-bit code at 1000 changes. */
function written(bytes: string, left = 1000) {
  const image = codeImage({
    parts: [{ rva: 0x1000, bytes }],
    slots: { Other: 0x2000 },
    exports: { F: 0x1000 },
  });
  const { code } = analyzeImage(image);
  const found = code.decoding((decoder) =>
    writtenBy(code, decoder, new JumpTables(code, undefined), 0x1000, left),
  );
  return found && { ...found, registers: found.registers && [...found.registers].sort((a, b) => a - b) };
}

describe("writtenBy", () => {
  it("is what a function changes on any of its ways, and what it calls does", () => {
    // test ecx,ecx; je 1009; call 100a; mov edx,1 … 100a: mov r8d,2; ret
    expect(written("85 c9 74 0a e8 06 00 00 00 ba 01 00 00 00 c3 41 b8 02 00 00 00 c3")).toEqual({
      registers: [2, 8],
      steps: 7,
    });
  });

  it("may be anything where it calls another module's, or through a register", () => {
    // call [2000]; ret
    expect(written("ff 15 fa 0f 00 00 c3")).toMatchObject({ registers: undefined });
    // jmp rax
    expect(written("ff e0")).toMatchObject({ registers: undefined });
  });

  it("is not looked for any further than is left, nor through 256 instructions", () => {
    expect(written("90 90 90 c3", 3)).toEqual({ registers: undefined, steps: 3 });
    expect(written(`${"90 ".repeat(255)}c3`)).toEqual({ registers: [], steps: 256 });
    expect(written(`${"90 ".repeat(256)}c3`)).toEqual({ registers: undefined, steps: 256 });
  });
});
