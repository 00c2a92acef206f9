import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { parseBlockHeader } from "../../src/pool/blocks.ts";
import { billingOf } from "../../src/pool/quota.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { findBlockContents } from "../../src/trail/blocks/find-contents.ts";
import { chargedType, poolMachine, poolPage, repeatedPage, segmentPage } from "../fixtures/pool-pages.ts";

const KEY = parseTag("Leak").key;

describe("parseBlockHeader", () => {
  // POOL_TYPE's bit 3 is quota; XP and 2003 store the type plus one, later Windows adds a bit of 2
  it.each([
    [3790, 4, 1, false],
    [3790, 4, 2, false],
    [3790, 4, 9, true],
    [3790, 4, 10, true],
    // a type of 8 stored plus one minus one: must succeed and cache aligned, and no quota
    [3790, 4, 8, false],
    [7601, 8, 3, false],
    [7601, 8, 0xa, true],
    [7601, 8, 0xb, true],
    [7601, 8, 0, false],
  ] as const)(
    "build %d, %d-byte pointers: type %d charges a process: %s",
    (build, pointerSize, type, quota) => {
      const view = new DataView(new ArrayBuffer(16));
      view.setUint16(2, 4 | (type << (pointerSize === 4 ? 9 : 8)), true);
      expect(parseBlockHeader(view, 0, pointerSize, build)).toMatchObject({ bytes: 8 * pointerSize, quota });
    },
  );
});

