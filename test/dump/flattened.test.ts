import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flattenedSource } from "../../src/dump/flattened.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { readAt } from "../../src/source/source.ts";

/** A flattened core: behind its head the records, and the one that ends them. */
function flattened(...records: readonly (readonly [offset: bigint, content: string])[]): BytesSource {
  const all = [...records, [-1n, ""] as const].flatMap(([offset, content]) => {
    const head = new DataView(new ArrayBuffer(16));
    head.setBigInt64(0, offset);
    head.setBigInt64(8, offset < 0n ? -1n : BigInt(content.length));
    return [new Uint8Array(head.buffer), Buffer.from(content)];
  });
  return new BytesSource(Buffer.concat([new Uint8Array(0x1000), ...all]), "x.flat");
}

describe("a flattened core", () => {
  it("is its records by their places, the later one of two counts, with zeros between them", () => {
    const { source, notes } = flattenedSource(
      flattened([8n, "later"], [0n, "abcd"], [2n, "XY"], [0n, ""], [9n, "A"]),
    );
    expect(notes).toEqual([]);
    expect(Buffer.from(readAt(source, 0, 100).array).toString()).toBe("abXY\0\0\0\0lAter");
    expect(Buffer.from(readAt(source, 3, 6).array).toString()).toBe("Y\0\0\0\0l");
  });

  it("is the same read in any pieces as its records written one after the other", () => {
    const record = fc.tuple(
      fc.integer({ min: 0, max: 60 }),
      fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.nat(70), fc.nat(70), (records, from, length) => {
        const size = Math.max(0, ...records.map(([at, text]) => at + text.length));
        const core = Buffer.alloc(size);
        for (const [at, text] of records) core.write(text, at, "latin1");
        const { source } = flattenedSource(
          flattened(...records.map(([at, text]) => [BigInt(at), text] as const)),
        );
        const read = Buffer.from(readAt(source, from, length).array);
        expect([source.size, read]).toEqual([size, core.subarray(from, from + length)]);
      }),
    );
  });

  // 120,000 records of one byte, which share a page, took 0.3 s each time that something of the page was read
  it("takes as long to read as it has bytes, however many records there are for one place", () => {
    let reads = 0;
    const records = Array.from({ length: 20_000 }, (_, i) => [BigInt(i % 64), "x"] as const);
    const inner = flattened([0n, "long".repeat(1000)], ...records);
    const counted = {
      name: inner.name,
      size: inner.size,
      read: (offset: number, into: Uint8Array) => {
        reads++;
        return inner.read(offset, into);
      },
      [Symbol.dispose]: () => undefined,
    };
    const { source } = flattenedSource(counted);
    reads = 0;
    expect(Buffer.from(readAt(source, 60, 8).array).toString()).toBe("xxxxlong");
    expect(reads).toBe(5);
  });

  it("is refused where a record stands where no file has a place", () => {
    expect(() => flattenedSource(flattened([2n ** 60n + 1n, "abc"]))).toThrow(
      "x.flat+0x1000: a record of the flattened core should be a place and a size, found 1152921504606846977 and 3",
    );
    expect(() => flattenedSource(flattened([-2n, ""]))).toThrow("found -2 and -1");
  });

  it("is read up to as many records as are kept, and says so (MAX_FLAT_RECORDS)", () => {
    // records without bytes at place 0, then one that has a byte
    const count = 4_194_304;
    const size = 0x1000 + count * 16 + 17 + 16;
    const head = new Uint8Array(16);
    const file = {
      name: "x.flat",
      size,
      read(offset: number, into: Uint8Array) {
        const record = (offset - 0x1000) / 16;
        into.set(record === count ? head.with(15, 1) : record > count ? head.map(() => 255) : head);
        return 16;
      },
      [Symbol.dispose]: () => undefined,
    };
    const { source, notes } = flattenedSource(file);
    expect([source.size, notes]).toEqual([
      0,
      ["only the first 4194304 records of the flattened core are read"],
    ]);
  });
});
