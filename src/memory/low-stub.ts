import { PAGE_SIZE } from "../core/address.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** Pages below the display's memory, where the block stands. */
const FIRST_PAGE = 1;
const LAST_PAGE = 0x9f;
/** Where PROCESSOR_START_BLOCK has the entry of the kernel, and the CR3 of the state that a processor starts with. */
const LONG_MODE_TARGET = 0x70;
const CR3 = 0xa0;

/**
 * The root of the kernel's page tables that a PROCESSOR_START_BLOCK holds: what x64 kernels keep in low memory to wake
 * processors with. Many machines have none, which proves nothing.
 *
 * @see MemProcFS (vmm/vmmwininit.c) and KDU, "low stub"
 */
export function lowStubRoots({ source, pages }: PhysicalMemory): readonly bigint[] {
  const roots: bigint[] = [];
  const bytes = new Uint8Array(PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  for (let pfn = FIRST_PAGE; pfn <= LAST_PAGE; pfn++) {
    const offset = pages.locate(pfn);
    if (offset < 0 || source.read(offset, bytes) !== PAGE_SIZE) continue;
    const start = view.getBigUint64(0, true) & 0xffff_ffff_ffff_00ffn;
    const target = view.getBigUint64(LONG_MODE_TARGET, true) & 0xffff_f800_0000_0003n;
    const cr3 = view.getBigUint64(CR3, true);
    if (start !== 0x0000_0001_0006_00e9n || target !== 0xffff_f800_0000_0000n) continue;
    if (cr3 !== 0n && (cr3 & 0xffff_ff00_0000_0fffn) === 0n) roots.push(cr3);
  }
  return roots;
}
