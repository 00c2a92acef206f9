import { deflateSync } from "node:zlib";
import { expect, it } from "vitest";
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
