import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packHuffman, packPlain } from "../../samples/writer/xpress.mjs";
import { Bytes } from "../../src/core/bytes.ts";
import { FormatError } from "../../src/core/errors.ts";
import { unpackXpress } from "../../src/source/xpress.ts";
import { MAX_XPRESS_BLOCK, unpackXpressHuffman } from "../../src/source/xpress-huffman.ts";

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const packed = (bytes: Uint8Array): Bytes => new Bytes(bytes, "x.sys", 0x1000);

function plain(bytes: Uint8Array, size: number): string {
  const into = new Uint8Array(size);
  unpackXpress(packed(bytes), into);
  return Buffer.from(into).toString("latin1");
}

function huffman(bytes: Uint8Array, size: number): string {
  const into = new Uint8Array(size);
  unpackXpressHuffman(packed(bytes), into);
  return Buffer.from(into).toString("latin1");
}

const alphabet = "abcdefghijklmnopqrstuvwxyz";

describe("plain XPRESS", () => {
  // MS-XCA, "Examples"
  it.each([
    ["literals", `3f000000 ${Buffer.from(alphabet).toString("hex")}`, alphabet],
    ["one long match", "ffffff1f 61626317000fff2601", "abc".repeat(100)],
  ])("unpacks the example of its description: %s", (_name, bytes, text) => {
    expect(plain(fromHex(bytes), text.length)).toBe(text);
  });

  // flags of one literal and two matches, both one byte back: 0x60000000
  it.each([
    ["of 9 bytes, in the match itself", "00000060 61 0600 0600", 9, 9],
    ["of two halves of a byte", "00000060 61 0700 e3 0700", 13, 24],
    ["of a byte behind a half", "00000060 61 0700 ff 02 0700 03", 27, 28],
    ["of two bytes behind it", "00000060 61 0700 0f ff 2c01 0000", 303, 3],
    ["of four bytes behind those", "00000060 61 0700 0f ff 0000 00000100 0000", 65539, 3],
  ])("takes the length of a match %s", (_name, bytes, one, other) => {
    expect(plain(fromHex(bytes), 1 + one + other)).toBe("a".repeat(1 + one + other));
  });

  it("says how many bytes it used", () => {
    expect(unpackXpress(packed(fromHex("3f000000 6162636465 ffff")), new Uint8Array(5))).toBe(9);
  });

  it.each([
    ["a match before the first byte", "00000080 0000", "at most 0 bytes back", 6],
    ["a match further back than the first byte", "00000040 61 0800", "at most 1 bytes back", 7],
    ["a match past the end", "00000040 61 0700 0f ff 2c01", "at most 99 bytes long", 11],
    ["a long length that has a shorter form", "00000040 61 0700 0f ff 1500", "22 or more", 9],
    ["no flags", "0000", "4 bytes", 0],
    ["a literal cut off", "00000000 61", "1 byte", 5],
    ["a match cut off", "00000040 61 07", "2 bytes", 5],
    ["a half of a length cut off", "00000040 61 0700", "1 byte", 7],
    ["a byte of a length cut off", "00000040 61 0700 0f", "1 byte", 8],
    ["four bytes of a length cut off", "00000040 61 0700 0f ff 0000 01", "4 bytes", 11],
  ])("refuses %s", (_name, bytes, expected, at) => {
    expect(() => plain(fromHex(bytes), 100)).toThrow(
      expect.objectContaining({ name: "FormatError", file: "x.sys", offset: 0x1000 + at, expected }),
    );
  });
});

// wimlib-imagex 1.13.5 capture --compress=XPRESS --chunk-size=65536, the resource of each file
const SQUARES = `
0000000000050000000000000000000000000000000000004444444444000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000008000000000000000000000000000000000000000000
0000790900000000000087000000000000007508000000000000650800000000000054000000000000006506000000000000
5686000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000003d0b2c8a61c7b012d8baac9476688b443d2b029c8fd00061968ba32ead7bc16e2b79111089d8e6a33af830f1
b187459cc38d0106909524eff27ff6519e8a62f963e899bcc7ef0c1c84ed302071d48624952e80e3831cc8062be145d410e9
d29129c19c4c805a992991428a9abc9959c3f8f0733ee47ca917f713d7120221045e033de00c278284c2b27487c42b8bf81d
144c9a108168d13b8ac26283b29c4a30627a2095eac89999edd5722ba536e3c84317a0a78fa3637f889e3901152bd8e43fb4
76a335bc7e1dce224708280c5890248162f11c87bd285204e598a878aae28d525f63f38a30504c0d5a60c3b091153c8f1619
32be82c6562a70c2d7c1f8f59ee247a174b8912befd57f07789c116c3800055204b1e218c6ce1edb5031784811a2b335535a
99cebc753d83d46f74c913ab5f22eec64269fa9731c8dacf6cc8ed1051a28c0eeb87ecd6f7018183a836cc6faf7662e0d50f
aa3514db179f2b09bf63e373b12bdaf627c688e366cf56bdd96cc3db8e815b73e0b2deec9e87a3030e8ffc2f9272e6f0923c
eb0aea6236d44bcd77fce559b463f88338913cf1f3c11f0d77a3e1332e478569f8d1dbc10d9cbcdc8f5e553bf27d17a24d9f
96114f62ed80462c7670cec875e9c9cf909db3b71cdb6513e1cea3010942dbd904b8e09e6cfe8a0af47f54ed2f4444f10f85
a06f0000
`;
const LONG_MATCHES = `
0000000000000000000000000000000003000000000000000000000000000000000000000000000000000000000000004005
4505450004450405040055050000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000005000000000000000000000000000040000000000000
0000000000000000004000000000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000006576928d7a28694501be73ff9b0f649ceac1f9b0e13e120000
`;

