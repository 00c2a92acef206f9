import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";

const CODE = 0x1000;
const INFO = 0x40_0000;

/**
 * A function and cold parts of it: piece `n` branches to the pieces that `next` gives, and returns. Piece 0 alone has a
 * prologue.
 */
function withColdParts(pieces: number, next: (piece: number) => readonly number[]) {
  const starts: number[] = [];
  let size = 0;
  for (let piece = 0; piece < pieces; piece++) {
    starts.push(size);
    size += next(piece).length * 6 + 1;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const unwind = starts.map((start, piece) => {
    let at = start;
    for (const to of next(piece)) {
      // je
      bytes.set([0x0f, 0x84], at);
      view.setInt32(at + 2, (starts[to] ?? 0) - (at + 6), true);
      at += 6;
    }
    bytes[at] = 0xc3;
    return [CODE + start, CODE + at + 1, piece === 0 ? INFO : INFO + 4] as const;
  });
  // UNWIND_INFO: a prologue of one byte, and none
  const infos = { rva: INFO, bytes: "01010100 01000000", executable: false };
  return analyzeImage(codeImage({ parts: [{ rva: CODE, bytes }, infos], unwind }));
}

describe("cold parts", () => {
  it("stay functions where 1,024 others lie between them and theirs (MAX_COLD_STEPS)", () => {
    const { functions, notes } = withColdParts(1101, (piece) => (piece < 1100 ? [piece + 1] : []));
    // the function with its first 1,023 parts, and the 77 behind them
    expect(functions.count).toBe(78);
    expect(functions.startingAt(CODE)?.fragments).toHaveLength(1);
    expect(notes).toEqual(["the search for the functions of cold parts was ended at its limit"]);
  });

  it("stay functions where the ways from all of them are too long together (MAX_COLD_STEPS_TOTAL)", () => {
    const leaves = Array.from({ length: 2000 }, (_, leaf) => 1001 + leaf);
    const { functions, notes } = withColdParts(3001, (piece) =>
      piece < 1000 ? [piece + 1] : piece === 1000 ? leaves : [],
    );
    // 501,500 steps from the 1,000 parts in a row, 1,002 from each of 1,593 behind them; 407 are left
    expect(functions.count).toBe(408);
    expect(notes).toEqual(["the search for the functions of cold parts was ended at its limit"]);
  });
});
