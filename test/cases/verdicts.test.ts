import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CASE_ANSWERS } from "../../bench/case-answers.mjs";
import { buildCase, casesMissing, copyCases } from "../../bench/case-images.mjs";
import { type ImageFolder, openFolder, type Suspect, type Trail } from "../../src/index.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const missing = casesMissing();
const cases = join(temporaryFolder().path, "cases");
if (missing === undefined) copyCases(cases);

const CONFIDENCE = ["none", "low", "medium", "high"];
const open = (name: string, sources: readonly string[]): ImageFolder =>
  openFolder(buildCase({ cases, name, sources }));
const suspect = (trail: Trail, module: string): Suspect | undefined =>
  trail.suspects.find((one) => one.module === module);

/** Every address that the evidence shows. */
function addresses(one: Suspect | undefined): readonly bigint[] {
  return (one?.evidence ?? []).flatMap((seen) => {
    const { addresses: all } = seen as { readonly addresses?: readonly bigint[] };
    return all ?? (seen.address === null ? [] : [seen.address]);
  });
}

describe.each(CASE_ANSWERS)("$case ($sources), `$tag`", (answer) => {
  it.skipIf(missing !== undefined)("has its right answer", () => {
    using folder = open(answer.case, answer.sources);
    const trail = folder.trace(answer.tag);
    const { module, confidence } = trail.conclusion;
    if (answer.culprit !== undefined) expect({ named: module }).toEqual({ named: answer.culprit });
    if (answer.first !== undefined) {
      expect({ first: trail.suspects[0]?.module }).toEqual({ first: answer.first });
      expect([answer.first, null]).toContain(module);
    }
    expect(answer.innocent ?? []).not.toContain(module);
    if (answer.lowest !== undefined)
      expect(CONFIDENCE.indexOf(confidence)).toBeGreaterThanOrEqual(CONFIDENCE.indexOf(answer.lowest));
    for (const innocent of answer.innocent ?? []) {
      const guilty = answer.culprit ?? answer.first;
      if (guilty === undefined) continue;
      const first = suspect(trail, guilty)?.rank ?? 1;
      const rank = suspect(trail, innocent)?.rank ?? Number.POSITIVE_INFINITY;
      expect({ innocent, behind: rank > first }).toEqual({ innocent, behind: true });
    }
    const apis = trail.apis.map(({ name }) => name);
    for (const api of answer.apis ?? []) expect(apis).toContain(api);
    for (const api of answer.noApis ?? []) expect(apis).not.toContain(api);
    for (const [at, uses, count] of answer.use ?? []) {
      const found = trail.references.filter((reference) => reference.module === at).map(({ use }) => use);
      expect(found.filter((use) => uses.includes(use))).toHaveLength(count);
    }
  });
});

describe("cases about more than who is named", () => {
  it.skipIf(missing !== undefined)(
    "says of no driver that a call was not seen where its calls are listed",
    () => {
      using folder = open("irp-pointer-variable", ["nt.s", "abclib.s", "irpleak.s"]);
      const details = suspect(folder.trace("Irp "), "irpleak")?.evidence.map(({ detail }) => detail) ?? [];
      expect(details.join("\n")).not.toMatch(/no call of IoAllocateIrp was seen/);
    },
  );

  it.skipIf(missing !== undefined)("suspects the kernel not at all: it closes by calls of its own", () => {
    for (const hal of ["hal.s", "balanced/hal.s"]) {
      using folder = open("key-nt-accused", ["nt.s", hal]);
      expect(suspect(folder.trace("Key "), "nt")).toBeUndefined();
    }
  });

  it.skipIf(missing !== undefined)(
    "weighs a reference of an object whose type is unknown below medium",
    () => {
      using folder = open("key-nt-accused", ["nt.s", "hal.s"]);
      expect(["none", "low"]).toContain(folder.trace("Key ").conclusion.confidence);
    },
  );

  it.skipIf(missing !== undefined)("shows the call of a CFG driver, and not the look-up, as the call", () => {
    using folder = open("lookup-cfg", ["nt.s", "lookcfg.s"]);
    const { base, end } = folder.module("lookcfg");
    const code = Buffer.from(folder.read(base, Number(end - base)).bytes);
    // mov edx,1; xor ecx,ecx; mov rax,[Routine]; call [GuardDispatch]
    const use = code.indexOf(Buffer.from("ba0100000031c9488b05", "hex"));
    const call = base + BigInt(use + 14);
    expect(code.subarray(use + 14, use + 16).toString("hex")).toBe("ff15");
    expect(addresses(suspect(folder.trace("Se"), "lookcfg"))).toContain(call);
    const { callers } = folder.calls("lookcfg", "SeQueryInformationToken");
    expect(callers.map(({ address }) => address)).toEqual([call]);
  });

  it.skipIf(missing !== undefined)(
    "gives two drivers that differ in the order of functions the same weight",
    () => {
      using early = open("order-of-calls", ["nt.s", "early.s"]);
      using late = open("order-of-calls", ["nt.s", "late.s"]);
      const [a, b] = [early.trace("Se"), late.trace("Se")];
      expect(suspect(a, "early")?.score).toBe(suspect(b, "late")?.score);
      expect(a.conclusion.confidence).toBe(b.conclusion.confidence);
    },
  );

  it.skipIf(missing !== undefined)(
    "gives a driver the same weight with and without a call that frees another's memory",
    () => {
      using filter = open("minifilter-excused", ["nt.s", "fltmgr.s", "leakflt.s"]);
      using driver = open("minifilter-excused", ["nt.s", "fltmgr.s", "leakdrv.s"]);
      expect(filter.trace("Se").conclusion.confidence).toBe(driver.trace("Se").conclusion.confidence);
    },
  );

  it.skipIf(missing !== undefined)("speaks against no driver that asks for nothing to be allocated", () => {
    using folder = open("strg", ["nt.s", "strleak.s", "strfine.s"]);
    expect(suspect(folder.trace("Strg"), "strfine")?.score ?? 0).toBe(0);
  });

  it.skipIf(missing !== undefined)("holds a driver whose timers carry the tag for its owner", () => {
    using folder = open("ndis-timer-tag", ["nictimer.s"]);
    expect(suspect(folder.trace("RMTN"), "nictimer")?.verdict).toBe("owns-tag");
  });
});
