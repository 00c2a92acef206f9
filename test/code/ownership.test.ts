import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import type { AcquiringCall, Fates } from "../../src/code/fates.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { Ownership } from "../../src/code/ownership.ts";
import { type CodeImageOptions, codeImage } from "../fixtures/code-image.ts";

import * as code from "../fixtures/ownership-code.ts";

const SLOTS = {
  Acquire: 0x2000,
  ObfDereferenceObject: 0x2008,
  Use: 0x2010,
  Send: 0x2018,
  Try: 0x2020,
  Write: 0x2028,
  Reference: 0x2030,
  _wcsicmp: 0x2038,
  Put: 0x2040,
  ExRaiseStatus: 0x2048,
  IoAllocateIrp: 0x2050,
  Allocate: 0x2058,
  memset: 0x2060,
};

interface Setting {
  /** Pieces that are another's, by its start. */
  readonly chains?: CodeImageOptions["chains"];
  /** 64-bit code. */
  readonly wide?: boolean;
  /** Steps that are not left any more. */
  readonly spent?: number;
  /** What stands at 0x3000. */
  readonly table?: string;
  /** It was not there before. */
  readonly isNew?: boolean;
  /** What unwind data says of functions. */
  readonly pieces?: CodeImageOptions["unwind"];
}

/** Follows what the call of Acquire in the function at 0x1000 gives. */
function fates(
  bytes: string,
  gives: AcquiringCall["gives"],
  fails: AcquiringCall["fails"],
  { wide = true, spent = 0, table, pieces, isNew, chains = {} }: Setting = {},
): Fates {
  const image = codeImage({
    machine: wide ? "x64" : "x86",
    base: wide ? 0xfffff80000000000n : 0x80000000n,
    size: 0x4000,
    parts: [
      { rva: 0x1000, bytes },
      ...(table === undefined ? [] : [{ rva: 0x3000, bytes: table, executable: false }]),
    ],
    ...(pieces === undefined ? {} : { unwind: pieces }),
    chains,
    slots: SLOTS,
    exports: { Function: 0x1000 },
  });
  const flows = new DataFlow(analyzeImage(image));
  flows.followed.pathSteps -= spent;
  const function_ = flows.image.functions.startingAt(0x1000);
  if (function_ === undefined) throw new Error("no function at 0x1000");
  const ownership = new Ownership({
    effect: ({ name }, { argument, within }) => {
      if (name === "Send" || name === "Try") return argument === 2 ? "keeps" : "uses";
      if (name === "Write") return argument === 2 ? "releases" : "uses";
      if (name === "Reference") return argument === 1 ? "references" : "uses";
      if (name !== "ObfDereferenceObject") return undefined;
      return argument === 1 && within === undefined ? "releases" : "uses";
    },
    asks: ({ name }) => name === "_wcsicmp",
    tells: ({ name }) => (name === "Allocate" ? "value" : undefined),
    returns: () => false,
    puts: ({ name }) =>
      name === "Put"
        ? { what: { kind: "register", register: 2 }, into: { kind: "register", register: 1 }, offset: 8 }
        : undefined,
    fails: ({ name }) => (name === "Try" || name === "Write" ? "false" : undefined),
    comesAs: ({ name }, { argument, within }) =>
      name === "Send" && argument === 4 && within === undefined ? 2 : undefined,
    elsewhere: () => undefined,
    isKernel: ({ name }) => name === "Use" || name === "_wcsicmp",
  });
  const call = flows
    .of(function_)
    .calls.find((site) => flows.callees.of(site).some(({ name }) => name === "Acquire"));
  if (call === undefined) throw new Error("no call of Acquire");
  return ownership.fatesOf(flows, function_, { at: call.instruction.start, gives, fails, isNew });
}

const NOTHING: Fates = { released: [], forgotten: [], stored: [], handed: [], returned: [], whole: true };
const RETURNED = { by: "return" } as const;
const OUT = { by: "out", argument: 1 } as const;

/** The displacement that leads from one place to another, as hex. */
const away = (from: number, to: number): string =>
  Buffer.from(Int32Array.of(to - from).buffer).toString("hex");

/** A function that parts in two so often, each time with another place on its stack that is known then. */
function branching(times: number, nops: number): string {
  // sub rsp, 68h; call Acquire
  let bytes = `4883ec68 ff15${away(0x100a, 0x2000)}`;
  for (let index = 0; index < times; index++) {
    const at = index.toString(16).padStart(2, "0");
    // cmp byte [rdx+index], 0; je behind it; mov qword [rsp+20h+index*8], 1
    bytes += `807a${at}00 7409 48c74424${(0x20 + index * 8).toString(16)}01000000`;
  }
  bytes += "90".repeat(nops);
  // mov rcx, rax; call ObfDereferenceObject; add rsp, 68h; ret
  const end = 0x100a + times * 15 + nops + 9;
  return `${bytes} 4889c1 ff15${away(end, 0x2008)} 4883c468 c3`;
}

