import { expect, it } from "vitest";
import { BytesSource, openFolder } from "../../src/index.ts";
import { buildPe } from "../fixtures/pe.ts";

/** An image of which a megabyte is nothing but the tag. */
const data = new Uint8Array(0x10_0000);
for (let at = 0; at < data.length; at += 4) data.set([0x53, 0x65, 0x20, 0x20], at);
const bytes = buildPe({ bits: 64, sections: [{ name: ".data", rva: 0x1000, data, use: "rw" }] });
const open = () => openFolder([new BytesSource(bytes, "full.sys"), new BytesSource(bytes, "again.sys")]);

it("tells of as many places of a tag as anyone looks at, and how many there are (MAX_SIGHTINGS)", () => {
  using folder = open();
  const { references, notes, coverage } = folder.scan("Se");
  expect(references).toHaveLength(16_384);
  expect(notes[0]).toBe("it stands at 524,288 places, of which the first 16,384 are told of");
  // what is not told of was looked at all the same
  expect(coverage.map(({ readable }) => readable >= data.length)).toEqual([true, true]);
});

it("does so of places that hold an address", () => {
  using folder = open();
  const { pointers, notes } = folder.pointers("2020655320206553");
  expect(pointers).toHaveLength(16_384);
  expect(notes[0]).toMatch(/^it stands at 524,286 places/);
});
