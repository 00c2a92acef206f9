import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/core/errors.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { UnpackedSource } from "../../src/source/unpacked-source.ts";

const SIZE = 0x1_0000;

/** Piece `n` is all `n`, but for those of `broken`; `asked` has what was unpacked. */
function pieces(count: number, broken: readonly number[] = []) {
  const asked: number[] = [];
  const unpack = (piece: number, into: Uint8Array): void => {
    asked.push(piece);
    into.fill(piece + 1);
    if (broken.includes(piece)) {
      throw new FormatError({
        file: "x.sys",
        offset: piece,
        field: "a piece",
        expected: "whole",
        found: "not",
      });
    }
  };
  return {
    asked,
    source: new UnpackedSource(new BytesSource(new Uint8Array(0), "x.sys"), { count, size: SIZE, unpack }),
  };
}

describe("a source of packed pieces", () => {
  it("reads across pieces, and unpacks those only", () => {
    const { asked, source } = pieces(8);
    const into = new Uint8Array(SIZE + 2);
    expect(source.read(2 * SIZE - 1, into)).toBe(into.length);
    expect([into[0], into[1], into[SIZE], into[SIZE + 1]]).toEqual([2, 3, 3, 4]);
    expect(asked).toEqual([1, 2, 3]);
  });

  it("ends with its last piece", () => {
    const { source } = pieces(2);
    expect(source.size).toBe(2 * SIZE);
    expect(source.read(2 * SIZE - 3, new Uint8Array(10))).toBe(3);
    expect(source.read(2 * SIZE, new Uint8Array(10))).toBe(0);
    expect(source.read(9 * SIZE, new Uint8Array(10))).toBe(0);
    expect(() => source.read(-1, new Uint8Array(10))).toThrow(RangeError);
  });

  it("keeps what was used last, and no more than 256 pieces of 64 KB", () => {
    const { asked, source } = pieces(300);
    const byte = new Uint8Array(1);
    for (let piece = 0; piece < 256; piece++) source.read(piece * SIZE, byte);
    source.read(0, byte);
    source.read(256 * SIZE, byte);
    expect(asked.length).toBe(257);
    source.read(0, byte);
    expect([asked.length, byte[0]]).toEqual([257, 1]);
    source.read(SIZE, byte);
    expect([asked.length, byte[0]]).toEqual([258, 2]);
  });

  it("says which pieces are broken, each once, and reads the others", () => {
    const { asked, source } = pieces(4, [1, 3]);
    expect(source.broken).toBeUndefined();
    expect([1, 1, 0, 3, 3, 2].map((piece) => source.isWhole(piece * SIZE + 5))).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(source.broken).toMatchObject({ count: 2, of: 4, first: { offset: 1 } });
    expect(asked).toEqual([1, 0, 3, 2]);
    expect(() => source.read(SIZE, new Uint8Array(1))).toThrow(FormatError);
    const into = new Uint8Array(1);
    source.read(2 * SIZE, into);
    expect(into[0]).toBe(3);
  });

  it("gives zeros where a piece leaves them, whatever stood in the room before", () => {
    const source = new UnpackedSource(new BytesSource(new Uint8Array(0)), {
      count: 300,
      size: SIZE,
      unpack: (piece, into) => void into.fill(7, 0, piece < 290 ? SIZE : 1),
    });
    const into = new Uint8Array(4);
    for (let piece = 0; piece < 300; piece++) source.read(piece * SIZE, into);
    expect([...into]).toEqual([7, 0, 0, 0]);
  });
});
