import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { FormatError, MemoryError } from "../../src/core/errors.ts";
import { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { buildPe, loadPe, NT_OFFSET, type PeSpec, peSource } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

/** The file with `value` as 32 bits at `offset`. */
function changed(spec: PeSpec, offset: number, value: number): BytesSource {
  const file = buildPe(spec);
  new DataView(file.buffer).setUint32(offset, value, true);
  return new BytesSource(file, "made.sys");
}

const PLAIN: PeSpec = {
  bits: 64,
  sections: [{ name: ".text", rva: 0x1000, data: new Uint8Array(0x300).fill(0xcc), use: "rx" }],
};

describe("the headers of an image", () => {
  // The article's driver, "!dh b8f04000 -f":
  //      14C machine (i386)
  // 51F7D252 time date stamp Tue Jul 30 20:18:50 2013
  //       E0 size of optional header
  //      102 characteristics
  //      10B magic #
  //     9.00 linker version
  //     8800 size of code
  //     1200 size of initialized data
  //     86B2 address of entry point
  // 00010000 image base
  //       80 section alignment
  //       80 file alignment
  //        1 subsystem (Native)
  //     6.01 operating system version
  //     5.01 subsystem version
  //     9E80 size of image
  //      480 size of headers
  //    11E27 checksum
  // 00040000 size of stack reserve
  //     9E80 [    1FD0] address [size] of Security Directory
  //     7880 [     108] address [size] of Import Address Table Directory
  const article: PeSpec = {
    bits: 32,
    timestamp: 0x51f7d252,
    characteristics: 0x102,
    entryPoint: 0x86b2,
    sectionAlignment: 0x80,
    fileAlignment: 0x80,
    headersSize: 0x480,
    imageSize: 0x9e80,
    directories: { 4: [0x9e80, 0x1fd0], 12: [0x7880, 0x108] },
    sections: [{ name: ".text", rva: 0x480, data: new Uint8Array(0x7400).fill(0x90), use: "rx" }],
  };

  it("are those that the article shows for its driver", () => {
    const memory = loadPe(new VirtualMemory(4), article, 0xb8f04000n);
    const image = Image.at(memory.space, va(0xb8f04000n));
    expect(image.headers).toMatchObject({
      machine: "x86",
      machineCode: 0x14c,
      pointerSize: 4,
      timestamp: 0x51f7d252,
      optionalHeaderSize: 0xe0,
      characteristics: 0x102,
      magic: 0x10b,
      linkerVersion: { major: 9, minor: 1 },
      codeSize: 0x8800,
      initializedDataSize: 0x1200,
      uninitializedDataSize: 0,
      entryPoint: 0x86b2,
      preferredBase: 0x10000n,
      sectionAlignment: 0x80,
      fileAlignment: 0x80,
      subsystem: 1,
      osVersion: { major: 6, minor: 1 },
      imageVersion: { major: 6, minor: 2 },
      subsystemVersion: { major: 5, minor: 1 },
      imageSize: 0x9e80,
      headersSize: 0x480,
      checksum: 0x11e27,
      stackReserve: 0x40000n,
      stackCommit: 0x1000n,
      heapReserve: 0x100000n,
      heapCommit: 0x2000n,
    });
    expect(image.directories[12]).toEqual({ name: "import-address-table", rva: 0x7880, size: 0x108 });
    expect(image.certificates).toEqual({ fileOffset: 0x9e80, size: 0x1fd0 });
    expect(image.directory("export")).toBeUndefined();
    expect(image.addressOf(0x7880)).toBe(0xb8f0b880n);
    expect(image.rvaOf(va(0xb8f0de7fn))).toBe(0x9e7f);
    expect(image.rvaOf(va(0xb8f0de80n))).toBeUndefined();
  });

  it("are the same from memory and from the file", () => {
    const memory = loadPe(new VirtualMemory(8), PLAIN, 0xfffff80012340000n);
    const loaded = Image.at(memory.space, va(0xfffff80012340000n));
    const file = Image.fromFile(peSource(PLAIN));
    expect(loaded.headers).toEqual(file.headers);
    expect([loaded.layout, file.layout]).toEqual(["memory", "file"]);
    expect(file.base).toBe(0x1_4000_0000n);
  });

  it("keep a base of 64 bits exact", () => {
    const file = Image.fromFile(peSource({ ...PLAIN, base: 0xfffff801_228ffff8n }));
    expect(file.preferredBase).toBe(0xfffff801_228ffff8n);
    expect(file.read(0x1000, 2)).toEqual(Uint8Array.of(0xcc, 0xcc));
  });

  it("have as many directories as the image says, and at most 16", () => {
    expect(Image.fromFile(peSource({ ...PLAIN, directoryCount: 0 })).directories).toEqual([]);
    expect(Image.fromFile(peSource({ ...PLAIN, directoryCount: 0xffffffff })).directories).toHaveLength(16);
  });

  it.each<[string, BytesSource, Partial<FormatError>]>([
    ["an empty file", new BytesSource(new Uint8Array(0), "made.sys"), { offset: 0, found: "the end at 0x0" }],
    ["no MZ", changed(PLAIN, 0, 0x1f8b0800), { offset: 0, expected: '"MZ"', found: "0x800" }],
    [
      "NT headers past the end",
      changed(PLAIN, 0x3c, 0x10000),
      { offset: 0x10000, found: "the end at 0x700" },
    ],
    ["no PE", changed(PLAIN, NT_OFFSET, 0x454e), { offset: NT_OFFSET, found: "0x454e" }],
    ["a ROM image", changed(PLAIN, NT_OFFSET + 24, 0x107), { offset: NT_OFFSET + 24, found: "0x107" }],
    [
      "an image of 4 GB",
      peSource({ ...PLAIN, imageSize: 0xffffffff }),
      { field: "size of the image", found: "0xffffffff" },
    ],
    [
      "an image of nothing",
      peSource({ ...PLAIN, imageSize: 0 }),
      { field: "size of the image", found: "0x0" },
    ],
    ["a section table past the end", peSource({ ...PLAIN, sectionCount: 1024 }), { field: "section table" }],
  ])("of %s are a FormatError that says where", (_, source, problem) => {
    expect(() => Image.fromFile(source)).toThrow(
      expect.objectContaining({ name: "FormatError", file: "made.sys", ...problem }),
    );
    expect(() => Image.fromFile(source)).toThrow(FormatError);
  });

  it("are not looked for further into an image than a DOS stub is long (MAX_NT_HEADERS_OFFSET)", () => {
    expect(() => Image.fromFile(changed(PLAIN, 0x3c, 0x10_0000))).toThrow(
      "made.sys+0x100000: NT headers should be 26 bytes, found the end at 0x700",
    );
    expect(() => Image.fromFile(changed(PLAIN, 0x3c, 0x10_0001))).toThrow(
      "made.sys+0x3c: offset of the NT headers should be at most 0x100000, found 0x100001",
    );
  });

  it("of more sections than any image has are refused (MAX_SECTIONS)", () => {
    expect(() => Image.fromFile(peSource({ ...PLAIN, sectionCount: 1025 }))).toThrow(
      "made.sys+0x86: number of sections should be at most 1024, found 1025",
    );
  });

  it("say 1 GB for an image's size, and no more (MAX_IMAGE_SIZE)", () => {
    expect(Image.fromFile(peSource({ ...PLAIN, imageSize: 0x4000_0000 })).size).toBe(0x4000_0000);
    expect(() => Image.fromFile(peSource({ ...PLAIN, imageSize: 0x4000_0001 }))).toThrow(
      "size of the image should be 1 to 0x40000000 bytes, found 0x40000001",
    );
  });

  it("in a page that was paged out are a MemoryError, not a broken image", () => {
    const memory = loadPe(new VirtualMemory(8), PLAIN, 0x10000n).pageOut(0x10000n, 1);
    expect(() => Image.at(memory.space, va(0x10000n))).toThrow(MemoryError);
    expect(() => Image.at(memory.space, va(0x10000n))).toThrow(
      expect.objectContaining({ fault: { kind: "paged-out", va: 0x10000n, level: "PTE" } }),
    );
  });

  it("name the image by its label where memory holds something else", () => {
    const memory = new VirtualMemory(8).map(0x10000n, 0x1000);
    expect(() => Image.at(memory.space, va(0x10000n), { label: "leaky.sys" })).toThrow(
      'leaky.sys+0x0: DOS header should be "MZ", found 0x0',
    );
  });
});

describe("the sections of an image", () => {
  const image = Image.fromFile(
    peSource({
      bits: 32,
      sections: [
        { name: ".text", rva: 0x1000, data: new Uint8Array(0x200), use: "rx" },
        { name: ".data", rva: 0x2000, data: new Uint8Array(0x200), virtualSize: 0x1500, use: "rw" },
        { name: "INIT\xffabc", rva: 0x4000, data: new Uint8Array(0x200), virtualSize: 0, use: "rxd" },
      ],
    }),
  );

  it("tell what they are for", () => {
    expect(
      image.sections.map(({ name, readable, writable, executable, discardable }) => ({
        name,
        readable,
        writable,
        executable,
        discardable,
      })),
    ).toEqual([
      { name: ".text", readable: true, writable: false, executable: true, discardable: false },
      { name: ".data", readable: true, writable: true, executable: false, discardable: false },
      { name: "INIT\xffabc", readable: true, writable: false, executable: true, discardable: true },
    ]);
  });

  it("are found by RVA up to their size in memory", () => {
    expect(
      [0xfff, 0x1000, 0x11ff, 0x1200, 0x34ff, 0x3500, 0x41ff].map((rva) => image.sectionAt(rva)?.name),
    ).toEqual([undefined, ".text", ".text", undefined, ".data", undefined, "INIT\xffabc"]);
  });
});
