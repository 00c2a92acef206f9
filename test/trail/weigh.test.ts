import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import type {
  Acquired,
  Allocates,
  Calls,
  Clue,
  Contents,
  Forgets,
  Keeps,
  OnStack,
} from "../../src/trail/clue.ts";
import { conclude, type Grounds } from "../../src/trail/conclude.ts";
import type { TagSigns } from "../../src/trail/evidence/kind.ts";
import { ownerOfBlocks } from "../../src/trail/evidence/pool-content.ts";
import type { Suspect } from "../../src/trail/suspects.ts";
import { weigh } from "../../src/trail/weigh.ts";
import { HIGH, LOW, MEDIUM } from "../../src/trail/weights.ts";

const QUERY: Acquired = {
  function: { module: "nt", name: "SeQueryInformationToken", address: va(0x1000n) },
  path: ["SeQueryInformationToken"],
  basis: "documented",
  depth: 0,
  libraries: 0,
  handsOut: true,
  releases: ["ExFreePool"],
  existing: false,
};
const OTHER: Acquired = {
  ...QUERY,
  function: { module: "nt", name: "PsTerminateSystemThread", address: va(0x2000n) },
  depth: 2,
  handsOut: false,
};

const calls = (acquired: Acquired, more: Partial<Calls> = {}): Calls => ({
  kind: "calls",
  acquired,
  way: "direct",
  typed: true,
  places: [
    { at: va(0x100n), returnsTo: va(0x106n), caller: "driver+0x100", callerEntry: va(0x100n), constants: [] },
  ],
  onceOnly: false,
  ...more,
});
const forgets = (more: Partial<Forgets> = {}): Forgets => ({
  kind: "forgotten",
  acquired: QUERY,
  ways: [{ call: va(0x100n), end: va(0x140n), branches: [], failing: false }],
  releasedOnOthers: [],
  partly: false,
  onceOnly: false,
  ...more,
});
const keeps = (released: Keeps["released"], more: Partial<Keeps> = {}): Keeps => ({
  kind: "kept",
  acquired: QUERY,
  places: [{ call: va(0x100n), at: va(0x120n), keeping: { in: "global", rva: 0x3000 } }],
  released,
  releasedAt: [],
  codeMissing: 0,
  onceOnly: false,
  ...more,
});
const releases: Clue = {
  kind: "releases",
  acquired: QUERY,
  calls: [va(0x100n)],
  releasedAt: [{ at: va(0x130n), name: "ExFreePool" }],
};
const stack = (state: OnStack["hits"][number]["state"]): OnStack => ({
  kind: "on-stack",
  function: QUERY.function,
  hits: [{ at: va(0x5000n), returnsTo: va(0x106n), thread: va(0x6000n), process: "System", state }],
});
const OWN: Allocates = {
  kind: "allocates",
  at: [va(0x200n)],
  size: 0x40,
  forgets: [],
  released: "every-way",
  releasedAt: [],
  onceOnly: false,
  forOthers: [],
};
const contents = (blocks: number, of: number): Contents => ({
  kind: "pool-content",
  blocks,
  of,
  through: "direct",
  examples: [],
});

const points = (clues: readonly Clue[], signs: TagSigns = { leaks: undefined }): number =>
  weigh("driver", clues, signs).points;

