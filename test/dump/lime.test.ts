import { expect, it } from "vitest";
import { readDump } from "../../src/dump/open.ts";
import type { ByteSource } from "../../src/source/source.ts";

it("says how many ranges of a LiME file it reads, where there are more than any has (MAX_SEGMENTS)", () => {
  // the range of one byte at address 0, again and again
  const range = new Uint8Array(0x21);
  range.set(Buffer.from("EMiL\x01"));
  const ranges = (count: number): ByteSource => ({
    name: "mem.lime",
    size: count * range.length,
    read(offset, into) {
      const length = Math.min(into.length, count * range.length - offset);
      for (let i = 0; i < length; i += range.length) into.set(range.subarray(0, length - i), i);
      return length;
    },
    [Symbol.dispose]: () => undefined,
  });
  expect(readDump(ranges(1_048_577)).notes).toEqual(["only the first 1048576 ranges are read"]);
});