describe("XPRESS with Huffman codes", () => {
  it("unpacks what wimlib packed: literals and short matches", () => {
    const text = Array.from({ length: 180 }, (_, i) => `${i * i * 7}\n`).join("");
    expect(huffman(fromHex(SQUARES), text.length)).toBe(text);
  });

  it("unpacks what wimlib packed: matches with long lengths", () => {
    const text = `${"pooltrail ".repeat(3)}${"ab".repeat(2000)}${"xyz".repeat(90)}the end of it`;
    expect(huffman(fromHex(LONG_MATCHES), text.length)).toBe(text);
  });

  /** Code lengths by symbol, and the words behind them. */
  const block = (
    lengths: Readonly<Record<number, number>>,
    words: readonly number[],
    tail: readonly number[] = [],
  ) => {
    const bytes = new Uint8Array(256 + words.length * 2 + tail.length);
    for (const [symbol, length] of Object.entries(lengths)) {
      const at = Number(symbol) >> 1;
      bytes[at] = bytes[at]! | (length << ((Number(symbol) & 1) * 4));
    }
    words.forEach((word, i) => void bytes.set([word & 0xff, word >> 8], 256 + i * 2));
    bytes.set(tail, 256 + words.length * 2);
    return bytes;
  };
  // 0: a, 10: b, 11: a match one byte back, whose length stands in the bytes behind the words
  const codes = { 0x61: 1, 0x62: 2, 0x10f: 2 };

  it.each([
    ["of a byte", [5], 15 + 5 + 3],
    ["of two bytes", [255, 0x2c, 1], 300 + 3],
    ["of four bytes", [255, 0, 0, 0x10, 0x27, 0, 0], 10000 + 3],
  ])("takes the length of a match %s", (_name, tail, length) => {
    expect(huffman(block(codes, [0b0111_0000_0000_0000, 0], tail), 1 + length)).toBe("a".repeat(1 + length));
  });

  it("takes codes of up to 15 bits", () => {
    const lengths = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [0x61 + i, i + 1]));
    // the last two have 15 bits, of which all but the last are ones
    const table = { ...lengths, 0x70: 15 };
    const bytes = block(table, [0b1111_1111_1111_1111, 0b1111_1111_1111_1000]);
    expect(huffman(bytes, 3)).toBe("poa");
  });

  it("reads two words ahead, and no more", () => {
    // 32 codes of one bit
    const bytes = block({ 0x61: 1, 0x62: 1 }, [0x00ff, 0xff00]);
    expect(huffman(bytes, 32)).toBe(`${"a".repeat(8)}${"b".repeat(16)}${"a".repeat(8)}`);
    expect(() => huffman(bytes, 33)).toThrow(FormatError);
    expect(() => huffman(bytes, 60_000)).toThrow(FormatError);
  });

  it.each([
    ["an over-filled table", block({ 0x61: 1, 0x62: 1, 0x63: 1 }, [0, 0]), "codes that fill 32768 places", 0],
    [
      "a table over-filled by all symbols",
      block(Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i, 1])), [0, 0]),
      "codes that fill 32768 places",
      0,
    ],
    ["an under-filled table", block({ 0x61: 1, 0x62: 2 }, [0, 0]), "codes that fill 32768 places", 0],
    ["an empty table", block({}, [0, 0]), "codes that fill 32768 places", 0],
    ["a table cut off", new Uint8Array(255), "256 bytes", 0],
    ["a match before the first byte", block(codes, [0xc000, 0], [0]), "at most 0 bytes back", 261],
    ["a match past the end", block(codes, [0x7000, 0], [255, 0xff, 0xff]), "at most 99 bytes long", 263],
    ["a long length that has a shorter form", block(codes, [0x7000, 0], [255, 14, 0]), "15 or more", 261],
    ["a length cut off", block(codes, [0x7000, 0]), "1 byte", 260],
    ["no words", block(codes, []), "longer", 256],
  ])("refuses %s", (_name, bytes, expected, at) => {
    expect(() => huffman(bytes, 100)).toThrow(
      expect.objectContaining({ name: "FormatError", file: "x.sys", offset: 0x1000 + at, expected }),
    );
  });

  it("takes one block at a time", () => {
    expect(() =>
      unpackXpressHuffman(packed(new Uint8Array(300)), new Uint8Array(MAX_XPRESS_BLOCK + 1)),
    ).toThrow(RangeError);
  });
});

describe.each([
  ["plain", packPlain, unpackXpress],
  ["Huffman", packHuffman, unpackXpressHuffman],
] as const)("XPRESS, %s", (_name, pack, unpack) => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(400)), { maxLength: 12 })
      .map((parts) =>
        Uint8Array.from(
          parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat()),
        ),
      ),
  );

  it("gives back whatever was packed", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const into = new Uint8Array(Math.min(bytes.length, MAX_XPRESS_BLOCK));
        unpack(packed(pack(bytes.subarray(0, into.length))), into);
        expect(Buffer.from(into).equals(bytes.subarray(0, into.length))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("gives bytes or a FormatError for anything", () => {
    const changes = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(content, changes, fc.nat(70), fc.nat(MAX_XPRESS_BLOCK), (bytes, changed, cut, size) => {
        const broken = pack(bytes.subarray(0, MAX_XPRESS_BLOCK)).slice();
        for (const [at, value] of changed) if (at < broken.length) broken[at] = value;
        try {
          unpack(packed(broken.subarray(0, Math.max(0, broken.length - cut))), new Uint8Array(size));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
