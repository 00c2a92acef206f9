import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import type { VerifierCounts } from "../../src/kernel/verifier.ts";
import { tracksPool, verifierFlags, verifierWords } from "../../src/report/verifier-words.ts";

const counts: VerifierCounts = {
  level: 0x9bb,
  allocationsAttempted: 0x7b058,
  allocationsSucceeded: 0x7b058,
  allocationsFailed: 0,
  allocationsFailedDeliberately: 0,
  outstanding: { paged: { allocations: 1, bytes: 0x950n }, nonPaged: { allocations: 1500, bytes: 0x46110n } },
};

describe("verifierFlags", () => {
  it("names the flags as `verifier /querysettings` does", () => {
    // a list that somebody published of a Windows 10: Verifier Flags: 0x0012892b
    expect(verifierFlags(0x0012892b)).toEqual([
      "special pool",
      "force IRQL checking",
      "pool tracking",
      "deadlock detection",
      "security checks",
      "miscellaneous checks",
      "power framework delay fuzzing",
      "DDI compliance checking",
      "0x100000",
    ]);
    expect(verifierFlags(0)).toEqual([]);
  });
});

describe("verifierWords", () => {
  it("says what Verifier counted, and does not accuse", () => {
    const verifier = { state: "on", address: va(0x1000n), counts } as const;
    expect(verifierWords(verifier)).toBe(
      "Driver Verifier was on (0x9bb: special pool, force IRQL checking, pool tracking, I/O verification, deadlock detection, DMA checking, security checks, miscellaneous checks); the drivers that it checked hold 1 allocation with 2,384 bytes of paged and 1,500 allocations with 286,992 bytes of nonpaged pool",
    );
    expect(tracksPool(verifier)).toBe(true);
    expect(tracksPool({ ...verifier, counts: { ...counts, level: 0x1 } })).toBe(false);
  });

  it("keeps off and unknown apart", () => {
    expect(verifierWords({ state: "off", address: va(0x1000n) })).toBe(
      "Driver Verifier was off: it counted nothing since the machine started",
    );
    expect(verifierWords({ state: "unknown", address: undefined, reason: "it cannot be read" })).toBe(
      "whether Driver Verifier was on is not known: it cannot be read",
    );
  });
});
