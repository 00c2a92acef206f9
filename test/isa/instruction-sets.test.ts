import { describe, expect, it } from "vitest";
import { ModuleCode } from "../../src/code/module-code.ts";
import { argumentNumber, argumentPlace } from "../../src/isa/abi.ts";
import { FLOW_SHIFT, Flow, LENGTH_MASK } from "../../src/isa/instruction.ts";
import type { InstructionSet } from "../../src/isa/instruction-set.ts";
import { instructionSetOf } from "../../src/isa/machines.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

/** The same facts of each machine; each was read back with llvm-mc 14. */
interface Facts {
  readonly machine: "x86" | "x64" | "arm64";
  /** Instructions by what they do; a call, a jump and a branch lead to 0x40 bytes behind their own start. */
  readonly call: string;
  readonly jump: string;
  readonly branch: string;
  readonly return: string;
  readonly move: string;
  readonly breakpoint: string;
  readonly nop: string;
  /** `jmp reg`, and the register's number. */
  readonly stub: readonly [bytes: string, register: number];
  /** At 0x1000, a jump through the pointer at 0x2000. */
  readonly thunk: string;
  /** Where the first, the second and the tenth argument stand. */
  readonly arguments: readonly string[];
  readonly popped: number | undefined;
  readonly decoded: boolean;
  readonly listed: boolean;
}

const SETS: readonly Facts[] = [
  {
    machine: "x86",
    call: "e8 3b 00 00 00",
    jump: "eb 3e",
    branch: "0f 84 3a 00 00 00",
    return: "c2 08 00",
    move: "8b 45 08",
    breakpoint: "cc",
    nop: "8d 76 00",
    stub: ["ff e0", 0],
    thunk: "ff 25 00 20 00 80",
    arguments: ["stack+0", "stack+4", "stack+36"],
    popped: 8,
    decoded: true,
    listed: true,
  },
  {
    machine: "x64",
    call: "e8 3b 00 00 00",
    jump: "eb 3e",
    branch: "0f 84 3a 00 00 00",
    return: "c3",
    move: "48 8b 45 08",
    breakpoint: "cc",
    nop: "0f 1f 40 00",
    stub: ["41 ff e3", 11],
    thunk: "ff 25 fa 0f 00 00",
    arguments: ["register 1", "register 2", "stack+72"],
    popped: 0,
    decoded: true,
    listed: true,
  },
  {
    machine: "arm64",
    call: "10 00 00 94",
    jump: "10 00 00 14",
    branch: "00 02 00 54",
    return: "c0 03 5f d6",
    move: "f3 03 14 aa",
    breakpoint: "00 00 3e d4",
    nop: "1f 20 03 d5",
    stub: ["00 02 1f d6", 16],
    // adrp x16, 2000; ldr x16, [x16]; br x16
    thunk: "10 00 00 b0 10 02 40 f9 00 02 1f d6",
    arguments: ["register 0", "register 1", "stack+8"],
    popped: 0,
    decoded: false,
    listed: false,
  },
];

function step(
  set: InstructionSet,
  hex: string,
): { length: number; flow: number; target: number | undefined } {
  const bytes = fromHex(hex);
  const packed = set.step(bytes, 0, bytes.length);
  const [length, flow] = [packed & LENGTH_MASK, packed >> FLOW_SHIFT];
  const near = flow === Flow.Call || flow === Flow.Jump || flow === Flow.Branch;
  return { length, flow, target: near ? set.target(bytes, 0, length) : undefined };
}

