import { describe, expect, it } from "vitest";
import { writeModuleList } from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { type Va, va } from "../../src/core/address.ts";
import { type ModuleWalk, readModules, triageModules } from "../../src/kernel/modules.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import { x64 } from "../../src/memory/x64.ts";
import { x86Pae } from "../../src/memory/x86-pae.ts";
import { machineMemory } from "../fixtures/machine-memory.ts";

const NT = {
  base: 0xfffff80140000000n,
  size: 0x1046000,
  name: "ntoskrnl.exe",
  checksum: 0xa6bd1f,
  timestamp: 0x5f000001,
};
const HAL = { base: 0xfffff80141100000n, size: 0x6000, name: "hal.dll", checksum: 0x11, timestamp: 0 };
const DRIVERS = ["Wdf01000.sys", "fltmgr.sys", "ABCMiniFilter.sys", "Ntfs.sys"].map((name, i) => ({
  base: 0xfffff80142000000n + BigInt(i) * 0x100000n,
  size: 0x80000 + i * 0x1000,
  name,
}));

interface Listed {
  readonly machine: Machine;
  readonly head: bigint;
  readonly entries: bigint[];
}
function listed(modules: Parameters<typeof writeModuleList>[2], build = 19041): Listed {
  const machine = new Machine({ mode: "x64", build });
  const head = machine.allocate(16);
  return { machine, head, entries: writeModuleList(machine, head, modules) };
}
function modulesOf({ machine, head }: Listed, kernelBase: bigint | undefined = NT.base): ModuleWalk {
  const mapping = new PageTableMapping(
    machineMemory(machine),
    x64(4, machine.build),
    machine.directoryTableBase,
  );
  return readModules(new AddressSpace(mapping), va(head), {
    build: machine.build,
    kernelBase: kernelBase as Va,
  });
}
const names = (walk: ModuleWalk): readonly string[] => walk.items.map((module) => module.name);
const ALL = ["nt", "hal", "Wdf01000", "fltmgr", "ABCMiniFilter", "Ntfs"];

