import { describe, expect, it } from "vitest";
import { writeDump } from "../../samples/writer/dump.mjs";
import { writeModuleList, writeProcesses } from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { va } from "../../src/core/address.ts";
import { readDump } from "../../src/dump/open.ts";
import { type Kernel, readKernel } from "../../src/kernel/kernel.ts";
import { readProcesses } from "../../src/kernel/processes.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

type Mode = ConstructorParameters<typeof Machine>[0]["mode"];
// offsets of DirectoryTableBase, UniqueProcessId, ActiveProcessLinks and ImageFileName by public symbols
const BUILDS: readonly [Mode, number, readonly [number, number, number, number]][] = [
  ["x86", 2600, [0x18, 0x84, 0x88, 0x174]],
  ["pae", 3790, [0x18, 0x94, 0x98, 0x164]],
  ["pae", 7601, [0x18, 0xb4, 0xb8, 0x16c]],
  ["x64", 3790, [0x28, 0xd8, 0xe0, 0x268]],
  ["x64", 7601, [0x28, 0x180, 0x188, 0x2e0]],
  ["x64", 19041, [0x28, 0x440, 0x448, 0x5a8]],
  ["x64-la57", 26100, [0x28, 0x1d0, 0x1d8, 0x338]],
];
const NAMES = ["System", "smss.exe", "csrss.exe", "services.exe"];

interface Built {
  readonly machine: Machine;
  readonly head: bigint;
  readonly made: { process: bigint }[];
  kernel(): Kernel;
}
function build(mode: Mode, windows: number): Built {
  const machine = new Machine({ mode, build: windows, physicalPages: 0x8000 });
  const modules = machine.allocate(16);
  const head = machine.allocate(16);
  writeModuleList(machine, modules, [{ base: 0x80800000n, size: 0x1000, name: "ntoskrnl.exe" }]);
  const made = writeProcesses(
    machine,
    head,
    NAMES.map((name, i) => ({ pid: i === 0 ? 4 : 0x100 + i * 4, name })),
  );
  const kernel = (): Kernel => {
    const header = { minor: windows, psLoadedModuleList: modules, psActiveProcessHead: head };
    return readKernel(readDump(new BytesSource(writeDump(machine, { type: "full", header }), "MEMORY.DMP")));
  };
  return { machine, head, made, kernel };
}

describe.each(BUILDS)("the processes of a machine in mode %s, build %i", (mode, windows, offsets) => {
  const { machine, made, kernel } = build(mode, windows);
  const read = kernel();

  it("are read with offsets taken from the System process", () => {
    expect(read.processes).toEqual({
      items: NAMES.map((imageName, i) => ({
        address: made[i]?.process,
        pid: i === 0 ? 4 : 0x100 + i * 4,
        imageName,
        directoryTableBase: machine.directoryTableBase,
      })),
      recovered: 0,
    });
  });

  it("have the name, the id and the page tables where public symbols have them", () => {
    const [root, pid, links, name] = offsets;
    const { process } = made[1]!;
    machine.write(process + BigInt(name), Buffer.from("renamed.exe\0"));
    machine.pointer(process + BigInt(pid), 0x2340).pointer(process + BigInt(root), 0x12340000n);
    expect(kernel().processes.items[1]).toEqual({
      address: process,
      pid: 0x2340,
      imageName: "renamed.exe",
      directoryTableBase: 0x12340000n,
    });
    expect(machine.readPointer(process + BigInt(links))).toBe(made[2]!.process + BigInt(links));
  });

  it("have memory of their own", () => {
    const system = read.processes.items[0]!;
    expect(read.spaceOf(system)?.tryRead(va(made[3]!.process), 1)).toEqual(Uint8Array.of(3));
  });
});

describe("Kernel.processes", () => {
  it("are found from the list's end where a link is broken", () => {
    const { machine, made, kernel } = build("x64", 19041);
    machine.pointer(made[0]!.process + 0x448n, 0x10n);
    const { items, recovered, stopped } = kernel().processes;
    expect(items.map((process) => process.imageName)).toEqual(NAMES);
    expect({ recovered, stopped }).toMatchObject({ recovered: 3, stopped: { kind: "not-mapped" } });
  });

  it("are none where the first one is not System, and that is said", () => {
    const { machine, made, kernel } = build("x64", 19041);
    machine.pointer(made[0]!.process + 0x440n, 8);
    expect(kernel().processes).toEqual({ items: [], recovered: 0, stopped: "broken" });
  });

  it("are 65,536 at the most, and the list says that it ends there (MAX_PROCESSES)", () => {
    const layout = { directoryTableBase: 0, pid: 8, links: 0x10, imageName: undefined };
    const start = 0xffff_be0e_4000_0000n;
    const words = new BigUint64Array(4 * 65_538);
    for (let i = 0; i < 65_538; i++) {
      const next = start + BigInt(0x20 * ((i + 1) % 65_538) + 0x10);
      words.set([0x1ad000n, BigInt(4 * i), next], 4 * i);
    }
    const { space } = new VirtualMemory(8).write(start, new Uint8Array(words.buffer));
    const { items, stopped } = readProcesses(space, va(start + 0x10n), layout);
    expect(items.map(({ pid }) => pid)).toEqual(Array.from({ length: 65_536 }, (_, i) => 4 * (i + 1)));
    expect(stopped).toBe("limit");
  });

  it("have no names where System's is not found", () => {
    const { machine, made, kernel } = build("x64", 19041);
    machine.write(made[0]!.process + 0x5a8n, Buffer.from("system\0"));
    expect(kernel().processes.items.map((process) => process.imageName)).toEqual(NAMES.map(() => undefined));
  });
});
