import { describe, expect, it } from "vitest";
import { readCoreNotes } from "../../src/dump/core-notes.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { patch } from "../fixtures/dump-bytes.ts";

/** A note as it stands in a core. */
function note(name: string, contentSize: number): Uint8Array {
  const nameRoom = Math.ceil((name.length + 1) / 4) * 4;
  return patch(new Uint8Array(12 + nameRoom + contentSize), { 0: name.length + 1, 4: contentSize, 12: name });
}

/** QEMUCPUState of a processor that never ran. */
const PROCESSOR = note("QEMU", 0x1b0);

/** Reads them as parts of one file. */
function read(...parts: readonly Uint8Array[]) {
  let next = 0;
  const places = parts.map(({ length }) => {
    const offset = next;
    next += length;
    return { offset, fileSize: length };
  });
  const { facts, notes } = readCoreNotes(new BytesSource(Buffer.concat(parts), "x.elf"), places);
  return { processors: facts.processors?.value, notes };
}

describe("the notes of a core", () => {
  it("are read up to 16 MB (MAX_CORE_NOTE_BYTES)", () => {
    const filler = note("FILL", 16_777_216 - 20 - PROCESSOR.length);
    expect(read(filler, PROCESSOR)).toEqual({ processors: 1, notes: [] });
    // one part or several, and one that is cut in its middle
    const told = ["only the first 16777216 bytes of the core's notes are read"];
    expect(read(filler, PROCESSOR, PROCESSOR)).toEqual({ processors: 1, notes: told });
    expect(read(Buffer.concat([filler, PROCESSOR, PROCESSOR]))).toEqual({ processors: 1, notes: told });
    expect(read(note("FILL", 4), filler, PROCESSOR)).toEqual({ processors: undefined, notes: told });
  });

  it("are read up to 65,536 of them, in all parts together (MAX_CORE_NOTES)", () => {
    const empty = new Uint8Array(32_767 * 12);
    expect(read(empty, empty, PROCESSOR, PROCESSOR)).toEqual({ processors: 2, notes: [] });
    expect(read(empty, empty, PROCESSOR, PROCESSOR, PROCESSOR)).toEqual({
      processors: 2,
      notes: ["only the first 65536 notes of the core are read"],
    });
  });

  it("name as many processors as Windows has at most, and say how many more (MAX_PROCESSORS)", () => {
    const processors = (count: number) => read(Buffer.concat(new Array<Uint8Array>(count).fill(PROCESSOR)));
    expect(processors(2048)).toEqual({ processors: 2048, notes: [] });
    expect(processors(2050)).toEqual({
      processors: 2048,
      notes: ["2 processors of the core are not read: Windows has 2048 at most"],
    });
  });
});
