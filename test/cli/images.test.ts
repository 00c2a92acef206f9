import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leakX64 } from "../../samples/leak-x64.mjs";
import { blocksOf, writeTriageDump } from "../../samples/writer/triage.mjs";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { leakTruth } from "../fixtures/truth.ts";

/** A triage dump of the 64-bit sample's machine: the list of drivers, the debugger data, and next to no memory. */
const folder = temporaryFolder();
const IMAGES = "samples/images/x64";
const truth = leakTruth();
const { system, header } = leakX64();
const { machine } = system;
const loaded = [...system.images.values()];
const nt = system.images.get("ntoskrnl.exe");
if (nt === undefined || header.kdDebuggerDataBlock === undefined) throw new Error("the sample has no kernel");
const path = folder.file(
  "triage.dmp",
  writeTriageDump(machine, {
    header,
    drivers: loaded.map(({ name, base, size, checksum, timestamp }) => ({
      path: `\\SystemRoot\\System32\\drivers\\${name}`,
      base,
      size,
      checksum,
      timestamp,
    })),
    blocks: blocksOf(machine, [[nt.base + 0x1000n, 0x40]]),
    kdbg: machine.read(header.kdDebuggerDataBlock, 0x380),
  }),
);

describe("a triage dump alone", () => {
  it("has the modules, and next to nothing of them", () => {
    const { modules } = pooltrailJson("modules", path);
    const found = modules.map((row: Record<string, unknown>) => [row.imageName, row.base, row.timestamp]);
    expect(found).toEqual(truth.modules.map((row) => [row.name, row.base, Number(row.timestamp)]));
    const readable = modules.reduce(
      (sum: number, row: { readableBytes: number }) => sum + row.readableBytes,
      0,
    );
    expect(readable).toBe(0x40 + 0x380);
  });

  it("finds only what the dump holds, and says what would help", () => {
    const { references, coverage } = pooltrailJson("scan", path, "Se");
    expect(references.map((row: Record<string, unknown>) => [row.address, row.origin])).toEqual([
      ["0xfffff8047bbf1004", "dump"],
      ["0xfffff8047bbf1014", "dump"],
    ]);
    expect(coverage.every((row: { fromFile: number }) => row.fromFile === 0)).toBe(true);
    expect(pooltrail("scan", path, "Se").stdout).toMatch(/unknown, not absent/);
    expect(pooltrail("trace", path, "Se").stdout).toMatch(/--images/);
  });

  it.each(["headers", "imports", "exports"])("cannot show %s, and says in one line why", (command) => {
    const { stdout, stderr, code } = pooltrail(command, path, "ctstor");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^pooltrail: .*0xfffff80481400000 is not in this triage dump.*--images DIR.*\n$/);
  });
});

