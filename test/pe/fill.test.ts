import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { FilledMapping, ImageFill } from "../../src/pe/fill.ts";
import { Image } from "../../src/pe/image.ts";
import { matchImage } from "../../src/pe/match.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { type PeSpec, peSource } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const BASE = 0xb8f0_4000n;
const PREFERRED = 0x10000;

const TEXT = patch(new Uint8Array(0x1100).fill(0x90), {
  4: PREFERRED + 0x3000,
  0x20: 0x11223344, // relocated in a way of its own: HIGH, type 1
  0xffe: PREFERRED + 0x1234, // over the page's end
});
const RDATA = patch(new Uint8Array(0x200).fill(0x77), {
  0x80: 0x50, // the load configuration, 50 bytes long
  0xc8: PREFERRED + 0x3140, // GuardCFCheckFunctionPointer
  0xcc: 0,
});
const RELOCATIONS = patch(new Uint8Array(24), { 0: 0x1000, 4: 16, 8: 0x3ffe_3004, 12: 0x0000_1020 });

const SPEC: PeSpec = {
  bits: 32,
  directories: { 5: [0x6000, 24], 10: [0x3080, 0x50], 12: [0x3000, 8] },
  sections: [
    { name: ".text", rva: 0x1000, data: TEXT, use: "rx" },
    { name: ".rdata", rva: 0x3000, data: RDATA },
    { name: ".data", rva: 0x4000, data: new Uint8Array(0x100).fill(0x55), use: "rw" },
    { name: "INIT", rva: 0x5000, data: new Uint8Array(0x100).fill(0x66), use: "rxd" },
    { name: ".reloc", rva: 0x6000, data: RELOCATIONS, use: "rd" },
  ],
};

const file = Image.fromFile(peSource(SPEC));

function filled(memory: VirtualMemory, fill = new ImageFill(va(BASE), file)): AddressSpace {
  return new AddressSpace(new FilledMapping(memory, [fill]));
}

/** One letter for each of `length` bytes from `rva`: d dump, f file, - neither. */
function origins(space: AddressSpace, rva: number, length: number): string {
  return space
    .spans(va(BASE + BigInt(rva)), length)
    .map(
      ({ length, content }) =>
        `${content === "dump" ? "d" : content === "file" ? "f" : "-"}${length.toString(16)}`,
    )
    .join(" ");
}

describe("holes filled in from a module's file", () => {
  it("have code relocated to the module's base, byte by byte where a read cuts a pointer", () => {
    const space = filled(new VirtualMemory(4));
    expect(space.readU32(va(BASE + 0x1004n))).toBe(Number(BASE) + 0x3000);
    expect(space.readU32(va(BASE + 0x1ffen))).toBe(Number(BASE) + 0x1234);
    expect(space.read(va(BASE + 0x2000n), 2)).toEqual(Uint8Array.of(0xf0, 0xb8));
    expect(space.read(va(BASE + 0x1ffen), 2)).toEqual(Uint8Array.of(0x34, 0x52));
    expect(space.read(va(BASE + 0x1000n), 4)).toEqual(new Uint8Array(4).fill(0x90));
  });

  it("have headers with the base that the loader wrote into them", () => {
    const image = Image.at(filled(new VirtualMemory(4)), va(BASE));
    expect(image.preferredBase).toBe(BASE);
    expect({ ...image.headers, preferredBase: 0n }).toEqual({ ...file.headers, preferredBase: 0n });
  });

  it("leave open what the loader changes: writable sections, slots, guard pointers, odd relocations", () => {
    const space = filled(new VirtualMemory(4));
    expect(origins(space, 0, 0x7000)).toBe("f400 -c00 f20 -8 f10d8 -f08 f138 -4 fbc -3e00");
    expect(space.tryReadU32(va(BASE + 0x3000n))).toBeUndefined();
    expect(space.tryReadU32(va(BASE + 0x3140n))).toBeUndefined();
    expect(space.tryReadU32(va(BASE + 0x4000n))).toBeUndefined();
  });

  it("leave discarded sections open unless they are asked for", () => {
    const fill = new ImageFill(va(BASE), file, { discardable: true });
    expect(origins(filled(new VirtualMemory(4), fill), 0x5000, 0x2000)).toBe("f100 -f00 f18 -fe8");
  });

  it("never replace a byte that the dump has", () => {
    const memory = new VirtualMemory(4).write(BASE + 0x1000n, new Uint8Array(0x1000).fill(0xcc));
    const space = filled(memory);
    expect(origins(space, 0x1000, 0x1100)).toBe("d1000 f100");
    expect(space.read(va(BASE + 0x1ffen), 4)).toEqual(Uint8Array.of(0xcc, 0xcc, 0xf0, 0xb8));
  });

  it("keep the dump's own reason where the file has nothing", () => {
    const memory = new VirtualMemory(4).pageOut(BASE + 0x4000n, 1);
    expect(() => filled(memory).read(va(BASE + 0x4000n), 1)).toThrow(
      expect.objectContaining({ fault: { kind: "paged-out", va: BASE + 0x4000n, level: "PTE" } }),
    );
  });

  it("reach no further than the module, before it and behind it", () => {
    const space = filled(new VirtualMemory(4));
    expect(origins(space, -0x100, 0x200)).toBe("-100 f100");
    expect(space.tryRead(va(BASE + 0x7000n), 1)).toBeUndefined();
  });

  it("stay open where the image was moved and nobody can say what moved with it", () => {
    const cut = { ...SPEC, directories: { ...SPEC.directories, 5: [0x8000, 8] as const } };
    const stripped = { ...SPEC, characteristics: 0x23 };
    for (const spec of [cut, stripped]) {
      const fill = new ImageFill(va(BASE), Image.fromFile(peSource(spec)));
      expect(origins(filled(new VirtualMemory(4), fill), 0, 0x7000)).toBe("-7000");
      const unmoved = new ImageFill(va(BigInt(PREFERRED)), Image.fromFile(peSource(spec)));
      expect(new FilledMapping(new VirtualMemory(4), [unmoved]).locate(va(0x11000n), 16)).toMatchObject({
        origin: "file",
        length: 16,
      });
    }
  });
});