describe("weigh", () => {
  it("does not depend on the order of clues, nor on that of the functions that are called", () => {
    const clues = [calls(OTHER), calls(QUERY), forgets(), stack("live")];
    expect(points([...clues].reverse())).toBe(points(clues));
  });

  it("lets a release of one thing not excuse the loss of another", () => {
    const released = { ...releases, acquired: OTHER } as Clue;
    expect(points([calls(OTHER), released, calls(QUERY), forgets()])).toBe(points([calls(QUERY), forgets()]));
  });

  it("puts forgetting before keeping without a release, and that before a release that may be of it", () => {
    const order = [
      forgets(),
      keeps("none"),
      keeps("unread"),
      keeps("any-free"),
      keeps("perhaps"),
      keeps("same-place"),
    ];
    const weights = order.map((clue) => points([calls(QUERY), clue]));
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
    expect(new Set(weights).size).toBe(weights.length);
  });

  it("counts a call alone for less than a module is named for with medium confidence", () => {
    const many = calls(QUERY, { places: Array.from({ length: 40 }, () => calls(QUERY).places[0]!) });
    expect(points([many])).toBeLessThan(MEDIUM.score);
  });

  it("counts steps in between, and what stays inside the function, for less", () => {
    const direct = points([calls(QUERY), forgets()]);
    const far = { ...QUERY, depth: 2, libraries: 1 };
    expect(points([calls(far), forgets({ acquired: far })])).toBeLessThan(direct);
    expect(points([calls({ ...QUERY, handsOut: false })])).toBeLessThan(points([calls(QUERY)]));
  });

  it("weighs nothing of a call that may be about an object of any type", () => {
    expect(points([calls(QUERY, { typed: false })])).toBe(0);
  });

  it("takes what runs once at the start for next to nothing where many are outstanding", () => {
    const once = [calls(QUERY, { onceOnly: true }), forgets({ onceOnly: true })];
    expect(points(once, { leaks: true })).toBeLessThan(LOW.score);
    expect(weigh("driver", once, { leaks: true }).proven).toBe(false);
  });

  it("proves nothing by ways that end with an error of something else", () => {
    const way = { call: va(0x100n), end: va(0x140n), branches: [], failing: true };
    const weighed = weigh("driver", [calls(QUERY), forgets({ ways: [way] })], { leaks: undefined });
    expect(weighed.proven).toBe(false);
    expect(weighed.points).toBeLessThan(MEDIUM.score);
  });

  it("excuses who gives back all but where something else fails, also if it allocates with the tag itself", () => {
    const way = { call: va(0x100n), end: va(0x140n), branches: [], failing: true };
    const own: Clue = { ...OWN, released: "any-free" };
    const clues = [calls(QUERY), forgets({ ways: [way] }), releases, own];
    expect(weigh("driver", clues, { leaks: undefined }).excused).toBe(true);
    expect(weigh("driver", clues, { leaks: true }).excused).toBe(false);
    expect(weigh("driver", [...clues, forgets()], { leaks: undefined }).excused).toBe(false);
    expect(
      weigh("driver", [calls(QUERY), releases, { ...OWN, released: "none" }], { leaks: undefined }).excused,
    ).toBe(false);
  });

  it("names who registers contexts with a tag that leaks, with little confidence, and otherwise nobody", () => {
    const registers: Clue = { kind: "registers-contexts", at: [va(0x2018n)], size: 0x60 };
    const clues = [registers, calls(QUERY), releases];
    expect(points(clues, { leaks: true })).toBeGreaterThan(LOW.score);
    expect(points(clues, { leaks: true })).toBeLessThan(MEDIUM.score);
    expect(points(clues)).toBeLessThan(LOW.score);
    expect(weigh("driver", clues, { leaks: true })).toMatchObject({ verdict: "owns-tag", proven: false });
  });

  it("lets stacks count little for who gives everything back", () => {
    const excused = points([calls(QUERY), releases, stack("live")]) - points([calls(QUERY), releases]);
    const open = points([calls(QUERY), keeps("none"), stack("live")]) - points([calls(QUERY), keeps("none")]);
    expect(excused).toBeLessThan(open);
  });

  it("takes blocks that lead into one module for a proof, whatever code says of others", () => {
    const owned = { module: "driver", clue: contents(40_000, 40_007) };
    const blocksOf = ownerOfBlocks([owned, { module: "other", clue: contents(3, 40_007) }]);
    expect(blocksOf).toBe("driver");
    const signs = { leaks: true, blocksOf };
    const owner = weigh("driver", [owned.clue], signs);
    expect(owner.proven).toBe(true);
    expect(owner.points).toBeGreaterThan(
      HIGH.ahead * weigh("other", [calls(QUERY), forgets()], signs).points,
    );
  });

  it("takes them for nobody's where they lead into several modules alike", () => {
    const both = ["a", "b"].map((module) => ({ module, clue: contents(400, 400) }));
    expect(ownerOfBlocks(both)).toBeUndefined();
  });
});

