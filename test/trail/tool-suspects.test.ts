import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import type { Acquired, Calls, Clue, Forgets } from "../../src/trail/clue.ts";
import { rankSuspects } from "../../src/trail/suspects.ts";
import type { TrailModule } from "../../src/trail/target.ts";
import { LOW } from "../../src/trail/weights.ts";

const acquired: Acquired = {
  function: { module: "nt", name: "MmMapIoSpace", address: va(0x1000n) },
  path: ["MmMapIoSpace"],
  basis: "documented",
  depth: 0,
  libraries: 0,
  handsOut: true,
  releases: ["MmUnmapIoSpace"],
  existing: false,
};
const place = { at: va(0x100n), returnsTo: va(0x106n), caller: "x", callerEntry: va(0x100n), constants: [] };
const calls: Calls = {
  kind: "calls",
  acquired,
  way: "direct",
  typed: true,
  places: [place],
  onceOnly: false,
};
const forgets: Forgets = {
  kind: "forgotten",
  acquired,
  ways: [{ call: va(0x100n), end: va(0x140n), branches: [], failing: false }],
  releasedOnOthers: [],
  partly: false,
  onceOnly: false,
};

function module(name: string, company: string): TrailModule {
  return {
    name,
    imageName: `${name}.sys`,
    path: null,
    base: va(0n),
    end: va(0x9000n),
    size: 0x9000,
    image: undefined,
    imageProblem: undefined,
    imports: { slots: [], gaps: [] },
    publisher: { company, thirdParty: true, basis: "version resource" },
  };
}

function scores(modules: readonly TrailModule[], ...clues: readonly Clue[]): Record<string, number> {
  const all = modules.flatMap(({ name }) => clues.map((clue) => ({ module: name, clue })));
  const ranked = rankSuspects(modules, all, { leaks: true }, [], undefined);
  return Object.fromEntries(ranked.map(({ module: name, score }) => [name, score]));
}

describe("rankSuspects", () => {
  const pmem = module("winpmem_x64", "Velocidex Enterprises");
  const contoso = module("contoso", "Contoso Ltd.");

  it("suspects no tool for calling what its work takes", () => {
    const found = scores([pmem, contoso], calls);
    expect(found.contoso).toBeGreaterThanOrEqual(LOW.score);
    expect(found.winpmem_x64).toBeLessThan(LOW.score);
  });

  it("excuses no tool of what is seen in its code", () => {
    const found = scores([pmem, contoso], calls, forgets);
    expect(found.winpmem_x64).toBe(found.contoso);
  });

  it("excuses nobody who has the name of a tool and another company", () => {
    const found = scores([module("winpmem_x64", "Contoso Ltd."), contoso], calls);
    expect(found.winpmem_x64).toBe(found.contoso);
  });

  it("does not excuse a driver that is made to leak", () => {
    const found = scores([module("myfault", "Sysinternals"), contoso], calls);
    expect(found.myfault).toBe(found.contoso);
  });
});
