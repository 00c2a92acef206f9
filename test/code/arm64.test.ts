import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { madeNumbers } from "../../src/code/straight-uses.ts";
import type { TagUse } from "../../src/code/tag-use.ts";
import { TagUses } from "../../src/code/uses.ts";
import { addressedFunctions } from "../../src/code/xrefs.ts";
import type { Rva } from "../../src/core/address.ts";
import { decodeArm } from "../../src/isa/arm64/instructions.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const word = (hex: string): number => new DataView(fromHex(hex).buffer).getUint32(0, true);

describe("decodeArm", () => {
  // llvm-mc-14 --triple=aarch64-pc-windows-msvc, then llvm-objdump -d; each line as it was printed
  it.each([
    ["82 ea 8c 52", 0x4, { kind: "number", register: 2, value: 26452, shift: 0, keep: false }],
    ["09 08 40 b9", 0x8, { kind: "load", register: 9, base: 0, offset: 8, size: 4 }],
    ["c2 86 a6 72", 0xc, { kind: "number", register: 2, value: 13366, shift: 16, keep: true }],
    ["01 08 80 d2", 0x10, { kind: "number", register: 1, value: 64, shift: 0, keep: false }],
    ["08 00 00 90", 0x18, { kind: "address", register: 8, place: 0 }],
    ["08 0d 40 f9", 0x1c, { kind: "load", register: 8, base: 8, offset: 24, size: 8 }],
    ["00 01 3f d6", 0x20, { kind: "call-register", register: 8 }],
    ["f7 ff ff 17", 0x24, { kind: "jump", target: 0 }],
    ["f6 ff ff 97", 0x28, { kind: "call", target: 0 }],
    ["3f 01 02 6b", 0x2c, { kind: "compare", registers: [9, 2] }],
    ["02 04 00 b9", 0x30, { kind: "store", register: 2, base: 0, offset: 4, size: 4 }],
    ["02 04 00 f9", 0x34, { kind: "store", register: 2, base: 0, offset: 8, size: 8 }],
    ["02 02 00 18", 0x38, { kind: "literal", register: 2, place: 0x78, size: 4 }],
    ["02 fe ff 58", 0x3c, { kind: "literal", register: 2, place: -4, size: 8 }],
    ["01 01 00 10", 0x40, { kind: "address", register: 1, place: 0x60 }],
    ["41 00 00 11", 0x44, { kind: "add", register: 1, from: 2, by: 0 }],
    ["41 40 00 d1", 0x48, { kind: "add", register: 1, from: 2, by: -16 }],
    ["f3 03 14 aa", 0x4c, { kind: "add", register: 19, from: 20, by: 0 }],
    ["c0 03 5f d6", 0x50, { kind: "return" }],
    ["00 02 1f d6", 0x54, { kind: "jump-register", register: 16 }],
    ["20 00 20 d4", 0x58, { kind: "stop" }],
    ["20 fd ff 54", 0x5c, { kind: "branch", target: 0 }],
    ["00 fd ff b4", 0x60, { kind: "branch", target: 0 }],
    ["e1 fc 1f 37", 0x64, { kind: "branch", target: 0 }],
    ["ff 0b 5f d6", 0x68, { kind: "return" }],
    ["fd 7b c1 a8", 0x6c, { kind: "other", writes: [29, 30] }],
    ["fd 7b bf a9", 0x0, { kind: "other", writes: [] }],
    ["83 7c 05 1b", 0x70, { kind: "other", writes: [3] }],
    ["e6 00 40 39", 0x74, { kind: "other", writes: [6] }],
    ["82 46 c2 f2", 0x78, { kind: "number", register: 2, value: 4660, shift: 32, keep: true }],
  ])("reads %s", (hex, at, expected) => {
    expect(decodeArm(word(hex), at)).toEqual(expected);
  });
});

/** `Tg64` as a number. */
const TAG = 0x34366754;
const MOVZ = "82 ea 8c 52";
const MOVK = "c2 86 a6 72";
/** adrp x8, 2000; ldr x8, [x8]; blr x8, at any place of the page 1000 */
const CALL = "08 00 00 b0 08 01 40 f9 00 01 3f d6";
const RET = "c0 03 5f d6";

/** One function at 1000; the slot of ExAllocatePoolWithTag at 2000. */
function arm(code: string) {
  const bytes = new Uint8Array(0x100);
  bytes.set(fromHex(code));
  const image = codeImage({
    machine: "arm64",
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: new Uint8Array(0x40), executable: false },
    ],
    slots: { ExAllocatePoolWithTag: 0x2000 },
    exports: { F: 0x1000 },
    unwind: [[0x1000, 0x1000 + fromHex(code).length]],
  });
  return new DataFlow(analyzeImage(image));
}
function uses(code: string): readonly TagUse[] {
  const flows = arm(code);
  const found = new TagUses(flows);
  return madeNumbers(flows.image.code, [TAG, (TAG | 0x80000000) >>> 0]).map(({ rva }) => found.at(rva));
}

