import { describe, expect, it, vi } from "vitest";
import { va } from "../../src/core/address.ts";
import { Bytes } from "../../src/core/bytes.ts";
import { Image } from "../../src/pe/image.ts";
import { headersDocument } from "../../src/report/headers-document.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { loadPe, type PeSpec, peSource } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const TEXT = { name: ".text", rva: 0x1000, data: new Uint8Array(0x10), use: "rx" };

/** What `dh` says of an image. */
function notesOf(spec: PeSpec): readonly string[] {
  return headersDocument("made.sys", Image.fromFile(peSource(spec))).notes;
}

describe("the PDB record", () => {
  const RSDS = patch(new Uint8Array(0x40), {
    0: "RSDS",
    4: 0x05d63d3a,
    8: 0x4ceca4ca,
    12: Uint8Array.of(0xb4, 0x4d, 0x29, 0xb9, 0x1d, 0xee, 0x4d, 0xfc),
    20: 10,
    24: "leaky.pdb",
  });

  function spec(rva: number, record: Uint8Array, kind = 2): PeSpec {
    const debug = patch(new Uint8Array(0x80 + record.length), {
      12: 13,
      40: kind,
      44: record.length,
      48: rva,
      52: 0x800 + 0x80,
      0x80: record,
    });
    return {
      bits: 64,
      directories: { 6: [0x2000, 56] },
      sections: [TEXT, { name: ".rdata", rva: 0x2000, data: debug, fileOffset: 0x800 }],
    };
  }

  it("of a new linker has a GUID, an age, and the key of a symbol server", () => {
    expect(Image.fromFile(peSource(spec(0x2080, RSDS))).pdb).toEqual({
      state: "present",
      value: {
        form: "RSDS",
        signature: "05d63d3a-a4ca-4cec-b44d-29b91dee4dfc",
        age: 10,
        path: "leaky.pdb",
        key: "05D63D3AA4CA4CECB44D29B91DEE4DFCA",
      },
    });
  });

  it("of an old linker has a time stamp", () => {
    const nb10 = patch(new Uint8Array(0x30), { 0: "NB10", 8: 0x3b7d8475, 12: 2, 16: "ntoskrnl.pdb" });
    expect(Image.fromFile(peSource(spec(0x2080, nb10))).pdb).toMatchObject({
      value: { form: "NB10", signature: "3b7d8475", age: 2, path: "ntoskrnl.pdb", key: "3B7D84752" },
    });
  });

  it("that is not mapped is read from the file, and in memory is unreadable, not absent", () => {
    expect(Image.fromFile(peSource(spec(0, RSDS))).pdb).toMatchObject({
      state: "present",
      value: { age: 10 },
    });
    const memory = loadPe(new VirtualMemory(8), spec(0, RSDS), 0x10000n);
    expect(Image.at(memory.space, va(0x10000n)).pdb).toMatchObject({
      state: "unreadable",
      reason: { field: "address of the CodeView record" },
    });
  });

  it("in a hole is unreadable with the fault", () => {
    const memory = loadPe(new VirtualMemory(8), spec(0x2080, RSDS), 0x10000n).pageOut(0x12000n, 1);
    expect(Image.at(memory.space, va(0x10000n)).pdb).toEqual({
      state: "unreadable",
      reason: { kind: "paged-out", va: 0x12000n, level: "PTE" },
    });
  });

  it("is absent where no entry is of its kind, and where there is no directory", () => {
    expect(Image.fromFile(peSource(spec(0x2080, RSDS, 13))).pdb).toEqual({ state: "absent" });
    expect(Image.fromFile(peSource({ bits: 64, sections: [TEXT] })).pdb).toEqual({ state: "absent" });
  });

  it("behind more entries than linkers write is not found, and that is said (MAX_DEBUG_ENTRIES)", () => {
    const at = (index: number): PeSpec => {
      const data = patch(new Uint8Array(0x800), {
        [index * 28 + 12]: 2,
        [index * 28 + 16]: 0x40,
        [index * 28 + 20]: 0x2780,
      });
      const section = { name: ".rdata", rva: 0x2000, data: patch(data, { 0x780: RSDS }) };
      return { bits: 64, directories: { 6: [0x2000, 65 * 28] }, sections: [TEXT, section] };
    };
    expect(Image.fromFile(peSource(at(63))).pdb).toMatchObject({ state: "present", value: { age: 10 } });
    expect(notesOf(at(64))).toEqual([
      "the debug record cannot be read: made.sys+0x2000: entries of the debug directory should be at most 64, found 65",
    ]);
  });

  it("with more bytes than a path has is not read, and that is said (MAX_CODEVIEW_BYTES)", () => {
    const long = (length: number) =>
      spec(0x2080, patch(new Uint8Array(length).fill(0x41), { 0: RSDS.subarray(0, 24), [length - 1]: "\0" }));
    expect(Image.fromFile(peSource(long(0x1_0000))).pdb).toMatchObject({
      value: { path: "A".repeat(0x1_0000 - 25) },
    });
    expect(notesOf(long(0x1_0001))).toEqual([
      "the debug record cannot be read: made.sys+0x202c: size of the CodeView record should be at most 0x10000 bytes, found 0x10001",
    ]);
  });

  it("of an unknown form is unreadable, and named", () => {
    const record = patch(new Uint8Array(0x20), { 0: "NB09" });
    expect(Image.fromFile(peSource(spec(0x2080, record))).pdb).toMatchObject({
      state: "unreadable",
      reason: { found: '"NB09"' },
    });
  });
});

