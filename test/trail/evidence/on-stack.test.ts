import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { advance, type Va, va } from "../../../src/core/address.ts";
import { readDump } from "../../../src/dump/open.ts";
import { readKernel } from "../../../src/kernel/kernel.ts";
import { readThreads, type ThreadEntry } from "../../../src/kernel/threads.ts";
import { AddressSpace } from "../../../src/memory/address-space.ts";
import type { Extent } from "../../../src/memory/mapping.ts";
import { BytesSource } from "../../../src/source/bytes-source.ts";
import { openFile } from "../../../src/source/node-files.ts";
import { findOnStacks } from "../../../src/trail/evidence/on-stack.ts";
import { realDump } from "../../fixtures/real-dumps.ts";
import { stepsOf } from "../../fixtures/steps.ts";
import { ThreadMachine, X64 } from "../../fixtures/thread-machine.ts";

const CALL = 0xfffff8048140_1042n;
const OTHER = 0xfffff8048140_120fn;
const CALLS = new Map([
  [CALL, "first"],
  [OTHER, "second"],
]);

function search(made: ThreadMachine, given = made.source(), calls: ReadonlyMap<bigint, string> = CALLS) {
  return findOnStacks(made.memory.space, readThreads(given).items, calls);
}

describe("findOnStacks", () => {
  it("tells calls that are under way from what calls left behind", () => {
    const made = new ThreadMachine({ threads: [2, 1], used: 0x400 });
    const [first, second] = made.threads[0]!;
    const third = made.threads[1]![0]!;
    made.memory.pointer(first!.kernelStack, CALL).pointer(first!.kernelStack - 8n, OTHER);
    made.memory.pointer(second!.base - 8n, OTHER);
    made.memory.pointer(third.limit, CALL);
    const { hits, read, notes } = search(made);
    expect(
      hits.map(({ item, at, thread, process, stale }) => [item, at, thread.address, process?.pid, stale]),
    ).toEqual([
      ["second", first!.kernelStack - 8n, first!.address, 4, true],
      ["first", first!.kernelStack, first!.address, 4, false],
      ["second", second!.base - 8n, second!.address, 4, false],
      ["first", third.limit, third.address, 0x104, true],
    ]);
    expect({ read, notes }).toEqual({ read: { stacks: 3, of: 3, bytes: 0x12000 }, notes: [] });
  });

  it("takes nothing that is not the whole address, aligned", () => {
    const made = new ThreadMachine({ threads: [1] });
    const { kernelStack } = made.threads[0]![0]!;
    made.memory.pointer(kernelStack + 4n, CALL).pointer(kernelStack + 0x10n, CALL + (1n << 32n));
    made.memory
      .pointer(kernelStack + 0x18n, CALL & 0xffffffffn)
      .pointer(kernelStack + 0x20n, CALL + 0x10000n);
    expect(search(made).hits).toEqual([]);
  });

  it("looks at every fourth byte of a 32-bit stack", () => {
    const made = new ThreadMachine({
      machine: "x86",
      build: 3790,
      offsets: { initial: 0x18, limit: 0x1c, base: 0x158, kernel: 0x20, links: 0x1a8, listHead: 0x50 },
      threads: [1],
      stackSize: 0x3000,
    });
    const { kernelStack } = made.threads[0]![0]!;
    made.memory.u32(kernelStack + 4n, 0xb8f06a10);
    const { hits } = search(made, made.source(), new Map([[0xb8f06a10n, "call"]]));
    expect(hits).toMatchObject([{ item: "call", at: kernelStack + 4n, stale: false }]);
  });

  it("cannot tell live from stale on the stack of a thread that ran", () => {
    const made = new ThreadMachine({ threads: [1] });
    const [thread] = made.threads[0]!;
    const prcb = va(0xffff_9b00_0000_0000n);
    made.memory
      .map(prcb, 0x100)
      .pointer(prcb + 8n, thread!.address)
      .pointer(thread!.kernelStack, CALL);
    const source = made.source(
      { processors: { items: [{ prcb, number: 0 }] } },
      { offsetPrcbCurrentThread: 8 },
    );
    const { hits, notes } = search(made, source);
    expect(hits).toMatchObject([{ item: "first", stale: undefined }]);
    expect(notes).toEqual([
      "one thread ran when the machine stopped: how far its stack was in use is not known",
    ]);
  });

  it("says which stacks it could not read", () => {
    const made = new ThreadMachine({ threads: [6], used: 0x1400 });
    const [out, partly, below, odd, ended] = made.threads[0]!;
    made.memory.pageOut(out!.limit, 0x6000);
    made.memory.pageOut(partly!.base - 0x1000n, 0x1000).pointer(partly!.kernelStack, CALL);
    made.memory.pageOut(below!.limit, 0x4000);
    made.memory.pointer(odd!.address + BigInt(X64.limit), 8n);
    made.memory.pointer(ended!.address + BigInt(X64.initial), 0n);
    expect(search(made)).toMatchObject({
      hits: [{ item: "first", at: partly!.kernelStack, stale: false }],
      read: { stacks: 2, of: 5, bytes: 0x5000 + 0x2000 + 0x6000 },
      notes: [
        "one thread has its kernel stack outside the dump or in the page file",
        "one thread has a kernel stack of which parts are missing",
        "one thread has no kernel stack that can be one",
      ],
    });
  });

  it("reads stacks that overlap once", () => {
    const made = new ThreadMachine({ threads: [3] });
    const [first, second, third] = made.threads[0]!;
    made.memory.pointer(first!.kernelStack, CALL);
    for (const { address } of [second!, third!]) made.thread({ ...first!, address });
    made.memory.pointer(third!.address + BigInt(X64.limit), first!.limit + 0x1000n);
    const { hits, read, notes } = search(made);
    expect(hits).toHaveLength(1);
    expect(read).toEqual({ stacks: 1, of: 3, bytes: 0x6000 });
    expect(notes).toEqual(["2 threads have their kernel stacks in another's: it is read once"]);
  });

  it("looks at the stacks that a thread left for another, from where it left them", () => {
    const made = new ThreadMachine({ threads: [1] });
    const [inner] = made.threads[0]!;
    const outer = {
      ...inner!,
      base: inner!.base + 0x10_0000n,
      limit: inner!.limit + 0x10_0000n,
      kernelStack: inner!.base + 0xf_f000n,
    };
    made.memory.map(outer.limit, 0x6000);
    made.leftFor(outer, inner!, 0x10);
    made.memory.pointer(outer.kernelStack + 8n, CALL).pointer(outer.kernelStack - 8n, OTHER);
    const { hits, read } = search(made);
    expect(hits).toMatchObject([
      { item: "second", thread: { address: inner!.address }, stale: true },
      { item: "first", thread: { address: inner!.address }, stale: false },
    ]);
    expect(read).toEqual({ stacks: 2, of: 2, bytes: 0xc000 });
  });

  it("stops collecting when stacks are full of the same address (MAX_STACK_HITS)", () => {
    const made = new ThreadMachine({ threads: [100], used: 0x5000 });
    const stack = new BigUint64Array(0x5000 / 8).fill(CALL);
    for (const { kernelStack } of made.threads[0]!)
      made.memory.write(kernelStack, new Uint8Array(stack.buffer));
    const { hits, read, notes } = search(made);
    expect(hits).toHaveLength(65_536);
    expect(read.of).toBe(100);
    expect(notes).toEqual([
      "75 threads have kernel stacks that were not looked at to the end: there is more stack than a search takes",
    ]);
  });

  it("looks at 1.5 GB of stacks, and says that there are more (MAX_STACK_BYTES)", () => {
    const zeros = new BytesSource(new Uint8Array(0));
    const locate = (_: Va, length: number): Extent => ({
      source: zeros,
      offset: undefined,
      length,
      origin: "dump",
    });
    const space = new AddressSpace({ pointerSize: 8, locate });
    const size = 0x100_0000;
    const threads = Array.from({ length: 97 }, (_, i): ThreadEntry => {
      const limit = va(0xffff_f30c_0000_0000n + BigInt(i * size));
      const stack = { limit, base: advance(limit, size), initialStack: limit, kernelStack: limit };
      return {
        address: limit,
        process: undefined,
        state: undefined,
        processor: undefined,
        stack: { ...stack, live: limit, resident: true, outer: [] },
      };
    });
    const { read, notes } = findOnStacks(space, threads, CALLS);
    expect(read).toEqual({ stacks: 96, of: 97, bytes: 0x6000_0000 });
    expect(notes).toEqual([
      "one thread has a kernel stack that was not looked at to the end: there is more stack than a search takes",
    ]);
  });

  it("searches 2,000 stacks for 2,000 addresses in steps that go with their bytes", () => {
    const made = new ThreadMachine({ threads: [2000], stackSize: 0x6000 });
    const { items } = readThreads(made.source());
    const calls = new Map(Array.from({ length: 2000 }, (_, i) => [CALL + BigInt(i * 0x1234), `${i}`]));
    const { read } = findOnStacks(made.memory.space, items, calls);
    expect(read).toEqual({ stacks: 2000, of: 2000, bytes: 2000 * 0x6000 });
    expect(stepsOf(() => void findOnStacks(made.memory.space, items, calls))).toBeLessThan(9_300_000);
  });
});

