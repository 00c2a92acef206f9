import { describe, expect, it } from "vitest";
import type { Va } from "../../src/core/address.ts";
import type { Bugcheck } from "../../src/dump/facts.ts";
import { crashPlace, occasionOf, plainCode, statusName } from "../../src/kernel/stop.ts";

const bugcheck = (code: number, ...parameters: readonly bigint[]): Bugcheck => {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = parameters;
  return { code, parameters: [a, b, c, d] };
};
const exception = (code: number, address: bigint) => ({
  code,
  flags: 0,
  address: address as Va,
  parameters: [],
});

describe("occasionOf", () => {
  it.each([
    ["a crash", bugcheck(0xd1), undefined, "crash"],
    ["a crash in a small dump", bugcheck(0x1000_007e), 8, "crash"],
    ["a key combination", bugcheck(0xe2), undefined, "on-request"],
    ["a debugger's .crash", bugcheck(0xdeaddead), undefined, "on-request"],
    ["a live dump", bugcheck(0x161), undefined, "live"],
    ["a report of a driver that hung, the machine going on", bugcheck(0x144), 0x10, "live"],
    ["the same code where the machine stopped", bugcheck(0x144), 8, "crash"],
    ["a copy of memory", undefined, undefined, undefined],
    ["a copy of memory with fields of zeros", bugcheck(0), undefined, undefined],
  ] as const)("tells %s", (_, check, attributes, occasion) => {
    expect(occasionOf(check, attributes)).toBe(occasion);
  });
});

describe("crashPlace", () => {
  const driver = 0xffff_f804_80ba_1234n;
  const nt = 0xffff_f804_7bbf_8000n;

  it("takes the address that the bugcheck names (0xD1: parameter 4; 0x7E: parameter 2)", () => {
    expect(crashPlace(bugcheck(0xd1, 8n, 2n, 0n, driver), undefined, { rip: nt })).toEqual({
      address: driver,
      basis: "bugcheck",
    });
    expect(crashPlace(bugcheck(0x1000_007e, 0xc000_0005n, driver), undefined, { rip: nt })).toMatchObject({
      address: driver,
    });
  });

  it("takes the exception where the bugcheck names none, but no breakpoint", () => {
    const crash = bugcheck(0x7f, 8n, 0n, 0n, 0n);
    expect(crashPlace(crash, exception(0xc0000005, driver), { rip: nt })).toEqual({
      address: driver,
      basis: "exception",
    });
    expect(crashPlace(crash, exception(0x80000003, driver), { rip: nt })).toEqual({
      address: nt,
      basis: "registers",
    });
  });

  it("gives none where nothing says", () => {
    expect(crashPlace(undefined, undefined, undefined)).toBeUndefined();
    expect(crashPlace(bugcheck(0xd1), undefined, { eip: 0n })).toBeUndefined();
  });
});

it("takes the bit of a small dump off a code", () => {
  expect(plainCode(bugcheck(0x1000_008e))).toBe(0x8e);
  expect(plainCode(bugcheck(0xc000021a))).toBe(0xc000021a);
});

it("names what memory runs out with", () => {
  expect(statusName(0xc000009a)).toBe("STATUS_INSUFFICIENT_RESOURCES");
  expect(statusName(-0x3fffff66)).toBe("STATUS_INSUFFICIENT_RESOURCES");
  expect(statusName(1)).toBeUndefined();
});
