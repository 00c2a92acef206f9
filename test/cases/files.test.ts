import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildCase, casesMissing, copyCases, makeCase } from "../../bench/case-images.mjs";
import { openDump, openFolder, openImageFile } from "../../src/index.ts";
import { pooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const missing = casesMissing();
const cases = join(temporaryFolder().path, "cases");
if (missing === undefined) copyCases(cases);
const skip = missing !== undefined;

const make = (name: string, script: string, ...args: string[]): string =>
  makeCase({ cases, name, script, args });

describe("cases about reading files", () => {
  it.skipIf(skip)("says that ARM64 code was not looked at, and never that the tag is nowhere", () => {
    const out = make("arm64-tag", "make.py", "out/tg64.sys");
    using folder = openFolder(out);
    const scan = folder.scan("Tg64");
    const trail = folder.trace("Tg64");
    if (scan.references.length === 0) {
      expect(scan.notes.join("\n")).toMatch(/ARM64/i);
      expect(trail.notes.join("\n")).toMatch(/ARM64/i);
    } else expect(scan.references.map(({ use }) => use)).toEqual(["allocate"]);
    expect(trail.conclusion.text).not.toMatch(/^No image holds/);
    expect(pooltrail("scan", out, "Tg64").stdout).not.toMatch(/stands nowhere/);
  });

  it.skipIf(skip)("follows links to files in a folder, or counts them", () => {
    buildCase({ cases, name: "strg", sources: ["nt.s", "strleak.s"] });
    // The script's links lead to ../strg/out.
    makeCase({
      cases,
      name: "strg",
      script: "../lib/build.sh",
      args: ["out", "nt.s", "strleak.s"],
    });
    const out = make("folder-of-links", "make.sh");
    let said: string;
    try {
      using folder = openFolder(out);
      said = `${folder.modules.items.length} modules; ${folder.notes.join("; ")}`;
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(/^2 modules|2 .*links?\b/);
  });

  it.skipIf(skip)("takes texts in .text for texts: three functions, and no verdict", () => {
    using folder = openFolder(make("text-in-code", "make.sh"));
    using file = openImageFile(join(cases, "text-in-code/out/words.sys"));
    const rva = (address: bigint) => Number(address - file.image.base).toString(16);
    expect(file.functions().functions.map(({ entry }) => rva(entry))).toEqual(["1000", "1020", "1050"]);
    const trail = folder.trace("Proc");
    expect(trail.references).toHaveLength(4);
    for (const { use } of trail.references) expect(["data", "text"]).toContain(use);
    expect(trail.conclusion.module).toBeNull();
    expect(trail.conclusion.text).not.toMatch(/stands in the code/);
  });

  it.skipIf(skip)("tells of address tables that overlap", () => {
    make("pe-iat-shared", "make.py", "out/shared.sys");
    using file = openImageFile(join(cases, "pe-iat-shared/out/shared.sys"));
    const { imports, notes } = file.imports();
    const names = imports.filter(({ rva }) => rva === 0x1008).map(({ declared }) => declared?.name);
    if (!names.includes("KfRaiseIrql") || names.length < 2) expect(notes).not.toEqual([]);
    expect(names.at(-1)).toBe("KfRaiseIrql");
  });

  it
    .skipIf(skip)
    .each([
      "below-headers-x86",
      "below-headers-x64",
      "past-image-x86",
      "past-image-x64",
      "ordinary-zero-x86",
    ])("names the imports of %s by its address table, as the loader does", (name) => {
    make("pe-original-first-thunk", "make.py", "out");
    using file = openImageFile(join(cases, `pe-original-first-thunk/out/${name}.sys`));
    expect(file.imports().imports.map(({ declared }) => `${declared?.dll}!${declared?.name}`)).toEqual([
      "ntoskrnl.exe!IoCreateDevice",
      "ntoskrnl.exe!IoDeleteDevice",
    ]);
  });

  it.skipIf(skip)("says that sections overlap, or reads the section's own bytes", () => {
    make("pe-overlapping-sections", "make.py", "out/overlap.sys");
    using file = openImageFile(join(cases, "pe-overlapping-sections/out/overlap.sys"));
    const { imports, notes } = file.imports();
    if (imports.length === 0) {
      expect(notes.join("\n")).toMatch(/overlap/i);
      expect(file.headers().notes.join("\n")).toMatch(/overlap/i);
    } else expect(imports.map(({ declared }) => declared?.name)).toEqual(["IoCreateDevice"]);
  });

  it.skipIf(skip).each(["goblin88-bad-first-name", "r2-12800-dllname-outside"])(
    "does not say of %s that its export table ends early: all are listed",
    (name) => {
      make("pe-threads", "make.py", "out");
      using file = openImageFile(join(cases, `pe-threads/out/${name}.bin`));
      const { exports, notes } = file.exports();
      expect(exports.map(({ rva }) => rva)).toEqual([0x1800, 0x1810, 0x1820]);
      expect(notes.join("\n")).not.toMatch(/ends early/);
    },
  );

  it.skipIf(skip)("gives the physical memory that a triage dump's header tells", () => {
    make("triage-physical-memory", "make.py", "out/k17763.dmp");
    using dump = openDump(join(cases, "triage-physical-memory/out/k17763.dmp"));
    expect(dump.memory().pages.physical).toBe(1_572_567);
  });
});

if (missing !== undefined) console.warn(`cases are skipped: ${missing}`);
