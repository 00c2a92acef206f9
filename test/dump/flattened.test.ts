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
