import { describe, expect, it } from "vitest";
import { startLeadingTo, walkInstructions } from "../../src/code/instruction-walk.ts";
import { va } from "../../src/core/address.ts";
import { x64, x86 } from "../../src/isa/x86/sets.ts";
import type { SparseBytes } from "../../src/memory/address-space.ts";
import { fromHex } from "../fixtures/code-image.ts";

function stretch(
  bytes: string,
  ...holes: readonly (readonly [offset: number, length: number])[]
): SparseBytes {
  const fault = { kind: "not-mapped", va: va(0n), level: "PTE" } as const;
  return {
    start: va(0n),
    bytes: fromHex(bytes),
    holes: holes.map(([offset, length]) => ({ offset, length, fault })),
  };
}

const owned = () => false;
const short = (steps: ReturnType<typeof walkInstructions>): string =>
  steps.map(({ kind, at, length }) => `${kind} ${at}+${length}`).join(", ");

describe("walkInstructions", () => {
  it("goes from instruction to instruction", () => {
    // push ebp; mov ebp,esp; call; ret 8
    expect(short(walkInstructions(stretch("55 8b ec e8 00 00 00 00 c2 08 00"), x86, 0, owned))).toBe(
      "instruction 0+1, instruction 1+2, instruction 3+5, instruction 8+3",
    );
  });

  it("takes one byte of what is no instruction", () => {
    expect(short(walkInstructions(stretch("06 c3"), x64, 0, owned))).toBe("bad 0+1, instruction 1+1");
  });

  it("never decodes over a hole, and falls into step behind it", () => {
    // mov eax,imm32 cut after two bytes; behind the hole the last two bytes of an immediate, and then push ebp; mov ebp,esp
    const bytes = `90 b8 00 ${"00 ".repeat(4)} 12 34 55 8b ec 83 ec 10 53 56 57 8b 75 08 8b 45 0c 33 ff 89 7d f8 c3`;
    const steps = walkInstructions(stretch(bytes, [3, 4]), x86, 0, owned);
    expect(short(steps.slice(0, 3))).toBe("instruction 0+1, cut 1+2, hole 3+4");
    expect(steps[3]).toEqual({ kind: "cut", at: 7, length: 3 });
    expect(steps.slice(4).map(({ at }) => at)).toEqual([10, 12, 15, 16, 17, 18, 21, 24, 26, 29]);
  });

  it("takes runs of fillers for padding between functions only", () => {
    const bytes = "c3 cc cc cc 90 55";
    expect(short(walkInstructions(stretch(bytes), x64, 0, undefined))).toBe(
      "instruction 0+1, padding 1+3, instruction 4+1, instruction 5+1",
    );
    expect(walkInstructions(stretch(bytes), x64, 0, owned)).toHaveLength(6);
  });

  it("takes a table for none of the function's instructions", () => {
    expect(short(walkInstructions(stretch("c3 1e 42 00 00 c3"), x64, 0, (at) => at >= 1 && at < 5))).toBe(
      "instruction 0+1, table 1+4, instruction 5+1",
    );
  });

  it("comes to an end when the hole is the end", () => {
    expect(short(walkInstructions(stretch("c3 00 00"), x64, 0, owned))).toBe(
      "instruction 0+1, instruction 1+2",
    );
    expect(short(walkInstructions(stretch("c3 00 00", [1, 2]), x64, 0, owned))).toBe(
      "instruction 0+1, hole 1+2",
    );
  });
});

describe("startLeadingTo", () => {
  it("finds the lowest place from which decoding comes to another", () => {
    // b8 12 c3 90 90 | c3: from 0 and from 1 (adc al,c3) and 2 (ret) the ret at 5 is reached
    expect(startLeadingTo(stretch("b8 12 c3 90 90 c3"), x86, 5, 0)).toBe(0);
    // from 0 nothing comes to 2: mov eax,imm32 goes over it
    expect(startLeadingTo(stretch("b8 12 c3 90 90 c3"), x86, 2, 0)).toBe(2);
    expect(startLeadingTo(stretch("b8 12 c3 90 90 c3"), x86, 5, 2)).toBe(2);
  });

  it("does not look over a hole", () => {
    expect(startLeadingTo(stretch("90 90 90 90 c3", [1, 1]), x86, 4, 0)).toBe(2);
  });
});
