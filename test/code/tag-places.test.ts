import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import type { TagUse } from "../../src/code/tag-use.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Rva } from "../../src/core/address.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const SLOTS = {
  ExAllocatePoolWithTag: 0x2000,
  NdisAllocateTimerObject: 0x2008,
  NdisAllocateNetBufferListPool: 0x2010,
};
const TAG = "53 65 20 20";

const word = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString("hex");
const rel = (end: number, to: number): string => word(to - end);

/**
 * The use of every `Se  ` in an image, by offset. Functions are laid out by their RVAs; `data` is what stands at 3000.
 */
function uses(
  machine: "x86" | "x64",
  functions: Readonly<Record<number, string>>,
  data = "00",
): Record<string, TagUse> {
  const code = new Uint8Array(0x200).fill(0xcc);
  const entries = Object.entries(functions).map(([at, hex]) => ({ at: Number(at), bytes: fromHex(hex) }));
  for (const { at, bytes } of entries) code.set(bytes, at - 0x1000);
  const bytes = new Uint8Array(0x100);
  bytes.set(fromHex(data));
  const known = entries.filter(({ at }) => at >= 0x1010);
  const image = codeImage({
    machine,
    parts: [
      { rva: 0x1000, bytes: code },
      { rva: 0x2000, bytes: new Uint8Array(0x40), executable: false },
      { rva: 0x3000, bytes, executable: false },
    ],
    slots: SLOTS,
    exports: Object.fromEntries(known.map(({ at }) => [`F${at.toString(16)}`, at])),
    ...(machine === "x64"
      ? { unwind: known.map((one) => [one.at, one.at + one.bytes.length] as const) }
      : {}),
  });
  const found = new TagUses(new DataFlow(analyzeImage(image)));
  const result: Record<string, TagUse> = {};
  for (const [start, part] of [
    [0x1000, code],
    [0x3000, bytes],
  ] as const) {
    const buffer = Buffer.from(part);
    for (let at = buffer.indexOf("Se  "); at !== -1; at = buffer.indexOf("Se  ", at + 1))
      result[(start + at).toString(16)] = found.at((start + at) as Rva);
  }
  return result;
}

describe("a tag in a constant that stands among the code", () => {
  it("is what the code that reads it does with it, in 64-bit code", () => {
    // 1000: two constants, which read as code; 1020 and 1050:
    // sub rsp, 28h; mov r8d, [1008]; mov edx, 40h; mov ecx, 1; call [ExAllocatePoolWithTag]; add rsp, 28h; ret
    const allocate = (at: number): string =>
      `48 83 ec 28 44 8b 05 ${rel(at + 11, 0x1008)} ba 40 00 00 00 b9 01 00 00 00 ff 15 ${rel(at + 27, 0x2000)} 48 83 c4 28 c3`;
    const found = uses("x64", {
      0x1000: `00 2d 31 01 00 00 00 00 ${TAG} 00 00 00 00`,
      0x1020: allocate(0x1020),
      0x1050: allocate(0x1050),
    });
    expect(found["1008"]).toMatchObject({
      use: "allocate",
      size: 0x40,
      poolType: 1,
      users: [0x1020, 0x1050],
      via: [{ kind: "variable", at: 0x1008 }],
    });
  });

  it("is what the code that reads it does with it, in 32-bit code", () => {
    // 1020: push [1008]; push 40h; push 1; call [ExAllocatePoolWithTag]; ret
    const found = uses("x86", {
      0x1000: `00 2d 31 01 00 00 00 00 ${TAG} 00 00 00 00`,
      0x1020: "ff 35 08 10 00 80 6a 40 6a 01 ff 15 00 20 00 80 c3",
    });
    expect(found["1008"]).toMatchObject({ use: "allocate", size: 0x40, users: [0x1020] });
  });

  it("stays unknown where nothing reads it", () => {
    const found = uses("x86", { 0x1000: `00 2d 31 01 00 00 00 00 ${TAG}`, 0x1020: "c3" });
    expect(["data", "unknown"]).toContain(found["1008"]?.use);
  });
});

