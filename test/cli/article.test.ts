import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";

/**
 * The article's case, command by command. What is expected is what the article prints, not what pooltrail
 * printed before.
 */
const DUMP = "samples/article-2003.dmp";

describe("scan, the article's step 2", () => {
  // 0: kd> !for_each_module s -a @#Base @#End "Se  "
  const TRANSCRIPT = `
8096a1ae 53 65 20 20 6a 0c 6a 01-e8 bd a9 f2 ff 3b c7 89
8096a5e3 53 65 20 20 6a 0c 6a 01-e8 88 a5 f2 ff 3b c7 89
8096af9e 53 65 20 20 50 6a 01 89-45 fc e8 cb 9b f2 ff 8b
8096c909 53 65 20 20 8d 1c 9d 10-00 00 00 53 6a 01 e8 5c
8096c9e3 53 65 20 20 53 6a 01 e8-89 81 f2 ff 8b f8 85 ff
8096ca3e 53 65 20 20 8d 04 85 10-00 00 00 50 6a 01 e8 27
8096caf2 53 65 20 20 8d 1c 9d 0c-00 00 00 53 6a 01 e8 73
8096cb3e 53 65 20 20 8d 1c 9d 0c-00 00 00 53 6a 01 e8 27
8096cb9d 53 65 20 20 56 6a 01 e8-cf 7f f2 ff 8b f0 3b f7
8096cc44 53 65 20 20 6a 10 6a 01-e8 27 7f f2 ff 85 c0 0f
8096cc65 53 65 20 20 6a 04 6a 01-e8 06 7f f2 ff 85 c0 0f
8096cc96 53 65 20 20 6a 04 6a 01-e8 d5 7e f2 ff 85 c0 0f
8096ccbe 53 65 20 20 6a 38 6a 01-e8 ad 7e f2 ff 8b f8 85
809718ac 53 65 20 20 74 42 8b 46-68 3b c3 74 0f 53 50 e8
80971b48 53 65 20 20 74 42 8b 46-68 3b c3 74 0f 53 50 e8
8097372b 53 65 20 20 6a 0c 6a 01-e8 40 14 f2 ff 85 c0 75
80976c38 53 65 20 20 6a 0c 6a 01-e8 33 df f1 ff 3b c6 89
80a20d1b 53 65 20 20 bf 00 01 00-00 57 56 e8 4d 3e e7 ff
80a22698 53 65 20 20 c7 45 80 4f-62 43 6c c7 45 84 43 63`;

  it("finds the nineteen occurrences with the article's bytes", () => {
    const { references } = pooltrailJson("scan", DUMP, "Se");
    const found = references.map((row: { address: string; bytes: string }) => `${row.address} ${row.bytes}`);
    expect(found).toEqual(
      TRANSCRIPT.trim()
        .split("\n")
        .map((line) => `0x${line.replace("-", " ")}`),
    );
  });

  it("finds them by WinDbg's name too, in text", () => {
    const { stdout, code } = pooltrail("s", DUMP, "Se  ");
    expect(code).toBe(0);
    expect(stdout).toContain("19 references to `Se  `");
    expect(stdout).toMatch(/^8096c909 {2}53 65 20 20 8d 1c 9d 10/m);
  });
});

describe("near, the article's step 3", () => {
  // 0: kd> ln 8096c909
  // (8096c8cc) nt!SeQueryInformationToken+0x3d | (8096cdc0) nt!SeCaptureObjectTypeList
  it.each(["8096c909", "0x8096c909", "nt!SeQueryInformationToken+0x3d", "ffffffff8096c909"])(
    "answers ln %s",
    (address) => {
      const { symbols } = pooltrailJson("near", DUMP, address);
      expect(symbols).toMatchObject([
        {
          address: "0x8096c909",
          module: "nt",
          below: { name: "SeQueryInformationToken", address: "0x8096c8cc", offset: 0x3d },
          above: { name: "SeCaptureObjectTypeList", address: "0x8096cdc0" },
        },
      ]);
    },
  );

  it("prints it as ln does", () => {
    expect(pooltrail("ln", DUMP, "8096c909").stdout).toMatch(
      /^\(8096c8cc\)\s+nt!SeQueryInformationToken\+0x3d\s+\|\s+\(8096cdc0\)\s+nt!SeCaptureObjectTypeList/,
    );
  });
});

describe("pointers, the article's step 4, method 1", () => {
  // 0: kd> !for_each_module s-d @#Base @#End 8096c8cc
  const NINE = "b94b5938 ba7d50f4 ba83624c bab8103c f74e2950 f74f0b68 f75cf094 f797c110 f7b643c4".split(" ");

  it("finds the article's nine, and the tenth in ABCMiniFilter", () => {
    const { pointers } = pooltrailJson("pointers", DUMP, "8096c8cc");
    const found = pointers.map((row: { address: string }) => row.address).sort();
    expect(found).toEqual([...NINE, "b8f0b938"].sort().map((address) => `0x${address}`));
    expect(pointers.every((row: { slot: string | null }) => row.slot === "iat")).toBe(true);
  });
});

