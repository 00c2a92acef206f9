import { describe, expect, it } from "vitest";
import { va } from "../../../src/core/address.ts";
import { x64, x86 } from "../../../src/isa/x86/sets.ts";
import { fromHex } from "../../fixtures/code-image.ts";

function parts(wide: boolean, bytes: string) {
  const at = va(wide ? 0xfffff80412340000n : 0x80401000n);
  return (wide ? x64 : x86).withPrinter?.((printer) => printer.print(fromHex(bytes), at))?.parts;
}

function text(wide: boolean, bytes: string): string | undefined {
  return parts(wide, bytes)
    ?.map((part) => (typeof part === "string" ? part : part.text))
    .join("");
}

describe("Printer.print", () => {
  // As WinDbg's u writes them; the names that it puts in place of addresses are not the printer's.
  it.each([
    ["8b 75 08", "mov     esi,dword ptr [ebp+8]"],
    ["83 65 fc 00", "and     dword ptr [ebp-4],0"],
    ["68 53 65 20 20", "push    20206553h"],
    ["c7 45 f8 03 00 00 c0", "mov     dword ptr [ebp-8],0C0000003h"],
    ["8d 1c 9d 10 00 00 00", "lea     ebx,[ebx*4+10h]"],
    ["64 a1 24 01 00 00", "mov     eax,dword ptr fs:[124h]"],
    ["c2 08 00", "ret     8"],
    ["f3 a5", "rep movsd"],
    ["6a fe", "push    0FFFFFFFEh"],
    ["cc", "int     3"],
  ])("writes 32-bit %s as %s", (bytes, expected) => expect(text(false, bytes)).toBe(expected));

  it.each([
    ["48 8b 43 38", "mov     rax,qword ptr [rbx+38h]"],
    ["65 48 8b 04 25 88 01 00 00", "mov     rax,qword ptr gs:[188h]"],
    ["f0 0f b1 11", "lock cmpxchg dword ptr [rcx],edx"],
    ["48 83 ec 28", "sub     rsp,28h"],
  ])("writes 64-bit %s as %s", (bytes, expected) => expect(text(true, bytes)).toBe(expected));

  it("sets apart what may be an address, with its place and size", () => {
    // call [rip+3000h], 6 bytes: 0xfffff80412340006 + 0x3000
    expect(parts(true, "ff 15 00 30 00 00")?.[2]).toMatchObject({
      kind: "memory",
      value: 0xfffff80412343006n,
      offset: 2,
      size: 8,
    });
    expect(parts(true, "48 8d 0d 10 00 00 00")?.at(-2)).toMatchObject({
      value: 0xfffff80412340017n,
      size: 0,
    });
    // jmp short -2: itself
    expect(parts(false, "eb fe")?.[1]).toMatchObject({ kind: "branch", value: 0x80401000n });
    expect(parts(false, "68 00 40 40 80")?.[1]).toMatchObject({
      kind: "immediate",
      value: 0x80404000n,
      offset: 1,
      size: 4,
    });
  });

  it("gives a displacement beside registers without its sign, and shows it with it", () => {
    // jmp [eax*4+80402000h]
    expect(parts(false, "ff 24 85 00 20 40 80")).toEqual([
      "jmp     ",
      "dword ptr [eax*4",
      { kind: "displacement", value: 0x80402000n, text: "-7FBFE000h", offset: 3, size: 4 },
      "]",
    ]);
  });

  it("has no text for what is no instruction", () => {
    expect(parts(true, "06")).toBeUndefined();
    expect(parts(true, "48 8b")).toBeUndefined();
  });
});