describe("conclude", () => {
  const suspect = (module: string, score: number, more: Partial<Suspect> = {}): Suspect => ({
    rank: 1,
    module,
    imageName: `${module}.sys`,
    verdict: "calls",
    score,
    thirdParty: true,
    publisher: null,
    publisherBasis: null,
    service: null,
    minifilter: false,
    ownsTag: false,
    proven: true,
    excused: false,
    clues: [],
    coverage: { module, readable: 1, size: 1, fromFile: 0, unread: [] },
    ...more,
  });
  const grounds: Grounds = { leaks: undefined, references: 3, inCode: 2, undecoded: false };

  it("names with high confidence only what is proven and far ahead", () => {
    const ahead = suspect("a", 60);
    expect(conclude([ahead, suspect("b", 20)], grounds)).toMatchObject({ module: "a", confidence: "high" });
    expect(conclude([suspect("a", 60, { proven: false })], grounds).confidence).toBe("medium");
    expect(conclude([ahead, suspect("b", 50)], grounds).confidence).toBe("low");
  });

  it("names nobody beyond low who may give back what it keeps, unless more than its code speaks for it", () => {
    const many = calls(QUERY, { places: Array.from({ length: 5 }, () => calls(QUERY).places).flat() });
    const of = (all: readonly Clue[]): Suspect => {
      const { clues, points: score, proven } = weigh("a", all, { leaks: undefined });
      return suspect("a", score + 20, { clues, proven });
    };
    for (const released of ["perhaps", "any-free"] as const)
      expect(conclude([of([many, keeps(released)])], grounds).confidence).toBe("low");
    expect(conclude([of([many, keeps("unread")])], grounds).confidence).toBe("medium");
    expect(conclude([of([many, keeps("any-free"), stack("live")])], grounds).confidence).toBe("medium");
    // where the tag is seen to leak somebody has it
    const leaking = { ...grounds, leaks: true };
    expect(conclude([of([many, keeps("any-free")])], leaking).confidence).toBe("medium");
  });

  it("names nobody of those that cannot be told apart", () => {
    expect(conclude([suspect("a", 60), suspect("b", 60), suspect("c", 10)], grounds)).toMatchObject({
      module: null,
      outcome: "tied",
      tied: ["a", "b"],
    });
  });

  it("names nobody beyond low for a tag that does not look like a leak", () => {
    expect(conclude([suspect("a", 90)], { ...grounds, leaks: false })).toMatchObject({
      confidence: "low",
      leaks: false,
    });
  });

  it("tells why nobody is named", () => {
    const outcome = (more: Partial<Grounds>): string => conclude([], { ...grounds, ...more }).outcome;
    expect(outcome({})).toBe("nobody");
    expect(outcome({ inCode: 0 })).toBe("only-data");
    expect(outcome({ references: 0, inCode: 0 })).toBe("no-reference");
    expect(outcome({ references: 0, inCode: 0, undecoded: true })).toBe("not-looked-at");
  });

  describe("of a tag that leaks, where nothing leads to a driver", () => {
    const alone = { others: [], filters: [], unseen: [] };
    const leaking: Grounds = { ...grounds, leaks: true, ofWindows: true, surroundings: alone };
    const kind = (more: Partial<Grounds>, suspects: readonly Suspect[] = []): string | undefined =>
      conclude(suspects, { ...leaking, ...more }).culprit?.kind;

    it("names Windows where nobody else is left, the surer the fewer others are loaded", () => {
      expect(conclude([], leaking)).toMatchObject({
        culprit: { kind: "windows", module: null },
        module: null,
        confidence: "medium",
      });
      const others = { ...leaking, surroundings: { ...alone, others: ["contoso"] } };
      expect(conclude([], others).confidence).toBe("low");
    });

    it("names the module of Windows that the evidence tells", () => {
      expect(conclude([suspect("wcifs", 30, { thirdParty: false })], leaking)).toMatchObject({
        culprit: { kind: "windows", module: "wcifs" },
        module: "wcifs",
        confidence: "medium",
      });
    });

    it("does not where another module leads there, hangs in between, or may be one", () => {
      expect(kind({}, [suspect("contoso", 2)])).toBeUndefined();
      expect(kind({}, [suspect("contoso", 2, { thirdParty: null })])).toBeUndefined();
      const filters = [{ module: "litwflt", kinds: ["minifilter"] as const }];
      expect(kind({ surroundings: { ...alone, filters } })).toBeUndefined();
      expect(kind({ ofWindows: false })).toBeUndefined();
      expect(kind({ undecoded: true })).toBeUndefined();
      expect(kind({ leaks: undefined })).toBeUndefined();
      expect(kind({ leaks: false })).toBeUndefined();
      expect(kind({ surroundings: undefined })).toBeUndefined();
    });

    it("says what nobody could look at, and names nobody", () => {
      const unseen = [{ what: "unloaded", name: "ctstor.sys" }] as const;
      expect(conclude([], { ...leaking, surroundings: { ...alone, unseen } })).toMatchObject({
        culprit: { kind: "none-visible", unseen },
        confidence: "none",
      });
      // two that are seen and cannot be told apart are not out of sight
      const tied = [suspect("a", 60), suspect("b", 60)];
      expect(kind({ surroundings: { ...alone, unseen } }, tied)).toBeUndefined();
    });

    it("asks for the handles of an object first", () => {
      const account = {
        what: "objects" as const,
        outstanding: 9000,
        handles: 20,
        objects: 20,
        holders: [],
        complete: true,
      };
      expect(kind({ isObject: true, objects: account })).toBe("windows");
      expect(kind({ isObject: true })).toBe("none-visible");
      expect(kind({ isObject: true, objects: { ...account, complete: false } })).toBe("none-visible");
      // 4,000 of 9,000 are held by handles of many processes
      expect(kind({ isObject: true, objects: { ...account, objects: 4000 } })).toBeUndefined();
    });
  });
});
