import { advance, type Va } from "../core/address.ts";
import { parseWith, toAddress } from "../core/kaitai.ts";
import { VerifierData } from "../generated/verifier_data.js";
import type { AddressSpace } from "../memory/address-space.ts";

/** What Driver Verifier counts, over all drivers that it checks. */
export interface VerifierCounts {
  /** The flags that verifier.exe takes. */
  readonly level: number;
  readonly allocationsAttempted: number;
  readonly allocationsSucceeded: number;
  readonly allocationsFailed: number;
  /** Of those, the ones that Verifier made fail. */
  readonly allocationsFailedDeliberately: number;
  /** What is not freed; `undefined` where this Windows' form of it cannot be told. */
  readonly outstanding: { readonly paged: VerifierPool; readonly nonPaged: VerifierPool } | undefined;
}

/** Of one pool. */
export interface VerifierPool {
  readonly allocations: number;
  readonly bytes: bigint;
}

/** Whether Driver Verifier ran, and why that is not known where it is not. */
export type Verifier =
  | { readonly state: "on"; readonly address: Va; readonly counts: VerifierCounts }
  | { readonly state: "off"; readonly address: Va }
  | { readonly state: "unknown"; readonly address: Va | undefined; readonly reason: string };

const HEAD_BYTES = 0x30;
const COUNTS_BYTES = 0x10;
/** Where the counts of the pools stand: in all Windows, and in those of Windows 11 that have a field more. */
const COUNTS_AT = [0x40, 0x44] as const;
/** Flags that verifier.exe knows, up to the newest. */
const KNOWN_FLAGS = 0x03ff_ffff;

type Head = VerifierData.Head;

/**
 * Reads what Driver Verifier counted. Its counters are all zero where it never ran, and fit one another
 * where it did; anything else is unknown.
 *
 * @param address of MmVerifierData; absent where nobody knows it
 */
export function readVerifier(space: AddressSpace, address: Va | undefined): Verifier {
  const unknown = (reason: string): Verifier => ({ state: "unknown", address, reason });
  if (address === undefined) return unknown("this dump does not say where Driver Verifier's counters stand");
  const bytes = space.tryRead(address, HEAD_BYTES);
  if (bytes === undefined) return unknown("Driver Verifier's counters cannot be read");
  if (bytes.every((byte) => byte === 0)) return { state: "off", address };
  const head = parseWith(VerifierData.Head, bytes);
  if (!isConsistent(head))
    return unknown("what stands where Driver Verifier's counters should be is something else");
  if (head.allocationsAttempted === 0 && head.raiseIrqls === 0 && head.acquireSpinLocks === 0) {
    return unknown("Driver Verifier has flags, but counted nothing: it may have had no driver to check");
  }
  const {
    level,
    allocationsAttempted,
    allocationsSucceeded,
    allocationsFailed,
    allocationsFailedDeliberately,
  } = head;
  const outstanding = readOutstanding(space, address, head);
  return {
    state: "on",
    address,
    counts: {
      level,
      allocationsAttempted,
      allocationsSucceeded,
      allocationsFailed,
      allocationsFailedDeliberately,
      outstanding,
    },
  };
}

function isConsistent(head: Head): boolean {
  return (
    (head.level & ~KNOWN_FLAGS) === 0 &&
    head.level !== 0 &&
    head.allocationsSucceeded <= head.allocationsAttempted &&
    head.allocationsFailed <= head.allocationsAttempted &&
    head.allocationsWithNoTag <= head.allocationsAttempted &&
    head.allocationsSucceededSpecialPool <= head.allocationsSucceeded &&
    head.allocationsFailedDeliberately <= head.allocationsAttempted
  );
}

/** By the one form whose figures fit one another; `undefined` where two do and differ, or none does. */
function readOutstanding(space: AddressSpace, address: Va, head: Head): VerifierCounts["outstanding"] {
  const fitting = COUNTS_AT.flatMap((at) => {
    const found = poolsAt(space, address, at, head.allocationsSucceeded);
    return found === undefined ? [] : [found];
  });
  const [first, second] = fitting;
  if (first === undefined || second === undefined) return first;
  const same = (["paged", "nonPaged"] as const).every(
    (pool) =>
      first[pool].allocations === second[pool].allocations && first[pool].bytes === second[pool].bytes,
  );
  return same ? first : undefined;
}

function poolsAt(
  space: AddressSpace,
  address: Va,
  at: number,
  succeeded: number,
): VerifierCounts["outstanding"] {
  const { pointerSize } = space;
  const bytesAt = Math.ceil((at + COUNTS_BYTES) / pointerSize) * pointerSize;
  const countBytes = space.tryRead(advance(address, at), COUNTS_BYTES);
  const byteBytes = space.tryRead(advance(address, bytesAt), 4 * pointerSize);
  if (countBytes === undefined || byteBytes === undefined) return undefined;
  const counts = parseWith(VerifierData.PoolCounts, countBytes);
  const raw =
    pointerSize === 4
      ? parseWith(VerifierData.PoolBytes32, byteBytes)
      : parseWith(VerifierData.PoolBytes64, byteBytes);
  const bytes = {
    paged: toAddress(raw.paged),
    nonPaged: toAddress(raw.nonPaged),
    peakPaged: toAddress(raw.peakPaged),
    peakNonPaged: toAddress(raw.peakNonPaged),
  };
  const fits =
    counts.currentPaged <= counts.peakPaged &&
    counts.currentNonPaged <= counts.peakNonPaged &&
    counts.currentPaged + counts.currentNonPaged <= succeeded &&
    bytes.paged <= bytes.peakPaged &&
    bytes.nonPaged <= bytes.peakNonPaged &&
    bytes.paged >= BigInt(counts.currentPaged) &&
    bytes.nonPaged >= BigInt(counts.currentNonPaged) &&
    (counts.currentPaged === 0) === (bytes.paged === 0n) &&
    (counts.currentNonPaged === 0) === (bytes.nonPaged === 0n) &&
    (counts.peakPaged === 0) === (bytes.peakPaged === 0n) &&
    (counts.peakNonPaged === 0) === (bytes.peakNonPaged === 0n);
  if (!fits) return undefined;
  return {
    paged: { allocations: counts.currentPaged, bytes: bytes.paged },
    nonPaged: { allocations: counts.currentNonPaged, bytes: bytes.nonPaged },
  };
}
