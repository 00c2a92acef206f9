import { beforeAll, describe, expect, it } from "vitest";
import { readDump } from "../../src/dump/open.ts";
import { nameBugcheck } from "../../src/kernel/bugchecks.ts";
import { type Kernel, readKernel } from "../../src/kernel/kernel.ts";
import { openFile } from "../../src/source/node-files.ts";
import { realDump } from "../fixtures/real-dumps.ts";

// Values of rizin's test database (test/db/formats/dmp/dmp).

describe.skipIf(realDump("triage_x64.dmp") === undefined)("the kernel of triage_x64.dmp", () => {
  let kernel: Kernel;
  beforeAll(() => {
    kernel = open("triage_x64.dmp");
  });

  it("is known by KDBG", () => {
    expect(kernel.kdbg).toMatchObject({
      address: 0xfffff8047c600b20n,
      foundBy: "triage-copy",
      size: 0x380,
      kernBase: 0xfffff8047ba00000n,
      psLoadedModuleList: 0xfffff8047c62a390n,
      psActiveProcessHead: 0xfffff8047c61e200n,
      mmPfnDatabase: 0xfffff8047c6fc500n,
      mmPageSize: 0x1000n,
      pteBase: 0xfffffd8000000000n,
      sizePrcb: 0xaf00,
      sizeEProcess: 0xa40,
      offsetKThreadApcProcess: 0xb8,
      offsetEprocessParentCid: 0x540,
      offsetPrcbContext: 0x85c0,
      offsetKThreadStackLimit: 0x30,
      paeEnabled: undefined,
      // zero in every dump of Windows 10 and 11
      expPagedPoolDescriptor: undefined,
      mmNumberOfPhysicalPages: undefined,
      nonPagedPoolDescriptor: undefined,
      // Windows 11 24H2's
      offsetKThreadShadowStackLimit: undefined,
      pointerAuthMask: undefined,
    });
    expect(kernel.base).toBe(0xfffff8047ba00000n);
    expect(kernel.buildLab).toBe("19041.1.amd64fre.vb_release.191206-1406");
    expect(kernel.notes).toEqual([]);
    expect(kernel.paging).toBeUndefined();
  });

  it("lists 151 modules", () => {
    const { items, stopped, recovered } = kernel.modules;
    expect(items).toHaveLength(151);
    expect({ stopped, recovered }).toEqual({ stopped: undefined, recovered: 0 });
    expect(items[0]).toMatchObject({
      name: "nt",
      imageName: "ntoskrnl.exe",
      path: "\\SystemRoot\\system32\\ntoskrnl.exe",
      base: 0xfffff8047ba00000n,
    });
    expect(items[1]).toMatchObject({ name: "hal", imageName: "hal.dll" });
    expect(new Set(items.map((module) => module.name)).size).toBe(151);
    // the frames of the stack that rizin prints: amdppm!WriteIoMemRawEx and Wdf01000!FxPnpDevicePrepareHardware
    const holding = (address: bigint): string | undefined =>
      items.find(({ base, end }) => base <= address && address < end)?.name;
    expect([0xfffff8048b58334cn, 0xfffff804799cc027n, 0xfffff8047bdfd0d8n].map(holding)).toEqual([
      "amdppm",
      "Wdf01000",
      "nt",
    ]);
  });

  it("has two sets of registers: of the exception, and of the bugcheck", () => {
    expect(kernel.contexts).toEqual([
      {
        which: "header",
        registers: expect.objectContaining({
          rip: 0xfffff8048b58334cn,
          rsp: 0xffff850429892120n,
          rax: 0xffffc08be4da6240n,
          rcx: 0x20n,
          rflags: 0x50246n,
        }),
      },
      {
        which: "prcb",
        registers: expect.objectContaining({
          rip: 0xfffff8047bdf5a80n,
          rsp: 0xffff850429890ee8n,
          rbp: 0xffff850429892c10n,
          rax: 0xffff850429891720n,
          rbx: 0xfffff8047ba82b68n,
          rcx: 0x7en,
          rdx: 0xffffffffc0000005n,
          rsi: 0n,
          rdi: 0n,
          r8: 0xfffff8048b58334cn,
          r9: 0xffff850429891ee8n,
          r10: 0xffff850429891ee8n,
          r11: 0xffff8afd53400000n,
          r12: 0xffff850429892c10n,
          r13: 0xffff850429891ee8n,
          r14: 0xffff850429891560n,
          r15: 0xfffff8047ba00000n,
          rflags: 0x40286n,
          mxcsr: 0x1f80n,
        }),
      },
    ]);
  });

  it("has 16 processors", () => {
    const { items, stopped } = kernel.processors;
    expect(items[0]).toEqual({ prcb: 0xfffff804782d4180n, number: 0 });
    expect(items.map((processor) => processor.number)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(stopped).toBeUndefined();
  });

  it("stopped because of SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M", () => {
    expect(nameBugcheck(kernel.facts.bugcheck!.value.code)).toBe("SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M");
  });
});

describe.skipIf(realDump("triage_arm64.dmp") === undefined)("the kernel of triage_arm64.dmp", () => {
  let kernel: Kernel;
  beforeAll(() => {
    kernel = open("triage_arm64.dmp");
  });

  it("is known by KDBG", () => {
    expect(kernel.kdbg).toMatchObject({
      address: 0xfffff803f3a00d00n,
      foundBy: "triage-copy",
      size: 0x380,
      kernBase: 0xfffff803f2e00000n,
      psLoadedModuleList: 0xfffff803f3a2aa20n,
      pteBase: 0xffffa88000000000n,
      sizePrcb: 0x9680,
      sizeEProcess: 0xc80,
      sizeEThread: 0x910,
      offsetKThreadApcProcess: 0xb0,
      offsetPrcbContext: 0x8a0,
    });
    expect(kernel.buildLab).toBe("22000.1.arm64fre.co_release.210604-1628");
    expect(nameBugcheck(kernel.facts.bugcheck!.value.code)).toBe("MANUALLY_INITIATED_POWER_BUTTON_HOLD");
    expect(kernel.notes).toEqual([]);
  });

  it("lists 245 modules", () => {
    expect(kernel.modules.items).toHaveLength(245);
    expect(kernel.modules.stopped).toBeUndefined();
    expect(kernel.modules.items[0]).toMatchObject({ name: "nt", base: 0xfffff803f2e00000n });
  });

  it("has the same registers in the header and in the processor's block", () => {
    const registers = {
      pc: 0xfffff803f32de014n,
      sp: 0xffffe00e0e4bc4a0n,
      fp: 0xffffe00e0e4bc4a0n,
      lr: 0n,
      cpsr: 0x80000144n,
      fpsr: 0x10n,
      x3: 0xfffff803f3a36aa0n,
      x6: 0xfffff803f3a16000n,
      x7: 0x64dn,
      x11: 0xffffe00e0e4bd000n,
      x12: 0xffffe00e0e4b5000n,
      x17: 0x6402a279369an,
      x18: 0xfffff803efd00000n,
      x19: 0xfffff803efd00980n,
      x25: 0x1b58n,
      x26: 0xfffff803f3a20860n,
    };
    expect(kernel.contexts).toMatchObject([
      { which: "header", registers },
      { which: "prcb", registers },
    ]);
  });

  it("has 8 processors, and unloaded modules", () => {
    expect(kernel.processors.items.map((processor) => processor.number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(kernel.processors.items[0]?.prcb).toBe(0xfffff803efd00980n);
    expect(kernel.unloaded.stopped).toBeUndefined();
  });
});

function open(name: "triage_x64.dmp" | "triage_arm64.dmp"): Kernel {
  const path = realDump(name);
  if (path === undefined) throw new Error(`${name} is not here`);
  return readKernel(readDump(openFile(path)));
}