describe("a tag that is added to a number", () => {
  const call = (at: number): string => `ff 15 ${rel(at + 6, 0x2000)} 48 83 c4 28 c3`;

  it("is the sum where the number is 0", () => {
    // sub rsp, 28h; xor ecx, ecx; lea edx, [rcx+40h]; lea r8d, [rcx+'Se  ']; call …
    const found = uses("x64", { 0x1020: `48 83 ec 28 33 c9 8d 51 40 44 8d 81 ${TAG} ${call(0x1030)}` });
    expect(found["102c"]).toMatchObject({ use: "allocate", size: 0x40, poolType: 0 });
  });

  it("may be the sum where a branch has told the compiler the number", () => {
    // sub rsp, 28h; call 1060; test eax, eax; jne 2; lea r8d, [rax+'Se  ']; call …; 2: add rsp, 28h; ret
    const found = uses("x64", {
      0x1020: `48 83 ec 28 e8 ${rel(0x1029, 0x1060)} 85 c0 75 0d 44 8d 80 ${TAG} ff 15 ${rel(0x103a, 0x2000)} 48 83 c4 28 c3`,
      0x1060: "33 c0 c3",
    });
    expect(found["1030"]).toMatchObject({ use: "allocate" });
  });

  it("is the sum of add, or and xor with a register that is 0", () => {
    for (const operation of ["c0", "c8", "f0"]) {
      // sub rsp, 28h; xor r8d, r8d; add r8d, 'Se  '; call …
      const found = uses("x64", { 0x1020: `48 83 ec 28 45 33 c0 41 81 ${operation} ${TAG} ${call(0x102e)}` });
      expect(found["102a"]).toMatchObject({ use: "allocate" });
    }
  });

  it("is the sum in 32-bit code", () => {
    // xor eax, eax; lea ecx, [eax+'Se  ']; push ecx; push 40h; push eax; call [ExAllocatePoolWithTag]; ret
    const found = uses("x86", { 0x1020: `33 c0 8d 88 ${TAG} 51 6a 40 50 ff 15 00 20 00 80 c3` });
    expect(found["1024"]).toMatchObject({ use: "allocate", size: 0x40, poolType: 0 });
  });
});

describe("a tag in a structure that a routine reads", () => {
  it("is seen in one on the stack, in 64-bit code", () => {
    // sub rsp, 58h; mov [rsp+24h], 'Se  '; lea rdx, [rsp+20h]; call [NdisAllocateTimerObject]; add rsp, 58h; ret
    const code = `48 83 ec 58 c7 44 24 24 ${TAG} 48 8d 54 24 20 ff 15 ${rel(0x1037, 0x2008)} 48 83 c4 58 c3`;
    expect(uses("x64", { 0x1020: code })["1028"]).toMatchObject({
      use: "allocate",
      via: [{ kind: "structure", name: "NDIS_TIMER_CHARACTERISTICS" }],
      call: { name: "NdisAllocateTimerObject" },
    });
  });

  it("is seen in one on the stack, in 32-bit code", () => {
    // sub esp, 18h; mov [esp+4], 'Se  '; lea eax, [esp]; push 0; push eax; push 0; call [NdisAllocateTimerObject]; …
    const code = `83 ec 18 c7 44 24 04 ${TAG} 8d 04 24 6a 00 50 6a 00 ff 15 08 20 00 80 83 c4 18 c3`;
    expect(uses("x86", { 0x1020: code })["1027"]).toMatchObject({ use: "allocate" });
  });

  it("is seen in one that stands ready in data, and not at another place of it", () => {
    // lea rdx, [3000]; jmp [NdisAllocateNetBufferListPool]
    const code = `48 8d 15 ${rel(0x1027, 0x3000)} ff 25 ${rel(0x102d, 0x2010)}`;
    const found = uses("x64", { 0x1020: code }, `00 00 00 00 ${TAG} ${TAG}`);
    expect(found["3008"]).toMatchObject({
      use: "lookaside",
      via: [{ kind: "structure", name: "NET_BUFFER_LIST_POOL_PARAMETERS" }],
      users: [0x1020],
    });
    expect(found["3004"]).toMatchObject({ use: "data" });
  });

  it("is seen in one in data that the code fills in", () => {
    // 1020: mov [3004], 'Se  '; ret; 1040: push 0; push 80003000h; push 0; call [NdisAllocateTimerObject]; ret
    const found = uses("x86", {
      0x1020: `c7 05 04 30 00 80 ${TAG} c3`,
      0x1040: "6a 00 68 00 30 00 80 6a 00 ff 15 08 20 00 80 c3",
    });
    expect(found["1026"]).toMatchObject({ use: "allocate", function: 0x1020, users: [0x1040] });
  });
});

describe("a tag that code keeps in a variable", () => {
  it("is what others do with the variable", () => {
    // 1020: mov [3010], 'Se  '; ret; 1040: mov eax, [3010]; push eax; push 40h; push 0; call [ExAllocatePoolWithTag]; ret
    const found = uses("x86", {
      0x1020: `c7 05 10 30 00 80 ${TAG} c3`,
      0x1040: "a1 10 30 00 80 50 6a 40 6a 00 ff 15 00 20 00 80 c3",
    });
    expect(found["1026"]).toMatchObject({ use: "allocate", size: 0x40, function: 0x1020, users: [0x1040] });
    expect(found["1026"]?.seen).toMatchObject({
      kind: "from-there",
      first: { kind: "stored", at: 0x1020, into: { variable: 0x3010 } },
      there: { kind: "in-variable", there: { kind: "argument", index: 3 } },
    });
  });
});
