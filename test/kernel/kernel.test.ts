import { describe, expect, it } from "vitest";
import { writeDump } from "../../samples/writer/dump.mjs";
import { writeKdbg } from "../../samples/writer/kdbg.mjs";
import {
  contextX64,
  contextX86,
  writeModuleList,
  writeUnloadedDrivers,
} from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { MAX_PROCESSORS } from "../../src/core/limits.ts";
import { readDump } from "../../src/dump/open.ts";
import { nameBugcheck } from "../../src/kernel/bugchecks.ts";
import { type Kernel, readKernel } from "../../src/kernel/kernel.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { dumpBytes } from "../fixtures/dump-bytes.ts";

type Header = Parameters<typeof writeDump>[1]["header"];
const BASE = 0xfffff80140000000n;
/** nt's variables. */
const AT = {
  kdbg: BASE + 0x1000n,
  listHead: BASE + 0x1800n,
  modules: BASE + 0x1900n,
  buildLab: BASE + 0x1a00n,
  unloaded: BASE + 0x1b00n,
  lastUnloaded: BASE + 0x1b10n,
  processors: BASE + 0x2000n,
};
const PRCB_CONTEXT = 0x85c0;
const STACK = 0xffffe00e0e4b5000n;

interface Built {
  readonly machine: Machine;
  readonly header: Header;
  kernel(header?: Partial<Header>): Kernel;
}

/** Four processors, of which the third stopped on `STACK`. */
function build(): Built {
  const machine = new Machine({ mode: "x64", build: 19041, processors: 4, physicalPages: 0x4000 });
  machine.map(BASE, 0x8000);
  machine.write(AT.buildLab, Buffer.from("19041.1.amd64fre.vb_release.191206-1406\0junk"));
  writeModuleList(machine, AT.modules, [
    { base: BASE, size: 0x8000, name: "ntoskrnl.exe" },
    { base: BASE + 0x10000n, size: 0x6000, name: "hal.dll" },
  ]);
  writeUnloadedDrivers(machine, {
    variable: AT.unloaded,
    lastVariable: AT.lastUnloaded,
    drivers: ["first.sys", "second.sys"].map((name, i) => ({
      name,
      start: BASE + BigInt(i + 2) * 0x10000n,
      end: BASE + BigInt(i + 2) * 0x10000n + 0x7000n,
      time: 132583451029877657n,
    })),
  });
  for (let number = 0; number < 4; number++) {
    const prcb = machine.allocate(0x9000, { align: 0x40 });
    machine.pointer(AT.processors + BigInt(number * 8), prcb).u32(prcb + 0x24n, number);
    const context = machine.allocate(0x4d0);
    const rsp = number === 2 ? STACK - 0x1238n : STACK + BigInt(number + 1) * 0x100000n;
    machine.write(context, contextX64({ rip: BASE + 0x4000n + BigInt(number), rsp, rbx: 0x1111n }));
    machine.pointer(prcb + BigInt(PRCB_CONTEXT), context);
  }
  writeKdbg(machine, AT.kdbg, {
    size: 0x380,
    listHead: AT.listHead,
    fields: {
      KernBase: BASE,
      PsLoadedModuleList: AT.modules,
      NtBuildLab: AT.buildLab,
      KiProcessorBlock: AT.processors,
      MmUnloadedDrivers: AT.unloaded,
      MmLastUnloadedDriver: AT.lastUnloaded,
      OffsetPrcbNumber: 0x24,
      OffsetPrcbContext: PRCB_CONTEXT,
    },
  });
  const header = {
    minor: 19041,
    processors: 4,
    psLoadedModuleList: AT.modules,
    kdDebuggerDataBlock: AT.kdbg,
    context: contextX64({ rip: BASE + 0x4321n, rsp: STACK, r12: 0x1234n }),
  };
  const kernel = (changes: Partial<Header> = {}): Kernel => {
    const bytes = writeDump(machine, { type: "bitmap-kernel", header: { ...header, ...changes } });
    return readKernel(readDump(new BytesSource(bytes, "MEMORY.DMP")));
  };
  return { machine, header, kernel };
}
const named = (kernel: Kernel): readonly string[] => kernel.modules.items.map((module) => module.name);

