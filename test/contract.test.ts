import { describe, expect, it } from "vitest";
import { commandNamed } from "../src/cli/commands.ts";
import { pooltrail, pooltrailJson } from "./fixtures/cli.ts";

/**
 * What programs rely on, written down a second time by hand: the fields that version 1 of each document
 * has. More may come, none may go.
 */
const DUMP = "samples/article-2003.dmp";
const X64 = "samples/leak-x64.dmp";

type Json = Record<string, unknown>;

const fields = (text: string): string[] => text.trim().split(/[\s,]+/);

function lacks(value: unknown, wanted: string): string[] {
  const object = value as Json;
  return fields(wanted).filter((field) => !(field in object) || object[field] === undefined);
}

function firstOf(value: unknown): Json {
  const [first] = value as Json[];
  if (first === undefined) throw new Error("an example is needed");
  return first;
}

const ADDRESS = /^0x(?:0|[1-9a-f][0-9a-f]*)$/;

describe("version 1 of the documents", () => {
  const trace = pooltrailJson("trace", X64, "Se");
  const FUNCTION = "module name entry fragment offset basis";

  it("info", () => {
    const info = pooltrailJson("info", DUMP);
    expect(
      lacks(
        info,
        `schemaVersion machine build dumpType writer processors directoryTableBase psLoadedModuleList
        kdDebuggerDataBlock kernelBase systemTime upTime bugcheck contexts pages attributes notes`,
      ),
    ).toEqual([]);
    expect(lacks(info.bugcheck, "code name parameters")).toEqual([]);
    expect(lacks(firstOf(info.contexts), "which registers")).toEqual([]);
    expect(lacks(info.pages, "present missing")).toEqual([]);
    expect(info.schemaVersion).toBe(1);
  });

  it("modules", () => {
    const { modules, unloaded, ...rest } = pooltrailJson("modules", DUMP);
    expect(
      lacks(
        firstOf(modules),
        "name imageName path base end size timestamp checksum publisher thirdParty readableBytes",
      ),
    ).toEqual([]);
    expect(lacks(firstOf(unloaded), "name base end")).toEqual([]);
    expect(rest).toHaveProperty("stopped", null);
  });

  it("memory", () => {
    const { pages, pagedPools } = pooltrailJson("memory", DUMP);
    expect(
      lacks(
        pages,
        `physical available residentAvailable nonPagedUsage nonPagedMax pagedUsage pagedMax pagedCommit
        sharedCommit driverCommit committed commitLimit modified`,
      ),
    ).toEqual([]);
    expect(pagedPools).toHaveLength(5);
  });

  it("tags", () => {
    const document = pooltrailJson("tags", DUMP, "Se");
    expect(lacks(document, "tags totals complete processors")).toEqual([]);
    const row = firstOf(document.tags);
    expect(lacks(row, "tag nonPaged paged description modules")).toEqual([]);
    expect(lacks(row.nonPaged, "allocations frees outstanding bytes")).toEqual([]);
    expect(lacks(row.paged, "allocations frees outstanding bytes")).toEqual([]);
    expect(lacks(document.processors, "read of")).toEqual([]);
  });

  it("scan", () => {
    const { tag, references, coverage } = pooltrailJson("scan", X64, "Se");
    expect(tag).toBe("Se  ");
    expect(lacks(firstOf(references), "address module rva section bytes use function")).toEqual([]);
    const [place] = references.flatMap((row: Json) => row.function ?? []);
    expect(lacks(place, FUNCTION)).toEqual([]);
    expect(lacks(place.fragment, "start end")).toEqual([]);
    expect(lacks(firstOf(coverage), "module readable size")).toEqual([]);
  });

  it("near", () => {
    const { symbols } = pooltrailJson("near", X64, "nt!SeQueryInformationToken+4");
    const row = firstOf(symbols);
    expect(lacks(row, "address module rva below above function")).toEqual([]);
    expect(lacks(row.below, "name address offset")).toEqual([]);
    expect(lacks(row.above, "name address")).toEqual([]);
    expect(lacks(row.function, FUNCTION)).toEqual([]);
  });

  it("pointers", () => {
    const { target, pointers } = pooltrailJson("pointers", DUMP, "8096c8cc");
    expect(target).toBe("0x8096c8cc");
    expect(lacks(firstOf(pointers), "address module rva section slot")).toEqual([]);
  });

  it("imports and exports", () => {
    const { module, imports } = pooltrailJson("imports", DUMP, "ABCMiniFilter");
    expect(module).toBe("ABCMiniFilter");
    const row = firstOf(imports);
    expect(lacks(row, "slot rva target resolved declared")).toEqual([]);
    expect(lacks(row.resolved, "module name offset")).toEqual([]);
    expect(lacks(row.declared, "dll name ordinal")).toEqual([]);
    const { exports, ...rest } = pooltrailJson("exports", DUMP, "nt");
    expect(rest.module).toBe("nt");
    expect(lacks(firstOf(exports), "name ordinal address rva forwarder")).toEqual([]);
  });

  it("trace", () => {
    expect(lacks(trace, "tag usage references apis suspects coverage notes")).toEqual([]);
    expect(lacks(firstOf(trace.apis), "name address depth documented path")).toEqual([]);
    const suspect = firstOf(trace.suspects);
    expect(lacks(suspect, "rank module verdict thirdParty publisher evidence coverage")).toEqual([]);
    expect(lacks(firstOf(suspect.evidence), "kind address detail")).toEqual([]);
    const verdicts = fields("owns-tag calls looks-up-at-run-time imports indirect unknown");
    for (const { verdict } of trace.suspects) expect(verdicts).toContain(verdict);
  });

  it("functions", () => {
    const { module, functions } = pooltrailJson("functions", X64, "ctstor");
    expect(module).toBe("ctstor");
    expect(lacks(firstOf(functions), "entry name basis fragments")).toEqual([]);
    expect(lacks(firstOf(firstOf(functions).fragments), "start end")).toEqual([]);
  });

  it("calls", () => {
    const { callers } = pooltrailJson("calls", X64, "ctstor", "SeQueryInformationToken");
    expect(lacks(firstOf(callers), "address module function form")).toEqual([]);
    const { target, callees } = pooltrailJson("calls", X64, "nt", "SeQueryInformationToken");
    expect(target).toBe("0xfffff8047bc00ec0");
    expect(lacks(firstOf(callees), "address target form")).toEqual([]);
  });

  it("code", () => {
    const document = pooltrailJson("code", X64, "nt!SeQueryInformationToken");
    expect(lacks(document, "address module view pieces notes")).toEqual([]);
    const piece = firstOf(document.pieces);
    expect(lacks(piece, "name function lines")).toEqual([]);
    const line = firstOf(piece.lines);
    expect(lacks(line, "address length kind bytes text refers here note fault")).toEqual([]);
    const [referral] = document.pieces
      .flatMap(({ lines }: Json) => lines as Json[])
      .flatMap((row: Json) => row.refers);
    expect(lacks(referral, "kind address name text")).toEqual([]);
  });

  it("writes addresses as lower-case hex strings, and sizes and counts as numbers", () => {
    const { modules } = pooltrailJson("modules", X64);
    for (const { base, end, size, readableBytes } of modules) {
      expect([base, end].filter((address) => !ADDRESS.test(address))).toEqual([]);
      expect([typeof size, typeof readableBytes]).toEqual(["number", "number"]);
    }
    expect(modules[0].base).toBe("0xfffff8047bbf0000");
  });

  it("writes what is not known as null, and not as 0", () => {
    expect(pooltrailJson("memory", X64).pages).toHaveProperty("available", null);
    expect(pooltrailJson("info", DUMP)).toHaveProperty("attributes", null);
    expect(pooltrailJson("near", DUMP, "1000").symbols[0]).toMatchObject({
      module: null,
      below: null,
      function: null,
    });
  });
});

describe("version 1 of the command line", () => {
  const names = fields(
    "trace info modules memory tags scan near pointers pool headers imports exports functions calls code read repl",
  );

  it.each(names)("has the command %s", (name) => {
    const { stdout, code } = pooltrail(name, "--help");
    expect([code, stdout.split("\n")[0]]).toEqual([0, expect.stringMatching(`^usage: pooltrail ${name} `)]);
  });

  it.each([
    ["lm", "modules"],
    ["vm", "memory"],
    ["poolused", "tags"],
    ["s", "scan"],
    ["ln", "near"],
    ["dh", "headers"],
    ["dps", "imports"],
    ["db", "read"],
    ["u", "code"],
    ["uf", "code"],
    ["ub", "code"],
  ])("knows %s as %s", (alias, name) => {
    expect(commandNamed(alias)?.name).toBe(name);
  });

  it("takes a dump alone as trace", () => {
    expect(pooltrail(X64, "--json").stdout).toBe(pooltrail("trace", X64, "--json").stdout);
  });

  it("takes the options everywhere", () => {
    const { stdout } = pooltrail("--help");
    for (const option of fields("--json --images --pooltags --quiet --no-color"))
      expect(stdout).toContain(option);
  });
});
