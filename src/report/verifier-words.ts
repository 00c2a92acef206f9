import { hex } from "../core/address.ts";
import { grouped } from "../core/text.ts";
import type { Verifier } from "../kernel/verifier.ts";

/**
 * What each flag of Driver Verifier checks.
 *
 * @see Microsoft, "Verifier Command Line" and the output of `verifier /querysettings`
 */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0x1, "special pool"],
  [0x2, "force IRQL checking"],
  [0x4, "randomized low resources simulation"],
  [0x8, "pool tracking"],
  [0x10, "I/O verification"],
  [0x20, "deadlock detection"],
  [0x40, "enhanced I/O verification"],
  [0x80, "DMA checking"],
  [0x100, "security checks"],
  [0x200, "force pending I/O requests"],
  [0x400, "IRP logging"],
  [0x800, "miscellaneous checks"],
  [0x2000, "invariant MDL checking for stack"],
  [0x4000, "invariant MDL checking for driver"],
  [0x8000, "power framework delay fuzzing"],
  [0x1_0000, "port/miniport interface checking"],
  [0x2_0000, "DDI compliance checking"],
  [0x4_0000, "systematic low resources simulation"],
  [0x8_0000, "DDI compliance checking (additional)"],
  [0x20_0000, "NDIS/WIFI verification"],
  [0x80_0000, "kernel synchronization delay fuzzing"],
  [0x100_0000, "VM switch verification"],
  [0x200_0000, "code integrity checks"],
];

const POOL_TRACKING = 0x8;

/**
 * The names of the flags that are set; a flag without a known name by its value.
 *
 * @internal
 */
export function verifierFlags(level: number): readonly string[] {
  const named = FLAGS.filter(([bit]) => (level & bit) !== 0);
  const rest = named.reduce((left, [bit]) => left & ~bit, level) >>> 0;
  return [...named.map(([, name]) => name), ...(rest === 0 ? [] : [hex(rest)])];
}

/** Whether Driver Verifier tracked the pool allocations of the drivers that it checked: then !verifier 3 lists them by driver. */
export function tracksPool(verifier: Verifier): boolean {
  return verifier.state === "on" && (verifier.counts.level & POOL_TRACKING) !== 0;
}

/**
 * Driver Verifier's state in words. It counts over all drivers that it checks, and so accuses none; which drivers those
 * are, KDBG does not tell.
 */
export function verifierWords(verifier: Verifier): string {
  if (verifier.state === "unknown") return `whether Driver Verifier was on is not known: ${verifier.reason}`;
  if (verifier.state === "off")
    return "Driver Verifier was off: it counted nothing since the machine started";
  const { level, outstanding } = verifier.counts;
  const flags = `Driver Verifier was on (${hex(level)}: ${verifierFlags(level).join(", ")})`;
  if (outstanding === undefined) return flags;
  const { paged, nonPaged } = outstanding;
  return `${flags}; the drivers that it checked hold ${pool(paged)} of paged and ${pool(nonPaged)} of nonpaged pool`;
}

function pool({ allocations, bytes }: { readonly allocations: number; readonly bytes: bigint }): string {
  const many = grouped(allocations);
  return `${many} ${allocations === 1 ? "allocation" : "allocations"} with ${grouped(bytes)} bytes`;
}
