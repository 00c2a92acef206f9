import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/core/errors.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

const SAMPLES = ["article-2003.dmp", "leak-x64.dmp"] as const;
const ROUNDS = 40;

/** A small seeded generator, so that a failure can be repeated. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Overwrites bytes, words, quadwords and pages at random, a third of them in the header. */
function corrupt(original: Uint8Array, random: (limit: number) => number): Uint8Array {
  const bytes = new Uint8Array(original);
  for (let left = 1 + random(60); left > 0; left--) {
    const at = random(random(3) === 0 ? 0x2200 : bytes.length);
    const from = random(bytes.length) & ~0xfff;
    const how = random(4);
    if (how === 0) bytes[at] = random(256);
    else if (how === 1) bytes.fill(random(2) * 255, at, at + 8);
    else if (how === 2) bytes.copyWithin(at, from, from + 8);
    else bytes.copyWithin(at & ~0xfff, from, from + 0x1000);
  }
  return bytes;
}

describe.each(SAMPLES)("a corrupted %s", (name) => {
  const original = readFileSync(new URL(`../../samples/${name}`, import.meta.url));

  it("gives a kernel with what is left, or a FormatError, and nothing else", () => {
    const random = generator(20031);
    let answered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = corrupt(original, random);
      try {
        const kernel = readKernel(readDump(new BytesSource(bytes, name)));
        const { modules, unloaded, processors, contexts, buildLab, notes } = kernel;
        for (const module of modules.items) kernel.space.readableBytes(module.base, module.size);
        answered += [unloaded, processors, contexts, buildLab, notes].length > 0 ? 1 : 0;
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(FormatError);
      }
    }
    expect(answered).toBeGreaterThan(ROUNDS / 4);
  });
});
