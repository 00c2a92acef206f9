import { describe, expect, it } from "vitest";
import { GivenImages } from "../../src/api/images.ts";
import { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { buildPe } from "../fixtures/pe.ts";

describe("PE files that bear the name of a module", () => {
  const bytes = buildPe({ bits: 64, sections: [{ name: ".text", rva: 0x1000, data: Uint8Array.of(0xc3) }] });
  const given = (count: number) =>
    new GivenImages(Array.from({ length: count }, () => new BytesSource(bytes, "x.sys")));
  const other = { fileName: "x.sys", size: 0x1234_5000, timestamp: 1 };

  it("are told one by one where they are other files, and those past a hundred by their number", () => {
    const images = given(3);
    for (let module = 0; module < 40; module++) expect(images.find(other)).toBeUndefined();
    expect(images.notes).toHaveLength(101);
    expect(images.notes[99]).toMatch(/^x\.sys of the files given is not the one that was loaded: /);
    expect(images.notes[100]).toBe("20 more files of the names of modules are other ones");
  });

  // 4,000 modules of one name and 1,500 files of that name took minutes
  it("are held against modules 65,536 times, and no more (MAX_IMAGE_MATCHES)", () => {
    const images = given(2);
    const { size, timestamp } = Image.fromFile(new BytesSource(bytes, "x.sys"));
    const real = { fileName: "x.sys", size, timestamp };
    for (let module = 0; module < 32_767; module++) images.find(other);
    expect(images.find(real)?.path).toBe("x.sys");
    images.find(other);
    expect(images.find(real)).toBeUndefined();
    expect(images.notes.at(-1)).toBe(
      "more files bear the names of modules than are held against them: 65,536 were",
    );
  });
});
