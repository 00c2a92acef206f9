import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { driverAt, findVerifiedDrivers } from "../../src/kernel/verifier-drivers.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

/** _MI_VERIFIER_DRIVER_ENTRY, _VI_POOL_PAGE_HEADER and _VI_POOL_ENTRY of public symbols: x86 of 7600, x64 of 19041. */
const FORMS = {
  4: {
    base: 0x8000_0000n,
    entry: { loads: 8, length: 0x10, buffer: 0x14, start: 0x18, end: 0x1c, pages: 0x28, counts: 0x38 },
    row: 0x10,
  },
  8: {
    base: 0xffff_f800_0000_0000n,
    entry: { loads: 0x10, length: 0x18, buffer: 0x20, start: 0x28, end: 0x30, pages: 0x58, counts: 0x70 },
    row: 0x20,
  },
} as const;
const SIGNATURE = 0x5669_5067n;

interface Row {
  readonly address: bigint;
  readonly caller: bigint;
  readonly bytes: number;
  readonly tag: number;
}

const IMAGE = { start: 0x60_0000n, size: 0x9000n };
const AbCd = 0x6443_6241;
const EfGh = 0x6847_6645;

/** nt's data with the head of the list at +0x40, one driver's entry, and its pages of rows. */
function machine(pointerSize: 4 | 8, counted: number, pages: readonly (readonly Row[])[]) {
  const { base, entry, row } = FORMS[pointerSize];
  const memory = new VirtualMemory(pointerSize);
  const at = (offset: number): bigint => base + BigInt(offset);
  memory.map(at(0x1000), 0x1000).map(at(0x4000), 0x1000);
  const [head, driver] = [at(0x1040), at(0x4100)];
  const word = BigInt(pointerSize);
  memory.pointer(head, driver).pointer(head + word, driver);
  memory.pointer(driver, head).pointer(driver + word, head);
  const field = (offset: number): bigint => driver + BigInt(offset);
  const name = "contoso.sys";
  memory.u32(field(entry.length), name.length * 2 * 0x10001);
  memory.pointer(field(entry.buffer), at(0x4800)).write(at(0x4800), Buffer.from(name, "utf16le"));
  memory
    .pointer(field(entry.start), base + IMAGE.start)
    .pointer(field(entry.end), base + IMAGE.start + IMAGE.size);
  // all of it nonpaged, and as many at most
  memory.u32(field(entry.counts + 4), counted).u32(field(entry.counts + 12), counted);
  pages.forEach((rows, i) => {
    const page = at(0x10000 + i * 0x1000);
    memory.map(page, 0x1000);
    const next = i + 1 < pages.length ? at(0x11000 + i * 0x1000) : 0n;
    memory
      .pointer(page, next)
      .pointer(page + word, driver)
      .pointer(page + 2n * word, SIGNATURE);
    rows.forEach(({ address, caller, bytes, tag }, k) => {
      const place = page + BigInt((k + 1) * row);
      memory.pointer(place, address).pointer(place + word, caller);
      memory.pointer(place + 2n * word, bytes).pointer(place + 3n * word, tag);
    });
  });
  // the low bits of the second word of a 64-bit SLIST_HEADER say what kind of header it is
  if (pages.length > 0) memory.pointer(field(entry.pages), at(0x10000) | (pointerSize === 8 ? 3n : 0n));
  return {
    space: memory.space,
    memory,
    data: [{ start: va(at(0x1000)), length: 0x1000 }],
    driver: va(driver),
    at,
  };
}

