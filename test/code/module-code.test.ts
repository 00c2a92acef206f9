import { describe, expect, it } from "vitest";
import { analyzeImage } from "../../src/code/functions.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Mapping } from "../../src/memory/mapping.ts";
import type { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { codeImage } from "../fixtures/code-image.ts";

describe("ModuleCode", () => {
  it("leaves out the code past 256 MB, which nobody reads, and says so (MAX_CODE_BYTES)", () => {
    const base = 0xfffff80000000000n;
    const image = codeImage({
      machine: "arm64",
      parts: [{ rva: 0x1000, bytes: new Uint8Array(0x1000), size: 0x1000_1000 }],
    });
    const source = new BytesSource(new Uint8Array(0x1000));
    // one page, and 256 MB behind it, which only reads that go too far ask the source for
    const mapping: Mapping = {
      pointerSize: 8,
      locate: (at, want) => {
        const offset = Number(at - base) - 0x1000;
        return {
          source,
          offset,
          length: Math.min(want, offset < 0x1000 ? 0x1000 : 0x1000_0000),
          origin: "dump",
        };
      },
    };
    const { code, notes } = analyzeImage({ ...image, space: new AddressSpace(mapping) } as unknown as Image);
    expect(code.runs.map(({ start, end }) => [start, end])).toEqual([[0x1000, 0x2000]]);
    expect(code).toMatchObject({ readable: 0x1000, truncated: true });
    expect(notes).toEqual(["the image has more code than is looked at", "arm64 code is not decoded"]);
  });
});
