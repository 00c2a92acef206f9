import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openDump, type Suspect, type Trail } from "../../src/index.ts";

const sample = (name: string): string => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));

/** What nm, objdump and the linker say of the images in the dump. */
const GOLDEN = JSON.parse(readFileSync(sample("leak-x64.json"), "utf8"));

function suspect(trail: Trail, module: string): Suspect {
  const found = trail.suspects.find((one) => one.module === module);
  if (found === undefined) throw new Error(`${module} is no suspect`);
  return found;
}

function kinds(trail: Trail, module: string): readonly string[] {
  return suspect(trail, module).evidence.map((evidence) => evidence.kind);
}

describe("trace of leak-x64.dmp", () => {
  const dump = openDump(sample("leak-x64.dmp"));
  const trail = dump.trace();

  it("takes the tag that leaks when none is named", () => {
    expect(trail.tag).toBe("Se  ");
    expect(trail.usage?.paged.outstanding).toBe(GOLDEN.usage.paged.outstanding);
  });

  it("joins the internal function to the exported ones that reach it, not to its neighbour", () => {
    const through = trail.apis.filter((api) => api.depth > 0).map(({ name, depth }) => ({ name, depth }));
    // leak-x64.md: SeQueryInformationToken (depth 1), NtQueryInformationToken (depth 2)
    expect(through).toEqual([
      { name: "SeQueryInformationToken", depth: 1 },
      { name: "NtQueryInformationToken", depth: 2 },
    ]);
    // the nearest export below, and one that frees
    const names = trail.apis.map((api) => api.name);
    expect(names).not.toContain("SeUnlockSubjectContext");
    expect(names).not.toContain("SeReleaseSubjectContext");
  });

  it("gives the internal function's true extent", () => {
    const [start, end] = GOLDEN.internal.fragments[0];
    const inside = trail.references.filter(
      (reference) => reference.function?.entry === BigInt(GOLDEN.internal.entry),
    );
    expect(inside.length).toBeGreaterThan(0);
    expect(inside[0]?.function).toMatchObject({
      name: null,
      fragment: { start: BigInt(start), end: BigInt(end) },
    });
  });

  it("says that a function without a name, reached through a table only, was not joined", () => {
    expect(trail.notes.join("\n")).toMatch(/no exported function was found that calls nt\+0x11020/);
  });

  it("names the culprit, with high confidence", () => {
    expect(trail.conclusion).toMatchObject({
      module: GOLDEN.culprit.replace(".sys", ""),
      confidence: "high",
    });
    expect(suspect(trail, "ctstor")).toMatchObject({ rank: 1, verdict: "calls", thirdParty: true });
  });

  it("tells each importer by what its code does", () => {
    expect(kinds(trail, "ctstor")).toEqual(
      expect.arrayContaining(["calls", "forgotten", "kept", "on-stack"]),
    );
    expect(kinds(trail, "nwindav")).toEqual(expect.arrayContaining(["calls", "releases"]));
    expect(suspect(trail, "fabusb")).toMatchObject({ verdict: "imports" });
    expect(suspect(trail, "tailspin")).toMatchObject({ verdict: "looks-up-at-run-time" });
    expect(suspect(trail, "litwflt")).toMatchObject({ verdict: "indirect" });
  });

  it("finds the pointer that the looked-up address is kept in", () => {
    const places = suspect(trail, "tailspin").evidence.flatMap((evidence) => evidence.addresses);
    expect(places).toContain(BigInt(GOLDEN.lookup.pointer));
  });

  it("tells a call that is under way from a value left on a stack", () => {
    const stacks = (module: string): readonly string[] =>
      suspect(trail, module)
        .evidence.filter((evidence) => evidence.kind === "on-stack")
        .map((evidence) => evidence.detail);
    expect(stacks("ctstor").every((detail) => !detail.includes("no longer in use"))).toBe(true);
    expect(stacks("nwindav")).toEqual([expect.stringContaining("no longer in use")]);
  });
});

describe("trace of article-2003.dmp", () => {
  const trail = openDump(sample("article-2003.dmp")).trace("Se");

  it("names the article's driver, with both of its calls", () => {
    expect(trail.conclusion.module).toBe("ABCMiniFilter");
    const calls = suspect(trail, "ABCMiniFilter").evidence.find((evidence) => evidence.kind === "calls");
    expect(calls).toMatchObject({ address: 0xb8f06a0an, detail: expect.stringContaining("b8f08e4c") });
  });

  it("does not follow the nearest export: who imports that alone is no suspect", () => {
    // xyz imports SeTokenIsAdmin only, the nearest export of 8097372b
    expect(trail.suspects.map((one) => one.module)).not.toContain("xyz");
    const cold = trail.references.find((reference) => reference.address === 0x8097372bn);
    expect(cold).toMatchObject({
      nearest: { name: "SeTokenIsAdmin" },
      function: { name: "SeCreateClientSecurityFromSubjectContext" },
    });
  });

  it("ranks third parties before Microsoft's own, where nothing speaks against those", () => {
    const sides = trail.suspects.map((one) => one.thirdParty);
    expect(sides.lastIndexOf(true)).toBeLessThan(sides.indexOf(false));
  });

  it("shows both names where a slot holds another function than the image declares", () => {
    const { imports } = openDump(sample("article-2003.dmp")).imports("asyncmac");
    expect(imports.filter((row) => row.disagree)).toMatchObject([
      { resolved: { module: "ABCD", name: "ABCDNotify" }, declared: { name: "ZwClose" } },
    ]);
  });
});