describe("the same dump with --images", () => {
  interface Row {
    readonly address: string;
    readonly use: string;
    readonly origin: string;
    readonly function: { readonly entry: string; readonly fragment: unknown } | null;
  }
  const { references, coverage } = pooltrailJson("scan", path, "Se", "--images", IMAGES);

  it("finds every reference that stays in memory; what INIT held is gone, whatever the file says", () => {
    expect(references.map(({ address, use }: Row) => [address, use])).toEqual(
      truth.references.map(({ address, use }) => [address, use]),
    );
  });

  it("lists the code that a file gave, and says that it did", () => {
    const { stdout } = pooltrail("u", path, "fffff804`81401036", "--lines", "1", "--images", IMAGES);
    expect(stdout).toMatch(/^> fffff804`81401036 .*SeQueryInformationToken/m);
    expect(stdout).toMatch(/^note: \d+ bytes came from a PE file, not from the dump$/m);
    expect(pooltrail("u", path, "fffff804`8140103d", "--lines", "1").stdout).toMatch(
      /not readable: 0xfffff8048140103d is not in this triage dump/,
    );
  });

  it("tells what came from a file from what came from the dump", () => {
    const fromDump = references.filter(({ origin }: Row) => origin === "dump");
    expect(fromDump.map(({ address }: Row) => address)).toEqual(["0xfffff8047bbf1004", "0xfffff8047bbf1014"]);
    expect(references.filter(({ origin }: Row) => origin === "file").length).toBe(references.length - 2);
    for (const { module, readable, fromFile } of coverage) {
      expect([module, fromFile]).toEqual([module, module === "nt" ? readable - 0x40 - 0x380 : readable]);
    }
  });

  it("knows the functions' extents", () => {
    const [start, end] = truth.internal.fragments[0] ?? [];
    expect(
      references.filter(({ function: place }: Row) => place?.entry === truth.internal.entry),
    ).toMatchObject(
      truth.references
        .filter((row) => row.function === "SepBuildInformation")
        .map(({ address }) => ({ address, function: { fragment: { start, end } } })),
    );
  });

  it("declares the imports, whose addresses the dump does not have", () => {
    const { imports } = pooltrailJson("imports", path, "ctstor", "--images", IMAGES);
    const importer = truth.importers.find(({ module }) => module === "ctstor.sys");
    expect(imports).toContainEqual(
      expect.objectContaining({
        slot: importer?.slot,
        declared: expect.objectContaining({ name: "SeQueryInformationToken" }),
      }),
    );
  });

  it("relocates what it fills in to where the module stood", () => {
    const { bytes, fromFile } = pooltrailJson("read", path, "fffff8047bc01172", "4", "--images", IMAGES);
    expect([bytes, fromFile]).toEqual(["53 65 20 20", 4]);
    const { exports } = pooltrailJson("exports", path, "nt", "--images", IMAGES);
    expect(exports).toContainEqual(
      expect.objectContaining({ name: "SeQueryInformationToken", address: truth.target }),
    );
  });

  // the names of import slots were looked up in the dump alone: every driver seemed to release nothing
  it("names the driver that releases nothing, and sees that the others do", () => {
    const { suspects, conclusion } = pooltrailJson("trace", path, "Se", "--images", IMAGES);
    const kinds = (module: string): string[] =>
      suspects
        .find((row: { module: string }) => row.module === module)
        .evidence.map((row: { kind: string }) => row.kind);
    expect([suspects[0].module, conclusion.module]).toEqual(["ctstor", "ctstor"]);
    expect(kinds("ctstor")).toEqual(expect.arrayContaining(["calls", "forgotten", "kept"]));
    expect(kinds("nwindav")).toEqual(expect.arrayContaining(["calls", "releases"]));
    expect(kinds("fabusb")).toEqual(["imports"]);
  });
});

describe("a file that is not the one that was loaded", () => {
  /** A copy of the images with one file's header changed. */
  function altered(name: string, change: (file: Buffer, header: number) => void): string {
    const place = join(folder.path, name);
    mkdirSync(place);
    copyFileSync(join(IMAGES, "ntoskrnl.exe"), join(place, "ntoskrnl.exe"));
    const file = readFileSync(join(IMAGES, "ctstor.sys"));
    change(file, file.readUInt32LE(0x3c));
    folder.file(join(name, "ctstor.sys"), file);
    return place;
  }

  it.each([
    [
      "another time stamp",
      "stamp",
      (file: Buffer, at: number) => file.writeUInt32LE(0x5e000000, at + 8),
      /time ?stamp/,
    ],
    ["another size", "size", (file: Buffer, at: number) => file.writeUInt32LE(0xa000, at + 0x50), /size/],
  ] as const)("by %s is not used, and the notes say why", (_, name, change, why) => {
    const place = altered(name, change);
    const { coverage } = pooltrailJson("scan", path, "Se", "--images", place);
    const fromFile = (module: string) =>
      coverage.find((row: { module: string }) => row.module === module).fromFile;
    expect(fromFile("ctstor")).toBe(0);
    expect(fromFile("nt")).toBeGreaterThan(0);
    const { notes } = pooltrailJson("info", path, "--images", place);
    expect(notes).toContainEqual(expect.stringMatching(/ctstor\.sys/));
    expect(notes.find((note: string) => note.includes("ctstor.sys"))).toMatch(why);
  });

  it("is nobody's business where the right one is given too", () => {
    const place = altered("both", (file, at) => file.writeUInt32LE(0x5e000000, at + 8));
    const { notes } = pooltrailJson("info", path, "--images", place, "--images", IMAGES);
    expect(notes.filter((note: string) => note.includes("ctstor.sys"))).toEqual([]);
  });
});