describe("the kernel of a dump with physical memory", () => {
  const built = build();
  const kernel = built.kernel();

  it("is read through its own page tables", () => {
    expect(kernel.paging).toBe("x64");
    expect(kernel.base).toBe(BASE);
    expect(kernel.kdbg).toMatchObject({ foundBy: "header", address: AT.kdbg });
    expect(kernel.buildLab).toBe("19041.1.amd64fre.vb_release.191206-1406");
    expect(named(kernel)).toEqual(["nt", "hal"]);
    expect(kernel.notes).toEqual([]);
  });

  it("gives the registers of the header, and of the processor whose stack they are on", () => {
    const [first, second, ...rest] = kernel.contexts;
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      which: "header",
      registers: { rip: BASE + 0x4321n, rsp: STACK, r12: 0x1234n },
    });
    expect(first?.registers).toMatchObject({ cs: 0x10n, ss: 0x18n, rflags: 0x246n, mxcsr: 0x1f80n, rax: 0n });
    expect(second).toMatchObject({ which: "prcb", registers: { rip: BASE + 0x4002n, rsp: STACK - 0x1238n } });
  });

  it("gives no processor's registers when the header's are on none of their stacks", () => {
    const context = contextX64({ rip: BASE + 0x4321n, rsp: STACK + 0x50000n });
    expect(
      build()
        .kernel({ context })
        .contexts.map(({ which }) => which),
    ).toEqual(["header"]);
  });

  it("lists its processors up to the zero that ends them, or to the header's count", () => {
    const numbers = (of: Kernel): unknown => of.processors.items.map((processor) => processor.number);
    expect(numbers(kernel)).toEqual([0, 1, 2, 3]);
    expect(numbers(built.kernel({ processors: 3 }))).toEqual([0, 1, 2]);
    expect(numbers(built.kernel({ processors: MAX_PROCESSORS }))).toEqual([0, 1, 2, 3]);
    expect(kernel.processors.stopped).toBeUndefined();
  });

  it("lists what was unloaded", () => {
    expect(kernel.unloaded).toEqual({
      items: [
        { name: "first.sys", base: BASE + 0x20000n, end: BASE + 0x27000n, time: 132583451029877657n },
        { name: "second.sys", base: BASE + 0x30000n, end: BASE + 0x37000n, time: 132583451029877657n },
      ],
    });
  });

  it("is read though the header leaves the lists and KDBG out", () => {
    const bare = built.kernel({ psLoadedModuleList: 0n, kdDebuggerDataBlock: 0n });
    expect(named(bare)).toEqual([]);
    expect(bare.modules.stopped).toBe("broken");
    expect(bare.notes.length).toBeGreaterThan(1);
    const listOnly = built.kernel({ kdDebuggerDataBlock: 0n });
    expect(named(listOnly)).toEqual(["nt", "hal"]);
    expect(listOnly.kdbg).toMatchObject({ foundBy: "scan" });
  });

  it("says when the module list and KDBG disagree about nt", () => {
    const { machine, kernel: read } = build();
    machine.u64(AT.kdbg + 0x18n, BASE + 0x10000n);
    expect(read().notes).toEqual([
      expect.stringMatching(/nt at 0xfffff80140010000.*begins at 0xfffff80140000000/),
    ]);
  });

  it("says when the module list is broken", () => {
    const { machine, kernel: read } = build();
    machine.pointer(machine.readPointer(AT.modules), 0x10n);
    const broken = read();
    expect(named(broken)).toEqual(["nt", "hal"]);
    expect(broken.modules).toMatchObject({ recovered: 1, stopped: { kind: "not-mapped", va: 0x10n } });
    expect(broken.notes).toEqual([
      expect.stringContaining("1 of 2 entries were found from its end backwards"),
    ]);
  });
});

