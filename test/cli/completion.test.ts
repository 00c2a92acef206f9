import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openDump } from "../../src/api/open-dump.ts";
import { completionsOf } from "../../src/cli/completion.ts";
import { startRepl } from "../../src/cli/repl.ts";
import { PLAIN } from "../../src/report/style.ts";

const dump = openDump("samples/article-2003.dmp");
afterAll(() => dump.close());

function completed(line: string): string[] | undefined {
  return completionsOf(dump, line)?.[0].sort();
}

describe("completionsOf", () => {
  it.each([
    // modules, in any case of letters
    ["lm ABC", ["ABCD", "ABCMiniFilter"]],
    ["lm m abcm", ["ABCMiniFilter"]],
    ["dps xv", ["XVhdBusxxx"]],
    ["!dh lmn", ["LmnAudit"]],
    ['dh("lmn', ["LmnAudit"]],
    ['dump.module("lmn', ["LmnAudit"]],
    // what they export
    ["ln nt!SeQ", ["nt!SeQueryInformationToken", "nt!SeQuerySessionIdToken"]],
    ["ln nt!SeQueryInformationToken-nt!SeTokenIsA", ["nt!SeTokenIsAdmin"]],
    ["db poi(nt!SeTokenIsA", ["nt!SeTokenIsAdmin"]],
    ['u("nt!SeTokenIsA', ["nt!SeTokenIsAdmin"]],
    ["ln SeTokenIsA", ["SeTokenIsAdmin"]],
    ["? SeTokenIsA", ["SeTokenIsAdmin"]],
    ["lm SeTokenIsA", []],
    // tags in use
    ["s Ntf", ["Ntff"]],
    ["!poolused MmS", ["MmSt"]],
    ['trace("MmSt', ["MmSt"]],
    ["handles w3", ["w3wp.exe"]],
    ["!poolu", ["!poolused"]],
  ])("%s", (line, candidates) => {
    const found = completed(line);
    for (const one of candidates) expect(found).toContain(one);
    if (candidates.length === 0) expect(found).toEqual([]);
    const last = /[^\s"(-]*$/.exec(line)?.[0].toLowerCase() ?? "";
    for (const one of found ?? []) expect(one.toLowerCase().startsWith(last)).toBe(true);
  });

  it.each(["dump.ta", "1 + nt", "const x = n", "foo bar"])("leaves %s to Node", (line) => {
    expect(completed(line)).toBeUndefined();
  });
});

describe("the REPL in a terminal", () => {
  it("completes what is typed, and answers it", async () => {
    const input = new PassThrough();
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
    let shown = "";
    output.on("data", (chunk: Buffer) => {
      shown += chunk.toString("utf8");
    });
    const left = startRepl(dump, { style: PLAIN, input, output, historyFile: undefined });
    // a tab within a piece is text that was pasted
    for (const piece of ["? nt!SeQueryInf", "\t", "\n", ".exit\n"]) {
      input.write(piece);
      await setImmediate();
    }
    await left;
    expect(shown).toContain("? nt!SeQueryInformationToken");
    expect(shown).toContain("0x8096c8cc");
  });
});
