import { afterAll, describe, expect, it } from "vitest";
import { buildDump } from "../../samples/leakbench/machine.mjs";
import { hex, MemoryError, openDump, toVa } from "../../src/index.ts";

/** Values, texts and a list that the writer puts into a machine's memory. */
interface Written {
  values: bigint;
  ascii: bigint;
  wide: bigint;
  unicode: bigint;
  empty: bigint;
  head: bigint;
  links: bigint[];
  end: bigint;
  physical: number;
  page: Uint8Array;
}

const written: Partial<Written> = {};
const MARK = Uint8Array.of(0xde, 0xc0, 0x37, 0x13, 0xfe);
const bytes = buildDump({
  arch: "x64",
  seed: 7,
  form: "bitmap-kernel",
  drivers: ["ctstor"],
  counts: [],
  also: ({ machine }) => {
    const values = machine.allocate(0x100);
    machine.write(
      values,
      Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i),
    );
    machine.write(values + 0x20n, MARK);
    const text = machine.allocate(0x100);
    machine.write(text, new TextEncoder().encode("ctstor\0rest"));
    machine.write(text + 0x40n, Uint8Array.from(Buffer.from("Gerät\0x", "utf16le")));
    const unicode = machine.allocate(16);
    machine.unicodeString(unicode, "\\Driver\\ctstor");
    const empty = machine.allocate(16);
    const links = [0, 1, 2, 3].map(() => machine.allocate(0x20));
    machine.linkList(links);
    // the last bytes of a page with none behind it
    const lone = machine.allocate(0x2000, { align: 0x1000 });
    machine.write(lone, new Uint8Array(0x1000).fill(0x41));
    machine.setState(lone + 0x1000n, 0x1000, "demand-zero");
    const [head = 0n, ...rest] = links;
    const pageAt = values & ~0xfffn;
    Object.assign(written, {
      values,
      ascii: text,
      wide: text + 0x40n,
      unicode,
      empty,
      head,
      links: rest,
      end: lone + 0xff0n,
      physical: Number(machine.physicalAddress(pageAt)),
      page: machine.read(pageAt, 0x1000),
    });
  },
});
const { values, ascii, wide, unicode, empty, head, links, end, physical } = written as Written;
const dump = openDump(bytes);
afterAll(() => dump.close());
const { space } = dump;
const at = (address: bigint) => toVa(address);

describe("typed values", () => {
  it("are little-endian, with and without a sign", () => {
    expect([space.readU8(at(values)), space.readI8(at(values))]).toEqual([0xf0, -16]);
    expect([space.readU16(at(values)), space.readI16(at(values))]).toEqual([0xf1f0, -0xe10]);
    expect([space.readU32(at(values)), space.readI32(at(values))]).toEqual([0xf3f2_f1f0, 0xf3f2_f1f0 | 0]);
    expect(hex(space.readU64(at(values)))).toBe("0xf7f6f5f4f3f2f1f0");
    expect(space.readI64(at(values))).toBe(BigInt.asIntN(64, 0xf7f6_f5f4_f3f2_f1f0n));
    expect(space.readPointer(at(values))).toBe(0xf7f6_f5f4_f3f2_f1f0n);
  });

  it("are a MemoryError in a hole", () => {
    expect(() => space.readU8(at(0xffff_8000_0000_0000n))).toThrow(MemoryError);
    expect(() => space.readI64(at(end + 0xcn))).toThrow(MemoryError);
  });
});

describe("texts", () => {
  it("end at their zero, in either encoding, or where they are cut", () => {
    expect(space.readText(at(ascii), "ascii")).toBe("ctstor");
    expect(space.readText(at(wide), "utf-16")).toBe("Gerät");
    expect(space.readText(at(wide), "utf-16", 3)).toBe("Ger");
  });

  it("are a MemoryError where they lead into a hole, and not where they end before it", () => {
    expect(() => space.readText(at(end), "ascii")).toThrow(MemoryError);
    expect(space.readText(at(end), "ascii", 16)).toBe("A".repeat(16));
  });

  it("are told by a UNICODE_STRING", () => {
    expect(space.readUnicodeString(at(unicode))).toBe("\\Driver\\ctstor");
    expect(space.readUnicodeString(at(empty))).toBe("");
  });
});

it("follows a list, and says where it breaks off", () => {
  expect(dump.list(head)).toEqual({ items: links, recovered: 0 });
  expect(dump.list(head, 2)).toMatchObject({ items: links.slice(0, 2), stopped: "limit" });
  expect(dump.list(ascii).stopped).toBeDefined();
});

describe("bytes", () => {
  it("are found in a range of memory, and in modules", () => {
    expect(dump.find(MARK, { from: values - 0x10n, length: 0x100 })).toEqual([values + 0x20n]);
    expect(dump.find(MARK)).toEqual([]);
    const { base } = dump.module("ctstor");
    const mz = Uint8Array.of(0x4d, 0x5a);
    expect(dump.find(mz, { module: "ctstor" })).toContain(base);
    expect(dump.find(mz).length).toBeGreaterThanOrEqual(dump.modules.items.length);
    expect(() => dump.find(Uint8Array.of(1))).toThrow(RangeError);
  });
});

describe("physical memory", () => {
  it("has the pages that the dump holds, by their physical addresses", () => {
    const memory = dump.physical;
    const read = memory?.read(physical, 0x1000);
    expect(read?.holes).toEqual([]);
    expect(read?.bytes).toEqual(written.page);
    expect(memory?.has(physical / 0x1000)).toBe(true);
    const runs = [...(memory?.runs() ?? [])];
    expect(runs.reduce((sum, { count }) => sum + count, 0)).toBe(memory?.pages.present);
  });

  it("is not read into one array beyond what one takes (MAX_READ)", () => {
    expect(() => dump.physical?.read(0, 0x4000_0001)).toThrow(
      new RangeError("a read takes 0 to 1073741824 bytes, not 1073741825"),
    );
  });

  it("says what it has not", () => {
    const memory = dump.physical;
    const [first] = memory?.runs() ?? [];
    const gap = (first?.pfn ?? 0) > 0 ? 0 : (first?.count ?? 0);
    expect(memory?.read(gap * 0x1000 + 0xf00, 0x10).holes).toEqual([
      { offset: 0, length: 0x10, kind: "not-in-dump" },
    ]);
    expect(() => memory?.read(-1, 1)).toThrow(RangeError);
    expect(() => memory?.read(2 ** 52, 1)).toThrow(RangeError);
  });
});

describe("processes and threads", () => {
  it("have a space of their own each, in which the kernel stands as well", () => {
    const { processes } = dump.processes();
    expect(processes.length).toBeGreaterThan(0);
    for (const { pid } of processes) {
      expect(dump.spaceOf(pid)?.readU16(dump.address("nt"))).toBe(0x5a4d);
    }
    expect(() => dump.spaceOf(3)).toThrow("there is no active process 3");
  });

  it("are listed with the process that they are of", () => {
    const { items, processes } = dump.threads();
    expect(processes.read).toBe(processes.of);
    expect(items.every(({ address, process }) => address > 0n && process !== undefined)).toBe(true);
  });
});
