import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advance, type Va } from "../../../src/core/address.ts";
import { ModuleMap } from "../../../src/core/module-map.ts";
import { codeDocument } from "../../../src/report/code-document.ts";
import { PLAIN } from "../../../src/report/style.ts";
import { renderText } from "../../../src/report/text.ts";
import { listCode } from "../../../src/trail/listing/code-listing.ts";
import { codeImage } from "../../fixtures/code-image.ts";

describe("a listing of any bytes", () => {
  const place = fc.integer({ min: 0xf00, max: 0x1300 });
  const row = fc.tuple(place, place);

  it("ends, has each byte once and in order, and never another's text", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("x86" as const, "x64" as const),
        fc.uint8Array({ minLength: 0x100, maxLength: 0x200 }),
        fc.array(row, { maxLength: 3 }),
        fc.array(row, { maxLength: 2 }),
        place,
        fc.constantFrom("around" as const, "from" as const, "before" as const, "function" as const),
        fc.integer({ min: 1, max: 40 }),
        (machine, bytes, unwind, holes, at, view, lines) => {
          const image = codeImage({
            machine,
            parts: [{ rva: 0x1000, bytes }],
            unwind: unwind.map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const),
            holes: holes.map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const),
            exports: { F: 0x1000 },
          });
          const module = {
            name: "drv",
            imageName: null,
            path: null,
            base: image.base,
            end: advance(image.base, image.size),
            size: image.size,
            image,
            imageProblem: undefined,
            imports: image.imports,
            publisher: { company: null, thirdParty: null, basis: null },
          };
          const target = {
            space: image.space,
            modules: [module],
            moduleAt: (at: Va) => new ModuleMap([module], (one) => one).at(at),
            resolve: () => undefined,
            build: undefined,
          };
          const document = codeDocument(
            listCode(target, machine, image.addressOf(at), { view, lines }),
            image.pointerSize,
          );
          for (const { lines: piece } of document.pieces) {
            for (const [i, one] of piece.entries()) {
              expect(one.length).toBeGreaterThan(0);
              const next = piece[i + 1];
              if (next !== undefined) expect(next.address).toBe(one.address + BigInt(one.length));
              expect(one.text === null).toBe(one.kind !== "instruction");
            }
          }
          const count = document.pieces.reduce((sum, piece) => sum + piece.lines.length, 0);
          if (view !== "around") expect(count).toBeLessThanOrEqual(lines);
          else expect(count).toBeLessThanOrEqual(2 * lines + 1);
          renderText("code", document, { style: PLAIN, pointerSize: image.pointerSize });
        },
      ),
      { numRuns: 150, endOnFailure: true },
    );
  });
});
