import { buildMachine } from "../samples/leakbench/machine.mjs";
import { elfCore, kdump, lime, raw, squeezed, vmwareState } from "../samples/writer/containers.mjs";
import { writeDump } from "../samples/writer/dump.mjs";
import { writeHibernation } from "../samples/writer/hibernation.mjs";
import { writeHibernation7 } from "../samples/writer/hibernation-7.mjs";
import { encodeKdbg } from "../samples/writer/kdbg.mjs";

/**
 * One made machine in every container that is read.
 *
 * @typedef {import("../samples/writer/containers.mjs").Processor} Processor
 * @typedef {ReturnType<typeof buildMachine> & { processors: readonly Processor[], regions: [number, number][] }} Made regions: of memory, in pages
 * @typedef {Readonly<Record<string, Uint8Array>>} Files by name; the first is the one that is opened
 */

const PAGES = 0x3000;
/** Devices between two parts of its memory. @type {readonly [base: number, count: number]} */
const HOLE = [0x1400, 0x800];

/** @param {"x64" | "x86"} arch @param {{ pages?: number, hole?: readonly [base: number, count: number] }} [size] @returns {Made} */
export function containerMachine(arch, { pages = PAGES, hole = HOLE } = {}) {
  const made = buildMachine({
    arch,
    seed: 31,
    drivers: ["nwindav", "ctstor", "humong"],
    counts: [{ tag: "Se  ", paged: true, block: { x64: 0x60, x86: 0x58 }, live: 310_000 }],
    physicalPages: pages,
    hole,
    held: { type: "Event", bytes: 0x20, live: 400, holders: { "sqlservr.exe": 380 } },
  });
  const { machine } = made.system;
  const nt = made.system.image("ntoskrnl.exe").base;
  // the interrupt gates of the first processor lead into nt
  const idt = machine.allocate(0x100);
  const handler = made.system.nt("KeBugCheckEx");
  if (machine.is64)
    machine
      .u16(idt, Number(handler & 0xffffn))
      .u16(idt + 6n, Number((handler >> 16n) & 0xffffn))
      .u32(idt + 8n, Number(handler >> 32n));
  else machine.u16(idt, Number(handler & 0xffffn)).u16(idt + 6n, Number((handler >> 16n) & 0xffffn));
  const working = { rip: handler, rsp: nt + 0x100n, idt, syscall: handler };
  const halted = Array.from({ length: machine.processors - 1 }, () => ({ rip: 0xfff0n, rsp: 0n, cr3: 0n }));
  const behind = hole[0] + hole[1];
  return {
    ...made,
    processors: [working, ...halted],
    regions: [
      [0, hole[0]],
      [behind, pages - behind],
    ],
  };
}

const KDBG_SIZE = 0x380;

/** Writes with the debugger's block as a running 64-bit kernel keeps it. @param {Made} made @param {() => Uint8Array} write */
function withEncodedKdbg({ system }, write) {
  const { machine, is64 } = system;
  if (!is64) return write();
  const at = system.nt("KdDebuggerDataBlock");
  const plain = machine.read(at, KDBG_SIZE);
  machine.write(
    at,
    encodeKdbg(plain, { never: 0x5d7ee8c13fa43c27n, always: 0x13579bdf2468ace0n, flag: at + 0x1234n }),
  );
  const bytes = write();
  machine.write(at, plain);
  return bytes;
}

/**
 * By a Windows that keeps its KDBG encoded. Windows 11 has no 32-bit form; that of 10 stands for it.
 *
 * @param {"8.1" | "10" | "11"} version @returns {(made: Made) => Files}
 */
function hibernated(version) {
  const packing = /** @type {const} */ ({ 8.1: "plain", 10: "huffman", 11: "mixed" })[version];
  return (made) => {
    const { machine } = made.system;
    const form = machine.is64 ? version : version === "8.1" ? "8.1-x86" : "10-x86";
    const { systemTime = 0n } = made.header;
    const write = () => writeHibernation(machine, { form, packing, systemTime });
    return { "hiberfil.sys": withEncodedKdbg(made, write) };
  };
}

/** @type {Readonly<Record<string, (made: Made) => Files>>} */
export const CONTAINERS = {
  "crash dump, full": ({ system, header }) => ({
    "MEMORY.DMP": writeDump(system.machine, { type: "full", header }),
  }),
  "crash dump, bitmap": ({ system, header }) => ({
    "MEMORY.DMP": writeDump(system.machine, { type: "bitmap-kernel", header }),
  }),
  "ELF core, with the guest's header": ({ system, header, processors }) => ({
    "guest.elf": elfCore(system.machine, header, { by: "qemu", processors, guestHeader: true }),
  }),
  "ELF core, by virtual address": ({ system, header, processors }) => ({
    "guest.elf": elfCore(system.machine, header, { by: "qemu", processors, guestHeader: true, paging: true }),
  }),
  "ELF core": ({ system, header, processors }) => ({
    "guest.elf": elfCore(system.machine, header, { by: "qemu", processors }),
  }),
  "ELF core of VirtualBox": ({ system, header, processors }) => ({
    "guest.elf": elfCore(system.machine, header, { by: "virtualbox", processors }),
  }),
  LiME: ({ system }) => ({ "mem.lime": lime(system.machine) }),
  "LiME, KDBG encoded": (made) => ({ "mem.lime": withEncodedKdbg(made, () => lime(made.system.machine)) }),
  "kdump, zlib": ({ system, header, processors }) => ({
    "guest.kdump": kdump(system.machine, header, processors, { guestHeader: true }),
  }),
  "kdump, flattened": ({ system, header, processors }) => ({
    "guest.kdump": kdump(system.machine, header, processors, { flattened: true }),
  }),
  raw: ({ system }) => ({ "mem.raw": raw(system.machine) }),
  "raw, without the holes": ({ system }) => ({ "mem.raw": squeezed(system.machine, system.memory) }),
  "raw, without one hole": ({ system, regions }) => ({
    "mem.raw": squeezed(system.machine, regions),
  }),
  "VMware, two files": ({ system, processors, regions }) => ({
    "guest.vmem": squeezed(system.machine, regions),
    "guest.vmss": vmwareState(system.machine, regions, { processors }),
  }),
  "VMware, by its state": ({ system, processors, regions }) => ({
    "guest.vmss": vmwareState(system.machine, regions, { processors }),
    "guest.vmem": squeezed(system.machine, regions),
  }),
  "VMware, one file": ({ system, processors, regions }) => ({
    "guest.vmsn": vmwareState(system.machine, regions, {
      processors,
      memory: squeezed(system.machine, regions),
    }),
  }),
  "VMware, the memory alone": ({ system, regions }) => ({ "guest.vmem": squeezed(system.machine, regions) }),
  "hibernation file, Windows 7": ({ system, header, processors: [processor] }) => ({
    "hiberfil.sys": writeHibernation7(system.machine, { ...header, ...processor }),
  }),
  ...Object.fromEntries(
    /** @type {const} */ (["8.1", "10", "11"]).map((version) => [
      `hibernation file, Windows ${version}`,
      hibernated(version),
    ]),
  ),
};
