import { describe, expect, it } from "vitest";
import type { CallSite } from "../../src/code/call-site.ts";
import { DataFlow, Followed } from "../../src/code/data-flow.ts";
import type { CodeFunction } from "../../src/code/function-table.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { TagUses } from "../../src/code/uses.ts";
import { rva } from "../../src/core/address.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

/** So many functions of 64-bit code that do nothing but return. */
function returning(count: number, followed?: Followed): DataFlow {
  const bytes = new Uint8Array(count).fill(0xc3);
  const unwind = Array.from(bytes, (_, index) => [0x1000 + index, 0x1001 + index] as const);
  const code = analyzeImage(codeImage({ parts: [{ rva: 0x1000, bytes }], unwind }));
  return new DataFlow(code, undefined, undefined, undefined, followed);
}

/**
 * A function that puts one value into so many places on the stack, and then moves another one place on in each turn of
 * a loop, with so many bytes of nop in it: what is known changes as often as there are places.
 */
function moving(places: number, nops: number): Uint8Array {
  const at = (index: number): string => Buffer.from(Uint32Array.of(index * 8).buffer).toString("hex");
  const indexes = Array.from({ length: places }, (_, index) => index);
  // mov [rsp+…], rcx for each, and mov [rsp], rdx
  const start = fromHex(`${indexes.map((index) => `48898c24${at(index + 1)}`).join("")}48899424${at(0)}`);
  // mov rax, [rsp+…]; mov [rsp+…], rax from the last one down
  const moves = indexes.map((index) => `488b8424${at(places - index - 1)}48898424${at(places - index)}`);
  const turn = fromHex(`${moves.join("")}${"90".repeat(nops)}`);
  const back = Buffer.from(Int32Array.of(-turn.length - 6).buffer).toString("hex");
  return Uint8Array.from([...start, ...turn, ...fromHex(`0f85${back}c3`)]); // jne; ret
}

