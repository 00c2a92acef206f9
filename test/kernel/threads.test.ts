import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { writeDump } from "../../samples/writer/dump.mjs";
import { writeModuleList, writeProcesses } from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { va } from "../../src/core/address.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { readThreads } from "../../src/kernel/threads.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { openFile } from "../../src/source/node-files.ts";
import { realDump } from "../fixtures/real-dumps.ts";
import { stepsOf } from "../fixtures/steps.ts";
import { linksOf, ThreadMachine, type ThreadOffsets, X64 } from "../fixtures/thread-machine.ts";

type Mode = ConstructorParameters<typeof Machine>[0]["mode"];

describe("the threads of a dump without KDBG", () => {
  it.each<[Mode, number]>([
    ["x86", 2600],
    ["pae", 3790],
    ["pae", 6002],
    ["pae", 7601],
    ["pae", 9600],
    ["x64", 3790],
    ["x64", 7601],
    ["x64", 9600],
    ["x64", 19041],
    ["x64", 26100],
  ])("are read in mode %s, build %i", (mode, build) => {
    const machine = new Machine({ mode, build, physicalPages: 0x8000 });
    const modules = machine.allocate(16);
    const head = machine.allocate(16);
    writeModuleList(machine, modules, [{ base: 0x80800000n, size: 0x1000, name: "ntoskrnl.exe" }]);
    const top = machine.is64 ? 0xfffff30c4a010000n : 0xba310000n;
    const made = writeProcesses(machine, head, [
      {
        pid: 4,
        name: "System",
        threads: [
          { stackBase: top, stackSize: 0x3000, words: [1n, 2n] },
          { stackBase: top + 0x8000n, stackSize: 0x3000 },
        ],
      },
      { pid: 388, name: "smss.exe" },
      { pid: 436, name: "csrss.exe", threads: [{ stackBase: top + 0x10000n, stackSize: 0x6000 }] },
    ]);
    const header = { minor: build, psLoadedModuleList: modules, psActiveProcessHead: head };
    const bytes = writeDump(machine, { type: "full", header });
    const { items, processes, notes, stopped } = readThreads(
      readKernel(readDump(new BytesSource(bytes, "MEMORY.DMP"))),
    );
    expect(items.map(({ address, process }) => [process?.imageName, address])).toEqual([
      ["System", made[0]?.threads[0]],
      ["System", made[0]?.threads[1]],
      ["csrss.exe", made[2]?.threads[0]],
    ]);
    const size = BigInt(machine.pointerSize);
    expect(items[0]?.stack).toEqual({
      base: top,
      limit: top - 0x3000n,
      initialStack: top - 0x210n,
      kernelStack: top - 0x230n - 2n * size,
      live: top - 0x230n - 2n * size,
      resident: true,
      outer: [],
    });
    // where KTHREAD has its state only KDBG tells
    expect(items[0]).toMatchObject({ state: undefined, processor: undefined });
    expect({ processes, notes, stopped }).toEqual({
      processes: { read: 3, of: 3 },
      notes: [],
      stopped: undefined,
    });
  });
});

describe("the layout of KTHREAD", () => {
  const RTM_2003: ThreadOffsets = {
    initial: 0x18,
    limit: 0x1c,
    base: 0x15c,
    kernel: 0x20,
    links: 0x1ac,
    listHead: 0x50,
  };

  it("is told from that of another service pack with the same build by the threads", () => {
    const made = new ThreadMachine({
      machine: "x86",
      build: 3790,
      offsets: RTM_2003,
      threads: [3],
      stackSize: 0x3000,
    });
    const { items, notes } = readThreads(made.source());
    expect(items.map(({ stack }) => typeof stack === "object" && stack.base)).toEqual(
      made.threads[0]?.map(({ base }) => base),
    );
    expect(notes).toEqual([]);
  });

  it("is found where only the links moved, and that is said", () => {
    const made = new ThreadMachine({ build: 99999, offsets: { ...X64, links: 0x358 }, threads: [3, 1] });
    const { items, notes } = readThreads(made.source());
    expect(items).toHaveLength(4);
    expect(notes).toEqual([
      "where threads have their links is not known of this Windows; 0x358 was found by the threads",
    ]);
  });

  it("comes from KDBG where that has it", () => {
    const offsets = { ...X64, initial: 0x128, limit: 0x130, base: 0x138, kernel: 0x158 };
    const made = new ThreadMachine({ offsets, threads: [2] });
    const kdbg = {
      offsetKThreadInitialStack: 0x128,
      offsetKThreadStackLimit: 0x130,
      offsetKThreadStackBase: 0x138,
      offsetKThreadKernelStack: 0x158,
      offsetKThreadState: 0x184,
    };
    const [first, second] = made.threads[0]!;
    made.memory.write(first!.address + 0x184n, Uint8Array.of(5));
    made.memory.write(second!.address + 0x184n, Uint8Array.of(77));
    expect(readThreads(made.source({}, kdbg)).items).toMatchObject([
      { state: "waiting", stack: { base: first!.base, kernelStack: first!.kernelStack } },
      { state: undefined, stack: { base: second!.base } },
    ]);
  });

  it("is not guessed where nothing known holds", () => {
    const made = new ThreadMachine({ offsets: { ...X64, base: 0x60, limit: 0x68 }, threads: [3] });
    expect(readThreads(made.source())).toEqual({
      items: [],
      processes: { read: 0, of: 1 },
      stopped: "broken",
      notes: ["the lists of the processes' threads cannot be read: no known layout of KTHREAD fits them"],
    });
  });
});

