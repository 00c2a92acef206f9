import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readableChunks } from "../../src/memory/sweep.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { type IndexedImage, indexTags } from "../../src/pool/tag-index.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const keys = (...tags: string[]): number[] => tags.map((tag) => parseTag(tag).key);

/** An image that gives its parts one by one; `null` is a hole. */
function imageOf(...parts: (Uint8Array | null)[]): IndexedImage {
  return {
    name: "image",
    *chunks() {
      let at = 0x1_0000n;
      for (const part of parts) {
        if (part !== null) yield { va: va(at), bytes: part };
        at += BigInt(part?.length ?? 0x1000);
      }
    },
  };
}

/** What a comparison of every place with every key finds. */
function naive(parts: readonly (Uint8Array | null)[], wanted: readonly number[]): number[] {
  const runs: number[][] = [[]];
  for (const part of parts) {
    if (part === null) runs.push([]);
    else runs.at(-1)!.push(...part);
  }
  const found = new Set<number>();
  for (const run of runs) {
    for (let at = 0; at + 4 <= run.length; at++) {
      const key =
        (run[at]! | (run[at + 1]! << 8) | (run[at + 2]! << 16) | ((run[at + 3]! & 0x7f) << 24)) >>> 0;
      if (wanted.includes(key)) found.add(key);
    }
  }
  return [...found].sort((a, b) => a - b);
}

describe("indexTags", () => {
  it("names the images that hold a tag, in order", () => {
    const images = [
      imageOf(ascii("..Se  ..")),
      imageOf(ascii("nothing")),
      imageOf(ascii("Toke"), ascii("Se  ")),
    ];
    expect([...indexTags(images, keys("Se", "Toke", "Zzzz"))].sort((a, b) => a[0] - b[0])).toEqual([
      [parseTag("Se").key, [0, 2]],
      [parseTag("Toke").key, [2]],
    ]);
  });

  it("finds the protected form of a tag, and of none other", () => {
    const index = indexTags([imageOf(Uint8Array.of(0x50, 0x72, 0x6f, 0xe3))], keys("Proc", "Prok"));
    expect([...index.keys()]).toEqual(keys("Proc"));
  });

  it("finds a tag at every place around the ends of blocks, pieces and chunks", () => {
    const bytes = ascii("Se  ");
    for (const size of [64, 128, 0x2_0000, 0x2_0040]) {
      for (let shift = -70; shift <= 70; shift++) {
        const at = size + shift;
        const whole = new Uint8Array(size + 200);
        if (at < 0) continue;
        whole.set(bytes, at);
        for (const cut of [whole.length, at + 1, at + 3]) {
          const index = indexTags([imageOf(whole.slice(0, cut), whole.slice(cut))], keys("Se", "Toke"));
          expect([...index.keys()], `${at} of ${size}, cut at ${cut}`).toEqual(keys("Se"));
        }
      }
    }
  });

  it("does not join the bytes on both sides of a hole, nor those of two images", () => {
    const index = indexTags(
      [imageOf(ascii("..Se"), null, ascii("  ..S")), imageOf(ascii("e  "))],
      keys("Se"),
    );
    expect([...index]).toEqual([]);
  });

  it.each([
    ["tags that can be shown", fc.integer({ min: 0x20, max: 0x7e })],
    ["any bytes", fc.integer({ min: 0, max: 255 })],
  ])("finds what a comparison of every place finds: %s", (_, byte) => {
    const few = fc.constantFrom(0x20, 0x53, 0x65, 0xe5, 0x00);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(null), fc.array(fc.oneof(few, byte), { maxLength: 300 })), {
          maxLength: 5,
        }),
        fc.array(fc.tuple(byte, byte, byte, byte), { minLength: 1, maxLength: 20 }),
        (drawn, tags) => {
          const wanted = tags.map(([a, b, c, d]) => (a | (b << 8) | (c << 16) | ((d & 0x7f) << 24)) >>> 0);
          wanted.push(...keys("Se", "SSSS", "e e "));
          const parts = drawn.map((part) => (part === null ? null : Uint8Array.from(part)));
          // so that there is something to find
          const first = tags[0]!;
          parts.push(Uint8Array.from([0x53, ...first, 0x65]));
          const index = indexTags([imageOf(...parts)], wanted);
          expect([...index.keys()].sort((a, b) => a - b)).toEqual(
            naive(parts, wanted).filter((key) => key !== 0),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("takes 20,000 tags", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => 0x2020_2020 + i * 0x0303);
    const holding = new Uint8Array(many.length * 4);
    const view = new DataView(holding.buffer);
    many.forEach((key, i) => void view.setUint32(i * 4, key, true));
    const index = indexTags([imageOf(holding)], many);
    expect(many.every((key) => index.has(key & 0x7fff_ffff))).toBe(true);
  });
});

describe("readableChunks", () => {
  it("gives what is between the holes, and nothing else", () => {
    const memory = new VirtualMemory(8).map(0x1_0000n, 0x6000);
    memory.write(0x1_0ffen, ascii("Se  ")).pageOut(0x1_3000n, 0x1000);
    const seen = [...readableChunks(memory.space, va(0x1_0000n), 0x8000, new Uint8Array(0x4800))].map(
      ({ va: at, bytes }) => [at, bytes.length],
    );
    expect(seen).toEqual([
      [0x1_0000n, 0x3000],
      [0x1_4000n, 0x800],
      [0x1_4800n, 0x1800],
    ]);
    for (const size of [1, 3, 5, 0xfff, 0x1001, 0x2_0000]) {
      const image: IndexedImage = {
        name: "x",
        chunks: (room) => readableChunks(memory.space, va(0x1_0000n), 0x8000, room.subarray(0, size)),
      };
      expect([...indexTags([image], keys("Se")).keys()], `in pieces of ${size}`).toEqual(keys("Se"));
    }
  });
});