describe("a tag that ARM64 code makes of two halves", () => {
  it("is found, with the call that takes it, its size and pool type", () => {
    // mov w0, #0x200; mov x1, #0x40; movz w2; movk w2; call
    const [use, ...others] = uses(`00 40 80 52 01 08 80 d2 ${MOVZ} ${MOVK} ${CALL} ${RET}`);
    expect(others).toEqual([]);
    expect(use).toEqual({
      use: "allocate",
      instruction: 0x1008,
      function: 0x1000,
      call: { at: 0x1018, target: undefined, name: "ExAllocatePoolWithTag", module: "ntoskrnl.exe" },
      size: 0x40,
      poolType: 0x200,
      seen: { kind: "argument", index: 3, of: { name: "ExAllocatePoolWithTag" }, at: 0x1018, known: true },
    });
  });

  it("is found with other instructions in between, and not past one that changes the register", () => {
    // ldr w9, [x0, #8] in between
    expect(uses(`${MOVZ} 09 08 40 b9 ${MOVK} ${CALL} ${RET}`)).toMatchObject([{ use: "allocate" }]);
    // ldr w2, [x0, #8] in between
    expect(uses(`${MOVZ} 02 08 40 b9 ${MOVK} ${CALL} ${RET}`)).toEqual([]);
  });

  it("is found with its protected bit", () => {
    // movk w2, #0xb436, lsl #16
    expect(uses(`${MOVZ} c2 86 b6 72 ${CALL} ${RET}`)).toMatchObject([{ use: "allocate" }]);
  });

  it("is told as stored, compared, or given to somebody unknown", () => {
    expect(uses(`${MOVZ} ${MOVK} 02 04 00 b9 ${RET}`)).toMatchObject([{ use: "store" }]);
    expect(uses(`${MOVZ} ${MOVK} 3f 01 02 6b ${RET}`)).toMatchObject([{ use: "compare" }]);
    // blr x9, of which nothing is known
    expect(uses(`${MOVZ} ${MOVK} 20 01 3f d6 ${RET}`)).toMatchObject([{ use: "unknown" }]);
    expect(uses(`${MOVZ} ${MOVK} ${RET}`)).toMatchObject([{ use: "unknown", seen: { kind: "left" } }]);
  });

  it("is found where it stands whole behind the code", () => {
    // ldr w2, 1014; call; ret; .ascii "Tg64"
    const flows = arm(`a2 00 00 18 ${CALL} ${RET} 54 67 36 34`);
    expect(new TagUses(flows).at(0x1014 as Rva)).toMatchObject({ use: "allocate", instruction: 0x1000 });
  });
});

describe("CallGraph of ARM64 code", () => {
  it("finds near calls, calls through slots, and through thunks", () => {
    // 1000: call; bl 1040; ret; 1040 is a thunk: adrp x16, 2000; ldr x16, [x16]; br x16
    const bytes = new Uint8Array(0x100);
    bytes.set(fromHex(`${CALL} 0d 00 00 94 ${RET}`));
    bytes.set(fromHex("10 00 00 b0 10 02 40 f9 00 02 1f d6"), 0x40);
    // 1060: bl 1000; ret
    bytes.set(fromHex(`e8 ff ff 97 ${RET}`), 0x60);
    const image = codeImage({
      machine: "arm64",
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x2000, bytes: new Uint8Array(0x40), executable: false },
      ],
      slots: { ExAllocatePoolWithTag: 0x2000 },
      exports: { F: 0x1000 },
      unwind: [
        [0x1000, 0x1014],
        [0x1060, 0x1068],
      ],
    });
    const graph = new CallGraph(new DataFlow(analyzeImage(image)));
    const told = (places: readonly number[]): unknown[] =>
      graph.callersOf(places).map(({ at, form, from, callee }) => [at, form, from.entry, callee.name]);
    expect(told([0x2000])).toEqual([
      [0x1008, "register", 0x1000, "ExAllocatePoolWithTag"],
      [0x100c, "call", 0x1000, "ExAllocatePoolWithTag"],
    ]);
    expect(told([0x1000])).toEqual([[0x1060, "call", 0x1060, "F"]]);
  });
});

describe("what is not looked for in ARM64 code", () => {
  // Code may take the address of any function; in x86 and x64 code it would be seen.
  it("is not taken to be absent: any function may be called by whoever has its address", () => {
    const { image } = arm(RET);
    expect(addressedFunctions(image).has(0x1000)).toBe(true);
  });

  // Such functions were once read as 32-bit x86.
  it("follows no function as if it were another machine's", () => {
    const flows = arm(`${CALL} ${RET}`);
    expect(flows.of(flows.image.functions.at(0))).toMatchObject({ calls: [], events: [], truncated: true });
  });
});