describe("readModules", () => {
  it("gives what the entries say", () => {
    const { items, stopped, recovered } = modulesOf(listed([NT, HAL, ...DRIVERS]));
    expect(items[0]).toEqual({
      name: "nt",
      imageName: "ntoskrnl.exe",
      path: "\\SystemRoot\\system32\\drivers\\ntoskrnl.exe",
      base: 0xfffff80140000000n,
      end: 0xfffff80141046000n,
      size: 0x1046000,
      entryPoint: 0n,
      timestamp: 0x5f000001,
      checksum: 0xa6bd1f,
    });
    expect(items[1]).toMatchObject({ name: "hal", timestamp: 0 });
    expect({ stopped, recovered }).toEqual({ stopped: undefined, recovered: 0 });
  });

  it("knows no time stamps before Windows 10", () => {
    const { items } = modulesOf(listed([NT, HAL], 9600));
    expect(items.map((module) => module.timestamp)).toEqual([undefined, undefined]);
    expect(items[0]).toMatchObject({ checksum: 0xa6bd1f });
  });

  it("reads the 32-bit list of Server 2003, and of a 32-bit Windows 10", () => {
    const read = (build: number): ModuleWalk => {
      const machine = new Machine({ mode: "pae", build });
      const head = machine.allocate(8);
      const nt = {
        base: 0x80800000n,
        size: 0x25d000,
        name: "ntkrpamp.exe",
        entryPoint: 0x8081f4d4n,
        checksum: 0x2627f6,
        timestamp: 7,
      };
      writeModuleList(machine, head, [nt, { base: 0x80a5d000n, size: 0x2c000, name: "hal.dll" }]);
      const mapping = new PageTableMapping(machineMemory(machine), x86Pae(build), machine.directoryTableBase);
      return readModules(new AddressSpace(mapping), va(head), { build, kernelBase: undefined });
    };
    expect(names(read(3790))).toEqual(["nt", "hal"]);
    expect(read(3790).items[0]).toMatchObject({
      imageName: "ntkrpamp.exe",
      base: 0x80800000n,
      end: 0x80a5d000n,
      entryPoint: 0x8081f4d4n,
      checksum: 0x2627f6,
      timestamp: undefined,
    });
    expect(read(10586).items[0]).toMatchObject({ timestamp: 7 });
  });

  it("finds what stands behind a broken forward link from the other end", () => {
    const list = listed([NT, HAL, ...DRIVERS]);
    list.machine.pointer(list.entries[2]!, 0xfffff801ffff0000n);
    const walk = modulesOf(list);
    expect(names(walk)).toEqual(ALL);
    expect(walk.recovered).toBe(3);
    expect(walk.stopped).toEqual({ kind: "not-mapped", va: 0xfffff801ffff0000n, level: "PML4E" });
  });

  it("keeps both ends when an entry between them is gone", () => {
    const list = listed([NT, HAL, ...DRIVERS]);
    const entry = list.entries[3]!;
    // flink, blink and base of fltmgr: as if it had been freed and used again
    list.machine.write(entry, new Uint8Array(0x40).fill(0x41));
    const walk = modulesOf(list);
    expect(names(walk)).toEqual(ALL.filter((name) => name !== "fltmgr"));
    expect(walk).toMatchObject({ stopped: "broken", recovered: 2 });
  });

  it("ends at an entry that points at itself, and still finds the rest", () => {
    const list = listed([NT, HAL, ...DRIVERS]);
    list.machine.pointer(list.entries[1]!, list.entries[1]!);
    expect(names(modulesOf(list))).toEqual(ALL);
    expect(modulesOf(list)).toMatchObject({ stopped: "cycle", recovered: 4 });
  });

  it("says that it found nothing when the head itself cannot be read", () => {
    const list = { ...listed([NT]), head: 0xfffff801ffff0000n };
    expect(modulesOf(list)).toMatchObject({ items: [], recovered: 0, stopped: { kind: "not-mapped" } });
  });

  it("finds nothing in an empty list", () => {
    expect(modulesOf(listed([]))).toEqual({ items: [], recovered: 0 });
  });

  it("stops at the cap and one (MAX_MODULES)", () => {
    const many = Array.from({ length: 4097 }, (_, i) => ({
      ...HAL,
      base: HAL.base + BigInt(i) * 0x10000n,
    }));
    const walk = modulesOf(listed(many));
    expect(walk.items).toHaveLength(4096);
    expect(walk.stopped).toBe("limit");
  });

  it("leaves out images that no machine has room for beside the others, and says so (MAX_IMAGES_BYTES)", () => {
    const huge = Array.from({ length: 5 }, (_, i) => ({
      base: 0xfffff90000000000n + BigInt(i) * 0x4000_0000n,
      size: 0x4000_0000,
      name: `huge${i}.sys`,
    }));
    const walk = modulesOf(listed([NT, ...huge, HAL]));
    expect(names(walk)).toEqual(["nt", "huge0", "huge1", "huge2", "hal"]);
    expect(walk.stopped).toBe("limit");
  });

  it("cuts a name of 32,767 characters, and says how long it is (MAX_UNICODE_BYTES)", () => {
    const long = "n".repeat(32_767);
    const [nt, driver] = modulesOf(listed([NT, { ...HAL, name: long, path: `\\${long.slice(1)}` }])).items;
    expect(nt?.imageName).toBe("ntoskrnl.exe");
    expect(driver?.imageName).toBe(`${"n".repeat(255)}… (32767 characters)`);
    expect(driver?.path).toBe(`\\${"n".repeat(1023)}… (32767 characters)`);
  });

  // 65,536 import slots that lead into one module with a name of 1,000 characters took 0.5 GB to show
  it("cuts a file's name behind 255 characters, also where only its path is known (MAX_FILE_NAME)", () => {
    const [name, longer] = ["n".repeat(255), "n".repeat(256)];
    const namesOf = (file: string) => {
      const list = listed([NT, { ...HAL, name: file, path: `\\${file}` }]);
      const whole = modulesOf(list).items[1]?.imageName;
      list.machine.pointer((list.entries[1] ?? 0n) + 0x58n + 8n, 0xffffa00000000000n);
      return [whole, modulesOf(list).items[1]?.imageName];
    };
    expect(namesOf(name)).toEqual([name, name]);
    expect(namesOf(longer)).toEqual(Array(2).fill(`${name}… (256 characters)`));
  });

  it("names a module whose name is paged out by its base, and goes on", () => {
    const list = listed([NT, HAL, DRIVERS[2]!, DRIVERS[3]!]);
    const entry = list.entries[2]!;
    for (const name of [0x48n, 0x58n]) list.machine.pointer(entry + name + 8n, 0xffffa00000000000n);
    const walk = modulesOf(list);
    expect(names(walk)).toEqual(["nt", "hal", "unknown_fffff80142200000", "Ntfs"]);
    expect(walk.items[2]).toMatchObject({ imageName: undefined, path: undefined, size: 0x82000 });
    expect(walk.stopped).toBeUndefined();
  });

  it("takes the file's name from the path where the short name is gone", () => {
    const list = listed([NT, DRIVERS[2]!]);
    list.machine.pointer(list.entries[1]! + 0x60n, 0xffffa00000000000n);
    expect(modulesOf(list).items[1]).toMatchObject({ name: "ABCMiniFilter", imageName: "ABCMiniFilter.sys" });
  });
});

