import { describe, expect, it } from "vitest";
import { rva } from "../../src/core/address.ts";
import { Image } from "../../src/pe/image.ts";
import { overlapsOf, type Section } from "../../src/pe/sections.ts";
import { headersDocument } from "../../src/report/headers-document.ts";
import { importsDocument } from "../../src/report/imports-document.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { type PeSpec, peSource } from "../fixtures/pe.ts";

/** .text claims so many bytes in memory; .idata stands at 0x8000. */
function withText(virtualSize: number): Image {
  const data = patch(new Uint8Array(0x200), {
    0: 0x8080,
    0x10: 0x8080,
    0x40: 0x8010,
    0x4c: 0x80c0,
    0x50: 0x8000,
    0x82: "IoCreateDevice",
    0xc0: "ntoskrnl.exe",
  });
  const spec: PeSpec = {
    bits: 32,
    imageSize: 0x9000,
    directories: { 1: [0x8040, 40] },
    sections: [
      { name: ".text", rva: 0x1000, virtualSize, data: new Uint8Array(0x200).fill(0xc3), use: "rx" },
      { name: ".idata", rva: 0x8000, data },
    ],
  };
  return Image.fromFile(peSource(spec));
}

function notesOf(image: Image): readonly (readonly string[])[] {
  const imports = importsDocument(
    "made.sys",
    image,
    image.imports,
    () => null,
    () => undefined,
  );
  return [headersDocument("made.sys", image).notes, imports.notes];
}

describe("sections that overlap", () => {
  it("are named in what is read from them: the bytes of the later one are hidden", () => {
    const image = withText(0xf824);
    expect(image.imports.slots).toEqual([]);
    const note =
      "sections .text and .idata overlap, which no loader takes: the 512 bytes from RVA 0x8000 are read as those of .text";
    expect(notesOf(image)).toEqual([[note], [note]]);
  });

  it("are not those that only touch", () => {
    const image = withText(0x7000);
    expect(image.imports.slots.map(({ declared }) => declared?.name)).toEqual(["IoCreateDevice"]);
    expect(notesOf(image)).toEqual([[], []]);
  });

  it("are found behind one another, also where the header lists them in another order", () => {
    const [model] = withText(0x100).sections;
    const section = (name: string, start: number, virtualSize: number): Section => ({
      ...model!,
      name,
      rva: rva(start),
      virtualSize,
    });
    const sections = [
      section("c", 0x3000, 0x1000),
      section("a", 0x1000, 0x2800),
      section("b", 0x2000, 0x200),
    ];
    expect(
      overlapsOf(sections).map(({ shown, hidden, start, length }) => [
        shown.name,
        hidden.name,
        start,
        length,
      ]),
    ).toEqual([
      ["a", "b", 0x2000, 0x200],
      ["a", "c", 0x3000, 0x800],
    ]);
  });
});
