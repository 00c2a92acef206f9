import { describe, expect, it, vi } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import type { TagUse } from "../../src/code/tag-use.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Rva } from "../../src/core/address.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const SLOTS = {
  ExAllocatePoolWithTag: 0x2000,
  ExFreePoolWithTag: 0x2004,
  RtlCompareMemory: 0x2008,
};
const WIDE_SLOTS = {
  ExAllocatePool2: 0x2000,
  ExAllocatePoolWithTag: 0x2008,
  ExInitializeNPagedLookasideList: 0x2010,
};

/** The uses of every `Se  ` in one function at 1000, by the offset of its bytes; a second one may stand at 1040. */
function uses(
  machine: "x86" | "x64",
  code: string,
  more: Partial<Parameters<typeof codeImage>[0]> = {},
): Record<string, TagUse> {
  const bytes = new Uint8Array(0x100).fill(0xcc);
  bytes.set(fromHex(code));
  const image = codeImage({
    machine,
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: new Uint8Array(0x100), executable: false },
      ...(more.parts ?? []),
    ],
    slots: machine === "x86" ? SLOTS : WIDE_SLOTS,
    exports: { F: 0x1000, ...more.exports },
    ...(machine === "x86" ? {} : { unwind: [[0x1000, 0x1000 + fromHex(code).length]] as const }),
  });
  const found = new TagUses(new DataFlow(analyzeImage(image)));
  const result: Record<string, TagUse> = {};
  for (
    let at = Buffer.from(bytes).indexOf("Se  ");
    at !== -1;
    at = Buffer.from(bytes).indexOf("Se  ", at + 1)
  ) {
    result[at.toString(16)] = found.at((0x1000 + at) as Rva);
  }
  return result;
}

describe("TagUses.at, 32-bit", () => {
  it("sees a pushed tag as an allocation, with size and pool type", () => {
    // push 'Se  '; push 10h; push 1; call [ExAllocatePoolWithTag]; ret
    expect(uses("x86", "68 53 65 20 20 6a 10 6a 01 ff 15 00 20 00 80 c3")).toEqual({
      1: {
        use: "allocate",
        instruction: 0x1000,
        function: 0x1000,
        call: { at: 0x1009, target: undefined, name: "ExAllocatePoolWithTag", module: "ntoskrnl.exe" },
        size: 0x10,
        poolType: 1,
        seen: { kind: "argument", index: 3, of: { name: "ExAllocatePoolWithTag" }, at: 0x1009, known: true },
      },
    });
  });

  it("follows a register through a conditional jump, to a call behind it and to one that is jumped over", () => {
    // push ebp; mov ebp, esp; push edi; mov edi, 'Se  '; test eax, eax; je 1; push edi; push 44h; push 0;
    // call [ExAllocatePoolWithTag]; 1: push edi; push eax; call [ExFreePoolWithTag]; pop edi; pop ebp; ret
    const code =
      "55 89 e5 57 bf 53 65 20 20 85 c0 74 0b 57 6a 44 6a 00 ff 15 00 20 00 80 57 50 ff 15 04 20 00 80 5f 5d c3";
    expect(uses("x86", code)[5]).toMatchObject({
      use: "allocate",
      instruction: 0x1004,
      size: 0x44,
      poolType: 0,
      seen: {
        kind: "also",
        first: { kind: "argument", index: 3, of: { name: "ExAllocatePoolWithTag" }, at: 0x1012 },
        uses: ["free"],
      },
    });
  });

  it("sees arguments that are moved onto the stack instead of pushed", () => {
    // sub esp, 12; mov [esp+8], 'Se  '; mov [esp+4], 24; mov [esp], 1; call [ExAllocatePoolWithTag]; …
    const code =
      "83 ec 0c c7 44 24 08 53 65 20 20 c7 44 24 04 18 00 00 00 c7 04 24 01 00 00 00 ff 15 00 20 00 80 83 ec 0c 83 c4 0c c3";
    expect(uses("x86", code)[7]).toMatchObject({ use: "allocate", size: 24, poolType: 1 });
  });

  it("tells a string that is built on the stack from a tag", () => {
    // mov [ebp-10h], 'Se  '; mov [ebp-0ch], 'ObCl'; lea eax, [ebp-10h]; push eax; call [RtlCompareMemory]
    const code =
      "55 89 e5 83 ec 10 c7 45 f0 53 65 20 20 c7 45 f4 4f 62 43 6c 8d 45 f0 50 ff 15 08 20 00 80 c9 c3";
    expect(uses("x86", code)[9]).toMatchObject({
      use: "store",
      seen: { kind: "stored", at: 0x1006, into: "stack" },
    });
  });

  it("sees a comparison", () => {
    // mov eax, [esp+4]; cmp [eax], 'Se  '; sete al; ret 4
    expect(uses("x86", "8b 44 24 04 81 38 53 65 20 20 0f 94 c0 c2 04 00")[6]).toMatchObject({
      use: "compare",
    });
  });

  it("sees a free", () => {
    // push 'Se  '; push eax; call [ExFreePoolWithTag]; ret
    expect(uses("x86", "68 53 65 20 20 50 ff 15 04 20 00 80 c3")[1]).toMatchObject({ use: "free" });
  });

  it("follows a wrapper one step, with what the wrapper adds", () => {
    // push 'Se  '; push 30h; call 1010; ret; 1010: push [esp+8]; push [esp+8]; push 1; call [ExAllocatePoolWithTag]; ret 8
    const code =
      "68 53 65 20 20 6a 30 e8 04 00 00 00 c3 cc cc cc ff 74 24 08 ff 74 24 08 6a 01 ff 15 00 20 00 80 c2 08 00";
    expect(uses("x86", code)[1]).toMatchObject({
      use: "allocate",
      size: 0x30,
      poolType: 1,
      call: { at: 0x1007, target: 0x80001010n },
      via: [{ kind: "wrapper", wrapper: { offset: 0x1010 }, routine: "ExAllocatePoolWithTag" }],
    });
  });

  it("does not take a tag in another argument for an allocation", () => {
    // push 'None'; push 'Se  '; push 1; call [ExAllocatePoolWithTag]
    expect(uses("x86", "68 4e 6f 6e 65 68 53 65 20 20 6a 01 ff 15 00 20 00 80 c3")[6]).toMatchObject({
      use: "unknown",
    });
  });
});

