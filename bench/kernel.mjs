import { alignUp } from "../samples/writer/bytes.mjs";
import { writeKdbg } from "../samples/writer/kdbg.mjs";
import {
  fileTime,
  writeModuleList,
  writeProcesses,
  writeUnloadedDrivers,
} from "../samples/writer/kernel.mjs";
import { writeTracker } from "../samples/writer/tracker.mjs";
import { NT_BASE } from "./modules.mjs";

/** @typedef {import("./images.mjs").Made} Made */
/** @typedef {import("../samples/writer/machine.mjs").Machine} Machine */

const PAGE = 0x1000;
export const BUILD = 19041;

/**
 * nt's variables, the lists and tables behind them.
 * @param {Machine} machine @param {readonly Made[]} made @param {readonly string[]} tags
 * @param {number} threads @param {import("./code.mjs").Random} random
 */
export function writeKernel(machine, made, tags, threads, random) {
  const nt = /** @type {Made} */ (made[0]).image;
  const data = nt.sections.find((s) => s.name === ".data");
  let next = nt.va((data?.rva ?? 0) + 0x2000);
  const variable = (/** @type {number} */ size = 8) => {
    const va = next;
    next += BigInt(alignUp(size, 16));
    machine.write(va, new Uint8Array(alignUp(size, 16)));
    return va;
  };
  const at = {
    kdbg: variable(0x380),
    listHead: variable(16),
    PsLoadedModuleList: variable(16),
    PsActiveProcessHead: variable(16),
    PoolTrackTable: variable(),
    MmUnloadedDrivers: variable(),
    MmLastUnloadedDriver: variable(),
    MmNumberOfPhysicalPages: variable(),
    NtBuildLab: variable(64),
    tagTables: variable(8 * 64),
    sizeVariable: variable(),
    maskVariable: variable(),
  };
  machine.write(
    at.NtBuildLab,
    Uint8Array.from("19041.1.amd64fre.vb_release.191206-1406", (c) => c.charCodeAt(0)),
  );
  machine.u64(at.MmNumberOfPhysicalPages, machine.physicalPages);
  writeModuleList(
    machine,
    at.PsLoadedModuleList,
    made.map(({ name, path, image }) => ({
      name,
      path,
      base: image.base,
      size: image.size,
      checksum: image.spec.checksum ?? 0,
      timestamp: image.spec.timestamp ?? 0,
    })),
  );
  writeUnloadedDrivers(machine, {
    variable: at.MmUnloadedDrivers,
    lastVariable: at.MmLastUnloadedDriver,
    drivers: [{ name: "dump_x.sys", start: NT_BASE - 0x100000n, end: NT_BASE - 0xf0000n }],
  });
  const stack = (/** @type {number} */ i) => {
    const words = Array.from({ length: 60 }, () => {
      const { image, tagSites } = /** @type {Made} */ (made[random(made.length)]);
      return random(3) > 0 || tagSites.length === 0
        ? BigInt(random(0x10000))
        : image.va((tagSites[random(tagSites.length)] ?? 0) + 16);
    });
    return { stackBase: 0xfffffa8000006000n + BigInt(i) * 0x8000n, stackSize: 0x6000, words };
  };
  writeProcesses(machine, at.PsActiveProcessHead, [
    { pid: 4, name: "System", threads: Array.from({ length: Math.min(threads, 200) }, (_, i) => stack(i)) },
    ...Array.from({ length: threads === 0 ? 1 : 60 }, (_, p) => ({
      pid: 100 + 4 * p,
      name: `service${p}.exe`,
      threads: Array.from({ length: Math.max(0, Math.floor((threads - 200) / 60)) }, (_, i) =>
        stack(200 + p * 100 + i),
      ),
    })),
  ]);
  writeTracker(machine, {
    layout: "B64",
    hashed: 8192,
    poolTrackTable: at.PoolTrackTable,
    tagTables: at.tagTables,
    sizeVariable: at.sizeVariable,
    maskVariable: at.maskVariable,
    processors: Array.from({ length: machine.processors }, () =>
      tags.map((tag) => ({
        tag,
        nonPaged: { allocs: random(9000), frees: random(3000), bytes: random(900000) },
        paged: { allocs: random(90000), frees: random(90000), bytes: random(900000) },
      })),
    ),
  });
  writeKdbg(machine, at.kdbg, {
    size: 0x380,
    listHead: at.listHead,
    fields: {
      KernBase: NT_BASE,
      PsLoadedModuleList: at.PsLoadedModuleList,
      PsActiveProcessHead: at.PsActiveProcessHead,
      PoolTrackTable: at.PoolTrackTable,
      MmUnloadedDrivers: at.MmUnloadedDrivers,
      MmLastUnloadedDriver: at.MmLastUnloadedDriver,
      MmNumberOfPhysicalPages: at.MmNumberOfPhysicalPages,
      NtBuildLab: at.NtBuildLab,
      MmPageSize: PAGE,
      OffsetKThreadKernelStack: 0x58,
      OffsetKThreadInitialStack: 0x28,
      SizeEProcess: 0xa40,
      SizeEThread: 0x898,
    },
  });
  return {
    minor: BUILD,
    psLoadedModuleList: at.PsLoadedModuleList,
    psActiveProcessHead: at.PsActiveProcessHead,
    kdDebuggerDataBlock: at.kdbg,
    processors: machine.processors,
    systemTime: fileTime(1_700_000_000),
    upTime: 36_000_000_000n,
    attributes: 0,
    productType: 1,
    suiteMask: 0x110,
    bugcheck: { code: 0x161, parameters: /** @type {const} */ ([0n, 0n, 0n, 0n]) },
  };
}
