import { readFileSync } from "node:fs";
import Long from "long";
import { describe, expect, it } from "vitest";
import {
  type ByteSource,
  BytesSource,
  describeFault,
  FileError,
  FormatError,
  hex,
  MemoryError,
  openDump,
  openImageFile,
  toVa,
} from "../../src/index.ts";

const PATH = "samples/article-2003.dmp";
const bytes = new Uint8Array(readFileSync(PATH));

/** A source that says what was read of it, and whether it was closed. */
class CountingSource implements ByteSource {
  readonly name = "counted.dmp";
  readonly size = bytes.length;
  bytesRead = 0;
  closed = 0;

  read(offset: number, into: Uint8Array): number {
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    this.bytesRead += part.length;
    return part.length;
  }

  [Symbol.dispose](): void {
    this.closed += 1;
  }
}

describe("openDump", () => {
  it("takes a path, bytes, or a source", () => {
    using byPath = openDump(PATH);
    using byBytes = openDump(bytes);
    using bySource = openDump(new BytesSource(bytes, "article-2003.dmp"));
    for (const dump of [byPath, byBytes, bySource]) {
      expect(dump.modules.kernel?.base).toBe(0x80800000n);
      expect(dump.scan("Se").references).toHaveLength(19);
    }
    expect([byPath.file, bySource.file]).toEqual(["article-2003.dmp", "article-2003.dmp"]);
  });

  it("closes what it was given when `using` ends", () => {
    const source = new CountingSource();
    {
      using dump = openDump(source);
      expect([dump.modules.items.length, source.closed]).toEqual([35, 0]);
    }
    expect(source.closed).toBe(1);
  });

  it("does not read what is not asked for", () => {
    const source = new CountingSource();
    using dump = openDump(source);
    const opening = source.bytesRead;
    expect(opening).toBeLessThan(bytes.length / 4);
    dump.near("8096c909");
    expect(source.bytesRead).toBeLessThan(bytes.length / 2);
  });

  it("throws what tells a broken file from a missing one", () => {
    expect(() => openDump("nowhere.dmp")).toThrow(FileError);
    expect(() => openDump(new TextEncoder().encode("MDMP and more"))).toThrow(
      expect.objectContaining({
        name: "FormatError",
        offset: 0,
        field: "the signature",
        found: expect.stringContaining("user-mode minidump"),
      }),
    );
    expect(() => openDump(bytes.subarray(0, 0x800))).toThrow(FormatError);
  });
});

describe("a Dump", () => {
  using dump = openDump(bytes);

  it("gives addresses as bigint", () => {
    const trail = dump.trace("Se");
    expect(typeof dump.modules.items[0]?.base).toBe("bigint");
    expect(typeof trail.references[0]?.address).toBe("bigint");
    expect(typeof trail.apis[0]?.address).toBe("bigint");
    expect(trail.references.map(({ address }) => hex(address))).toContain("0x8096c909");
  });

  it.each([
    ["a bigint", 0x8096c909n],
    ["a number", 0x8096c909],
    ["WinDbg's hex", "8096c909"],
    ["hex with 0x", "0x8096C909"],
    ["hex with its sign extended", "ffffffff`8096c909"],
    ["a Long", Long.fromString("8096c909", true, 16)],
    ["a Long with its sign extended", Long.fromInt(0x8096c909 | 0)],
    ["a name", "nt!SeQueryInformationToken+3d"],
    ["a module and an offset", "nt+16c909"],
  ])("takes an address as %s", (_, address) => {
    expect(dump.address(address)).toBe(0x8096c909n);
    expect(dump.near(address).below).toEqual({
      name: "SeQueryInformationToken",
      address: 0x8096c8ccn,
      offset: 0x3d,
    });
  });

  it.each(["zz", "", "nt!NoSuch", "0x"])("refuses %j as an address", (text) => {
    expect(() => dump.address(text)).toThrow(TypeError);
  });

  it.each([1.5, -1, Number.NaN, 2 ** 60])("refuses %d as an address", (value) => {
    expect(() => dump.address(value)).toThrow(/TypeError|RangeError|address/);
  });

  it("sorts usage by tag", () => {
    expect(dump.tags().byPagedBytes()[0]).toMatchObject({ tag: "Se  ", paged: { bytes: 232_720_312 } });
    expect(dump.tags().byTag().length).toBe(dump.tags().items.length);
  });

  it("reads memory, and says of each hole why it is one", () => {
    expect(Buffer.from(dump.space.read(toVa("8096c909"), 4)).toString("latin1")).toBe("Se  ");
    const { bytes: read, holes } = dump.read("nt!SeQueryInformationToken", 4);
    expect([read.length, holes.length]).toEqual([4, 0]);
    let fault: MemoryError | undefined;
    try {
      dump.space.read(toVa("1000"), 4);
    } catch (error) {
      if (error instanceof MemoryError) fault = error;
    }
    expect(fault).toMatchObject({ bytesRead: 0, fault: { kind: "not-mapped", va: 0x1000n } });
    expect(fault && describeFault(fault.fault)).toMatch(/^0x1000 is not mapped/);
    expect(dump.space.tryRead(toVa("1000"), 4)).toBeUndefined();
  });

  it("tells how far a search of all modules is", () => {
    const told: [string, number, number][] = [];
    dump.scan("Se", { onProgress: (module, done, of) => told.push([module, done, of]) });
    expect(told.map(([, done]) => done)).toEqual(told.map((_, i) => i));
    expect(told.at(-1)).toEqual(["asyncmac", 34, 35]);
  });

  it.each([
    ["scan", (signal: AbortSignal) => dump.scan("Se", { signal })],
    ["pointers", (signal: AbortSignal) => dump.pointers("8096c8cc", { signal })],
    ["trace", (signal: AbortSignal) => dump.trace("Se", { signal })],
  ])("ends %s between modules when it is told to", (_, ask) => {
    expect(() => ask(AbortSignal.abort(new Error("enough")))).toThrow("enough");
  });

  it("can be ended half way", () => {
    const control = new AbortController();
    let searched = 0;
    expect(() =>
      dump.scan("Se", {
        signal: control.signal,
        onProgress: () => {
          searched += 1;
          if (searched === 3) control.abort(new Error("three are enough"));
        },
      }),
    ).toThrow("three are enough");
    expect(searched).toBe(3);
  });
});

describe("openImageFile", () => {
  it("answers from one PE file", () => {
    using file = openImageFile("samples/images/x64/ctstor.sys");
    expect(file.imports().imports.map(({ declared }) => declared?.name)).toContain("SeQueryInformationToken");
    expect(() => openImageFile(PATH)).toThrow(FormatError);
  });
});

describe("info", () => {
  it("says where the dump says what it says of the machine", () => {
    using dump = openDump(PATH);
    expect(dump.info().sources).toMatchObject({ machine: "header", roots: "header", moduleList: "header" });
    expect(dump.info().sources.drivers).toBeUndefined();
  });
});