describe("the version record", () => {
  const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`${text}\0`, "utf16le"));
  const pad = (length: number): number => (length + 3) & ~3;

  /** One node of VS_VERSIONINFO: the length without the padding behind it, as compilers write it. */
  function block(key: string, value: Uint8Array | string, children: readonly Uint8Array[] = []): Uint8Array {
    const text = typeof value === "string";
    const name = utf16(key);
    const bytes = text ? (value === "" ? new Uint8Array(0) : utf16(value)) : value;
    const valueAt = pad(6 + name.length);
    let end = valueAt + bytes.length;
    const places = children.map((child) => {
      const at = pad(end);
      end = at + child.length;
      return at;
    });
    const result = new Uint8Array(end);
    new Uint16Array(result.buffer, 0, 3).set([end, text ? bytes.length / 2 : bytes.length, text ? 1 : 0]);
    result.set(name, 6);
    result.set(bytes, valueAt);
    children.forEach((child, index) => void result.set(child, places[index]));
    return result;
  }

  const fixed = patch(new Uint8Array(52), {
    0: 0xfeef04bd,
    4: 0x10000,
    8: 0x000a_0001,
    12: 0x4a61_0002,
    16: 0x000a_0000,
  });
  const strings = [
    block("CompanyName", "Example Corp."),
    block("FileDescription", "Léaky filter"),
    block("FileVersion", "10.1.19041.2 (x)"),
    block("Empty", ""),
    block("OriginalFilename", "leaky.sys"),
    block("ProductName", "Leaky"),
  ];
  const record = block("VS_VERSION_INFO", fixed, [
    block("VarFileInfo", "", [block("Translation", Uint8Array.of(9, 4, 0xb0, 4))]),
    block("StringFileInfo", "", [
      block("040904b0", "", strings),
      block("040704b0", "", [block("CompanyName", "Beispiel")]),
    ]),
  ]);

  /** A tree with one resource of type 16, name 1, language 0x409, whose data stands at RVA `at`. */
  function spec(data: Uint8Array, at: number, tree: Record<number, number> = {}): PeSpec {
    const resources = patch(new Uint8Array(0x80), {
      ...{ 12: 0x0002_0000, 16: 3, 20: 0x8000_0070, 24: 16, 28: 0x8000_0020 },
      ...{ 0x2c: 0x0001_0000, 0x30: 1, 0x34: 0x8000_0038 },
      ...{ 0x44: 0x0001_0000, 0x48: 0x409, 0x4c: 0x50 },
      ...{ 0x50: at, 0x54: data.length },
      ...tree,
    });
    const sections = [
      TEXT,
      { name: ".rsrc", rva: 0x2000, data: resources, use: "rd" },
      {
        name: "data",
        rva: 0x3000,
        virtualSize: Math.max(0x2000, data.length),
        data: patch(new Uint8Array(Math.max(0x1800, data.length)), { [at - 0x3000]: data }),
      },
    ];
    return { bits: 32, directories: { 2: [0x2000, 0x80] }, sections };
  }

  it("names its maker, its product and its versions", () => {
    expect(Image.fromFile(peSource(spec(record, 0x3000))).version).toMatchObject({
      state: "present",
      value: {
        company: "Example Corp.",
        product: "Leaky",
        description: "Léaky filter",
        fileVersion: "10.1.19041.2 (x)",
        productVersion: null,
        originalFilename: "leaky.sys",
        internalName: null,
        fixedFileVersion: "10.1.19041.2",
      },
    });
  });

  it("is not looked for to the end in a tree that fans out into billions of directories (MAX_RESOURCE_ENTRIES_TOTAL)", () => {
    // three directories of 4,096 entries, each entry leading to the next; those of the last to the first
    const [count, step] = [4096, 0x8010];
    const data = new Uint8Array(3 * step);
    const view = new DataView(data.buffer);
    for (let level = 0; level < 3; level++) {
      view.setUint16(level * step + 14, count, true);
      for (let i = 0; i < count; i++) {
        view.setUint32(level * step + 16 + i * 8, 16, true);
        view.setUint32(level * step + 20 + i * 8, 0x8000_0000 + ((level + 1) % 3) * step, true);
      }
    }
    const rsrc = { name: ".rsrc", rva: 0x2000, data, use: "rd" };
    const tree = { bits: 32, directories: { 2: [0x2000, data.length] }, sections: [TEXT, rsrc] } as const;
    const entries = vi.spyOn(Bytes.prototype, "u32");
    const { version } = Image.fromFile(peSource(tree));
    const looked = entries.mock.calls.length;
    entries.mockRestore();
    expect(looked).toBeLessThan(3 * 0x1_0000);
    expect(version).toMatchObject({
      state: "unreadable",
      reason: { field: "the entries of all resource directories", expected: "at most 65536" },
    });
  });

  it("is not looked for among more entries than any directory has, and that is said (MAX_RESOURCE_ENTRIES)", () => {
    const data = new Uint8Array(16 + 4097 * 8);
    new DataView(data.buffer).setUint16(14, 4097, true);
    const rsrc = { name: ".rsrc", rva: 0x2000, data };
    expect(notesOf({ bits: 32, directories: { 2: [0x2000, data.length] }, sections: [TEXT, rsrc] })).toEqual([
      "the version resource cannot be read: made.sys+0x200c: entries of a resource directory should be at most 4096, found 4097",
    ]);
  });

  it("is looked for in so many resources, and what is wrong with the first is said (MAX_VERSION_RESOURCES)", () => {
    // 17 languages of one name: what the first 16 lead to is none, and the last leads to the record
    const at = (index: number): PeSpec => {
      const tree = patch(new Uint8Array(0x200), { 0x44: 17 << 16, 0x180: 0x3800, 0x184: 0x10 });
      for (let i = 0; i < 17; i++)
        patch(tree, { [0x48 + i * 8]: i, [0x4c + i * 8]: i === index ? 0x190 : 0x180 });
      patch(tree, { 0x190: 0x3000, 0x194: record.length });
      const { sections, ...rest } = spec(record, 0x3000);
      const [text, rsrc, data] = sections!;
      const head = rsrc!.data.subarray(0, 0x44);
      return { ...rest, sections: [text!, { ...rsrc!, data: patch(tree, { 0: head }) }, data!] };
    };
    expect(Image.fromFile(peSource(at(15))).version).toMatchObject({ value: { company: "Example Corp." } });
    expect(notesOf(at(16))).toEqual([
      'the version resource cannot be read: made.sys+0x3806: key of the version resource should be VS_VERSION_INFO, found ""',
    ]);
  });

  it("is read up to what its length can say, whatever the resource claims (MAX_VERSION_BYTES)", () => {
    // the byte behind the last that a record can have is paged out
    const long = patch(new Uint8Array(0x1_1000), { 0: record });
    const memory = loadPe(new VirtualMemory(4), spec(long, 0x3000), 0x8000_0000n).pageOut(0x8001_3000n, 1);
    expect(Image.at(memory.space, va(0x8000_0000n)).version).toEqual(
      Image.fromFile(peSource(spec(record, 0x3000))).version,
    );
  });

  it("has so many strings, and says that it ends there (MAX_VERSION_STRINGS)", () => {
    const many = Array.from({ length: 257 }, (_, i) => block(`Key${i}`, `Value ${i}`));
    const big = block("VS_VERSION_INFO", fixed, [block("StringFileInfo", "", [block("040904b0", "", many)])]);
    const found = spec(big, 0x3000);
    const { version } = Image.fromFile(peSource(found));
    expect(version.state === "present" ? [...version.value.strings.values()].slice(-1) : version).toEqual([
      "Value 255",
    ]);
    expect(notesOf(found)).toEqual(["the version resource ends early: it is longer than any real one"]);
  });

  it("is the same from memory", () => {
    const memory = loadPe(new VirtualMemory(4), spec(record, 0x3000), 0x80000000n);
    expect(Image.at(memory.space, va(0x80000000n)).version).toEqual(
      Image.fromFile(peSource(spec(record, 0x3000))).version,
    );
  });

  it("keeps the whole strings before a missing page, and does not show half a string", () => {
    const lastString = Buffer.from(record).indexOf(Buffer.from("ProductName", "utf16le"));
    const memory = loadPe(new VirtualMemory(4), spec(record, 0x4000 - lastString - 4), 0x80000000n);
    const found = Image.at(memory.pageOut(0x80004000n, 1).space, va(0x80000000n)).version;
    expect(found).toMatchObject({
      state: "present",
      value: {
        company: "Example Corp.",
        originalFilename: "leaky.sys",
        product: null,
        cut: { kind: "paged-out", va: 0x80004000n, level: "PTE" },
      },
    });
  });

  it("is unreadable where its section was freed, and absent only where there is none", () => {
    const memory = loadPe(new VirtualMemory(4), spec(record, 0x3000), 0x80000000n).pageOut(0x80002000n, 1);
    expect(Image.at(memory.space, va(0x80000000n)).version).toMatchObject({
      state: "unreadable",
      reason: { kind: "paged-out" },
    });
    expect(Image.fromFile(peSource(spec(record, 0x3000, { 24: 14 }))).version).toEqual({ state: "absent" });
    expect(Image.fromFile(peSource({ bits: 32, sections: [TEXT] })).version).toEqual({ state: "absent" });
  });

  it.each([
    ["a tree whose levels lead to themselves", { 0x34: 0x8000_0020, 0x4c: 0x8000_0038 }],
    ["65,535 entries", { 12: 0xffff_ffff }],
    ["a directory outside the image", { 28: 0xffff_fff0 }],
    ["data outside the image", { 0x50: 0xffff_fff0 }],
    ["data that is no version record", { 0x50: 0x1000 }],
  ])("with %s gives an answer", (_, tree) => {
    expect(["absent", "unreadable"]).toContain(
      Image.fromFile(peSource(spec(record, 0x3000, tree))).version.state,
    );
  });

  it("ends at a node without length", () => {
    const broken = record.slice();
    broken.fill(0, 0x5c, 0x60);
    expect(Image.fromFile(peSource(spec(broken, 0x3000))).version).toMatchObject({
      state: "present",
      value: { company: null, fixedFileVersion: "10.1.19041.2" },
    });
  });
});

