import { describe, expect, it } from "vitest";
import { buildDump } from "../../samples/leakbench/machine.mjs";
import { openDump } from "../../src/api/open-dump.ts";
import type { Trail } from "../../src/report/trail-document.ts";

/** As large as a process is, so that a few thousand are a leak worth the name. */
const BLOCK = { x64: 0xa80, x86: 0xa78 };

type Plan = Parameters<typeof buildDump>[0];
type Held = NonNullable<Plan["held"]>;

/** The trace of an object's tag on a machine where `live` objects are there, and processes hold `holders`. */
function traced(arch: "x64" | "x86", tag: string, held: Held, more: Partial<Plan> = {}): Trail {
  using dump = openDump(
    buildDump({
      arch,
      form: "bitmap-kernel",
      drivers: [],
      counts: [{ tag, paged: false, block: BLOCK, live: held.live, frees: 200 }],
      seed: 7,
      held,
      ...more,
    }),
  );
  return dump.trace(tag);
}

const EVENTS = { type: "Event", bytes: 0x20, live: 6000 } as const;

describe.each(["x64", "x86"] as const)("an object's tag on %s", (arch) => {
  it("is laid to the process whose handles keep the objects, and to no driver", () => {
    const { conclusion, objects, next } = traced(arch, "Even", {
      ...EVENTS,
      holders: { "sqlservr.exe": 6000 },
    });
    expect(conclusion).toMatchObject({
      culprit: { kind: "process", name: "sqlservr.exe", pids: [expect.any(Number)] },
      module: null,
      confidence: "high",
      outcome: "named",
    });
    expect(objects?.holders[0]).toMatchObject({ name: "sqlservr.exe", objects: 6012 });
    expect(next[0]).toContain("sqlservr.exe");
    expect(conclusion.text).toContain("6,000 of the 6,000");
  });

  it("is laid to nobody where the handles all lead to one object", () => {
    const { conclusion, objects } = traced(arch, "Even", {
      ...EVENTS,
      holders: { "sqlservr.exe": 6000 },
      same: true,
    });
    expect(conclusion.culprit?.kind).not.toBe("process");
    expect(objects?.holders[0]?.objects).toBeLessThan(100);
  });

  it("is laid to no process where no handle leads to the objects", () => {
    const { conclusion, objects } = traced(arch, "Even", EVENTS);
    expect(conclusion.culprit?.kind).not.toBe("process");
    expect(objects?.outstanding).toBe(6000);
    expect(objects?.objects).toBeLessThan(300);
  });

  it("is laid to the process that keeps handles to processes that have ended", () => {
    const { conclusion } = traced(arch, "Proc", {
      type: "Process",
      bytes: 0,
      live: 2500,
      holders: { "watch.exe": 2500 },
    });
    expect(conclusion).toMatchObject({ culprit: { kind: "process", name: "watch.exe" }, confidence: "high" });
  });

  it("is laid to all processes of an image where they share it", () => {
    const { conclusion } = traced(arch, "Even", { ...EVENTS, holders: { "svchost.exe": 2100 } });
    expect(conclusion.culprit).toMatchObject({ kind: "process", name: "svchost.exe" });
    expect(conclusion.culprit?.kind === "process" && conclusion.culprit.pids.length).toBe(3);
  });

  it("counts the pages of handle tables for the tag of these", () => {
    const live = arch === "x64" ? 260 : 130;
    const { conclusion, objects } = traced(
      arch,
      "Obtb",
      { type: "Event", bytes: 0x20, live: 1, holders: { "deskflow.exe": 60_000 }, same: true },
      { counts: [{ tag: "Obtb", paged: true, block: { x64: 0x1000, x86: 0x1000 }, live, frees: 40 }] },
    );
    expect(conclusion).toMatchObject({ culprit: { kind: "process", name: "deskflow.exe" }, module: null });
    // 24 usual handles; entry 0 of each page is none
    const [perPage, used] = arch === "x64" ? [255, 60_024] : [511, 60_024];
    expect(objects?.holders[0]).toMatchObject({ handles: used, objects: Math.ceil(used / perPage) });
    expect(objects?.what).toBe("table-pages");
  });
});
