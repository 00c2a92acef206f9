import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";
const X64 = "samples/leak-x64.dmp";
/** The last thread's of System that stands in the filter, where samples/article-2003.mjs puts it. */
const STACK = "ba31fd74";

type Row = { slot: string; target: string | null; resolved: { module: string; name: string | null } | null };

/** `slot value module!name` of each row. */
function rows(...operands: string[]): string[] {
  const { imports } = pooltrailJson("dps", ...operands);
  return imports.map(({ slot, target, resolved }: Row) => {
    const name = resolved === null ? "" : ` ${resolved.module}!${resolved.name}`;
    return `${slot.slice(2)} ${target?.slice(2) ?? "-"}${name}`;
  });
}

describe("read takes its length as WinDbg does", () => {
  it.each([
    [["b94b5938", "20"], 0x20],
    [["b94b5938", "L20"], 0x20],
    [["b94b5938", "l?20"], 0x20],
    [["b94b5938", "0n20"], 20],
    [["b94b5938", "0x20"], 0x20],
    [["b94b5938", "L 0n10+6"], 16],
    [["b94b5938"], 0x80],
    // the address of the last byte
    [["b94b5938", "b94b5938+f"], 0x10],
    [["b94b5938", "b94b5938"], 1],
    [["b94b5938", "L100000"], 0x100000],
  ])("%j", (operands, length) => {
    expect(pooltrailJson("db", DUMP, ...operands).length).toBe(length);
  });

  it.each([["L0"], ["L100001"], ["b94b5937"], ["b94b5938+100000"], ["L"], ["L-4"], ["twenty"]])(
    "and refuses %s",
    (length) => {
      const { code, stdout, stderr } = pooltrail("db", DUMP, "b94b5938", length);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^pooltrail: .*\nTry: pooltrail read --help\n$/);
    },
  );
});

describe("imports shows memory as pointers where a range is given", () => {
  // the article's own command: 0: kd> dps b8f04000+7880 b8f04000+7880+108
  it.each([[["b8f04000+7880", "b8f04000+7880+108"]], [["b8f04000+7880", "L43"]]])(
    "as the article's dps: %j",
    (range) => {
      const found = rows(DUMP, ...range);
      expect(found).toHaveLength(0x108 / 4 + 1);
      expect(found.slice(0, 3)).toEqual([
        "b8f0b880 f7873892 fltMgr!FltGetStreamHandleContext",
        "b8f0b884 f7873988 fltMgr!FltAllocateContext",
        "b8f0b888 f787459c fltMgr!FltSetStreamHandleContext",
      ]);
      expect(found).toContain("b8f0b938 8096c8cc nt!SeQueryInformationToken");
      expect(found).toContain("b8f0b93c 8096000a nt!RtlValidSid");
    },
  );

  it("says of the slots among them what imports says of them", () => {
    const whole = pooltrailJson("imports", DUMP, "ABCMiniFilter").imports;
    const two = pooltrailJson("imports", DUMP, "b8f0b938", "L2");
    const own = whole.filter(({ slot }: Row) => ["0xb8f0b938", "0xb8f0b93c"].includes(slot));
    expect(two).toMatchObject({ module: null, notes: [], imports: own });
    expect(own).toHaveLength(2);
  });

  // the words that samples/article-2003.mjs writes there
  it("of a stack, also without a length", () => {
    const found = rows(DUMP, STACK);
    expect(found).toHaveLength(16);
    expect(found.slice(1, 10)).toEqual([
      "ba31fd78 8096c91c nt!SeQueryInformationToken",
      "ba31fd7c 1",
      "ba31fd80 28",
      "ba31fd84 20206553",
      "ba31fd88 0",
      "ba31fd8c 0",
      "ba31fd90 ba31fda0",
      "ba31fd94 b8f06a10 ABCMiniFilter!null",
      "ba31fd98 e1405028",
    ]);
    expect(pooltrail("dps", DUMP, STACK, "L9").stdout).toMatch(
      /^ba31fd78 {6}8096c91c {7}nt!SeQueryInformationToken\+0x50\nba31fd7c {6}00000001\n/m,
    );
    expect(pooltrail("dps", DUMP, STACK, "L9").stdout).toMatch(
      /^ba31fd94 {6}b8f06a10 {7}ABCMiniFilter\+0x2a10\n\n9 pointers from ba31fd74\n$/m,
    );
  });

  it("of a 64-bit machine, eight bytes each", () => {
    const head = BigInt(pooltrailJson("near", X64, "nt!PsLoadedModuleList").symbols[0].address);
    const [first, last] = rows(X64, "nt!PsLoadedModuleList", "L2").map((row) => row.split(" "));
    expect([first?.[0], last?.[0]]).toEqual([head.toString(16), (head + 8n).toString(16)]);
    // the first entry's links: back to the head
    expect(rows(X64, `${first?.[1]}+8`, "L1")[0]?.split(" ")[1]).toBe(head.toString(16));
  });

  it("says what cannot be read", () => {
    const { imports, notes } = pooltrailJson("dps", DUMP, "win32k-8", "L4");
    expect(imports.map(({ target }: Row) => target)).toEqual([null, null, null, null]);
    expect(notes).toEqual([expect.stringMatching(/^16 bytes from bf7ffff8: 0xbf7ffff8 is not mapped/)]);
    expect(pooltrail("dps", DUMP, "win32k", "L2").stdout).toContain("note: 8 bytes from bf800000: ");
  });

  it("up to 65,536 of them", () => {
    expect(pooltrail("dps", DUMP, "1000", "L10001")).toMatchObject({ code: 2, stdout: "" });
    expect(pooltrailJson("dps", DUMP, "1000", "L10000").imports).toHaveLength(0x10000);
  });
});