describe("the base relocations", () => {
  function relocationsOf(data: Uint8Array, size: number = data.length): Image["relocations"] {
    return Image.fromFile(
      peSource({
        bits: 32,
        directories: { 5: [0x2000, size] },
        sections: [TEXT, { name: ".reloc", rva: 0x2000, data }],
      }),
    ).relocations;
  }
  const u16 = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);

  it("are places and types, without padding, and without the second half of an adjustment", () => {
    const data = patch(new Uint8Array(0x28), {
      0: 0x1000,
      4: 16,
      8: u16(0x3004, 0xa010, 0x4020, 0x3fff),
      16: 0x5000,
      20: 12,
      24: u16(0x3ffc, 0),
    });
    const { rvas, types, stopped } = relocationsOf(data, 0x1c);
    expect([...rvas]).toEqual([0x1004, 0x1010, 0x1020, 0x5ffc]);
    expect([...types]).toEqual([3, 10, 4, 3]);
    expect(stopped).toBeUndefined();
  });

  it("stop at a block without length, and say so", () => {
    expect(relocationsOf(patch(new Uint8Array(0x20), { 0: 0x1000, 4: 4 })).stopped).toMatchObject({
      name: "FormatError",
      offset: 0x2004,
      found: "4",
    });
  });

  it("of more bytes than any kernel has are read so far, and say so (MAX_RELOCATION_BYTES)", () => {
    // one place, and behind it padding
    const data = patch(new Uint8Array(12), { 0: 0x1000, 4: 0x200_0008, 8: 0x3004 });
    const place = { name: ".reloc", rva: 0x2000, data, virtualSize: 0x200_0008 };
    const spec = { bits: 32, directories: { 5: [0x2000, 0x200_0008] }, sections: [TEXT, place] } as const;
    const { rvas, stopped } = Image.fromFile(peSource(spec)).relocations;
    expect([[...rvas], stopped]).toEqual([[0x1004], "limit"]);
  });

  it("of 4 GB are cut at what is there", () => {
    const { rvas, stopped } = relocationsOf(
      patch(new Uint8Array(0x20), { 0: 0x1000, 4: 10, 8: 0x3004 }),
      0xffffffff,
    );
    expect([...rvas]).toEqual([0x1004]);
    expect(stopped).toBeUndefined();
  });
});