describe("a file with more relocations than the stack holds", () => {
  const COUNT = 1_000_000;

  /** The sample's file, with one block of relocations that are all this one. */
  function relocatedBy(entry: number): Image {
    const data = new Uint8Array(8 + COUNT * 2);
    const view = new DataView(data.buffer);
    view.setUint32(0, 0x1000, true);
    view.setUint32(4, data.length, true);
    for (let at = 8; at < data.length; at += 2) view.setUint16(at, entry, true);
    return Image.fromFile(
      peSource({
        ...SPEC,
        directories: { ...SPEC.directories, 5: [0x6000, data.length] },
        sections: [...SPEC.sections!.slice(0, 4), { name: ".reloc", rva: 0x6000, data, use: "rd" }],
      }),
    );
  }

  it("leaves the place open that they all change in a way of their own", () => {
    const space = filled(new VirtualMemory(4), new ImageFill(va(BASE), relocatedBy(0x1020)));
    expect(origins(space, 0x1000, 0x1000)).toBe("f20 -8 ffd8");
  });

  it("moves the place once that they all name", () => {
    const image = relocatedBy(0x3004);
    const space = filled(new VirtualMemory(4), new ImageFill(va(BASE), image));
    expect(image.relocations.rvas).toHaveLength(COUNT);
    expect(space.readU32(va(BASE + 0x1004n))).toBe(Number(BASE) + 0x3000);
    expect(space.read(va(BASE + 0x1006n), 2)).toEqual(Uint8Array.of(0xf0, 0xb8));
  });
});

describe("a file and a module", () => {
  const known = { fileName: "Made.sys", size: 0x7000, timestamp: 0x5f5e1000, checksum: 0x11e27 };
  const pdb = { form: "RSDS", signature: "", age: 1, path: "x.pdb", key: "ABC1" } as const;

  it("match by name, size, time stamp and checksum", () => {
    expect(matchImage(file, "C:\\drivers\\MADE.SYS", known)).toEqual({
      matched: true,
      because: [
        "same name Made.sys",
        "same size of image 0x7000",
        "same time stamp 0x5f5e1000",
        "same checksum 0x11e27",
      ],
    });
  });

  it("never match by name alone, nor by the size or the time stamp alone", () => {
    for (const some of [{}, { size: 0x7000 }, { timestamp: 0x5f5e1000 }, { checksum: 0x11e27 }]) {
      const { matched, because } = matchImage(file, "made.sys", { fileName: "made.sys", ...some });
      expect(matched).toBe(false);
      expect(because.at(-1)).toMatch(/^too little is known/);
    }
  });

  it.each([
    ["another name", { fileName: "other.sys" }, "named made.sys, but the dump says other.sys"],
    ["another size", { size: 0x8000 }, "size of image 0x7000, but the dump says 0x8000"],
    ["another time stamp", { timestamp: 0 }, "time stamp 0x5f5e1000, but the dump says 0x0"],
    ["another checksum", { checksum: 1 }, "checksum 0x11e27, but the dump says 0x1"],
    ["a PDB that the file does not have", { pdb }, "PDB identity none, but the dump says ABC1"],
  ])("do not match with %s", (_, other, sentence) => {
    const { matched, because } = matchImage(file, "made.sys", { ...known, ...other });
    expect(matched).toBe(false);
    expect(because).toContain(sentence);
  });
});
