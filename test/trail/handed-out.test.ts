import { describe, expect, it } from "vitest";
import { argumentPlace } from "../../src/isa/abi.ts";
import { x64Abi, x86Abi } from "../../src/isa/x86/abi.ts";
import { registerArgument } from "../../src/trail/handed-out.ts";

const register = (number: number) => ({ kind: "register", register: number });

describe("the number of an argument in a register", () => {
  it("is the documented one in 64-bit code", () => {
    // rcx, rdx, r8, r9
    expect([1, 2, 8, 9].map((one) => registerArgument(x64Abi, one))).toEqual([1, 2, 3, 4]);
    expect(registerArgument(x64Abi, 3)).toBeUndefined();
  });

  it("is one by which it is found again in 32-bit code, whose convention has none in registers", () => {
    // eax, ecx, edx
    for (const one of [0, 1, 2]) {
      const number = registerArgument(x86Abi, one);
      expect(number).toBeLessThanOrEqual(0);
      expect(argumentPlace(x86Abi, number ?? 1)).toEqual(register(one));
    }
    // esi
    expect(registerArgument(x86Abi, 6)).toBeUndefined();
  });
});
