import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONTAINERS, containerMachine } from "../../bench/containers.mjs";
import { BytesSource, FormatError, MemoryError, openDump } from "../../src/index.ts";

const made = containerMachine("x64");
/** Those whose structure can be broken; raw memory has none. */
const NAMES = Object.keys(CONTAINERS).filter((name) => !/^(?:crash dump|raw|VMware, the memory)/.test(name));
const RUNS = 40;
/** What length and offset fields are set to. */
const EXTREMES = [0, 1, 0x7fff_ffff, 0xffff_ffff, 0x1000, 0xfff];

/** Asks for what reads the container and the kernel; a typed error is an answer. */
function asked(files: readonly BytesSource[]): string {
  try {
    using dump = openDump(files);
    const { modules, notes } = dump.info();
    return `${modules} modules, ${notes.length + dump.modules.items.length} notes`;
  } catch (error) {
    if (error instanceof FormatError || error instanceof MemoryError) return error.name;
    throw error;
  }
}

describe.each(NAMES)("%s, broken", (name) => {
  const whole = Object.entries(CONTAINERS[name]!(made));
  const broken = (change: (bytes: Uint8Array) => Uint8Array): readonly BytesSource[] =>
    whole.map(([file, bytes], i) => new BytesSource(i === 0 ? change(bytes.slice()) : bytes, file));
  const length = whole[0]?.[1].length ?? 0;

  it("answers, or says what is wrong, whatever a field of it holds", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ at: fc.nat({ max: 0x1400 }), value: fc.constantFrom(...EXTREMES), wide: fc.boolean() }),
          { minLength: 1, maxLength: 4 },
        ),
        (changes) => {
          const files = broken((bytes) => {
            const view = new DataView(bytes.buffer);
            for (const { at, value, wide } of changes) {
              const place = (at % (bytes.length - 8)) & ~3;
              view.setUint32(place, value, true);
              if (wide) view.setUint32(place + 4, value, true);
            }
            return bytes;
          });
          expect(asked(files)).not.toBe("");
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("answers, or says what is wrong, wherever it is cut off", () => {
    fc.assert(
      fc.property(fc.nat({ max: length }), (end) => {
        expect(asked(broken((bytes) => bytes.subarray(0, end)))).not.toBe("");
      }),
      { numRuns: RUNS / 2 },
    );
  });
});
