import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Area } from "../../samples/writer/bytes.mjs";
import { kdump } from "../../samples/writer/containers.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { readDump } from "../../src/dump/open.ts";
import { DAMAGED } from "../../src/dump/page-map.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

const PAGE = 0x1000;

/** A page packed with zlib so badly that it takes more than it holds: blocks of nothing stand before it. */
function packed(page: Uint8Array, blocks: number): Uint8Array {
  const stored = deflateSync(page, { level: 0 });
  const nothing = Buffer.from("000000ffff".repeat(blocks), "hex");
  return Buffer.concat([stored.subarray(0, 2), nothing, stored.subarray(2)]);
}

it("leaves out a page of a compressed core that takes more bytes than zlib makes of one (MAX_PACKED_PAGE)", () => {
  const machine = new Machine({ mode: "x64", physicalPages: 0x400 });
  const whole = kdump(machine, { minor: 19041 }, []);
  const [pfn = 0] = [...machine.pages().keys()];
  const page = Uint8Array.from({ length: PAGE }, (_, i) => i);
  const head = new Area(whole);
  const descriptor = (1 + head.readU32(0x1b0) + head.readU32(0x1b4)) * PAGE;
  const open = (bytes: Uint8Array) => {
    const file = new Area(Buffer.concat([whole, bytes]));
    file
      .u64(descriptor, whole.length)
      .u32(descriptor + 8, bytes.length)
      .u32(descriptor + 12, 1);
    const dump = readDump(new BytesSource(file.bytes, "x.kdump"));
    if (!("pages" in dump.memory)) throw new Error("a core has pages");
    const { pages, source } = dump.memory;
    const place = pages.locate(pfn);
    const read = new Uint8Array(PAGE);
    if (place >= 0) source.read(place, read);
    return { place, read, notes: dump.notes };
  };
  const [most, more] = [packed(page, 817), packed(page, 818)];
  expect([most.length, more.length]).toEqual([8192, 8197]);
  expect(open(most)).toMatchObject({ read: page, notes: [] });
  expect(open(more)).toMatchObject({
    place: DAMAGED,
    notes: [
      `1 pages cannot be unpacked: x.kdump+0x${(descriptor + 8).toString(16)}: a page should be 8192 bytes at most, found 8197 bytes from ${whole.length} on`,
    ],
  });
});

describe("a flattened core that says it is larger than its file can hold", () => {
  const machine = new Machine({ mode: "x64", physicalPages: 0x400 });
  const flat = kdump(machine, { minor: 19041 }, [], { flattened: true });
  /** A record of one byte at a place of the core, in front of the one that ends them. */
  const with1 = (place: bigint, bytes = flat): Uint8Array => {
    const record = new DataView(new ArrayBuffer(17));
    record.setBigInt64(0, place);
    record.setBigInt64(8, 1n);
    return Buffer.concat([bytes.subarray(0, -16), new Uint8Array(record.buffer), bytes.subarray(-16)]);
  };

  // what is noted of each page took 2 TB where a record stood that far away
  it("has no more pages than the file has descriptors", () => {
    const bytes = with1(2n ** 45n);
    const dump = readDump(new BytesSource(bytes, "x.kdump"));
    if (!("pages" in dump.memory)) throw new Error("a core has pages");
    const { pages, source } = dump.memory;
    expect(source.size).toBeLessThanOrEqual((bytes.length / 24) * PAGE);
    const [[pfn, page] = [0, new Uint8Array(0)]] = [...machine.pages()];
    const read = new Uint8Array(PAGE);
    source.read(pages.locate(pfn), read);
    expect(read).toEqual(page);
  });

  it("has no bitmap that is larger than the file", () => {
    const file = new Area(Buffer.from(with1(2n ** 45n)));
    const header = Buffer.from(flat).indexOf("KDUMP   ");
    file.u32(header + 0x1b4, 0x1_0000);
    expect(() => readDump(new BytesSource(file.bytes, "x.kdump"))).toThrow(
      "x.kdump+0x1b4: the bitmaps should be inside the file, found 268435456 bytes from ",
    );
  });
});
