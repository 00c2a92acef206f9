import type { Va } from "../core/address.ts";
import { MAX_BILLED_PROCESSES } from "../core/limits.ts";
import type { PoolKernel } from "./pool-kernel.ts";

/** What stands in a block for the process that it is charged to. */
export interface Charge {
  /** Of the block's header. */
  readonly start: Va;
  /** As it stands there. */
  readonly value: bigint;
}

/** A process as far as it is needed here. */
export interface PoolProcess {
  /** Its EPROCESS. */
  readonly address: Va;
  readonly pid: number;
  readonly imageName: string | undefined;
}

/** Blocks that are charged to one process. */
export interface BilledProcess {
  readonly process: PoolProcess;
  readonly blocks: number;
}

/** Who pays for blocks. */
export interface Billing {
  /** The most blocks first; undefined where it cannot be told. */
  readonly billed: readonly BilledProcess[] | undefined;
  /** Charges that lead to no process that is active: those of one that ended, or not read rightly. */
  readonly others: number;
  readonly why?: "no-processes" | "many-processes" | "cookie";
}

/** From Windows 8 on the process is combined with the block's address and a secret number. */
const ENCODED = 9200;
/** Charges that a secret is looked for in. */
const PROBES = 32;

/**
 * Where a block keeps the process that it is charged to: in its header, which has room for it on 64-bit
 * machines, else in its last four bytes.
 */
export function chargeOf(block: Uint8Array, start: Va, pointerSize: 4 | 8): Charge {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const value =
    pointerSize === 8 ? view.getBigUint64(8, true) : BigInt(view.getUint32(block.length - 4, true));
  return { start, value };
}

/**
 * Counts charges by process. Newer Windows hides the process behind a secret in nt's data: it is the
 * one number there that makes processes of the charges. Only what is an active process counts.
 */
export function billingOf(
  kernel: PoolKernel,
  charges: readonly Charge[],
  processes: readonly PoolProcess[],
): Billing {
  if (charges.length === 0) return { billed: [], others: 0 };
  if (processes.length === 0) {
    return { billed: undefined, others: charges.length, why: "no-processes" };
  }
  const byAddress = new Map<bigint, PoolProcess>(processes.map((process) => [process.address, process]));
  const plain = countBy(charges, byAddress, (charge) => charge.value);
  // a build that is not known may have either form
  if (kernel.build < ENCODED && (kernel.build !== 0 || plain.others < charges.length)) return plain;
  if (processes.length > MAX_BILLED_PROCESSES) {
    return { billed: undefined, others: charges.length, why: "many-processes" };
  }
  const secret = findSecret(kernel, charges, byAddress);
  if (secret === undefined) return { billed: undefined, others: charges.length, why: "cookie" };
  return countBy(charges, byAddress, ({ start, value }) => value ^ start ^ secret);
}

function countBy(
  charges: readonly Charge[],
  byAddress: ReadonlyMap<bigint, PoolProcess>,
  addressIn: (charge: Charge) => bigint,
): Billing {
  const counts = new Map<PoolProcess, number>();
  let others = 0;
  for (const charge of charges) {
    const process = byAddress.get(addressIn(charge));
    if (process === undefined) others++;
    else counts.set(process, (counts.get(process) ?? 0) + 1);
  }
  const billed = [...counts].map(([process, blocks]) => ({ process, blocks }));
  return { billed: billed.sort((a, b) => b.blocks - a.blocks || a.process.pid - b.process.pid), others };
}

/** The number in nt's data that makes processes of at least half of the charges. */
function findSecret(
  { space, nt }: PoolKernel,
  charges: readonly Charge[],
  byAddress: ReadonlyMap<bigint, PoolProcess>,
): bigint | undefined {
  const every = Math.max(1, Math.floor(charges.length / PROBES));
  const probes = charges.filter((_, i) => i % every === 0).slice(0, PROBES);
  const votes = new Map<bigint, number>();
  for (const { start, value } of probes) {
    for (const address of byAddress.keys()) {
      const secret = value ^ start ^ address;
      votes.set(secret, (votes.get(secret) ?? 0) + 1);
    }
  }
  const likely = new Set([...votes].filter(([, count]) => count * 2 >= probes.length).map(([one]) => one));
  likely.delete(0n);
  const seen = new Set<bigint>();
  for (const { start, length } of nt?.writable ?? []) {
    const { bytes } = space.readSparse(start, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + space.pointerSize <= bytes.length; at += space.pointerSize) {
      const word = space.pointerSize === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
      if (likely.has(word)) seen.add(word);
    }
  }
  const [secret, another] = seen;
  return another === undefined ? secret : undefined;
}
