import { describe, expect, it } from "vitest";
import { ModuleCode } from "../../../src/code/module-code.ts";
import { Flow } from "../../../src/isa/instruction.ts";
import { Reg } from "../../../src/isa/x86/abi.ts";
import { codeImage } from "../../fixtures/code-image.ts";

function decode(machine: "x86" | "x64", bytes: string, offset = 0) {
  const code = new ModuleCode(
    codeImage({
      machine,
      base: machine === "x86" ? 0x80400000n : 0x140000000n,
      parts: [{ rva: 0x1000, bytes }],
    }),
  );
  return code.decoding((decoder) => decoder.at(0x1000 + offset));
}

describe("Decoder.at", () => {
  it("says where an immediate's bytes stand", () => {
    // mov r8d, 'AcpR'
    expect(decode("x64", "41 b8 41 63 70 52")).toMatchObject({
      mnemonic: "mov",
      length: 6,
      operands: [
        { kind: "register", register: Reg.r8, size: 4 },
        { kind: "immediate", value: 0x52706341 },
      ],
      writes: [Reg.r8],
      immediateAt: 0x1002,
      immediateSize: 4,
    });
    // mov dword [esp+8], 'Se  '
    expect(decode("x86", "c7 44 24 08 53 65 20 20")).toMatchObject({
      operands: [{ kind: "memory", base: Reg.sp, displacement: 8, size: 4 }, { value: 0x20206553 }],
      writes: [],
      immediateAt: 0x1004,
    });
  });

  it("gives RIP-relative and absolute operands as offsets from the image's base", () => {
    // call [rip+0x1ffa]
    expect(decode("x64", "ff 15 fa 1f 00 00")).toMatchObject({
      flow: Flow.CallIndirect,
      operands: [{ kind: "memory", address: 0x3000 }],
    });
    // call [80403000]
    expect(decode("x86", "ff 15 00 30 40 80")).toMatchObject({ operands: [{ address: 0x3000 }] });
    // mov eax, fs:[124h] is no place in the image
    expect(decode("x86", "64 a1 24 01 00 00")).toMatchObject({
      operands: [{ kind: "register" }, { kind: "other" }],
    });
  });

  it("gives the targets of near jumps, outside the image too", () => {
    expect(decode("x86", "0f 84 fa 0f 00 00")).toMatchObject({ flow: Flow.Branch, target: 0x2000 });
    expect(decode("x64", "e9 fb ef ff ff")).toMatchObject({ flow: Flow.Jump, target: 0 });
    expect(decode("x64", "e8 fb df ff ff")).toMatchObject({ flow: Flow.Call, target: -0x1000 });
  });

  it("tells every register that an instruction changes", () => {
    // mul ecx; cpuid; xchg eax, ebx
    expect(decode("x86", "f7 e1")?.writes).toEqual(expect.arrayContaining([Reg.ax, Reg.dx]));
    expect(decode("x86", "0f a2")?.writes).toHaveLength(4);
    expect(decode("x86", "93")?.writes).toEqual(expect.arrayContaining([Reg.ax, Reg.bx]));
    // cmp eax, ebx
    expect(decode("x86", "39 d8")?.writes).toEqual([]);
  });

  it("decodes nothing across a hole", () => {
    const image = codeImage({
      parts: [{ rva: 0x1000, bytes: new Uint8Array(0x2000).fill(0xe8) }],
      holes: [[0x1ffe, 0x2100]],
    });
    const code = new ModuleCode(image);
    expect(code.runs.map(({ start, end }) => [start, end])).toEqual([
      [0x1000, 0x1ffe],
      [0x2100, 0x3000],
    ]);
    expect(code.missing).toBe(0x102);
    code.decoding((decoder) => {
      expect(decoder.at(0x1ff9)?.length).toBe(5);
      expect(decoder.at(0x1ffa)).toBeUndefined();
      expect(decoder.at(0x1fff)).toBeUndefined();
    });
  });

  it("decodes over the end of one of its pieces", () => {
    const bytes = new Uint8Array(0x20000).fill(0x90);
    bytes.set([0xe8, 0, 0, 0, 0], 0xeffe);
    const code = new ModuleCode(codeImage({ parts: [{ rva: 0x1000, bytes }] }));
    code.decoding((decoder) => {
      expect(decoder.at(0xfffe)).toMatchObject({ length: 5, target: 0x10003 });
      expect(decoder.at(0x10003)).toMatchObject({ length: 1 });
      expect(decoder.at(0xfffe)).toMatchObject({ length: 5 });
    });
  });

  it("gives its memory back also when the work throws", () => {
    const code = new ModuleCode(codeImage({ parts: [{ rva: 0x1000, bytes: "c3" }] }));
    for (let i = 0; i < 2000; i++) {
      expect(() =>
        code.decoding((decoder) => {
          decoder.at(0x1000);
          throw new Error("stop");
        }),
      ).toThrow("stop");
    }
  });
});