describe.each([4, 8] as const)("what Driver Verifier tracks, with pointers of %i bytes", (pointerSize) => {
  const { base } = FORMS[pointerSize];
  const caller = base + IMAGE.start + 0x1234n;
  const other = base + IMAGE.start + 0x2000n;
  const row = (i: number, more: Partial<Row> = {}): Row => ({
    address: base + 0x90_0000n + BigInt(i * 0x40),
    caller,
    bytes: 0x30,
    tag: AbCd,
    ...more,
  });
  const isModule = (name: string, start: bigint, end: bigint): boolean =>
    name === "contoso.sys" && start === base + IMAGE.start && end === start + IMAGE.size;

  it("is found without a name, and counted by tag and by who called", () => {
    const { space, data } = machine(pointerSize, 4, [
      [row(0), row(1), row(2, { caller: other, tag: EfGh, bytes: 0x100 })],
      [row(3)],
    ]);
    const { items, stopped } = findVerifiedDrivers(space, data, isModule);
    expect(items).toMatchObject([
      {
        name: "contoso.sys",
        outstanding: 4,
        listed: "whole",
        tracked: [
          { tag: AbCd, caller, allocations: 3, bytes: 0x90n },
          { tag: EfGh, caller: other, allocations: 1, bytes: 0x100n },
        ],
      },
    ]);
    expect(stopped).toBeUndefined();
  });

  it("is not taken where no module stands there", () => {
    const { space, data } = machine(pointerSize, 1, [[row(0)]]);
    expect(findVerifiedDrivers(space, data, () => false)).toEqual({ items: [] });
  });

  it("leaves out what is free: it leads to another entry, with the old caller beside it", () => {
    const free = row(1, { address: base + 0x10000n + BigInt(5 * FORMS[pointerSize].row) });
    const { space, driver } = machine(pointerSize, 1, [[row(0), free, row(2, { address: 0n })]]);
    expect(driverAt(space, driver)).toMatchObject({ listed: "whole", tracked: [{ allocations: 1 }] });
  });

  it("says where the list is not whole, and takes none that has more than are counted", () => {
    const part = machine(pointerSize, 9, [[row(0)]]);
    expect(driverAt(part.space, part.driver)).toMatchObject({
      listed: "part",
      tracked: [{ allocations: 1 }],
    });
    const unfit = machine(pointerSize, 1, [[row(0), row(1)]]);
    expect(driverAt(unfit.space, unfit.driver)).toMatchObject({ listed: "unfit", tracked: [] });
  });

  it("is told of 2,048 drivers, and that the list goes on (MAX_VERIFIED_DRIVERS)", () => {
    const { space, memory, data, driver, at } = machine(pointerSize, 0, []);
    const entry = space.read(driver, 0x80);
    const word = BigInt(pointerSize);
    const drivers = [driver, ...Array.from({ length: 2048 }, (_, i) => at(0x10_0000 + i * 0x80))];
    for (const one of drivers) memory.write(one, entry);
    const ring = [at(0x1040), ...drivers];
    ring.forEach((one, i) => {
      const next = ring[(i + 1) % ring.length]!;
      memory.pointer(one, next).pointer(next + word, one);
    });
    const { items, stopped } = findVerifiedDrivers(space, data, isModule);
    expect(items).toHaveLength(2048);
    expect(stopped).toBe("limit");
  });

  it("is told of 131,072 pages of one driver, which are then a part of it (MAX_VERIFIER_PAGES)", () => {
    const { memory, driver } = machine(pointerSize, 2, [[row(0, { address: base + 0x3000_0000n })]]);
    const first = base + 0x10000n;
    const count = 131_073;
    const rows = memory.space.read(va(first), 0x1000);
    // all pages but the first and the last hold nothing; each leads to the next
    const source: ByteSource = {
      name: "pages",
      size: count * 0x1000,
      read(offset, into) {
        const page = offset / 0x1000;
        if (page === 0 || page === count - 1) into.set(rows);
        const view = new DataView(into.buffer, into.byteOffset, into.length);
        const next = page === count - 1 ? 0n : first + BigInt((page + 1) * 0x1000);
        [next, driver, SIGNATURE].forEach((value, i) => {
          if (pointerSize === 4) view.setUint32(i * 4, Number(value), true);
          else view.setBigUint64(i * 8, value, true);
        });
        return into.length;
      },
      [Symbol.dispose]() {
        /* holds nothing */
      },
    };
    const space = new AddressSpace({
      pointerSize,
      locate(at, want) {
        const offset = Number(at - first);
        if (offset < 0 || offset >= source.size) return memory.locate(at, want);
        return { source, offset, length: Math.min(want, 0x1000 - (offset % 0x1000)), origin: "dump" };
      },
    });
    expect(driverAt(space, driver)).toMatchObject({
      outstanding: 2,
      listed: "part",
      tracked: [{ tag: AbCd, allocations: 1 }],
    });
  });

  it("ends on pages that lead back to themselves, or belong to another driver", () => {
    const round = machine(pointerSize, 2, [[row(0)], [row(1)]]);
    const memory = machine(pointerSize, 3, [[row(0)]]);
    expect(driverAt(round.space, round.driver)?.tracked).toMatchObject([{ allocations: 2 }]);
    expect(driverAt(memory.space, va(memory.at(0x10000)))).toBeUndefined();
  });
});
