import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Dump } from "../../src/api/dump.ts";
import { openDump } from "../../src/api/open-dump.ts";
import { FormatError, MemoryError } from "../../src/core/errors.ts";
import { renderJson } from "../../src/report/json.ts";
import { stepsOf } from "../fixtures/steps.ts";

/**
 * Whole dumps with bytes changed at random, from the header to the last page: each question is answered, or
 * ends in an error that says what was wrong with the dump. `POOLTRAIL_ROUNDS` makes it longer.
 */
const ROUNDS = Number(process.env.POOLTRAIL_ROUNDS ?? 6);
/** Of all questions together; an untouched dump takes about 100 million. */
const MOST_STEPS = 500_000_000;

/** xorshift32: the same changes for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function corrupted(bytes: Uint8Array, headerSize: number, seed: number): Uint8Array {
  const random = randomFrom(seed);
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  for (let left = 1 << random(9); left > 0; left--) {
    // the signatures stay, else all that follows is never looked at
    const at = 16 + (random(8) === 0 ? random(headerSize - 24) : random(bytes.length - 24));
    switch (random(5)) {
      case 0:
        copy[at] = random(256);
        break;
      case 1:
        view.setUint32(at & ~3, random(2) === 0 ? 0xffff_ffff : random(0x1_0000_0000), true);
        break;
      case 2:
        // a pointer to somewhere else in the dump, or to itself
        view.setBigUint64(at & ~7, view.getBigUint64(random(bytes.length - 8) & ~7, true), true);
        break;
      case 3:
        copy.fill(random(2) === 0 ? 0 : 0xff, at, at + 1 + random(64));
        break;
      default: {
        const from = random(bytes.length);
        copy.copyWithin(at, from, from + random(0x1000));
      }
    }
  }
  return random(8) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}

/** Every question, of the modules that are still there. */
function* questions(dump: Dump): Generator<() => object> {
  const { items } = dump.modules;
  const some = [dump.modules.kernel, items.at(-1), items[items.length >> 1]].filter(
    (module) => module !== undefined,
  );
  yield () => dump.info();
  yield () => dump.modules.list();
  yield () => dump.memory();
  yield () => dump.tags().document({});
  yield () => dump.scan("Se");
  yield () => dump.near(some[0]?.base ?? 0x80800000n);
  yield () => dump.pointers(some[0]?.base ?? 0x80800000n);
  yield () => dump.read(some[0]?.base ?? 0x80800000n, 0x400);
  for (const module of some) {
    yield () => dump.headers(module);
    yield () => dump.imports(module);
    yield () => dump.exports(module);
    yield () => dump.functions(module);
    yield () => dump.calls(module, module.base + 0x1000n);
  }
  yield () => dump.trace("Se");
  yield () => dump.trace();
}

describe.each([
  ["samples/article-2003.dmp", 0x1000],
  ["samples/leak-x64.dmp", 0x2000],
])("%s with bytes changed", (path, headerSize) => {
  const bytes = new Uint8Array(readFileSync(path));

  it.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
    "is answered, or refused with what is wrong: seed %i",
    (seed) => {
      const steps = stepsOf(() => {
        try {
          using dump = openDump(corrupted(bytes, headerSize, seed));
          for (const question of questions(dump)) {
            try {
              expect(renderJson(question())).toMatch(/^\{/);
            } catch (error) {
              if (!(error instanceof FormatError || error instanceof MemoryError)) throw error;
            }
          }
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      });
      expect(steps).toBeLessThan(MOST_STEPS);
    },
    60_000,
  );
});
