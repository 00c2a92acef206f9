import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { article2003 } from "../../samples/article-2003.mjs";
import { leakX64 } from "../../samples/leak-x64.mjs";
import { writeDump } from "../../samples/writer/dump.mjs";
import type { Dump } from "../../src/api/dump.ts";
import { openDump } from "../../src/api/open-dump.ts";
import { answerTo } from "../../src/cli/answers.ts";
import { renderJson } from "../../src/report/json.ts";

/** The memory of a sample, written in other forms than the committed one: the answers may not depend on it. */
const COMMANDS = [
  ["modules"],
  ["memory"],
  ["tags"],
  ["scan", "Se"],
  ["near", "nt!SeQueryInformationToken+8"],
  ["pointers", "nt!SeQueryInformationToken"],
  ["headers", "nt"],
  ["imports", "fltMgr"],
  ["exports", "hal"],
  ["functions", "hal"],
  ["calls", "nt", "SeQueryInformationToken"],
  ["read", "nt", "0x3000"],
  ["trace", "Se"],
  ["trace"],
] as const;

const leak = leakX64();
const article = article2003();

describe.each([
  [
    "samples/leak-x64.dmp",
    leak.system.machine,
    leak.header,
    ["full", "summary", "bitmap-full", "rdmp", "rdmp-full"],
  ],
  ["samples/article-2003.dmp", article.machine, article.header, ["summary", "bitmap-kernel"]],
] as const)("the memory of %s", (path, machine, header, forms) => {
  const expected = new Map<string, unknown>();
  beforeAll(() => {
    using committed = openDump(path);
    for (const [command, ...operands] of COMMANDS) {
      expected.set([command, ...operands].join(" "), documentOf(committed, command, operands));
    }
  });

  describe.each(forms)("as a dump of the form %s", (form) => {
    let dump: Dump;
    beforeAll(() => {
      dump = openDump(writeDump(machine, { type: form, header }));
    });
    afterAll(() => dump[Symbol.dispose]());

    it("is known as that form", () => {
      expect(dump.info()).toMatchObject({ dumpType: form === "rdmp" ? "rdmp-kernel" : form, notes: [] });
    });

    it.each(COMMANDS)("gives the answer of the sample: %s %s", (command, ...given) => {
      const operands = given.filter((word) => word !== undefined);
      const answer = documentOf(dump, command, operands);
      expect(answer).toEqual(expected.get([command, ...operands].join(" ")));
    });
  });
});

/** All but what says which file it is. */
function documentOf(dump: Dump, command: string, operands: readonly string[]): unknown {
  const { input: _, ...rest } = JSON.parse(renderJson(answerTo(dump, command, operands).document));
  return rest;
}