describe("the samples", () => {
  const searched = (name: string, addresses: readonly bigint[]) => {
    using source = openFile(fileURLToPath(new URL(`../../../samples/${name}`, import.meta.url)));
    const kernel = readKernel(readDump(source));
    const calls = new Map(addresses.map((address) => [address, address]));
    return findOnStacks(kernel.space, readThreads(kernel).items, calls).hits.map(
      ({ item, process, stale }) => [item, process?.imageName, stale],
    );
  };

  it("leak-x64 has two calls under way, and one that is over", () => {
    // leak-x64.md, "Who imports SeQueryInformationToken"
    expect(searched("leak-x64.dmp", [0xfffff80481401042n, 0xfffff8048140120fn, 0xfffff804812610fen])).toEqual(
      [
        [0xfffff8048140120fn, "System", false],
        [0xfffff80481401042n, "ctsagent.exe", false],
        [0xfffff804812610fen, "nwavsvc.exe", true],
      ],
    );
  });

  it("article-2003 has one, on the stack of a thread that a processor ran without saying how far", () => {
    expect(searched("article-2003.dmp", [0xb8f06a10n, 0xb8f08e52n])).toEqual([
      [0xb8f06a10n, "System", undefined],
    ]);
  });
});

// The frames that rizin's test database has for these dumps: return addresses, innermost first.
const FRAMES = {
  "triage_x64.dmp": [
    0xfffff8048b5a0e8fn,
    0xfffff804799cc027n,
    0xfffff8047bc52f55n,
    0xfffff8047bc25975n,
    0xfffff8047bdfd0d8n,
  ],
  "triage_arm64.dmp": [0xfffff803f33442a0n, 0xfffff803f309ff1cn, 0xfffff803f3173340n, 0xfffff803f3007de4n],
} as const;

describe.each(Object.entries(FRAMES))("%s", (name, frames) => {
  const path = realDump(name as keyof typeof FRAMES);

  it.skipIf(path === undefined)(
    "has the known frames in order on the stack of the thread that stopped",
    () => {
      using source = openFile(path!);
      const kernel = readKernel(readDump(source));
      const { hits, read, notes } = findOnStacks(
        kernel.space,
        readThreads(kernel).items.slice(0, 1),
        new Map(frames.map((frame) => [frame, frame])),
      );
      // the last frame's address may stand further down too: it is the first call of every system thread
      expect(hits.slice(-frames.length).map(({ item }) => item)).toEqual(frames);
      expect(hits.every(({ stale }) => stale === false)).toBe(true);
      expect(read).toMatchObject({ stacks: 1, of: 1 });
      expect(notes).toEqual([]);
    },
  );
});
