import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { va } from "../../../src/core/address.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import { findBlockContents } from "../../../src/trail/blocks/find-contents.ts";
import { chargedType, poolMachine, poolPage, segmentPage } from "../../fixtures/pool-pages.ts";

const START = 0xffff_f8a0_0000_0000n;
const DRIVER = 0xffff_f880_0100_0000n;
const NT = 0xffff_f804_7ba8_0000n;
const PAGES = 6;

describe("blocks that point anywhere", () => {
  // any word of a block is a place in the pool, in a driver, beside either, or no address
  const word = fc.oneof(
    fc.integer({ min: 0, max: PAGES * 0x200 + 64 }).map((i) => START + BigInt(i) * 8n),
    fc.integer({ min: -8, max: 0x2000 }).map((i) => DRIVER + BigInt(i) * 8n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const block = fc.record({
    tag: fc.constantFrom("Leak", "Othr"),
    bytes: fc.constantFrom(0x20, 0x60, 0x100),
    type: fc.constantFrom(0, 3, chargedType(7601), 0xff),
    words: fc.array(word, { maxLength: 12 }),
  });
  const page = fc.array(block, { minLength: 1, maxLength: 14 });

  it.each([7601, 19041, 0])("give facts of build %i that agree with each other, and an end", (build) => {
    fc.assert(
      fc.property(fc.array(page, { minLength: 1, maxLength: PAGES }), (pages) => {
        const made = pages.map((blocks) => {
          const list = blocks.map(({ words, ...more }) => {
            const room = words.slice(0, more.bytes / 8 - 2);
            return { ...more, pointers: Object.fromEntries(room.map((value, i) => [i * 8, value])) };
          });
          return build === 7601 ? poolPage(8, build, list) : segmentPage(8, build, list, 0x10);
        });
        const { kernel, memory } = poolMachine(8, build, made);
        memory.map(NT, 0x1000).map(DRIVER, 0x1000);
        const nt = { base: va(NT), size: 0x1000, writable: [{ start: va(NT), length: 0x1000 }], code: [] };
        const modules = [{ name: "leaky", base: va(DRIVER), end: va(DRIVER + 0x1_0000n) }];
        const processes = [{ address: va(START + 0x40n), pid: 4, imageName: undefined }];
        const found = findBlockContents({ ...kernel, nt }, parseTag("Leak").key, modules, { processes });
        expect(found.sizes.reduce((sum, { blocks }) => sum + blocks, 0)).toBe(found.blocks);
        expect(found.followed).toBe(found.blocks);
        for (const { direct, oneStep, listHead, code, data, unknown, places } of found.byModule) {
          for (const { blocks, examples } of [direct, oneStep, listHead]) {
            expect(blocks).toBeLessThanOrEqual(found.blocks);
            expect(examples.length > 0).toBe(blocks > 0);
          }
          expect(Math.max(code, data, unknown)).toBeLessThanOrEqual(direct.blocks);
          for (const place of places) expect(place.blocks).toBeLessThanOrEqual(direct.blocks);
        }
      }),
      { numRuns: 150 },
    );
  });
});
