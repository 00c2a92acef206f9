import { describe, expect, it } from "vitest";
import { Bytes } from "../../src/core/bytes.ts";
import { FormatError } from "../../src/core/errors.ts";
import { type KaitaiStream, parseWith, readStruct, toBigInt } from "../../src/core/kaitai.ts";
import { U64 } from "../../src/generated/u64.js";

/** A layout as the compiler writes it: a count in the header, a lazy field, a sized part. */
class Probe {
  readonly length: number;
  readonly #stream: KaitaiStream & { part?(array: Uint8Array): KaitaiStream };

  constructor(stream: KaitaiStream, _parent: undefined, _root: undefined, length: number) {
    this.#stream = stream;
    this.length = length;
    stream.readU4le();
  }

  get name(): Uint8Array {
    return this.#stream.readBytes(this.length);
  }

  get beyond(): number {
    this.#stream.seek(this.length);
    return this.#stream.readU4le();
  }

  get inner(): number {
    const part = this.#stream.part?.(this.#stream.readBytes(this.length));
    part?.readU2le();
    return part?.readU4le() ?? 0;
  }
}

const memory = Uint8Array.from({ length: 64 }, (_, i) => i);
/** Eight bytes, 16 to 23, that stand at 0x1000 in `MEMORY.DMP`. */
const bytes = new Bytes(memory.subarray(16, 24), "MEMORY.DMP", 0x1000);
const probe = (length: number): Probe => readStruct(Probe, bytes, "probe", length);

describe("u64", () => {
  // as KaitaiStream's own u8 this is 0xfffff80122900000
  const address = parseWith(U64, Uint8Array.of(0xf8, 0xff, 0x8f, 0x22, 0x01, 0xf8, 0xff, 0xff));

  it("keeps every bit of a kernel address", () => {
    expect(toBigInt(address)).toBe(0xfffff801228ffff8n);
  });
});

describe("readStruct", () => {
  it("says where the bytes end, in the file's own offsets", () => {
    const cut = new Bytes(memory.subarray(16, 22), "MEMORY.DMP", 0x1000);
    expect(() => readStruct(U64, cut, "KDBG")).toThrow(
      expect.objectContaining({
        name: "FormatError",
        file: "MEMORY.DMP",
        offset: 0x1004,
        field: "KDBG",
        expected: "4 bytes",
        found: "the end at 0x1006",
      }),
    );
  });

  it("reads nothing of the memory beside the bytes", () => {
    expect(() => probe(5).name).toThrow(FormatError);
    expect([...probe(4).name]).toEqual([20, 21, 22, 23]);
  });

  it("throws the same error for a field that is read later", () => {
    expect(() => probe(6).beyond).toThrow(expect.objectContaining({ offset: 0x1006, expected: "4 bytes" }));
  });

  it("refuses a position past the end instead of moving it", () => {
    expect(() => probe(9).beyond).toThrow(FormatError);
  });

  it("refuses a length that wraps at 32 bits", () => {
    expect(() => probe(0xffffffff).name).toThrow(FormatError);
    expect(() => probe(0x1_0000_0000).name).toThrow(FormatError);
  });

  it("knows the place of a part of a stream", () => {
    expect(() => probe(4).inner).toThrow(
      expect.objectContaining({ offset: 0x1006, found: "the end at 0x1008" }),
    );
  });
});