describe("TagUses.at, 64-bit", () => {
  it("sees the third register as the tag, and the flags of ExAllocatePool2", () => {
    // sub rsp, 28h; mov r8d, 'Se  '; mov edx, 50h; mov ecx, 100h; call [ExAllocatePool2]; add rsp, 28h; ret
    const code =
      "48 83 ec 28 41 b8 53 65 20 20 ba 50 00 00 00 b9 00 01 00 00 ff 15 e6 0f 00 00 48 83 c4 28 c3";
    expect(uses("x64", code)[6]).toMatchObject({
      use: "allocate",
      size: 0x50,
      poolFlags: 0x100,
      instruction: 0x1004,
    });
  });

  it("sees a call that is the function's last jump, and constants that are made from others", () => {
    // mov r8d, 'Se  '; xor ecx, ecx; lea edx, [rcx+20h]; mov ecx, 200h; jmp [ExAllocatePoolWithTag]
    expect(uses("x64", "41 b8 53 65 20 20 31 c9 8d 51 20 b9 00 02 00 00 ff 25 f2 0f 00 00")[2]).toMatchObject(
      {
        use: "allocate",
        size: 0x20,
        poolType: 0x200,
      },
    );
  });

  it("sees a lookaside list's tag among the stack arguments", () => {
    // sub rsp, 48h; …; mov [rsp+28h], 'Se  '; mov qword [rsp+20h], 40h; …; call [ExInitializeNPagedLookasideList]
    const code =
      "48 83 ec 48 66 c7 44 24 30 00 00 c7 44 24 28 53 65 20 20 48 c7 44 24 20 40 00 00 00 45 31 c9 45 31 c0 31 d2 ff 15 e6 0f 00 00 48 83 c4 48 c3";
    expect(uses("x64", code).f).toMatchObject({ use: "lookaside", size: 0x40 });
  });

  it("sees the form that the kernel writes over calls: mov r10, [slot]; call far away", () => {
    const code =
      "48 83 ec 28 41 b8 53 65 20 20 ba 80 00 00 00 b9 40 00 00 00 4c 8b 15 e5 0f 00 00 e8 00 00 00 10 48 83 c4 28 c3";
    expect(uses("x64", code)[6]).toMatchObject({
      use: "allocate",
      size: 0x80,
      poolFlags: 0x40,
      call: { at: 0x101b, target: 0xfffff80010001020n, name: "ExAllocatePool2" },
    });
  });

  it("does not take a tag in another register for an allocation", () => {
    // mov edx, 'Se  '; mov ecx, 1; call [ExAllocatePoolWithTag]
    expect(
      uses("x64", "48 83 ec 28 ba 53 65 20 20 b9 01 00 00 00 ff 15 f4 0f 00 00 48 83 c4 28 c3")[5],
    ).toMatchObject({
      use: "unknown",
    });
  });

  it("follows a tag through the bit that protects it", () => {
    // push rbx; sub rsp, 20h; mov ebx, 'Se  '; or ebx, 80000000h; mov r8d, ebx; …; call [ExAllocatePoolWithTag]
    const code =
      "53 48 83 ec 20 bb 53 65 20 20 81 cb 00 00 00 80 41 89 d8 b9 01 00 00 00 ba 08 00 00 00 ff 15 e5 0f 00 00 48 83 c4 20 5b c3";
    expect(uses("x64", code)[6]).toMatchObject({ use: "allocate", size: 8 });
  });

  it("says that bytes across two instructions are no operand", () => {
    // push rbx; gs; and [rax], ah: 53 65 20 20 by chance
    expect(uses("x64", "90 53 65 20 20 5b c3")[1]).toMatchObject({ use: "unknown" });
  });

  it("follows a tag that code loads from a variable", () => {
    // sub rsp, 28h; mov r8d, [2020]; mov edx, 18h; mov ecx, 1; call [ExAllocatePoolWithTag]; add rsp, 28h; ret
    const code =
      "48 83 ec 28 44 8b 05 15 10 00 00 ba 18 00 00 00 b9 01 00 00 00 ff 15 ed 0f 00 00 48 83 c4 28 c3";
    const bytes = new Uint8Array(0x30).fill(0xcc);
    bytes.set(fromHex(code));
    const data = new Uint8Array(0x100);
    data.set(Buffer.from("Se  "), 0x20);
    data.set(Buffer.from("Se  "), 0x40);
    const image = codeImage({
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x2000, bytes: data, executable: false },
      ],
      slots: WIDE_SLOTS,
      unwind: [[0x1000, 0x1020]],
    });
    const found = new TagUses(new DataFlow(analyzeImage(image)));
    expect(found.at(0x2020 as Rva)).toMatchObject({
      use: "allocate",
      function: 0x1000,
      size: 0x18,
      poolType: 1,
      via: [{ kind: "variable", at: 0x2020 }],
    });
    expect(found.at(0x2040 as Rva)).toEqual({
      use: "data",
      instruction: undefined,
      function: undefined,
      seen: { kind: "data", readers: "none", machine: "x64" },
    });
  });

  it("sees the framework's functions through its table, also behind control flow guard", () => {
    // mov rax, [table]; mov r9d, 'Se  '; …; mov rax, [rax+192*8]; call [guard]: WdfMemoryCreate
    // mov [rsp+48h+28], 'Te  '; lea rax, [rsp+48h]; mov [rsp+20h], rax; mov rax, [table]; call [rax+116*8]: WdfDriverCreate
    const code =
      "48 83 ec 68 48 8b 0d f5 0f 00 00 48 8b 05 0e 10 00 00 48 c7 44 24 30 00 00 00 00 48 c7 44 24 20 80 00 00 00 " +
      "41 b9 53 65 20 20 41 b8 00 02 00 00 31 d2 48 8b 80 00 06 00 00 ff 15 d1 0f 00 00 c7 44 24 64 54 65 20 20 " +
      "48 8d 44 24 48 48 89 44 24 20 48 8b 05 c8 0f 00 00 48 8b 0d a1 0f 00 00 ff 90 a0 03 00 00 48 83 c4 68 c3";
    const config = new Uint8Array(0x140);
    const view = new DataView(config.buffer);
    view.setUint32(0, config.length, true);
    // GuardCFDispatchFunctionPointer
    view.setBigUint64(0x78, 0xfffff80000002010n, true);
    const image = codeImage({
      parts: [
        { rva: 0x1000, bytes: code },
        { rva: 0x2000, bytes: new Uint8Array(0x40), executable: false },
        { rva: 0x3000, bytes: config, executable: false },
      ],
      loadConfiguration: 0x3000,
      slots: { WdfVersionBind: 0x2038 },
      unwind: [[0x1000, 0x106a]],
    });
    const found = new TagUses(new DataFlow(analyzeImage(image)));
    expect(found.at(0x1026 as Rva)).toMatchObject({
      use: "allocate",
      size: 0x80,
      poolType: 0x200,
      call: { at: 0x1039, target: undefined, module: "WDF", name: "WdfMemoryCreate" },
    });
    expect(found.at(0x1043 as Rva)).toMatchObject({
      use: "lookaside",
      via: [{ kind: "structure", name: "WDF_DRIVER_CONFIG" }],
    });
  });

  it("recognises the tag of a filter manager context", () => {
    const data = new Uint8Array(0x100);
    const view = new DataView(data.buffer);
    // FLT_STREAM_CONTEXT, size 60h; the end of the array
    view.setUint16(0, 8, true);
    view.setBigUint64(0x10, 0x60n, true);
    data.set(Buffer.from("Se  "), 0x18);
    view.setUint16(0x38, 0xffff, true);
    const options = {
      parts: [
        { rva: 0x1000, bytes: "c3" },
        { rva: 0x2000, bytes: data, executable: false },
      ],
    };
    const image = codeImage({ ...options, slots: { FltRegisterFilter: 0x20f8 } });
    Object.assign(image.imports.slots[0]?.declared ?? {}, { dll: "FLTMGR.SYS" });
    expect(new TagUses(new DataFlow(analyzeImage(image))).at(0x2018 as Rva)).toMatchObject({
      use: "data",
      size: 0x60,
      via: [{ kind: "structure", name: "FLT_CONTEXT_REGISTRATION" }],
    });
    expect(new TagUses(new DataFlow(analyzeImage(codeImage(options)))).at(0x2018 as Rva)).not.toHaveProperty(
      "via",
    );
  });

  it("says that a page cannot be read, and that a machine's code is not decoded", () => {
    const parts = [{ rva: 0x1000, bytes: new Uint8Array(0x2000) }];
    const holes = [[0x2000, 0x3000]] as const;
    expect(
      new TagUses(new DataFlow(analyzeImage(codeImage({ parts, holes })))).at(0x2004 as Rva),
    ).toMatchObject({
      use: "unknown",
      seen: { kind: "unreadable" },
    });
    expect(
      new TagUses(new DataFlow(analyzeImage(codeImage({ machine: "arm64", parts })))).at(0x1004 as Rva),
    ).toMatchObject({ use: "unknown", seen: { kind: "no-load", machine: "arm64" } });
  });

  it("says that it no longer looks for who reads data when it has gone through 256 MB of code (MAX_NAMING_BYTES)", () => {
    const data = { rva: 0x20_0000, bytes: new Uint8Array(0x800), executable: false };
    const parts = [{ rva: 0x1000, bytes: new Uint8Array(0x10_0000).fill(0xcc) }, data];
    const code = analyzeImage(codeImage({ parts }));
    const found = new TagUses(new DataFlow(code));
    // 1 MB each time, in which nothing stands
    const search = vi.spyOn(code.code.set.references, "naming").mockReturnValue();
    const read = Array.from({ length: 258 }, (_, index) => found.at((data.rva + index * 4) as Rva).seen);
    expect(search).toHaveBeenCalledTimes(256);
    search.mockRestore();
    expect(read[254]).toEqual({ kind: "data", readers: "none", machine: "x64" });
    expect(read[256]).toEqual({ kind: "data", readers: "not-looked-for", machine: "x64" });
  });
});