describe("a thread's stack", () => {
  it("is `none` when the thread has ended, and undefined when it cannot be", () => {
    const made = new ThreadMachine({ threads: [6] });
    const [, ended, unaligned, endless] = made.threads[0]!;
    made.memory.pointer(ended!.address + BigInt(X64.initial), 0n);
    made.memory.pointer(unaligned!.address + BigInt(X64.base), unaligned!.base + 8n);
    made.memory.pointer(endless!.address + BigInt(X64.limit), 0xffff_8000_0000_0000n);
    expect(
      readThreads(made.source()).items.map(({ stack }) => (typeof stack === "object" ? "here" : stack)),
    ).toEqual(["here", "none", undefined, undefined, "here", "here"]);
  });

  it("has 256 KB, and what says more is none (MAX_KERNEL_STACK)", () => {
    const made = new ThreadMachine({ threads: [8] });
    const [whole, longer] = made.threads[0]!;
    made.memory.pointer(whole!.address + BigInt(X64.limit), whole!.base - 0x4_0000n);
    made.memory.pointer(longer!.address + BigInt(X64.limit), longer!.base - 0x4_1000n);
    const [first, second] = readThreads(made.source()).items;
    expect(first?.stack).toMatchObject({ base: whole!.base, limit: whole!.base - 0x4_0000n });
    expect(second?.stack).toBeUndefined();
  });

  it("is resident where the part in use can be read, whatever is below", () => {
    const made = new ThreadMachine({ threads: [4], used: 0x1400 });
    const [, out, below, partly] = made.threads[0]!;
    made.memory.pageOut(out!.limit, 0x6000);
    made.memory.pageOut(below!.limit, 0x4000);
    made.memory.pageOut(partly!.base - 0x800n, 0x800);
    const { items } = readThreads(made.source());
    expect(items.map(({ stack }) => typeof stack === "object" && stack.resident)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it("may be resident, for all that is known, where the dump lacks it", () => {
    const made = new ThreadMachine({ threads: [2] });
    const [first] = made.threads[0]!;
    const away = { ...first!, base: first!.base + 0x1000_0000n, limit: first!.limit + 0x1000_0000n };
    made.memory.pointer(first!.address + BigInt(X64.base), away.base);
    made.memory.pointer(first!.address + BigInt(X64.limit), away.limit);
    made.memory.pointer(first!.address + BigInt(X64.initial), away.base);
    made.memory.pointer(first!.address + BigInt(X64.kernel), away.base - 0x100n);
    expect(readThreads(made.source()).items[0]?.stack).toMatchObject({
      base: away.base,
      resident: undefined,
    });
  });

  it("ends at the processor's stack pointer while it runs, which is not known for every processor", () => {
    const made = new ThreadMachine({ threads: [3] });
    const [first, second] = made.threads[0]!;
    const prcbs = [0xffff_9b00_0000_0000n, 0xffff_9b00_0001_0000n].map(va);
    made.memory.map(prcbs[0]!, 0x100).map(prcbs[1]!, 0x100);
    made.memory.pointer(prcbs[0]! + 8n, first!.address).pointer(prcbs[1]! + 8n, second!.address);
    const source = made.source(
      {
        processors: { items: prcbs.map((prcb, number) => ({ prcb, number })) },
        contexts: [
          { which: "header", registers: { rsp: first!.base - 0x1800n } },
          { which: "prcb", registers: { rsp: first!.base - 0x2a00n } },
        ],
      },
      { offsetPrcbCurrentThread: 8, offsetPrcbContext: 0x85c0 },
    );
    expect(readThreads(source).items).toMatchObject([
      { processor: 0, stack: { live: first!.base - 0x2a00n, kernelStack: first!.kernelStack } },
      { processor: 1, stack: { live: undefined, resident: true } },
      { processor: undefined, stack: { live: first!.base + 2n * 0x8000n - 0x400n } },
    ]);
  });
});

describe("a thread that went on with another stack", () => {
  // by public symbols, from InitialStack on: KERNEL_STACK_CONTROL of Windows 7 has two flags before Previous on
  // x86 and the current stack's five pointers on x64; KSTACK_CONTROL of Windows 8 and later has 0x10 bytes
  it.each([0x8, 0x10, 0x28])("has left one whose bounds stand 0x%i bytes behind InitialStack", (offset) => {
    const made = new ThreadMachine({ threads: [3] });
    const [first, second, third] = made.threads[0]!;
    made.leftFor(first!, second!, offset).leftFor(second!, third!, offset);
    const bounds = ({ base, limit, kernelStack }: typeof first & object) => ({
      base,
      limit,
      kernelStack,
      initialStack: base - 0x210n,
    });
    const { items } = readThreads(made.source());
    expect(items[2]?.stack).toMatchObject({ base: third!.base, outer: [bounds(second!), bounds(first!)] });
    expect(items[0]?.stack).toMatchObject({ outer: [] });
  });

  it("has left 32 at the most that are followed, and that is said (MAX_OUTER_STACKS)", () => {
    const made = new ThreadMachine({ threads: [34] });
    const threads = made.threads[0]!;
    threads.slice(1).forEach((inner, i) => void made.leftFor(threads[i]!, inner, 0x10));
    const { items, notes } = readThreads(made.source());
    const left = items.map(({ stack }) => (typeof stack === "object" ? stack.outer.length : undefined));
    expect(left.slice(30)).toEqual([30, 31, 32, 32]);
    expect(notes).toEqual(["stacks may be missing: only 32 that a thread left for others are looked at"]);
  });

  it("ends where stacks were left for one another", () => {
    const made = new ThreadMachine({ threads: [2] });
    const [first, second] = made.threads[0]!;
    made.leftFor(first!, second!, 0x10).leftFor(second!, first!, 0x10);
    expect(readThreads(made.source()).items[0]?.stack).toMatchObject({ outer: [{ base: second!.base }] });
  });
});

describe("a list of threads", () => {
  it("that leads into itself ends there, and the other processes' go on", () => {
    const made = new ThreadMachine({ threads: [3, 3, 2] });
    const [, second, third] = made.threads[1]!;
    made.memory.pointer(linksOf(made, third!), linksOf(made, second!));
    const { items, stopped, processes, notes } = readThreads(made.source());
    expect(items).toHaveLength(8);
    expect(stopped).toBe("cycle");
    expect(processes).toEqual({ read: 2, of: 3 });
    expect(notes).toEqual([
      "threads may be missing: the lists of process1.exe cannot be followed to their end",
    ]);
  });

  it("of another process's threads gives no thread twice", () => {
    const made = new ThreadMachine({ threads: [3, 1] });
    const [first] = made.threads[0]!;
    made.memory.pointer(linksOf(made, made.threads[1]![0]!), linksOf(made, first!));
    const { items, stopped } = readThreads(made.source());
    expect(items.map(({ process }) => process?.pid)).toEqual([4, 4, 4, 0x104]);
    expect(stopped).toBe("broken");
  });

  it("that is paged out costs no other", () => {
    const made = new ThreadMachine({ threads: [2, 2, 2] });
    made.memory.pageOut(made.processes[1]!.address, 8);
    const { items, stopped } = readThreads(made.source());
    expect(items).toHaveLength(4);
    expect(stopped).toMatchObject({ kind: "paged-out" });
  });

  it("of ten thousand is read whole", () => {
    const made = new ThreadMachine({ threads: [10_000], stackSize: 0x1000, used: 0x300 });
    const source = made.source();
    expect(readThreads(source).items).toHaveLength(10_000);
    expect(stepsOf(() => void readThreads(source))).toBeLessThan(1_100_000);
  });

  it("ends with 65,536 of all processes together, and says so (MAX_THREADS)", () => {
    const made = new ThreadMachine({ threads: [2, 0, 1] });
    // threads 16 bytes apart: each has its type where another one has nothing, and its links in between
    const start = 0xffff_be0e_8000_0000n;
    const count = 65_536;
    const words = new BigUint64Array(2 * count + X64.links / 8);
    for (let i = 0; i < count; i++) {
      words[2 * i] = 6n;
      words[2 * i + X64.links / 8] = start + BigInt(16 * (i + 1) + X64.links);
    }
    made.memory.write(start, new Uint8Array(words.buffer));
    made.memory.pointer(made.processes[1]!.address + BigInt(X64.listHead), start + BigInt(X64.links));
    const { items, stopped, processes, notes } = readThreads(made.source());
    expect(items).toHaveLength(65_536);
    expect({ stopped, processes }).toEqual({ stopped: "limit", processes: { read: 1, of: 3 } });
    expect(notes).toEqual([
      "threads may be missing: the lists of process1.exe, process2.exe cannot be followed to their end",
    ]);
  });

  it("may be missing where the list of processes ends early", () => {
    const made = new ThreadMachine({ threads: [2] });
    const processes = { items: made.processes, recovered: 0, stopped: "cycle" } as const;
    expect(readThreads(made.source({ processes }))).toMatchObject({
      stopped: "cycle",
      notes: ["the list of processes ends early: threads of others are not known"],
    });
  });

  it("is unknown where the processes are", () => {
    const made = new ThreadMachine({ threads: [2] });
    const processes = { items: [], recovered: 0, stopped: "broken" } as const;
    expect(readThreads(made.source({ processes }))).toEqual({
      items: [],
      processes: { read: 0, of: 0 },
      stopped: "broken",
      notes: ["the list of processes cannot be read, so their threads are not known"],
    });
  });
});

describe("the samples", () => {
  const threadsOf = (name: string) => {
    using source = openFile(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url)));
    return readThreads(readKernel(readDump(source)));
  };

  it("have the threads that they say", () => {
    // article-2003.md: 8 processes and 12 threads
    const article = threadsOf("article-2003.dmp");
    expect(article.items).toHaveLength(12);
    expect(article.processes).toEqual({ read: 8, of: 8 });
    // the header's esp lies on the stack of System's first thread
    expect(article.items[0]?.stack).toMatchObject({ base: 0xba310000n, live: 0xba30fd00n });
    const leak = threadsOf("leak-x64.dmp");
    expect(leak.items.map(({ process }) => process?.imageName)).toEqual([
      ...Array.from({ length: 5 }, () => "System"),
      "services.exe",
      "lsass.exe",
      "ctsagent.exe",
      "nwavsvc.exe",
    ]);
    expect(leak.notes).toEqual([]);
  });
});

// Registers and stack of rizin's test database; limit, base and state were read from the bytes of the ETHREAD.
describe("the threads of a real triage dump", () => {
  const threadsOf = (path: string) => {
    using source = openFile(path);
    return readThreads(readKernel(readDump(source)));
  };
  const x64 = realDump("triage_x64.dmp");
  const arm64 = realDump("triage_arm64.dmp");

  it.skipIf(x64 === undefined)(
    "triage_x64: the one that stopped uses its stack from the bugcheck's rsp on",
    () => {
      const { items, notes } = threadsOf(x64!);
      expect(items[0]).toEqual({
        address: 0xffffc08bde9e1640n,
        process: undefined,
        state: "running",
        processor: 0,
        stack: {
          base: 0xffff850429893000n,
          limit: 0xffff85042988d000n,
          initialStack: 0xffff850429892c90n,
          kernelStack: 0xffff850429891fe0n,
          live: 0xffff850429890ee8n,
          resident: true,
          outer: [],
        },
      });
      expect(notes).toEqual(["a triage dump (minidump) holds no threads but those that the processors ran"]);
    },
  );

  it.skipIf(arm64 === undefined)("triage_arm64: x12 and x11 held the limits of the stack", () => {
    expect(threadsOf(arm64!).items[0]).toMatchObject({
      state: "running",
      stack: { base: 0xffffe00e0e4bd000n, limit: 0xffffe00e0e4b5000n, live: 0xffffe00e0e4bc4a0n },
    });
  });
});
