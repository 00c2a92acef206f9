import { describe, expect, it } from "vitest";
import { va } from "../../../src/core/address.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import { findBlockContents } from "../../../src/trail/blocks/find-contents.ts";
import { poolMachine, poolPage, segmentPage } from "../../fixtures/pool-pages.ts";

const KEY = parseTag("Leak").key;

describe.each([
  [4, 0xb8f0_4000n],
  [8, 0xffff_f880_0100_0000n],
] as const)("what blocks point to, with pointers of %i bytes", (pointerSize, driver) => {
  const modules = [{ name: "leaky", base: va(driver), end: va(driver + 0x9000n) }];
  const unit = 2 * pointerSize;
  const at = (offset: number): bigint =>
    (pointerSize === 4 ? 0xe100_0000n : 0xffff_f8a0_0000_0000n) + BigInt(offset);
  const contents = (
    pages: readonly Uint8Array[],
    write?: (memory: ReturnType<typeof poolMachine>["memory"]) => void,
  ) => {
    const { kernel, memory } = poolMachine(pointerSize, 7601, pages);
    write?.(memory);
    return findBlockContents(kernel, KEY, modules);
  };

  it("is followed one step, to an object with pointers into a module", () => {
    const found = contents([
      poolPage(pointerSize, 7601, [
        { tag: "Leak", bytes: 0x40, pointers: { 8: at(0x80 + unit) } },
        { tag: "Leak", bytes: 0x40, pointers: { 0: at(0xc0 + unit) } },
        { tag: "Obj1", bytes: 0x40, pointers: { 8: driver + 0x1230n } },
        // a small object: what follows it is another's
        { tag: "Obj2", bytes: 0x20 },
        { tag: "Obj3", bytes: 0x40, pointers: { 0: driver } },
      ]),
    ]);
    expect(found.byModule).toEqual([
      {
        module: modules[0],
        direct: { blocks: 0, examples: [] },
        places: [],
        oneStep: {
          blocks: 1,
          examples: [
            {
              at: at(unit + 8),
              object: at(0x80 + unit),
              through: at(0x80 + unit + 8),
              target: driver + 0x1230n,
              by: "pointer",
            },
          ],
        },
        listHead: { blocks: 0, examples: [] },
        code: 0,
        data: 0,
        unknown: 0,
      },
    ]);
  });

  it("is no step further where it is a block of the tag too, or a freed one", () => {
    const found = contents([
      poolPage(pointerSize, 7601, [
        { tag: "Leak", bytes: 0x40, pointers: { 0: at(0x40 + unit), 8: at(0x80 + unit) } },
        { tag: "Leak", bytes: 0x40, pointers: { 0: driver } },
        { tag: "Obj1", bytes: 0x40, type: 0, pointers: { 0: driver } },
      ]),
    ]);
    expect(found.byModule).toMatchObject([{ direct: { blocks: 1 }, oneStep: { blocks: 0 } }]);
  });

  it("leads from a device object to its driver, by the driver object", () => {
    // wdm.h: DEVICE_OBJECT { Type 3, Size, ReferenceCount, DriverObject }; DRIVER_OBJECT { Type 4, Size, …, DriverStart }
    const device = at(0x1000);
    const driverObject = at(0x2000);
    const found = contents(
      [poolPage(pointerSize, 7601, [{ tag: "Leak", bytes: 0x40, pointers: { 16: device } }])],
      (memory) =>
        memory
          .u32(device, pointerSize === 4 ? 0x00c8_0003 : 0x0200_0003)
          .pointer(device + 8n, driverObject)
          .u32(driverObject, pointerSize === 4 ? 0x00a8_0004 : 0x0150_0004)
          .pointer(driverObject + (pointerSize === 4 ? 0xcn : 0x18n), driver),
    );
    expect(found.byModule).toMatchObject([
      {
        oneStep: {
          blocks: 1,
          examples: [
            {
              object: device,
              through: driverObject + (pointerSize === 4 ? 0xcn : 0x18n),
              target: driver,
              by: "device",
            },
          ],
        },
      },
    ]);
  });

  /** Blocks of 0x40 bytes of the tag with an entry at 0x10, linked in a ring with the head. */
  const ring = (count: number, head: bigint, more: Readonly<Record<number, bigint>> = {}) => {
    const entry = (i: number): bigint => (i < 0 || i >= count ? head : at(i * 0x40 + unit + 0x10));
    const blocks = Array.from({ length: count }, (_, i) => ({
      tag: "Leak",
      bytes: 0x40,
      pointers: { 0x10: entry(i + 1), [0x10 + pointerSize]: entry(i - 1), ...more },
    }));
    return { blocks, first: entry(0), last: entry(count - 1) };
  };

  it("is the head of a list in a driver's data", () => {
    const head = driver + 0x4010n;
    const { blocks, first, last } = ring(30, head);
    const found = contents([poolPage(pointerSize, 7601, blocks)], (memory) =>
      memory.pointer(head, first).pointer(head + BigInt(pointerSize), last),
    );
    const [leaky] = found.byModule;
    // only the first and the last block hold the head's address themselves
    expect(leaky).toMatchObject({ direct: { blocks: 2 }, listHead: { blocks: 30 }, oneStep: { blocks: 0 } });
    expect(leaky?.listHead.examples[3]).toEqual({
      at: at(3 * 0x40 + unit + 0x10),
      offset: 0x10,
      target: head,
    });
  });

  it("is no list where the neighbours do not point back, or an entry is its own", () => {
    const head = driver + 0x4010n;
    const { blocks, first } = ring(4, head);
    // the head's second half leads elsewhere, and so does each block's
    const broken = blocks.map(({ pointers, ...block }) => ({
      ...block,
      pointers: { ...pointers, [0x10 + pointerSize]: at(0x800) },
    }));
    const found = contents([poolPage(pointerSize, 7601, broken)], (memory) =>
      memory.pointer(head, first).pointer(head + BigInt(pointerSize), first),
    );
    expect(found.byModule).toMatchObject([{ direct: { blocks: 1 }, listHead: { blocks: 0 } }]);
    const empty = at(unit + 0x10);
    const own = [{ tag: "Leak", bytes: 0x40, pointers: { 0x10: empty, [0x10 + pointerSize]: empty } }];
    expect(contents([poolPage(pointerSize, 7601, own)]).byModule).toEqual([]);
  });

  it("is no head for what stands before a break in the list", () => {
    const head = driver + 0x4010n;
    const { blocks, first, last } = ring(4, head);
    const third = blocks[2]!;
    const broken = blocks.with(2, {
      ...third,
      pointers: { ...third.pointers, [0x10 + pointerSize]: at(0x800) },
    });
    const found = contents([poolPage(pointerSize, 7601, broken)], (memory) =>
      memory.pointer(head, first).pointer(head + BigInt(pointerSize), last),
    );
    expect(found.byModule).toMatchObject([
      { direct: { blocks: 2 }, listHead: { blocks: 1, examples: [{ at: last }] } },
    ]);
  });

  it("is the head of a list in an object that leads to a driver: one step", () => {
    const holder = 0x30 * 0x40;
    const head = at(holder + unit + 0x20);
    const { blocks, first, last } = ring(0x30, head);
    const pointers = { 0: driver + 0x100n, 0x20: first, [0x20 + pointerSize]: last };
    const found = contents([
      poolPage(pointerSize, 7601, [...blocks, { tag: "DevX", bytes: 0x80, pointers }]),
    ]);
    expect(found.byModule).toMatchObject([
      { direct: { blocks: 0 }, listHead: { blocks: 0 }, oneStep: { blocks: 0x30 } },
    ]);
    expect(found.byModule[0]?.oneStep.examples).toContainEqual({
      at: last,
      object: head,
      through: at(holder + unit),
      target: driver + 0x100n,
      by: "list",
    });
  });

  it("ends at lists that never come back, in bounded time", () => {
    // each entry leads to the next in a memory that is full of them, and the last back into the middle
    const count = 60;
    const { blocks } = ring(count, at(20 * 0x40 + unit + 0x10));
    const found = contents([poolPage(pointerSize, 7601, blocks)]);
    expect(found).toMatchObject({ blocks: count, byModule: [] });
  });
});