describe("DataFlow.of", () => {
  it.each([
    ["__SEH_prolog", "64a100000000 50"], // mov eax,fs:[0]; push eax
    ["__SEH_prolog4", "64ff3500000000"], // push fs:[0]
  ])("knows the frame that %s sets up for a 32-bit function", (_, handlers) => {
    // push 18h; push table; call 1040; push [ebp+8]; lea eax,[ebp-20h]; push eax; call [2000]; ret 4
    const code = "6a18 6800300080 e834000000 ff7508 8d45e0 50 ff1500200080 c20400";
    // push handler; …; mov eax,[esp+10h]; mov [esp+10h],ebp; lea ebp,[esp+10h]; sub esp,eax; push ebx, esi, edi; …; ret
    const helper = `6800110080 ${handlers} 8b442410 896c2410 8d6c2410 29c4 53 56 57 c3`;
    const image = codeImage({
      machine: "x86",
      base: 0x80000000n,
      parts: [{ rva: 0x1000, bytes: laidOut(0x80, { 0: code, 0x40: helper }) }],
      slots: { Use: 0x2000 },
      exports: { F: 0x1000 },
    });
    const flows = new DataFlow(analyzeImage(image));
    const calls = flows.of(flows.image.functions.startingAt(0x1000) as CodeFunction).calls;
    const { state } = calls.at(-1) as CallSite;
    expect([0, 4].map((offset) => state.stackAt(state.sp + offset)[0])).toMatchObject([
      { kind: "stack", offset: -0x24 },
      { kind: "argument", offset: 4 },
    ]);
  });

  it("does not know what stands where the ninth argument points to, which the call may have changed", () => {
    // sub rsp,58h; mov qword [rsp+50h],0; lea rax,[rsp+50h]; mov [rsp+40h],rax; call [2000]; mov rcx,[rsp+50h]; call [2000]; ret
    const code =
      "4883ec58 48c744245000000000 488d442450 4889442440 ff15e30f0000 488b4c2450 ff15d80f0000 4883c458 c3";
    const image = codeImage({
      parts: [{ rva: 0x1000, bytes: code }],
      slots: { Make: 0x2000 },
      unwind: [[0x1000, 0x102d]],
      size: 0x3000,
    });
    const flows = new DataFlow(analyzeImage(image));
    const { calls } = flows.of(flows.image.functions.at(0));
    expect(calls.map(({ state }) => state.registers[1]?.[0])).toMatchObject([
      { kind: "register" },
      { kind: "left", call: 0x1017 },
    ]);
  });

  it("takes no function for such a helper that stands close in front of it", () => {
    // push 18h; push table; call 1030; add esp,8; lea eax,[ebp-20h]; push eax; call [2000]; ret
    const code = "6a18 6800300080 e824000000 83c408 8d45e0 50 ff1500200080 c3";
    const helper = "6800110080 64ff3500000000 8b442410 896c2410 8d6c2410 29c4 53 56 57 c3";
    const image = codeImage({
      machine: "x86",
      base: 0x80000000n,
      // jmp [2004]; int3 …
      parts: [
        {
          rva: 0x1000,
          bytes: laidOut(0x80, { 0: code, 0x30: `ff2504200080 ${"cc".repeat(10)}`, 0x40: helper }),
        },
      ],
      slots: { Use: 0x2000, Copy: 0x2004 },
      exports: { F: 0x1000 },
    });
    const flows = new DataFlow(analyzeImage(image));
    const calls = flows.of(flows.image.functions.startingAt(0x1000) as CodeFunction).calls;
    const { state } = calls.at(-1) as CallSite;
    expect(state.sp).toBe(-4);
  });

  it("gives up a function in which something new comes up for 400,000 instructions (MAX_VALUE_STEPS)", () => {
    const bytes = moving(220, 1600);
    const image = codeImage({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x1000 + bytes.length]] });
    const code = analyzeImage(image);
    const flow = new DataFlow(code).of(code.functions.at(0));
    expect(flow.instructions.size).toBe(220 + 1 + 440 + 1600 + 2);
    expect(flow.truncated).toBe(true);
  });

  it("follows no function of any image any more when too many were followed (MAX_FOLLOWED)", () => {
    const followed = new Followed();
    const flows = returning(45, followed);
    const others = returning(1, followed);
    const { functions } = flows.image;
    // what takes 400,000 steps, which count as 100,000 instructions
    const long = { ...flows.of(functions.at(0)), steps: 400_000 };
    for (let index = 0; index < 3; index++) followed.add(long, new Map());
    expect(flows.of(functions.at(42)).truncated).toBe(false);
    followed.add(long, new Map());
    expect(flows.of(functions.at(44))).toMatchObject({ truncated: true, instructions: new Map() });
    expect(others.of(others.image.functions.at(0))).toMatchObject({ truncated: true, calls: [] });
    expect(new TagUses(flows).at(rva(0x102c))).toMatchObject({ use: "unknown", seen: { kind: "too-large" } });
  });

  it("follows an instruction for every two bytes of code, however functions overlap", () => {
    const bytes = new Uint8Array(0x2000).fill(0x90);
    bytes[0x1fff] = 0xc3;
    const unwind = [0, 1, 2, 3].map((skipped) => [0x1000 + skipped, 0x3000] as const);
    const code = analyzeImage(codeImage({ parts: [{ rva: 0x1000, bytes }], unwind }));
    const flows = new DataFlow(code);
    const followed = [0, 1, 2, 3].map((index) => flows.of(code.functions.at(index)));
    // 0x1000 and a half of 0x2000 together: the first as it is, and nothing is left for others
    expect(followed.map(({ instructions, truncated }) => [instructions.size, truncated])).toEqual([
      [0x2000, false],
      [0, true],
      [0, true],
      [0, true],
    ]);
  });

  it("keeps what it was asked for last, and follows the others anew (MAX_FOLLOWED_KEPT)", () => {
    // of one instruction each, which with what each takes anyway is nine
    const kept = Math.floor(0x8000 / 9);
    const flows = returning(kept + 1);
    const { functions } = flows.image;
    const [first, second] = [flows.of(functions.at(0)), flows.of(functions.at(1))];
    for (let index = 2; index < kept; index++) flows.of(functions.at(index));
    expect(flows.of(functions.at(0))).toBe(first);
    flows.of(functions.at(kept));
    expect(flows.of(functions.at(0))).toBe(first);
    const again = flows.of(functions.at(1));
    expect(again).not.toBe(second);
    expect(again).toEqual(second);
  });
});
