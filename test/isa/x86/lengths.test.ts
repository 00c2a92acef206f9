import { describe, expect, it } from "vitest";
import { ModuleCode } from "../../../src/code/module-code.ts";
import { FLOW_SHIFT, Flow, LENGTH_MASK } from "../../../src/isa/instruction.ts";
import { x64 } from "../../../src/isa/x86/sets.ts";
import { codeImage, fromHex } from "../../fixtures/code-image.ts";
import { sampleImages } from "../../fixtures/sample-images.ts";

/** Decodes every instruction of an image in both ways, and tells where they differ. */
function differences(code: ModuleCode): { count: number; unknown: number; different: string[] } {
  const different: string[] = [];
  let count = 0;
  let unknown = 0;
  code.decoding((decoder) => {
    for (const { start, end, bytes } of code.runs) {
      for (let at = start; at < end; ) {
        const instruction = decoder.at(at);
        const packed = code.set.step(bytes, at - start, bytes.length);
        if (instruction === undefined) {
          at++;
          continue;
        }
        count++;
        if (packed === 0) unknown++;
        else {
          const length = packed & LENGTH_MASK;
          const flow = packed >> FLOW_SHIFT;
          const near = flow === Flow.Call || flow === Flow.Jump || flow === Flow.Branch;
          const target = near ? (start + code.set.target(bytes, at - start, length)) | 0 : undefined;
          if (length !== instruction.length || flow !== instruction.flow || target !== instruction.target) {
            different.push(
              `${at.toString(16)}: ${length} ${flow} ${target}, ${instruction.mnemonic} ${instruction.length} ${instruction.flow} ${instruction.target}`,
            );
          }
        }
        at += instruction.length;
      }
    }
  });
  return { count, unknown, different };
}

describe("InstructionSet.step of x86 and x64", () => {
  const images = sampleImages().filter(
    ({ truth }) => truth.image === "ntoskrnl.exe" || truth.image === "fltmgr.sys",
  );
  it.skipIf(images.length === 0).each(images)("agrees with the full decoder on all of $name", ({ open }) => {
    const { count, unknown, different } = differences(new ModuleCode(open()));
    expect(different).toEqual([]);
    expect(count).toBeGreaterThan(400);
    expect(unknown / count).toBeLessThan(0.01);
  });

  it.each(["x86", "x64"] as const)("agrees with the full decoder on noise, in %s", (machine) => {
    let seed = 12345;
    const bytes = Uint8Array.from({ length: 0x10000 }, () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 16;
    });
    const { count, different } = differences(
      new ModuleCode(codeImage({ machine, parts: [{ rva: 0x1000, bytes }] })),
    );
    expect(different).toEqual([]);
    expect(count).toBeGreaterThan(10000);
  });

  it("does not read past the end: an instruction that is cut off is none", () => {
    const call = fromHex("e8 00 00 00 00");
    expect(x64.step(call, 0, 5)).toBe(5 | (Flow.Call << FLOW_SHIFT));
    expect(x64.step(call, 0, 4)).toBe(0);
    expect(x64.step(fromHex("66 66 66 66"), 0, 4)).toBe(0);
  });
});