describe("the ring of unloaded modules", () => {
  const ringOf = (last: number, names: readonly string[]): readonly string[] => {
    const { machine, kernel } = build();
    const array = machine.readPointer(AT.unloaded);
    names.forEach((name, i) => {
      const entry = array + BigInt(i * 0x28);
      machine.unicodeString(entry, name);
      machine.u64(entry + 0x10n, BASE).u64(entry + 0x18n, BASE + 0x1000n);
    });
    machine.u32(AT.lastUnloaded, last);
    return kernel().unloaded.items.map((module) => module.name);
  };
  const fifty = Array.from({ length: 50 }, (_, i) => `driver${i}`);

  it("ends with the module unloaded last, also after it went round", () => {
    expect(ringOf(3, fifty)).toEqual([...fifty.slice(3), ...fifty.slice(0, 3)]);
    expect(ringOf(50, fifty)).toEqual(fifty);
    expect(ringOf(0xffffffff, fifty)).toHaveLength(50);
  });

  it("names a module by its base when its name cannot be read", () => {
    const { machine, kernel } = build();
    machine.u64(machine.readPointer(AT.unloaded) + 8n, 0x10n);
    expect(kernel().unloaded.items.map((module) => module.name)).toEqual([
      "unknown_fffff80140020000",
      "second.sys",
    ]);
  });

  it("is empty before the first module is unloaded, and says when it cannot be read", () => {
    const { machine, kernel } = build();
    machine.pointer(AT.unloaded, 0n);
    expect(kernel().unloaded).toEqual({ items: [] });
    machine.pointer(AT.unloaded, 0x10n);
    expect(kernel().unloaded).toMatchObject({ items: [], stopped: { kind: "not-mapped" } });
  });
});

describe("the kernel of other dumps", () => {
  it("is read in 32-bit dumps, with their registers", () => {
    const machine = new Machine({ mode: "pae", build: 3790, physicalPages: 0x4000 });
    machine.map(0x80800000n, 0x2000);
    writeModuleList(machine, 0x80801000n, [{ base: 0x80800000n, size: 0x2000, name: "ntkrpamp.exe" }]);
    writeKdbg(machine, 0x80801100n, {
      size: 0x318,
      listHead: 0x80801080n,
      fields: { KernBase: 0x80800000n },
    });
    const header = {
      minor: 3790,
      psLoadedModuleList: 0x80801000n,
      kdDebuggerDataBlock: 0x80801100n,
      context: contextX86({ eip: 0x80800123, esp: 0xf7c2d000, eax: 0xffffffff }),
    };
    const bytes = writeDump(machine, { type: "full", header });
    const kernel = readKernel(readDump(new BytesSource(bytes, "MEMORY.DMP")));
    expect(kernel.paging).toBe("x86-pae");
    expect(named(kernel)).toEqual(["nt"]);
    expect(kernel.contexts).toEqual([
      {
        which: "header",
        registers: expect.objectContaining({ eip: 0x80800123n, esp: 0xf7c2d000n, eax: 0xffffffffn, cs: 8n }),
      },
    ]);
    expect(kernel.unloaded).toEqual({ items: [], stopped: "broken" });
  });

  it("is nothing in a dump that is a header only, and that is said", () => {
    const bytes = dumpBytes(64, 0x2000, { 0x20: 0xfffff8047c62a390n, 0x80: 0xfffff8047c600b20n, 0xf98: 3 });
    const kernel = readKernel(readDump(new BytesSource(bytes, "header.dmp")));
    expect(kernel.kdbg).toBeUndefined();
    expect(kernel.base).toBeUndefined();
    expect(kernel.modules).toMatchObject({ items: [], stopped: { kind: "not-mapped", level: "block" } });
    expect(kernel.contexts).toEqual([]);
    expect(kernel.buildLab).toBeUndefined();
    expect(kernel.notes).toEqual([
      expect.stringContaining("cannot be read"),
      expect.stringContaining("nt's place is not known"),
      expect.stringContaining("no debugger data block (KDBG) was found"),
    ]);
  });
});

describe("nameBugcheck", () => {
  it("knows the documented codes, and their _M forms", () => {
    expect([0xa, 0xe2, 0x161, 0x1c8, 0x1000007e, 0x100000ea, 0xdeaddead].map(nameBugcheck)).toEqual([
      "IRQL_NOT_LESS_OR_EQUAL",
      "MANUALLY_INITIATED_CRASH",
      "LIVE_SYSTEM_DUMP",
      "MANUALLY_INITIATED_POWER_BUTTON_HOLD",
      "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M",
      "THREAD_STUCK_IN_DEVICE_DRIVER_M",
      "MANUALLY_INITIATED_CRASH1",
    ]);
  });

  it("does not make a name up", () => {
    expect([0, 0x7777, 0x10007777, 0xffffffff].map(nameBugcheck)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