describe("module names", () => {
  const NAMELESS_32 = { pointerSize: 4, kernelBase: undefined } as const;
  const driver = (path: string | undefined, base: bigint) => ({
    path,
    base: base as Va,
    entryPoint: base as Va,
    size: 0x1000,
    checksum: 0,
    timestamp: 0,
  });
  const named = (...paths: readonly (string | undefined)[]): readonly string[] =>
    names(
      triageModules(
        {
          items: paths.map((path, i) => driver(path, 0x80800000n + BigInt(i) * 0x1000n)),
          claimed: paths.length,
        },
        NAMELESS_32,
      ),
    );

  it("keep letters, digits and underscores only", () => {
    expect(
      named("\\??\\C:\\a b\\Microsoft.Bluetooth-Legacy (1).sys", "\\x\\dump_disk.sys", "noextension"),
    ).toEqual(["Microsoft_Bluetooth_Legacy__1_", "dump_disk", "noextension"]);
  });

  it("of the kernel and the hardware abstraction layer do not depend on their files", () => {
    expect(
      named("\\WINDOWS\\system32\\ntkrpamp.exe", "\\WINDOWS\\system32\\halmacpi.dll", "\\a\\hal.sys"),
    ).toEqual(["nt", "hal", "hal_80802000"]);
  });

  it("tell modules of the same name apart by their base", () => {
    expect(named("\\a\\nt.sys", "\\b\\ntkrnlmp.exe", "\\c\\dup.sys", "\\d\\DUP.sys", undefined)).toEqual([
      "nt_80800000",
      "nt",
      "dup",
      "DUP_80803000",
      "unknown_80804000",
    ]);
  });

  it("of a triage dump's list tell when entries are missing", () => {
    const items = [driver("\\a\\ntoskrnl.exe", 0x80800000n)];
    expect(triageModules({ items, claimed: 2 }, NAMELESS_32)).toMatchObject({
      stopped: "broken",
      recovered: 0,
    });
    expect(triageModules({ items, claimed: 1 }, NAMELESS_32).stopped).toBeUndefined();
    const beyond = [...items, { ...driver("\\a\\x.sys", 0xfffff000n), size: 0x2000 }];
    expect(triageModules({ items: beyond, claimed: 2 }, NAMELESS_32)).toMatchObject({
      items: [{ name: "nt" }],
      stopped: "broken",
    });
  });
});
