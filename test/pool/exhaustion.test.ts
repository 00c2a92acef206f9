import { describe, expect, it } from "vitest";
import type { Bugcheck } from "../../src/dump/facts.ts";
import { exhaustionOf } from "../../src/pool/exhaustion.ts";
import type { MemoryFigure, MemoryLine } from "../../src/pool/memory-lines.ts";

const check = (code: number, ...[a = 0n, b = 0n, c = 0n, d = 0n]: readonly bigint[]): Bugcheck => ({
  code,
  parameters: [a, b, c, d],
});
function lines(pages: Partial<Record<MemoryLine, number>>): Partial<Record<MemoryLine, MemoryFigure>> {
  return Object.fromEntries(
    Object.entries(pages).map(([line, count]) => [line, { label: line, pages: count, from: "test" }]),
  );
}

describe("exhaustionOf", () => {
  const full = lines({ pagedUsage: 86_200, pagedMax: 88_064, nonPagedUsage: 4000, nonPagedMax: 65_536 });
  const ample = lines({ pagedUsage: 30_000, pagedMax: 88_064, committed: 200_000, commitLimit: 900_000 });

  it.each([0x7f, 0x19, 0xef, 0xd1, 0x50])(
    "sees a full pool behind bugcheck 0x%s, whichever it is",
    (code) => {
      expect(exhaustionOf(check(code, 8n), full)).toEqual({
        basis: "limit",
        of: "paged",
        used: 86_200,
        most: 88_064,
      });
      expect(exhaustionOf(check(code, 8n), ample)).toBeUndefined();
    },
  );

  it("sees that no memory was left to promise", () => {
    const committed = lines({ committed: 899_990, commitLimit: 900_000 });
    expect(exhaustionOf(check(0xef), committed)).toMatchObject({ of: "commit" });
  });

  it("takes nothing for full of which the limit is not known, or passed by far", () => {
    expect(exhaustionOf(check(0x7f, 8n), lines({ pagedUsage: 86_200 }))).toBeUndefined();
    expect(exhaustionOf(check(0x7f, 8n), lines({ pagedUsage: 86_200, pagedMax: 9 }))).toBeUndefined();
    expect(exhaustionOf(check(0x7f, 8n), {})).toBeUndefined();
  });

  it("believes the bugchecks that are for this", () => {
    expect(exhaustionOf(check(0x41), ample)).toEqual({ basis: "bugcheck", of: "pool" });
    expect(exhaustionOf(check(0x4d), ample)).toEqual({ basis: "bugcheck", of: "memory" });
  });

  it("believes an error that a parameter gives", () => {
    // 32-bit dumps hold the status with its sign
    for (const status of [0xc000009an, 0xffff_ffff_c000_009an]) {
      expect(exhaustionOf(check(0x1000_007e, status, 0x1234n), ample)).toEqual({
        basis: "status",
        of: "memory",
        status: "STATUS_INSUFFICIENT_RESOURCES",
      });
    }
    expect(exhaustionOf(check(0x7a, 1n, 0xc000_012dn), ample)).toMatchObject({
      status: "STATUS_COMMITMENT_LIMIT",
    });
    expect(exhaustionOf(check(0x7e, 0xc000_0005n), ample)).toBeUndefined();
    // the second parameter of 0x50 is no status, whatever number it is
    expect(exhaustionOf(check(0x50, 0n, 0xc000_009an), ample)).toBeUndefined();
  });
});
