import { describe, expect, it } from "vitest";
import { advance } from "../../src/core/address.ts";
import { MemoryError } from "../../src/core/errors.ts";
import { Image } from "../../src/pe/image.ts";
import { layoutNotes } from "../../src/report/image-notes.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { buildPe, type PeSection, type PeSpec, peSource } from "../fixtures/pe.ts";

/** Bytes that name their place: each is the low byte of its offset in `length` bytes, plus `first`. */
function run(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => first + (index & 0xf));
}

function image(sections: readonly PeSection[], more: Partial<PeSpec> = {}): Image {
  return Image.fromFile(peSource({ bits: 64, sections, ...more }));
}

/** Which bytes of [rva, rva + length) come from where: `f` file, `0` zeros, `-` a hole. */
function picture(of: Image, rva: number, length: number): string {
  let text = "";
  for (let at = rva; at < rva + length; ) {
    const found = of.space.mapping.locate(advance(of.base, at), rva + length - at);
    const mark = "fault" in found ? "-" : found.offset === undefined ? "0" : "f";
    text += `${mark}${Math.min(found.length, rva + length - at).toString(16)} `;
    at += found.length;
  }
  return text.trim();
}

describe("a PE file laid out as the loader does it", () => {
  it("has the headers, then a hole where no page is mapped, then the sections", () => {
    const file = image([
      { name: ".text", rva: 0x1000, data: run(0x200, 0x10), use: "rx" },
      { name: ".data", rva: 0x3000, data: run(0x200, 0x20), virtualSize: 0x1800, use: "rw" },
    ]);
    expect(picture(file, 0, 0x6000)).toBe("f400 0c00 f200 0e00 -1000 f200 01e00 -1000");
    expect(file.read(0x1002, 3)).toEqual(Uint8Array.of(0x12, 0x13, 0x14));
    expect(file.read(0x31ff, 2)).toEqual(Uint8Array.of(0x2f, 0));
  });

  it("takes the size in the file where the size in memory is 0", () => {
    const file = image([{ name: ".text", rva: 0x1000, data: run(0x1200, 0x10), virtualSize: 0 }], {
      imageSize: 0x4000,
    });
    expect(picture(file, 0x1000, 0x2000)).toBe("f1200 0e00");
  });

  it("shows the file up to the end of the page where memory is smaller than the file's part", () => {
    const file = image([{ name: ".text", rva: 0x1000, data: run(0x1400, 0x10), virtualSize: 0x300 }], {
      imageSize: 0x4000,
    });
    expect(picture(file, 0x1000, 0x1800)).toBe("f1000 -800");
  });

  it("starts a section at the sector that its offset lies in, as the loader does", () => {
    const file = image([{ name: ".text", rva: 0x1000, data: run(0x200, 0x10), fileOffset: 0x410 }]);
    expect(file.read(0x1010, 2)).toEqual(Uint8Array.of(0x10, 0x11));
  });

  it("shows no more of a file than there is, and 2 MB for good measure", () => {
    const data = run(0x40_0000, 0x10);
    const again = [1, 2, 3, 4].map((i) => ({
      name: `again${i}`,
      rva: 0x1000 + i * 0x40_0000,
      data: new Uint8Array(0),
      virtualSize: 0x40_0000,
      fileSize: 0x40_0000,
      fileOffset: 0x400,
    }));
    const file = image([{ name: ".text", rva: 0x1000, data, fileOffset: 0x400 }, ...again]);
    // 0x200000 + 0x400400, of which the headers take 0x400
    expect(picture(file, 0x1000, 0x140_0000)).toBe("f400000 f200000 -200000 -400000 -400000 -400000");
    expect(layoutNotes(file)).toEqual([
      "14,680,064 bytes of its sections were passed over: all of them together have more than the file",
    ]);
    expect(() => file.read(0x100_2000, 4)).toThrow(
      "was passed over: the images before it lead to more bytes than there are",
    );
  });

  it("is the file as it is where sections are aligned below a page, gaps included", () => {
    const sections = [
      { name: ".text", rva: 0x480, data: run(0x90, 0x10), use: "rx" },
      { name: ".data", rva: 0x580, data: run(0x40, 0x20), virtualSize: 0x100, use: "rw" },
    ];
    const file = image(sections, {
      sectionAlignment: 0x80,
      fileAlignment: 0x80,
      headersSize: 0x480,
      imageSize: 0x680,
    });
    expect(file.read(0x480, 1)).toEqual(Uint8Array.of(0x10));
    expect(file.read(0x580, 1)).toEqual(Uint8Array.of(0x20));
    expect(picture(file, 0, 0x700)).toBe("f5c0 0c0 -80");
  });

  it("goes by the section table where such sections stand elsewhere in the file", () => {
    const sections = [{ name: ".text", rva: 0x500, data: run(0x40, 0x10), fileOffset: 0x480 }];
    const file = image(sections, {
      sectionAlignment: 0x80,
      fileAlignment: 0x80,
      headersSize: 0x480,
      imageSize: 0x580,
    });
    expect(file.read(0x500, 1)).toEqual(Uint8Array.of(0x10));
    expect(picture(file, 0x480, 0x100)).toBe("-80 f40 -40");
  });

  it("gives overlapping addresses to the section that starts first", () => {
    const file = image(
      [
        { name: "late", rva: 0x2000, data: run(0x400, 0x30), virtualSize: 0x1000 },
        { name: "early", rva: 0x1000, data: run(0x1200, 0x10), virtualSize: 0x1800 },
        { name: "inside", rva: 0x1000, data: run(0x100, 0x50), virtualSize: 0x100 },
      ],
      { imageSize: 0x4000 },
    );
    expect(file.read(0x2000, 1)).toEqual(Uint8Array.of(0x10));
    expect(picture(file, 0x1000, 0x3000)).toBe("f1200 0e00 -1000");
  });

  it("says that a file was cut off, instead of reading zeros", () => {
    const whole = buildPe({ bits: 64, sections: [{ name: ".text", rva: 0x1000, data: run(0x1000, 0x10) }] });
    const file = Image.fromFile(new BytesSource(whole.subarray(0, 0x900), "cut.sys"));
    expect(() => file.read(0x1000, 0x1000)).toThrow(
      expect.objectContaining({
        bytesRead: 0x500,
        fault: { kind: "not-mapped", va: file.addressOf(0x1500), level: "file" },
      }),
    );
  });

  it("ends at the image's size, whatever the sections say", () => {
    const file = image([{ name: ".text", rva: 0x1000, data: run(0x200, 0x10), virtualSize: 0xfffff000 }], {
      imageSize: 0x2000,
    });
    expect(picture(file, 0x1000, 0x2000)).toBe("f200 0e00 -1000");
    expect(() => file.read(0x1ffe, 4)).toThrow(MemoryError);
    expect(() => file.read(0x1ffe, 4)).toThrow(expect.objectContaining({ bytesRead: 2 }));
  });

  it("never asks the source for what lies past a section's offset of 4 GB", () => {
    const file = image(
      [
        {
          name: ".text",
          rva: 0x1000,
          data: new Uint8Array(0),
          virtualSize: 0x1000,
          fileSize: 0xfffffe00,
          fileOffset: 0,
        },
      ],
      { imageSize: 0x2000 },
    );
    expect(picture(file, 0x1000, 0x1000)).toBe("01000");
  });
});