describe("headers and imports, method 2", () => {
  it("shows what !dh b8f04000 -f shows", () => {
    const { header, directories } = pooltrailJson("headers", DUMP, "ABCMiniFilter");
    expect(header).toMatchObject({
      machine: 0x14c,
      numberOfSections: 7,
      timestamp: 0x51f7d252,
      sizeOfOptionalHeader: 0xe0,
      characteristics: 0x102,
      magic: 0x10b,
      majorLinkerVersion: 9,
      minorLinkerVersion: 0,
      sizeOfCode: 0x8800,
      sizeOfInitializedData: 0x1200,
      addressOfEntryPoint: 0x86b2,
      baseOfCode: 0x480,
      sectionAlignment: 0x80,
      fileAlignment: 0x80,
      sizeOfImage: 0x9e80,
      sizeOfHeaders: 0x480,
      checksum: 0x11e27,
    });
    const rows = directories
      .filter((row: { size: number }) => row.size > 0)
      .map((row: { name: string; rva: number; size: number }) => [row.name, row.rva, row.size]);
    expect(rows).toEqual([
      ["import", 0x8a28, 0x50],
      ["resource", 0x9180, 0x498],
      ["security", 0x9e80, 0x1fd0],
      ["base-relocation", 0x9680, 0x6c0],
      ["debug", 0x7990, 0x1c],
      ["load-configuration", 0x7a68, 0x40],
      ["import-address-table", 0x7880, 0x108],
    ]);
  });

  it("names the slots that dps b8f04000+7880 shows, by their addresses", () => {
    const { imports } = pooltrailJson("imports", DUMP, "b8f04000");
    const named = new Map(
      imports.map((row: { slot: string; target: string; resolved: { module: string; name: string } }) => [
        row.slot,
        `${row.target} ${row.resolved.module}!${row.resolved.name}`,
      ]),
    );
    expect(named.get("0xb8f0b880")).toBe("0xf7873892 fltMgr!FltGetStreamHandleContext");
    expect(named.get("0xb8f0b884")).toBe("0xf7873988 fltMgr!FltAllocateContext");
    expect(named.get("0xb8f0b888")).toBe("0xf787459c fltMgr!FltSetStreamHandleContext");
    expect(named.get("0xb8f0b938")).toBe("0x8096c8cc nt!SeQueryInformationToken");
    expect(named.get("0xb8f0b93c")).toBe("0x8096000a nt!RtlValidSid");
  });
});

describe("the names that modules declare", () => {
  interface Row {
    readonly resolved: { readonly name: string | null } | null;
    readonly declared: {
      readonly dll: string;
      readonly name: string | null;
      readonly ordinal: number | null;
    };
    readonly disagree: boolean;
  }
  // The loader made addresses of the look-up entries, those of the last two, boot drivers, before it moved them.
  it.each([
    ["ABCMiniFilter", 63],
    ["KSecDD", 62],
    ["Dfs", 65],
  ])("are all read in %s, and none is an ordinal", (module, count) => {
    const rows: readonly Row[] = pooltrailJson("imports", DUMP, module).imports;
    expect(rows).toHaveLength(count);
    for (const { resolved, declared, disagree } of rows) {
      expect(declared).toMatchObject({ name: expect.stringMatching(/^\w{4,}$/), ordinal: null });
      expect([disagree, resolved?.name != null]).toEqual([false, true]);
    }
  });
});

describe("modules", () => {
  // 0: kd> lm
  it.each([
    ["nt", "80800000", "80a5d000"],
    ["hal", "80a5d000", "80a89000"],
    ["asyncmac", "b476c000", "b4775000"],
    ["ABCD", "b7f55000", "b7fb6000"],
    ["eeCtrl", "b817b000", "b81da000"],
    ["xyz", "b82b6000", "b82b9300"],
    ["Fastfat", "b87a2000", "b87cc000"],
    ["ABCMiniFilter", "b8f04000", "b8f0de80"],
  ])("has %s where lm has it", (name, base, end) => {
    const { modules } = pooltrailJson("lm", DUMP);
    expect(modules).toContainEqual(expect.objectContaining({ name, base: `0x${base}`, end: `0x${end}` }));
  });
});

describe("read", () => {
  it("shows the bytes of the article's slot row", () => {
    const { stdout } = pooltrail("db", DUMP, "b94b5938", "10");
    expect(stdout).toMatch(/^b94b5938 {2}cc c8 96 80 0a 00 96 80-82 01 96 80 78 4b 89 80 {2}/);
  });
});
