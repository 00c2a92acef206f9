import { describe, expect, it } from "vitest";
import { ask, type Dump, openDump, openFolder, openImageFile } from "../../src/index.ts";
import { pooltrail } from "../fixtures/cli.ts";

const X64 = "samples/leak-x64.dmp";
const X86 = "samples/article-2003.dmp";
const DRIVER = "samples/images/x64/ctstor.sys";

/** What a program gets of each question, and the command that prints it. */
const ANSWERS: readonly (readonly [words: string, of: (dump: Dump) => unknown])[] = [
  ["trace", (dump) => dump.trace("Se")],
  ["info", (dump) => dump.info()],
  ["modules", (dump) => dump.modules],
  ["memory", (dump) => dump.memory()],
  ["tags", (dump) => dump.tags()],
  ["scan Se", (dump) => dump.scan("Se")],
  ["near nt!SeQueryInformationToken+3", (dump) => dump.near("nt!SeQueryInformationToken+3")],
  ["pointers nt!SeQueryInformationToken", (dump) => dump.pointers("nt!SeQueryInformationToken")],
  ["pool nt", (dump) => dump.pool("nt")],
  ["headers ctstor", (dump) => dump.headers("ctstor")],
  ["imports ctstor", (dump) => dump.imports("ctstor")],
  ["exports nt", (dump) => dump.exports("nt")],
  ["functions ctstor", (dump) => dump.functions("ctstor")],
  ["calls ctstor SeQueryInformationToken", (dump) => dump.calls("ctstor", "SeQueryInformationToken")],
  ["code nt!SeQueryInformationToken", (dump) => dump.code("nt!SeQueryInformationToken")],
  ["read nt 0x2000", (dump) => dump.read("nt", 0x2000)],
  ["processes", (dump) => dump.processes()],
  ["handles", (dump) => dump.handles()],
];

describe("JSON.stringify of an answer", () => {
  it.each(ANSWERS)("is what --json prints: %s", (words, of) => {
    using dump = openDump(X64);
    const [command = "", ...operands] = words.split(" ");
    const line = command === "trace" ? [command, X64, "Se"] : [command, X64, ...operands];
    expect(JSON.parse(JSON.stringify(of(dump)))).toEqual(JSON.parse(pooltrail(...line, "--json").stdout));
  });

  it("is what --json prints of growth, of a folder and of a file", () => {
    using dump = openDump(X64);
    using older = openDump(X86);
    using folder = openFolder("samples/images/x64");
    using file = openImageFile(DRIVER);
    for (const [answer, line] of [
      [dump.since(older), ["tags", X64, "--since", X86, "--force"]],
      [folder.trace("Se"), ["trace", "samples/images/x64", "Se"]],
      [folder.modules, ["modules", "samples/images/x64"]],
      [file.headers(), ["headers", DRIVER]],
      [file.imports(), ["imports", DRIVER]],
    ] as const) {
      expect(JSON.parse(JSON.stringify(answer))).toEqual(JSON.parse(pooltrail(...line, "--json").stdout));
    }
  });

  it("is that of the question", () => {
    using dump = openDump(X64);
    const asked = ask(dump, { command: "trace", tags: ["Se"] });
    expect(JSON.stringify(asked)).toBe(JSON.stringify(dump.trace("Se")));
    expect(Object.keys(asked)).not.toContain("toJSON");
  });
});