describe("what is followed of blocks that hold very much", () => {
  const start = 0xffff_f8a0_0000_0000n;
  const driver = 0xffff_f880_0100_0000n;
  const modules = [{ name: "leaky", base: va(driver), end: va(driver + 0x9000n) }];
  /** Pointers to `count` objects, where nothing is mapped, and behind them one to `last`. */
  const pointers = (count: number, from: number, last?: bigint) => {
    const objects = Array.from(
      { length: count },
      (_, i) => 0xffff_e000_0000_0000n + BigInt(from + i) * 0x1000n,
    );
    return Object.fromEntries(
      [...objects, ...(last === undefined ? [] : [last])].map((at, i) => [i * 8, at]),
    );
  };

  it("is 32 pointers of one block, and it is said (MAX_BLOCK_TARGETS)", () => {
    const object = { tag: "Obj1", bytes: 0x40, pointers: { 0: driver } };
    const found = (before: number) => {
      const leak = { tag: "Leak", bytes: 0x200, pointers: pointers(before, 0, start + 0x210n) };
      const { kernel } = poolMachine(8, 7601, [poolPage(8, 7601, [leak, object])]);
      return findBlockContents(kernel, KEY, modules);
    };
    expect(found(31)).toMatchObject({ byModule: [{ oneStep: { blocks: 1 } }], notes: [] });
    expect(found(32)).toMatchObject({ byModule: [], notes: [{ kind: "cut", what: "pointers" }] });
  });

  it("is 65,536 objects, and it is said (MAX_OBJECTS_SEEN)", () => {
    const found = (objects: number) => {
      const blocks = Array.from({ length: objects / 32 }, (_, i) => ({
        tag: "Leak",
        bytes: 0x110,
        pointers: pointers(32, i * 32),
      }));
      const pages = Array.from({ length: Math.ceil(blocks.length / 15) }, (_, i) =>
        poolPage(8, 7601, blocks.slice(i * 15, i * 15 + 15)),
      );
      return findBlockContents(poolMachine(8, 7601, pages).kernel, KEY, modules).notes;
    };
    expect(found(65_536)).toEqual([]);
    expect(found(65_536 + 32)).toEqual([{ kind: "cut", what: "objects" }]);
  });

  it("is 262,144 entries of lists, and it is said (MAX_LIST_STEPS)", () => {
    // the block's own entry, and a ring of others around its head in the driver
    const head = driver + 0x4010n;
    const others = 0xffff_e000_0000_0000n;
    const found = (entries: number) => {
      const ring = new BigUint64Array((entries - 1) * 2);
      const at = (i: number): bigint =>
        i === 0 ? start + 0x20n : i < entries ? others + BigInt(i - 1) * 16n : head;
      for (let i = 1; i < entries; i++) ring.set([at(i + 1), at(i - 1)], (i - 1) * 2);
      const leak = { tag: "Leak", bytes: 0x40, pointers: { 0x10: at(1), 0x18: head } };
      const { kernel, memory } = poolMachine(8, 7601, [poolPage(8, 7601, [leak])]);
      memory
        .write(others, new Uint8Array(ring.buffer))
        .pointer(head, at(0))
        .pointer(head + 8n, at(entries - 1));
      return findBlockContents(kernel, KEY, modules);
    };
    expect(found(262_144)).toMatchObject({ byModule: [{ listHead: { blocks: 1 } }], notes: [] });
    expect(found(262_145)).toMatchObject({
      byModule: [{ listHead: { blocks: 0 } }],
      notes: [{ kind: "cut", what: "lists" }],
    });
  });
});

describe("an object in a segment heap", () => {
  it("ends where its block does, as the header before it says", () => {
    const driver = 0xffff_f80c_0100_0000n;
    const modules = [{ name: "leaky", base: va(driver), end: va(driver + 0x9000n) }];
    const start = 0xffff_f8a0_0000_0000n;
    const page = segmentPage(8, 19041, [
      { tag: "Leak", bytes: 0x40, pointers: { 0: start + 0x50n } },
      { tag: "Obj1", bytes: 0x30, pointers: { 8: driver } },
      { tag: "Leak", bytes: 0x40, pointers: { 0: start + 0xc0n } },
      { tag: "Obj2", bytes: 0x20 },
      { tag: "Obj3", bytes: 0x40, pointers: { 0: driver } },
    ]);
    const { kernel } = poolMachine(8, 19041, [page]);
    expect(findBlockContents(kernel, KEY, modules)).toMatchObject({
      blocks: 2,
      byModule: [{ oneStep: { blocks: 1, examples: [{ object: start + 0x50n, through: start + 0x58n }] } }],
    });
  });
});