describe("the process that a block is charged to", () => {
  const processes = [
    { address: va(0xffff_fa80_0100_0040n), pid: 4, imageName: "System" },
    { address: va(0xffff_fa80_02ab_c0e0n), pid: 412, imageName: "svchost.exe" },
    { address: va(0xffff_fa80_0333_3b30n), pid: 988, imageName: "agent.exe" },
  ];
  const [system, svchost, agent] = processes as [
    (typeof processes)[0],
    (typeof processes)[0],
    (typeof processes)[0],
  ];
  const SECRET = 0x6b8f_1d27_90ce_54a3n;
  const NT_DATA = 0xffff_f804_7ba8_0000n;

  it("stands in a 64-bit header", () => {
    const block = { tag: "Leak", bytes: 0x60, type: chargedType(7601) };
    const charges = [agent.address, svchost.address, agent.address, 0xffff_fa80_0999_9990n];
    const { kernel } = poolMachine(8, 7601, [
      poolPage(8, 7601, [
        ...charges.map((charge) => ({ ...block, charge })),
        { tag: "Leak", bytes: 0x60, charge: system.address },
      ]),
    ]);
    const found = findBlockContents(kernel, KEY, [], { processes });
    expect(found.billed).toEqual([
      { process: agent, blocks: 2 },
      { process: svchost, blocks: 1 },
    ]);
    expect(found.notes).toEqual([{ kind: "not-billed", blocks: 1, why: "not-a-process" }]);
  });

  it("is looked for in 65,536 blocks, evenly from all, and it is said (MAX_BILLED_BLOCKS)", () => {
    const block = { tag: "Leak", bytes: 0x20, type: chargedType(7601), charge: agent.address };
    const full = poolPage(
      8,
      7601,
      Array.from({ length: 128 }, () => block),
    );
    const found = (pages: number) =>
      findBlockContents(repeatedPage(8, 7601, full, pages).kernel, KEY, [], { processes });
    const all = found(512);
    expect(all.billed).toEqual([{ process: agent, blocks: 65_536 }]);
    expect(all.notes.map(({ kind }) => kind)).toEqual(["followed"]);
    // one page more: every second block
    const more = found(513);
    expect(more.billed).toEqual([{ process: agent, blocks: 32_832 }]);
    expect(more.notes).toContainEqual({ kind: "billed", billed: 32_832, of: 65_664 });
  });

  it("is the last pointer of a 32-bit block", () => {
    const old = { address: va(0x8a3c_4020n), pid: 1200, imageName: "w3wp.exe" };
    const block = { tag: "Leak", bytes: 0x40, type: chargedType(3790) };
    const { kernel } = poolMachine(4, 3790, [
      poolPage(4, 3790, [
        { ...block, pointers: { 0x34: old.address } },
        { ...block, type: 2, pointers: { 0x34: old.address } },
      ]),
    ]);
    const found = findBlockContents(kernel, KEY, [], { processes: [old] });
    expect(found).toMatchObject({ blocks: 2, billed: [{ process: old, blocks: 1 }], notes: [] });
  });

  /** As Windows 8 and later hide it: combined with the header's address and a secret in nt's data. */
  const hidden = (charges: readonly bigint[], secretAt: bigint | undefined) => {
    const start = 0xffff_f8a0_0000_0000n;
    const blocks = charges.map((address, i) => ({
      tag: "Leak",
      bytes: 0x60,
      type: chargedType(19041),
      charge: address ^ SECRET ^ (start + BigInt(i) * 0x60n),
    }));
    const { kernel, memory } = poolMachine(8, 19041, [segmentPage(8, 19041, blocks)]);
    memory.map(NT_DATA, 0x2000);
    if (secretAt !== undefined) memory.pointer(NT_DATA + secretAt, SECRET);
    const nt = {
      base: va(NT_DATA),
      size: 0x2000,
      writable: [{ start: va(NT_DATA), length: 0x2000 }],
      code: [],
    };
    return findBlockContents({ ...kernel, nt }, KEY, [], { processes });
  };

  it("is told by the one number in nt's data that makes processes of the charges", () => {
    for (const [charges, billed] of [
      [
        [agent, agent, svchost, agent, system].map(({ address }) => address),
        [
          { process: agent, blocks: 3 },
          { process: system, blocks: 1 },
          { process: svchost, blocks: 1 },
        ],
      ],
      [[agent.address, agent.address, agent.address], [{ process: agent, blocks: 3 }]],
    ] as const) {
      expect(hidden(charges, 0x1238n).billed).toEqual(billed);
    }
  });

  it("is told among 4,096 processes, and of more it is said that they are too many (MAX_BILLED_PROCESSES)", () => {
    const { memory, kernel } = poolMachine(8, 19041, []);
    memory.map(NT_DATA, 0x1000).pointer(NT_DATA, SECRET);
    const writable = [{ start: va(NT_DATA), length: 0x1000 }];
    const nt = { base: va(NT_DATA), size: 0x1000, writable, code: [] };
    const charges = [agent, agent, svchost, agent].map(({ address }, i) => {
      const start = va(0xffff_f8a0_0000_0000n + BigInt(i) * 0x60n);
      return { start, value: address ^ SECRET ^ start };
    });
    const billing = (count: number) => {
      const others = Array.from({ length: count - processes.length }, (_, i) => ({
        address: va(0xffff_fa80_1000_0040n + BigInt(i) * 0x1000n),
        pid: 4096 + 4 * i,
        imageName: "w3wp.exe",
      }));
      return billingOf({ ...kernel, nt }, charges, [...others, ...processes]);
    };
    expect(billing(4096)).toEqual({
      billed: [
        { process: agent, blocks: 3 },
        { process: svchost, blocks: 1 },
      ],
      others: 0,
    });
    expect(billing(4097)).toEqual({ billed: undefined, others: 4, why: "many-processes" });
  });

  it("is not known where that number is not there, or the processes are not", () => {
    const charges = [agent, svchost, agent].map(({ address }) => address);
    expect(hidden(charges, undefined)).toMatchObject({
      billed: undefined,
      notes: [{ kind: "freed-too" }, { kind: "not-billed", blocks: 3, why: "cookie" }],
    });
    const block = { tag: "Leak", bytes: 0x60, type: chargedType(7601), charge: agent.address };
    const { kernel } = poolMachine(8, 7601, [poolPage(8, 7601, [block])]);
    expect(findBlockContents(kernel, KEY, [])).toMatchObject({
      billed: undefined,
      notes: [{ kind: "not-billed", blocks: 1, why: "no-processes" }],
    });
  });
});
