import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { BLOCK_SIZE, CachedSource } from "../../src/source/page-cache.ts";
import type { ByteSource } from "../../src/source/source.ts";

/** Each dword holds its own offset. */
function numbered(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => i * 4);
  return new Uint8Array(words.buffer, 0, length);
}

/** Keeps account of what is asked of the file. */
class Watched extends BytesSource {
  readonly reads: [offset: number, length: number][] = [];
  closed = false;

  override read(offset: number, into: Uint8Array): number {
    this.reads.push([offset, into.length]);
    return super.read(offset, into);
  }

  override [Symbol.dispose](): void {
    this.closed = true;
  }
}

describe("CachedSource", () => {
  it("reads a block once, however often it is asked for", () => {
    const file = new Watched(numbered(3 * BLOCK_SIZE));
    const cache = new CachedSource(file);
    expect([cache.u32At(0x1008), cache.u32At(0x1ffc), cache.u32At(0x1000)]).toEqual([0x1008, 0x1ffc, 0x1000]);
    expect(file.reads).toEqual([[0x1000, BLOCK_SIZE]]);
  });

  it("lets a read of a whole block pass, and does not keep it", () => {
    const file = new Watched(numbered(3 * BLOCK_SIZE));
    const cache = new CachedSource(file);
    cache.read(0x10, new Uint8Array(BLOCK_SIZE));
    cache.u32At(0x10);
    expect(file.reads).toEqual([
      [0x10, BLOCK_SIZE],
      [0, BLOCK_SIZE],
    ]);
  });

  it("joins a small read across two blocks", () => {
    const cache = new CachedSource(new BytesSource(numbered(3 * BLOCK_SIZE)));
    const into = new Uint8Array(8);
    expect(cache.read(0x1ffc, into)).toBe(8);
    expect([...new Uint32Array(into.buffer)]).toEqual([0x1ffc, 0x2000]);
  });

  it("reads 32 bits from any offset", () => {
    const cache = new CachedSource(new BytesSource(numbered(2 * BLOCK_SIZE)));
    expect([cache.u32At(0x104).toString(16), cache.u32At(0xffe).toString(16)]).toEqual(["104", "10000000"]);
  });

  it("gives words in a row from inside a block, across two, and from any offset", () => {
    const cache = new CachedSource(new BytesSource(numbered(2 * BLOCK_SIZE)));
    expect([...cache.wordsAt(0x104, 2)]).toEqual([0x104, 0x108]);
    expect([...cache.wordsAt(0xffc, 2)]).toEqual([0xffc, 0x1000]);
    expect([...cache.wordsAt(0xffe, 1)]).toEqual([0x10000000]);
    expect([...cache.wordsAt(0x1ff8, 4)]).toEqual([0x1ff8, 0x1ffc]);
  });

  it("stops at the end of the file inside a block", () => {
    const cache = new CachedSource(new BytesSource(numbered(0x1006)));
    expect([cache.u32At(0x1000), cache.u32At(0x1004), cache.u32At(0x9000)]).toEqual([0x1000, -1, -1]);
    expect([cache.read(0x1004, new Uint8Array(8)), cache.read(0x1006, new Uint8Array(8))]).toEqual([2, 0]);
  });

  it("does not serve a block whose reading failed", () => {
    let broken = true;
    const bytes = new BytesSource(numbered(BLOCK_SIZE));
    const flaky: ByteSource = {
      name: "flaky",
      size: bytes.size,
      read(offset, into) {
        if (broken) throw new Error("disk");
        return bytes.read(offset, into);
      },
      [Symbol.dispose]: () => undefined,
    };
    const cache = new CachedSource(flaky);
    expect(() => cache.u32At(8)).toThrow("disk");
    broken = false;
    expect(cache.u32At(8)).toBe(8);
  });

  it("keeps blocks apart that lie 16 TiB from each other", () => {
    const far = 2 ** 44;
    const sparse: ByteSource = {
      name: "sparse",
      size: 2 ** 45,
      read: (offset, into) => {
        into.fill(offset >= far ? 0xff : 1);
        return into.length;
      },
      [Symbol.dispose]: () => undefined,
    };
    const cache = new CachedSource(sparse);
    expect([cache.u32At(0), cache.u32At(far), cache.u32At(0)]).toEqual([0x01010101, 0xffffffff, 0x01010101]);
  });

  it("closes what it reads from", () => {
    const file = new Watched(numbered(16));
    new CachedSource(file)[Symbol.dispose]();
    expect(file.closed).toBe(true);
  });

  // one set of 8 places over 40 blocks: nearly every read drives a block out
  it("gives the file's bytes whatever is read in whatever order", () => {
    const bytes = numbered(40 * BLOCK_SIZE - 3);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length + 10), fc.nat(2 * BLOCK_SIZE)), { maxLength: 60 }),
        (reads) => {
          const cache = new CachedSource(new BytesSource(bytes), 1);
          for (const [offset, length] of reads) {
            const into = new Uint8Array(length);
            const got = into.subarray(0, cache.read(offset, into));
            expect(Buffer.compare(got, bytes.subarray(offset, offset + length))).toBe(0);
            const word = offset & ~3;
            expect(cache.u32At(word)).toBe(word + 4 <= bytes.length ? word : -1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