/** A function whose helper has a helper, and so on: the last one releases. */
function helped(helpers: number): string {
  // sub rsp, 28h; call Acquire; mov rcx, rax; call 1020
  const code = [`4883ec28 ff15${away(0x100a, 0x2000)} 4889c1 e8${away(0x1012, 0x1020)}`];
  for (let index = 1; index <= helpers; index++) {
    const at = 0x1000 + index * 0x20;
    const call = index < helpers ? `e8${away(at + 9, at + 0x20)}` : `ff15${away(at + 10, 0x2008)}`;
    code.push(`4883ec28 ${call}`);
  }
  // add rsp, 28h; ret
  return code.map((part) => `${part} 4883c428 c3`.replaceAll(" ", "").padEnd(0x40, "c")).join("");
}

describe("Ownership.fatesOf", () => {
  it("tells a way that jumps over the release from the one that failed, and from the one that releases", () => {
    // spooler filter of a public thread: jne over FltReleaseFileNameInformation; js is the failed call
    expect(fates(code.onePath, OUT, "status")).toEqual({
      ...NOTHING,
      released: [0x101e],
      forgotten: [{ at: 0x1028, branches: [0x1011, 0x1017], failing: false }],
    });
    expect(fates(code.bothPaths, OUT, "status")).toEqual({ ...NOTHING, released: [0x1023] });
  });

  it("believes a flag that the code itself keeps", () => {
    expect(fates(code.byFlag, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x1029] });
  });

  it("tells where it is put", () => {
    expect(fates(code.intoGlobal, RETURNED, "null")).toEqual({
      ...NOTHING,
      stored: [{ at: 0x100a, keeping: { in: "global", rva: 0x2011 } }],
      leftAsResult: [expect.any(Number)],
    });
    expect(fates(code.intoField, RETURNED, "null")).toMatchObject({
      forgotten: [],
      stored: [{ keeping: { in: "field", offset: 0x18, of: { register: 1 } } }],
    });
    expect(fates(code.intoArgument, RETURNED, "null")).toMatchObject({
      forgotten: [],
      stored: [{ keeping: { in: "argument", argument: { register: 2 } } }],
    });
  });

  it("knows that a place was emptied again", () => {
    expect(fates(code.clearedField, RETURNED, "null")).toMatchObject({ stored: [], forgotten: [{}] });
  });

  it("leaves to the caller what is returned", () => {
    expect(fates(code.returned, RETURNED, "null")).toEqual({ ...NOTHING, returned: [0x100e] });
  });

  it("looks into helpers of the image", () => {
    expect(fates(code.byHelper, RETURNED, "null")).toMatchObject({ released: [0x100d], forgotten: [] });
  });

  it("follows what a helper is given on the stack, in 64-bit code too", () => {
    // the sixth argument, put where the fifth points to: an MDL of a driver of 2010, which was said to lose it
    expect(fates(code.sixthArgument, RETURNED, "null")).toMatchObject({
      forgotten: [],
      stored: [{ at: 0x102a }],
    });
  });

  it("takes a variable that stands where arguments would for none of an unknown function's", () => {
    expect(fates(code.variableWhereArgumentsStand, RETURNED, "null")).toEqual({
      ...NOTHING,
      forgotten: [{ at: expect.any(Number), branches: [0x1011], failing: false }],
    });
    expect(fates(code.variableBesideCall, { by: "out", argument: 1 }, "status")).toMatchObject({
      forgotten: [{ branches: [0x1011], failing: false }],
      handed: [],
    });
    // … but what nothing reads again is one
    expect(fates(code.fifthArgument, RETURNED, "null")).toMatchObject({
      forgotten: [],
      handed: [{ at: 0x101a, keeping: { in: "callee", name: undefined } }],
    });
  });

  it("goes from state to state of a loop that is a machine of them", () => {
    // FTDI's drivers of serial ports, both widths
    expect(fates(code.byStates, RETURNED, "null")).toMatchObject({ forgotten: [], stored: [] });
    expect(fates(code.byStatesChosen, RETURNED, "null")).toMatchObject({ forgotten: [], stored: [] });
    expect(fates(code.zeroInRegister, RETURNED, "never")).toMatchObject({ forgotten: [], stored: [] });
    expect(fates(code.borrowTested, RETURNED, "null")).toMatchObject({ forgotten: [], stored: [] });
  });

  it("finds it where a part of it is kept, by an offset that nobody knows", () => {
    expect(fates(code.partKept, RETURNED, "null")).toMatchObject({
      forgotten: [],
      stored: [{ keeping: { in: "field", offset: 0x40, of: { register: 1 } } }],
    });
  });

  it("takes the file object of an IRP, and what the next driver is told, for lent", () => {
    // two public drivers that delete files so
    expect(fates(code.fileOfIrp, RETURNED, "null")).toMatchObject({
      forgotten: [{ failing: false }],
      stored: [],
    });
    expect(fates(code.contextOfIrp, RETURNED, "null")).toMatchObject({ forgotten: [], stored: [{}] });
  });

  it("knows all places where it stands", () => {
    const stored = fates(code.keptTwice, RETURNED, "null").stored;
    expect(stored.map(({ keeping, also }) => [keeping, ...(also ?? [])])).toEqual([
      [
        { in: "field", offset: 0x20 },
        { in: "field", offset: 0x10 },
        { in: "field", offset: 0x18 },
      ],
    ]);
  });

  it("sees that a routine gives it back whose address was put into it before it was sent", () => {
    // IRPs of eight versions of a public driver, whose completion routine frees them
    expect(fates(code.freedOnCompletion, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x1026] });
    expect(fates(code.keptOnCompletion, RETURNED, "null")).toMatchObject({
      released: [],
      stored: [{ at: 0x1026 }],
    });
  });

  it("gives it back to the function where a call says that it did not take it", () => {
    expect(fates(code.triedAndReleased, RETURNED, "null")).toEqual({
      ...NOTHING,
      released: [0x1025],
      stored: [{ at: 0x1018, keeping: { in: "callee", name: "Try", target: undefined } }],
    });
    const forgotten = [{ at: 0x1030, branches: [0x100e, 0x1020], failing: true }];
    expect(fates(code.triedAndForgotten, RETURNED, "null")).toMatchObject({ stored: [{}], forgotten });
    expect(fates(code.writtenAndForgotten, RETURNED, "null")).toEqual({
      ...NOTHING,
      released: [0x1018],
      forgotten,
    });
  });

  it("sees that the next turn of a loop loses what the last one got", () => {
    expect(fates(code.inLoop, RETURNED, "null").forgotten).not.toEqual([]);
  });

  it("goes on through a loop whose condition a call answers anew in each turn", () => {
    expect(fates(code.afterTurns, OUT, "status")).toMatchObject({
      released: [0x102c],
      forgotten: [{ at: 0x1037 }],
    });
  });

  it("sees that a structure's thing is given back by what stands further on in it", () => {
    const inside = { by: "structure", argument: 1 } as const;
    expect(fates(code.byValueInside, { ...inside, value: 16 }, "status")).toMatchObject({
      released: [0x1018],
      forgotten: [],
    });
    expect(fates(code.byValueInside, { ...inside, value: 24 }, "status").released).toEqual([]);
  });

  it("finds the one case of many that forgets", () => {
    expect(fates(code.bySwitch, RETURNED, "null")).toMatchObject({
      released: [expect.any(Number)],
      forgotten: [{}],
    });
  });

  it("knows that what it acquired is none of what it has without acquiring it", () => {
    expect(fates(code.givenOrAcquired, OUT, "status")).toEqual({ ...NOTHING, released: [0x102d] });
    expect(fates(code.onStackOrAcquired, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x102a] });
  });

  it("tells where in a structure a jump to another function puts it", () => {
    expect(fates(code.lastCall, { by: "structure", argument: 1, offset: 8 }, "status").stored).toEqual([
      { at: 0x1003, keeping: { in: "field", offset: 8, of: { register: 2 } } },
    ]);
  });

  it("sees that a routine gives back what stands in the context that it gets", () => {
    const pieces = [
      [0x1000, 0x1034],
      [0x1040, 0x1052],
    ] as const;
    expect(fates(code.inContext, RETURNED, "null", { pieces })).toEqual({ ...NOTHING, released: [0x1029] });
  });

  it("believes in what the code computes once and asks for again", () => {
    expect(fates(code.byComputed, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x103b] });
    expect(fates(code.byTurn, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x103a] });
    // asks for 3 where it acquired for 2
    const other = code.byComputed.replace("83 fb 02", "83 fb 03");
    expect(fates(other, RETURNED, "null")).toMatchObject({ released: [0x103b], forgotten: [{ at: 0x1047 }] });
  });

  it("takes another answer of the acquiring call for an error where it is not the one that is asked for", () => {
    expect(fates(code.byOtherAnswer, OUT, "status")).toEqual({
      ...NOTHING,
      released: [0x1025],
      forgotten: [{ at: 0x102f, branches: [0x1016, 0x101e], failing: true }],
    });
  });

  it("finds it in the result's register behind a call that leaves that alone, as the check of a cookie does", () => {
    const caller = `4883ec28 ff15${away(0x100a, 0x2000)} e8${away(0x100f, 0x1020)} 4883c428 c3`;
    const behind = (check: string) => caller.replaceAll(" ", "").padEnd(0x40, "c") + check;
    // cmp rcx,rdx; jne to the end; ret; jmp elsewhere
    expect(fates(behind("4839d1 7501 c3 eb0e"), RETURNED, "never")).toEqual({
      ...NOTHING,
      returned: [0x1013],
    });
    // xor eax,eax in front of it: a function that returns something
    expect(fates(behind("31c0 4839d1 7501 c3 eb0c"), RETURNED, "never").forgotten).toHaveLength(1);
  });

  it("follows it through the registers of the vector unit, by which structures are copied", () => {
    const copied = (end: string) =>
      [
        `56 4883ec40 4889ce ff15${away(0x100e, 0x2000)}`, // push rsi; sub rsp,40h; mov rsi,rcx; call Acquire
        "4889442428", // mov [rsp+28h],rax
        "0f10442420", // movups xmm0,[rsp+20h]
        end,
        "31c0 4883c440 5e c3", // xor eax,eax; add rsp,40h; pop rsi; ret
      ].join(" ");
    // movdqu [rsi],xmm0
    expect(fates(copied("f30f7f06"), RETURNED, "never")).toMatchObject({
      stored: [{ at: 0x1018, keeping: { in: "field", offset: 8, of: { register: 1 } } }],
      forgotten: [],
    });
    // xorps xmm0,xmm0 before that
    expect(fates(copied("0f57c0 f30f7f06"), RETURNED, "never")).toMatchObject({ stored: [] });
    // movaps [rsp+30h],xmm0; mov rcx,[rsp+38h]; call ObfDereferenceObject
    const released = copied(`0f29442430 488b4c2438 ff15${away(0x1028, 0x2008)}`);
    expect(fates(released, RETURNED, "never")).toEqual({ ...NOTHING, released: [0x1022] });
    // shufpd xmm0,xmm0,1; movups [rsp+20h],xmm0; mov rcx,[rsp+20h]; call ObfDereferenceObject
    const swapped = copied(`660fc6c001 0f11442420 488b4c2420 ff15${away(0x102d, 0x2008)}`);
    expect(fates(swapped, RETURNED, "never")).toMatchObject({ released: [0x1027], forgotten: [] });
  });

  it("does not know what becomes of it where something keeps a structure that leads to it", () => {
    const led = (to: string) =>
      [
        `4881ec88000000 488d4c2460 ff15${away(0x1012, 0x2000)}`, // sub rsp,88h; lea rcx,[rsp+60h]; call Acquire
        `488d4424${to} 4889442428 31c9`, // lea rax,[rsp+to]; mov [rsp+28h],rax; xor ecx,ecx
        `488d542420 ff15${away(0x1029, SLOTS.Send)}`, // lea rdx,[rsp+20h]; call Send
        "31c0 4881c488000000 c3", // xor eax,eax; add rsp,88h; ret
      ].join(" ");
    expect(fates(led("58"), OUT, "never")).toMatchObject({ handed: [{ at: 0x1023 }], forgotten: [] });
    expect(fates(led("20"), OUT, "never")).toMatchObject({ handed: [], forgotten: [{ at: 0x1032 }] });
  });

  it("takes it for given back where an element of the array is that it stands in", () => {
    expect(fates(code.inArray, RETURNED, "never")).toMatchObject({ forgotten: [{ at: 0x1037 }] });
    // mov rbx,rcx for xor ebx,ebx: nobody knows which; … call ObfDereferenceObject
    const released = code.inArray
      .replace("31 db", "89 cb")
      .replace("ff 15 e3 0f 00 00", `ff15${away(0x102d, 0x2008)}`);
    expect(fates(released, RETURNED, "never")).toMatchObject({ released: [], forgotten: [] });
  });

  it("sees what a helper does with the structure that it stands in, wherever that is", () => {
    const pieces = [
      [0x1000, 0x1026],
      [0x1030, 0x104d],
    ] as const;
    expect(fates(code.behindPointer, RETURNED, "never", { pieces })).toEqual({
      ...NOTHING,
      released: [0x1016],
    });
    // mov rcx,[rsp+28h]: something else is given back
    const other = code.behindPointer.replace("48 89 d9", "90 90 90");
    expect(fates(other, RETURNED, "never", { pieces })).toMatchObject({ released: [], forgotten: [{}] });
  });

  it("sees that a function which is given nothing gives back what stands in a variable", () => {
    const pieces = [
      [0x1000, 0x1029],
      [0x1030, 0x104a],
    ] as const;
    expect(fates(code.inVariable, RETURNED, "never", { pieces })).toEqual({
      ...NOTHING,
      released: [0x1015],
    });
    // mov rcx,[3008]: another variable
    const other = code.inVariable.replace("48 8b 0d c5", "48 8b 0d cd");
    expect(fates(other, RETURNED, "never", { pieces })).toMatchObject({ released: [], forgotten: [{}] });
  });

  it("knows that memory which was not there before is none of what the function has", () => {
    const of = (isNew: boolean) => fates(code.unlessTheSame, RETURNED, "never", { isNew });
    expect(of(true)).toEqual({ ...NOTHING, released: [0x1016] });
    expect(of(false)).toMatchObject({ released: [0x1016], forgotten: [{ at: 0x1023 }] });
  });

  it("takes it for kept where memcpy copies the structure that it stands in", () => {
    const pieces = [
      [0x1000, 0x1030],
      [0x1030, 0x1048],
    ] as const;
    const kept = { stored: [{ at: 0x1024, keeping: { in: "callee" } }], forgotten: [] };
    expect(fates(code.copiedByHelper, RETURNED, "never", { pieces })).toMatchObject(kept);
    // xor eax,eax where it returns where it copied to
    const compares = code.copiedByHelper.replace("48 89 c8", "31 c0 90");
    const forgotten = { stored: [], forgotten: [{ at: 0x102f }] };
    expect(fates(compares, RETURNED, "never", { pieces })).toMatchObject(forgotten);
  });

  it("follows it out of a variable that is emptied by an exchange", () => {
    const exchanged = (release: number) =>
      [
        `4883ec28 ff15${away(0x100a, 0x2000)}`, // sub rsp,28h; call Acquire
        `488905${away(0x1011, 0x3000)} 31c0 488705${away(0x101a, 0x3000)}`, // mov [3000],rax; xor eax,eax; xchg [3000],rax
        `4889c1 ff15${away(0x1023, release)} 31c0 4883c428 c3`, // mov rcx,rax; call …; xor eax,eax; add rsp,28h; ret
      ].join(" ");
    const released = { ...NOTHING, released: [0x101d] };
    expect(fates(exchanged(SLOTS.ObfDereferenceObject), RETURNED, "never")).toEqual(released);
    expect(fates(exchanged(SLOTS.Use), RETURNED, "never")).toMatchObject({ stored: [], forgotten: [{}] });
  });

  it("says whether the function returns TRUE where it puts it away", () => {
    // mov [rsp+30h],rcx; call Acquire; mov rcx,[rsp+30h]; mov [rcx],rax; …
    const answering = (answer: string) =>
      `4883ec28 48894c2430 ff15${away(0x100f, 0x2000)} 488b4c2430 488901 ${answer} 4883c428 c3`;
    const stored = [{ at: 0x1014, keeping: { in: "argument", argument: { register: 1 } } }];
    const says = (answer: string) => fates(answering(answer), RETURNED, "never");
    expect(says("b001")).toEqual({ ...NOTHING, stored, saysTrue: true }); // mov al,1
    expect(says("31c0")).toEqual({ ...NOTHING, stored }); // xor eax,eax
  });

  it("leaves it to whoever has the other references where one is given up", () => {
    const counted = (give: string) =>
      [
        `4883ec28 ff15${away(0x100a, 0x2000)} 83c9ff`, // sub rsp,28h; call Acquire; or ecx,-1
        give,
        `4889c1 ff15${away(0x101d, 0x2008)}`, // mov rcx,rax; call ObfDereferenceObject
        "31c0 4883c428 c3", // xor eax,eax; add rsp,28h; ret
      ].join(" ");
    // lock xadd [rax+8],ecx; jne to the end
    const last = fates(counted("f00fc14808 7509"), RETURNED, "never");
    expect(last).toEqual({ ...NOTHING, released: [0x1017] });
    // never given back here: nothing is known of it
    const other = counted("f00fc14808 7509").replace(away(0x101d, 0x2008), away(0x101d, 0x2010));
    expect(fates(other, RETURNED, "never")).toEqual({ ...NOTHING, whole: false });
    // dec dword [rax+8], with a lock and without: a number that is counted down may be any
    expect(fates(counted("90 f0ff4808 7509"), RETURNED, "never")).toEqual(last);
    const unlocked = fates(counted("90 90 ff4808 7509"), RETURNED, "never");
    expect(unlocked).toMatchObject({ released: [0x1017], forgotten: [{ at: 0x1023 }] });
    // cmp [rax+8],ecx
    const compared = fates(counted("90 90 394808 7509"), RETURNED, "never");
    expect(compared).toMatchObject({ released: [0x1017], forgotten: [{ at: 0x1023 }] });
  });

  it("goes no further behind a call that does not come back", () => {
    const raising = (slot: number) =>
      [
        `53 4883ec20 89d3 ff15${away(0x100d, 0x2000)}`, // push rbx; sub rsp,20h; mov ebx,edx; call Acquire
        "4889c1 85db 7408", // mov rcx,rax; test ebx,ebx; je 101c
        `ff15${away(0x101a, slot)} eb06`, // call …; jmp 1022
        `ff15${away(0x1022, 0x2008)}`, // call ObfDereferenceObject
        "31c0 4883c420 5b c3", // xor eax,eax; add rsp,20h; pop rbx; ret
      ].join(" ");
    expect(fates(raising(SLOTS.ExRaiseStatus), RETURNED, "never")).toEqual({
      ...NOTHING,
      released: [0x101c],
    });
    expect(fates(raising(SLOTS.Use), RETURNED, "never").forgotten).toHaveLength(1);
  });

  it("follows it through string instructions, by which structures are copied too", () => {
    const copied = (by: string, end = "") =>
      [
        `56 57 4883ec48 4889cf ff15${away(0x100f, 0x2000)}`, // push rsi; push rdi; sub rsp,48h; mov rdi,rcx; call Acquire
        "4889442428 488d742420", // mov [rsp+28h],rax; lea rsi,[rsp+20h]
        by,
        end,
        "31c0 4883c448 5f 5e c3", // xor eax,eax; add rsp,48h; pop rdi; pop rsi; ret
      ].join(" ");
    const kept = (at: number) => ({
      stored: [{ at, keeping: { in: "field", offset: 8, of: { register: 1 } } }],
      forgotten: [],
    });
    // mov ecx,10h; rep movsb
    expect(fates(copied("b910000000 f3a4"), RETURNED, "never")).toMatchObject(kept(0x101e));
    expect(fates(copied("48a5 48a5"), RETURNED, "never")).toMatchObject(kept(0x101b)); // movsq; movsq
    // mov ecx,8: only what stands in front of it
    const less = fates(copied("b908000000 f3a4"), RETURNED, "never");
    expect(less).toMatchObject({ stored: [], forgotten: [{ failing: false }] });
    // mov ecx,edx: nobody knows how much
    expect(fates(copied("89d1 f3a4"), RETURNED, "never")).toMatchObject({
      stored: [{ at: 0x101b, keeping: { in: "unknown" } }],
      forgotten: [],
    });
    // lea rdi,[rsp+30h]; mov ecx,2; rep movsq; mov rcx,[rdi-8]; call ObfDereferenceObject
    const released = copied("488d7c2430 b902000000 f348a5", `488b4ff8 ff15${away(0x1030, 0x2008)}`);
    expect(fates(released, RETURNED, "never")).toEqual({ ...NOTHING, released: [0x102a] });
  });

  it("takes it for kept where it is linked into a list of its caller's, or of its own", () => {
    const insert = "488b4e08 488930 48894808 488901 48894608"; // InsertTailList(rsi, rax)
    const linked = (head: string) =>
      [
        `56 4883ec30 ${head} ff15${away(0x100b + head.replaceAll(" ", "").length / 2, 0x2000)}`, // push rsi; sub rsp,30h; …; call Acquire
        `${insert} 31c0 4883c430 5e c3`, // …; xor eax,eax; add rsp,30h; pop rsi; ret
      ].join(" ");
    const kept = { stored: [{ keeping: { in: "unknown" } }], forgotten: [] };
    expect(fates(linked("4889ce"), RETURNED, "never")).toMatchObject(kept); // mov rsi,rcx
    expect(fates(linked("488d742420"), RETURNED, "never")).toMatchObject(kept); // lea rsi,[rsp+20h]
    // cmp where the head's links would be written
    const compared = linked("488d742420").replace("488901 48894608", "90 9090 48394608");
    expect(fates(compared, RETURNED, "never")).toMatchObject({ stored: [], forgotten: [{ failing: false }] });
  });

  it("finds it in what a function of the image returns that is given it, as one that fills memory does", () => {
    const code = (helper: string) =>
      [
        `4883ec28 ff15${away(0x100a, 0x2000)} 4889c1 e8${away(0x1012, 0x1020)} 4883c428 c3`.replaceAll(
          " ",
          "",
        ),
      ]
        .map((caller) => caller.padEnd(0x40, "c") + helper)
        .join("");
    // mov byte [rcx],0; mov rax,rcx; ret
    expect(fates(code("c60100 4889c8 c3"), RETURNED, "never")).toEqual({ ...NOTHING, returned: [0x1016] });
    // xor eax,eax; ret
    expect(fates(code("c60100 31c0 c3"), RETURNED, "never").forgotten).toMatchObject([{ at: 0x1016 }]);
  });

  it("finds it again where a call has put it: on the stack, or in a variable", () => {
    const put = (into: string, end: string) =>
      [
        `4883ec48 ff15${away(0x100a, 0x2000)}`, // sub rsp,48h; call Acquire
        `${into} 4889c2 ff15${away(0x1018, 0x2040)}`, // lea rcx,[…]; mov rdx,rax; call Put
        `${end} 31c0 4883c448 c3`, // …; xor eax,eax; add rsp,48h; ret
      ].join(" ");
    const local = put("488d4c2420", `488b4c2428 ff15${away(0x1023, 0x2008)}`); // lea rcx,[rsp+20h] … mov rcx,[rsp+28h]; call ObfDereferenceObject
    expect(fates(local, RETURNED, "never")).toEqual({ ...NOTHING, released: [0x101d] });
    const forgotten = put("488d4c2420", "");
    expect(fates(forgotten, RETURNED, "never").forgotten).toMatchObject([{ failing: false }]);
    const global = put(`488d0d${away(0x1011, 0x3000)}`, "").replace(
      away(0x1018, 0x2040),
      away(0x101a, 0x2040),
    );
    expect(fates(global, RETURNED, "never")).toEqual({
      ...NOTHING,
      stored: [{ at: 0x1014, keeping: { in: "global", rva: 0x3008 } }],
    });
  });

  it("takes it back from what kept it and is given back itself, as an MDL is", () => {
    const code = (end: string) =>
      [
        `53 4883ec20 ff15${away(0x100b, 0x2000)}`, // push rbx; sub rsp,20h; call Acquire
        `4889c2 ff15${away(0x1014, 0x2018)}`, // mov rdx,rax; call Send, which keeps its second argument
        `${end} 31c0 4883c420 5b c3`, // …; xor eax,eax; add rsp,20h; pop rbx; ret
      ].join(" ");
    const kept = { at: 0x100e, keeping: { in: "callee", name: "Send" } };
    expect(fates(code(""), RETURNED, "never")).toMatchObject({ stored: [kept], forgotten: [] });
    // mov rcx,rax; call ObfDereferenceObject
    const undone = code(`4889c1 ff15${away(0x101d, 0x2008)}`);
    expect(fates(undone, RETURNED, "never")).toMatchObject({ stored: [], forgotten: [{ failing: false }] });
  });

  it("takes a comparison that comes out otherwise for no error", () => {
    const asked = (slot: number) =>
      [
        `53 4883ec20 ff15${away(0x100b, 0x2000)}`, // push rbx; sub rsp,20h; call Acquire
        "4885c0 7419 4889c3 4889c1", // test rax,rax; je 1029; mov rbx,rax; mov rcx,rax
        `ff15${away(0x101c, slot)}`, // call what tells of it
        "85c0 7509 4889d9", // test eax,eax; jne 1029; mov rcx,rbx
        `ff15${away(0x1029, 0x2008)}`, // call ObfDereferenceObject
        "4883c420 5b c3", // 1029: add rsp,20h; pop rbx; ret
      ].join(" ");
    const failing = (slot: number) =>
      fates(asked(slot), RETURNED, "null").forgotten.map(({ at, failing }) => [at, failing]);
    expect(failing(SLOTS.Use)).toEqual([[0x102e, true]]);
    expect(failing(SLOTS._wcsicmp)).toEqual([[0x102e, false]]);
  });

  it("takes a pointer in it that leads nowhere for an error, and not a number", () => {
    const asked = (operand: string, end: number) =>
      [
        `53 4883ec20 ff15${away(0x100b, 0x2000)}`, // push rbx; sub rsp,20h; call Acquire
        "4885c0 7410 4889c1", // test rax,rax; je to the end; mov rcx,rax
        operand, // cmp [rax+8],0
        `7406 ff15${away(end, 0x2008)}`, // je to the end; call ObfDereferenceObject
        "31c0 4883c420 5b c3", // xor eax,eax; add rsp,20h; pop rbx; ret
      ].join(" ");
    const failing = (code: string) => fates(code, RETURNED, "null").forgotten.map(({ failing }) => failing);
    expect(failing(asked("4883780800", 0x1020))).toEqual([true]);
    expect(failing(asked("8378080090", 0x1020))).toEqual([false]);
  });

  it("takes it for lost where it is on all ways, and another answer or error for no excuse", () => {
    const lost = code.byOtherAnswer.replace("ff 15 dd 0f 00 00", "66 0f 1f 44 00 00");
    const { forgotten } = fates(lost, OUT, "status");
    expect(forgotten.map(({ failing }) => failing)).toEqual([false]);
  });

  it("takes a mark beside it for such an answer, also where another function was shown both", () => {
    expect(fates(code.byMarkBeside, { by: "out", argument: 1, offset: 8 }, "status")).toEqual({
      ...NOTHING,
      released: [0x102c],
      forgotten: [{ at: 0x1036, branches: [0x1011, 0x1025], failing: true }],
    });
  });

  it("tells which arguments are NULL on a way that loses it", () => {
    expect(fates(code.intoOptional, OUT, "status")).toMatchObject({
      stored: [{ keeping: { in: "argument", argument: { register: 1 } } }],
      forgotten: [{ at: 0x1029, nulls: [{ register: 1 }] }],
    });
  });

  it("sees that a function gives back its own reference, and not its caller's", () => {
    // push rbx; sub rsp,20h; mov rbx,rcx; call Reference; then so often mov rcx,rbx; call ObfDereferenceObject
    const helper = (releases: number) => {
      const calls = Array.from({ length: releases }, (_, index) => {
        return `4889d9 ff15${away(0x102e + (index + 1) * 9, 0x2008)}`;
      });
      return `53 4883ec20 4889cb ff15${away(0x102e, 0x2030)} ${calls.join("")} 4883c420 5b c3`;
    };
    const code = (releases: number) =>
      `4883ec28 ff15${away(0x100a, 0x2000)} 4889c1 e8${away(0x1012, 0x1020)} 4883c428 c3`
        .replaceAll(" ", "")
        .padEnd(0x40, "c") + helper(releases);
    expect(fates(code(1), RETURNED, "null")).toMatchObject({ released: [], forgotten: [{ at: 0x1016 }] });
    expect(fates(code(2), RETURNED, "null")).toMatchObject({ released: [0x100d], forgotten: [] });
  });

  it("takes padding between the labels of a switch for no label", () => {
    // GCC fills up behind a return; what stands behind the filling is where the acquisition failed
    const pieces = [[0x1000, 0x1045]] as const;
    expect(fates(code.byTable, RETURNED, "null", { table: "27e0ffff 29e0ffff", pieces })).toEqual({
      ...NOTHING,
      released: [0x102c],
    });
    // a table of which nothing can be read
    expect(fates(code.byTable, RETURNED, "null", { pieces })).toMatchObject({
      released: [0x102c],
      forgotten: [],
    });
  });

  it("takes a filter of __except for no label", () => {
    // push rbp; mov rbp, rdx; mov eax, 1; pop rbp; ret
    const filter = "55 4889d5 b801000000 5d c3";
    const bytes = `${code.byTable} ${"cc".repeat(0xbb)} ${filter}`;
    const pieces = [
      [0x1000, 0x1045],
      [0x1100, 0x110b],
    ] as const;
    expect(fates(bytes, RETURNED, "null", { pieces, chains: { 0x1100: 0x1000 } })).toMatchObject({
      forgotten: [],
      returned: [],
    });
  });

  it("goes to the labels of the jump's own table, and to none of its neighbours", () => {
    const pieces = [[0x1000, 0x1045]] as const;
    expect(fates(code.byTable, RETURNED, "null", { table: "3de0ffff 29e0ffff", pieces })).toEqual({
      ...NOTHING,
      released: [0x102c],
      forgotten: [{ at: 0x1044, branches: [0x1010, 0x1015], failing: false }],
    });
  });

  it("does not know where a jump leads that leaves the function with its frame", () => {
    expect(fates(code.byUnknownTable, RETURNED, "null")).toEqual({ ...NOTHING, whole: false });
  });

  it("follows 32-bit code: pushed addresses, locals by the frame pointer", () => {
    expect(fates(code.onStack32, OUT, "status", { wide: false })).toMatchObject({
      released: [expect.any(Number)],
      forgotten: [{}],
    });
  });

  it("takes four bytes for a pointer where the call is known to return one, and NULL for an error then", () => {
    const forgotten = (bytes: string) => fates(bytes, RETURNED, "null", { wide: false }).forgotten;
    expect(forgotten(code.allocatedBefore32)).toMatchObject([{ branches: [0x1011, 0x1015], failing: true }]);
    // jne: it is there
    const other = code.allocatedBefore32.replace("85 f6 74 08", "85 f6 75 08");
    expect(forgotten(other)).toMatchObject([{ branches: [0x1011, 0x1015], failing: false }]);
    // what Use returns may be a BOOL
    const used = code.allocatedBefore32.replace("ff 15 58 20 00 80", "ff 15 10 20 00 80");
    expect(forgotten(used)).toMatchObject([{ branches: [0x1011, 0x1015], failing: false }]);
  });

  it("knows that a structure is empty that memset makes so", () => {
    const asked = (filled: string) =>
      fates(
        [
          `4883ec68 ff15${away(0x100a, SLOTS.Acquire)} 4885c0 742d`, // sub rsp,68h; call Acquire; test rax,rax; je 103c
          `4889442460 488d4c2420 ${filled} 41b830000000 ff15${away(0x1027, SLOTS.memset)}`, // memset(rsp+20h, edx, 30h)
          "488b442428 4885c0 750b", // mov rax,[rsp+28h]; test rax,rax; jne 103c
          `488b4c2460 ff15${away(0x103c, SLOTS.ObfDereferenceObject)} 4883c468 c3`,
        ].join(" "),
        RETURNED,
        "null",
      );
    expect(asked("31d2")).toMatchObject({ released: [0x1036], forgotten: [] });
    // mov dl,1
    expect(asked("b201")).toMatchObject({ released: [0x1036], forgotten: [{ at: 0x1040 }] });
  });

  it("takes the first four bytes of it for a pointer, and the first one for none", () => {
    const forgotten = (bytes: string) => fates(bytes, RETURNED, "null", { wide: false }).forgotten;
    expect(forgotten(code.askedByte32)).toMatchObject([{ failing: false }]);
    const whole = code.askedByte32.replace("0f b6 0e", "8b 0e 90");
    expect(forgotten(whole)).toMatchObject([{ failing: true }]);
  });

  it("follows it into a helper that is given it in eax", () => {
    expect(fates(code.helperByEax32, RETURNED, "null", { wide: false })).toEqual({
      ...NOTHING,
      released: [0x100a],
    });
  });

  it("finds it in a register that the function which is called leaves alone, though it need not", () => {
    expect(fates(code.leftInRegister, RETURNED, "null")).toEqual({ ...NOTHING, released: [0x1017] });
    // xor ecx,ecx
    const changed = code.leftInRegister.replace("8b 01 c3", "31 c9 c3");
    expect(fates(changed, RETURNED, "null")).toMatchObject({ released: [], forgotten: [{ at: 0x1023 }] });
  });

  it("goes through __finally blocks of 32-bit code, which work in their function's frame", () => {
    const released = { released: [expect.any(Number)], forgotten: [] };
    expect(fates(code.finally32, OUT, "status", { wide: false })).toMatchObject(released);
    // __SEH_prolog4 has push fs:[0] for mov eax,fs:[0]; push eax
    const since2005 = code.finally32.replace("64 a1 00 00 00 00 50", "64 ff 35 00 00 00 00");
    expect(since2005).not.toBe(code.finally32);
    expect(fates(since2005, OUT, "status", { wide: false })).toMatchObject(released);
  });

  it("says that a way was too long to be gone to its end (MAX_PATH_STEPS)", () => {
    expect(fates(branching(5, 1700), RETURNED, "null")).toEqual({ ...NOTHING, released: [0x16fc] });
    expect(fates(branching(5, 1900), RETURNED, "null")).toMatchObject({ whole: false });
  });

  it("says that too much of the ways was gone before it came to this one (MAX_PATH_STEPS_TOTAL)", () => {
    const left = (steps: number) => fates(branching(5, 0), RETURNED, "null", { spent: 524_288 - steps });
    expect(left(2000)).toEqual({ ...NOTHING, released: [0x1058] });
    expect(left(100)).toMatchObject({ whole: false });
    expect(left(0)).toMatchObject({ whole: false });
  });

  it("says that there were more ways than are told apart (MAX_PATH_VARIANTS)", () => {
    expect(fates(branching(5, 0), RETURNED, "null")).toEqual({ ...NOTHING, released: [0x1058] });
    expect(fates(branching(6, 0), RETURNED, "null")).toEqual({
      ...NOTHING,
      released: [0x1067],
      whole: false,
    });
  });

  it("looks into helpers of helpers, and no further than four (MAX_OWNERSHIP_DEPTH)", () => {
    expect(fates(helped(4), RETURNED, "null")).toEqual({ ...NOTHING, released: [0x100d] });
    expect(fates(helped(5), RETURNED, "null")).toMatchObject({
      released: [],
      handed: [{ at: 0x100d, keeping: { in: "callee" } }],
    });
  });
});