describe.each(SETS)("the instruction set of $machine", (facts) => {
  const set = instructionSetOf(facts.machine);
  const codeOf = (bytes: string): ModuleCode =>
    new ModuleCode(codeImage({ machine: facts.machine, size: 0x3000, parts: [{ rva: 0x1000, bytes }] }));

  it("is found by its machine", () => {
    expect(set.machine).toBe(facts.machine);
  });

  it.each([
    ["call", Flow.Call, 0x40],
    ["jump", Flow.Jump, 0x40],
    ["branch", Flow.Branch, 0x40],
    ["return", Flow.Return, undefined],
    ["move", Flow.Next, undefined],
    ["breakpoint", Flow.Stop, undefined],
    ["nop", Flow.Next, undefined],
  ] as const)("tells how long a %s is and where it leads", (what, flow, target) => {
    const { length } = fromHex(facts[what]);
    expect(step(set, facts[what])).toEqual({ length, flow, target });
    expect(set.length(fromHex(facts[what]), 0, length)).toBe(length);
    expect(set.step(fromHex(facts[what]), 0, length - 1)).toBe(0);
  });

  it("knows what a return takes off the stack", () => {
    expect(set.popped(fromHex(facts.return), 0)).toBe(facts.popped);
  });

  it("tells padding from code", () => {
    const code = codeOf(`${facts.return} ${facts.nop} ${facts.move}`);
    const [run] = code.runs;
    const [behind, nop] = [fromHex(facts.return).length, fromHex(facts.nop).length];
    expect(run && set.padding.skip(run, 0x1000 + behind, run.end)).toBe(0x1000 + behind + nop);
    expect(run && set.padding.nopLength(run.bytes, behind)).toBe(nop);
    expect(run && set.padding.isBehindNop(run, 0x1000 + behind + nop)).toBe(true);
    expect(run && set.padding.skip(run, 0x1000, run.end)).toBe(0x1000);
  });

  it("sees through stubs", () => {
    const [bytes, register] = facts.stub;
    expect(set.thunks.registerOf(codeOf(bytes), 0x1000)).toBe(register);
    expect(set.thunks.registerOf(codeOf(facts.move), 0x1000)).toBeUndefined();
    expect(set.thunks.jumpAt(codeOf(facts.thunk), 0x1000)).toEqual({ slot: 0x2000 });
    expect(set.thunks.jumpAt(codeOf(facts.jump), 0x1000)).toEqual({ target: 0x1040 });
    expect(set.thunks.jumpAt(codeOf(facts.move), 0x1000)).toBeUndefined();
  });

  it("finds near references", () => {
    const code = codeOf(facts.call + " 00".repeat(0x80));
    const [run] = code.runs;
    const found: unknown[] = [];
    if (run !== undefined)
      set.references.each(code, run, (at, place, kind) => at === 0x1000 && found.push([place, kind]));
    set.references.near(code, (at, target, kind) => at === 0x1000 && found.push([target, kind]));
    expect(found).toEqual([
      [0x1040, "near"],
      [0x1040, "call"],
    ]);
  });

  it("places arguments, and tells their numbers by the places", () => {
    const places = [1, 2, 10].map((argument) => argumentPlace(set.abi, argument));
    expect(
      places.map((place) =>
        place.kind === "register" ? `register ${place.register}` : `stack+${place.offset}`,
      ),
    ).toEqual(facts.arguments);
    expect(places.map((place) => argumentNumber(set.abi, place))).toEqual([1, 2, 10]);
  });

  it("keeps no register that a callee may change", () => {
    expect(set.abi.volatile.filter((register) => set.abi.preserved.has(register))).toEqual([]);
    expect(set.abi.volatile).toContain(set.abi.result);
  });

  it("says what it does not do", () => {
    expect(codeOf(facts.move).decoding((decoder) => decoder.at(0x1000)?.length)).toBe(
      facts.decoded ? fromHex(facts.move).length : undefined,
    );
    expect(set.withPrinter !== undefined).toBe(facts.listed);
    expect(set.simple === undefined).toBe(facts.decoded);
  });
});

describe("a machine whose code is not looked at", () => {
  const unread = instructionSetOf("ia64");
  it("has no instruction anywhere", () => {
    expect(unread.step(fromHex("c3"), 0, 1)).toBe(0);
    expect(unread.withDecoder).toBeUndefined();
    expect(unread.simple).toBeUndefined();
  });
});
