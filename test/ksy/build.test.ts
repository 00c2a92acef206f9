import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bytes } from "../../src/core/bytes.ts";
import { type Layout, parseWith, readStruct, toBigInt, type U64Halves } from "../../src/core/kaitai.ts";

const build = fileURLToPath(new URL("../../ksy/build.mjs", import.meta.url));
const layouts = fileURLToPath(new URL("../fixtures/layouts", import.meta.url));
/** Inside node_modules, so that the modules find the runtime. */
const cache = fileURLToPath(new URL("../../node_modules/.cache/pooltrail", import.meta.url));

interface Probe {
  readonly entries: readonly { readonly name: string; readonly flags: number | undefined }[];
  readonly base: U64Halves;
  readonly body: U64Halves | number | undefined;
  readonly isWide: boolean;
  readonly title: string;
  readonly trailer: number;
}

// MZ, kind 2, two entries of 8 bytes, the base 0xfffff801228ffff8
const header = "4d5a 0200 02000000 f8ff8f22 01f8ffff".replaceAll(" ", "");
const entries = "6e740000 11000000 68616c00 22000000".replaceAll(" ", "");
const whole = Buffer.from(`${header}${entries}0100000002000000`, "hex");

describe("ksy/build.mjs", () => {
  let target = "";
  let Probe: Layout<Probe, [number]>;
  const read = (hex: string, entrySize = 8): Probe =>
    readStruct(
      Probe,
      new Bytes(new Uint8Array(Buffer.from(hex, "hex")), "a.dmp", 0x1000),
      "probe",
      entrySize,
    );

  beforeAll(async () => {
    mkdirSync(cache, { recursive: true });
    target = mkdtempSync(join(cache, "layouts-"));
    execFileSync(process.execPath, [build, layouts, target]);
    ({ Probe } = await import(pathToFileURL(join(target, "probe.js")).href));
  });
  afterAll(() => rmSync(target, { recursive: true, force: true }));

  it("reads parameters, enums, sized parts, other layouts and cases", () => {
    const probe = parseWith(Probe, whole, 8);
    expect(probe.entries.map(({ name, flags }) => [name, flags])).toEqual([
      ["nt", 0x11],
      ["hal", 0x22],
    ]);
    expect(toBigInt(probe.base)).toBe(0xfffff801228ffff8n);
    expect(probe.body).toMatchObject({ low: 1, high: 2 });
    expect([probe.isWide, probe.title]).toEqual([true, "wide"]);
  });

  it("says which bytes should stand where the layout fixes them", () => {
    expect(() => read(`5a4d${header.slice(4)}`)).toThrow(
      expect.objectContaining({ name: "FormatError", offset: 0x1000, expected: "4d5a", found: "5a4d" }),
    );
  });

  it("says which values the layout allows", () => {
    expect(() => read(`4d5a020005000000${header.slice(16)}`)).toThrow(
      expect.objectContaining({ name: "FormatError", expected: "4 or less", found: "5" }),
    );
  });

  it("knows where a sized part of the file ends", () => {
    // entries of 6 bytes, which have no room for their flags: the second field of the first entry
    expect(() => read(header + entries, 6)).toThrow(
      expect.objectContaining({ name: "FormatError", offset: 0x1014, found: "the end at 0x1016" }),
    );
  });

  it("gives a FormatError for a lazy field past the end, when it is read", () => {
    const probe = read(whole.toString("hex"));
    expect(() => probe.trailer).toThrow(expect.objectContaining({ name: "FormatError", file: "a.dmp" }));
  });

  it("declares what it compiled", () => {
    expect(
      readFileSync(join(target, "probe.d.ts"), "utf8"),
    ).toBe(`import type { KaitaiStream } from "../core/kaitai.ts";
import type { U64 } from "./u64.js";

/** One of everything that the layouts use. */
export declare class Probe {
  constructor(stream: KaitaiStream, parent: unknown, root: unknown, entrySize: number);
  static readonly Kinds: { readonly SMALL: 1; readonly WIDE: 2; readonly [value: number]: string };
  readonly entrySize: number;
  readonly signature: Uint8Array;
  readonly kind: number;
  readonly entryCount: number;
  readonly base: U64;
  readonly entries: readonly (Probe.Entry)[];
  readonly body: number | U64 | undefined;
  readonly isWide: boolean;
  readonly title: string;
  readonly trailer: number;
}
export declare namespace Probe {
  class Entry {
    constructor(stream: KaitaiStream, parent: unknown, root: unknown, kind: number);
    readonly kind: number;
    readonly name: string;
    /** Only in wide entries. */
    readonly flags: number | undefined;
  }
}
`);
  });

  it("refuses a 64-bit field that would be a double", () => {
    const folder = join(target, "inexact");
    mkdirSync(folder);
    writeFileSync(join(folder, "x.ksy"), "meta: { id: x, endian: le }\nseq: [{ id: big, type: u8 }]\n");
    expect(() =>
      execFileSync(process.execPath, [build, folder, join(target, "out")], { stdio: "pipe" }),
    ).toThrow(/x\/big: u8 is not exact in JavaScript; use the type u64/);
  });
});
