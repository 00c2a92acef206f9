import { advance, type Va } from "../../core/address.ts";
import { MAX_POINTER_HITS, MAX_PROCESSORS, MAX_TRACKER_BYTES } from "../../core/limits.ts";
import { findPatterns } from "../../memory/search.ts";
import { isKernelAddress, type PoolKernel } from "../pool-kernel.ts";
import type { LayoutFit } from "./fit.ts";
import type { HashCode } from "./hash-code.ts";
import { type MasterKeys, readTrackerTable, type TrackerTable } from "./rows.ts";

/** The tables of all processors, as far as they were found. */
export interface ProcessorTables {
  /** ExPoolTagTables; `undefined` where it was not found. */
  readonly array: Va | undefined;
  /** One a processor, `undefined` where it cannot be read or is no tag table. The first is the master's. */
  readonly tables: readonly (Va | undefined)[];
  /** Named by the kernel's code, by the data around it, or by both. */
  readonly basis: { readonly code: boolean; readonly data: boolean };
  /** What was seen on the way and is worth telling. */
  readonly notes: readonly string[];
}

/** Share of a processor's keys that must be the master's: the kernel copies each from there. */
const MIN_SAME_KEYS = 0.99;

/**
 * Finds ExPoolTagTables without symbols: the place in nt's data that holds the master table's address
 * and, behind it, one table a processor whose keys are the master's. Where the kernel's hashing code
 * indexes that place too, each confirms the other.
 */
export function findProcessorTables(
  kernel: PoolKernel,
  master: TrackerTable,
  keys: MasterKeys,
  fit: LayoutFit,
  code: HashCode,
): ProcessorTables {
  const wanted = Math.min(kernel.processors ?? MAX_PROCESSORS, MAX_PROCESSORS);
  const { places, more } = placesHolding(kernel, master.at);
  const named = new Set<bigint>(code.arrays);
  let best: { found: ProcessorTables; verified: number } | undefined;
  const budget = { tables: Math.floor(MAX_TRACKER_BYTES / ((fit.mask + 2) * fit.layout.stride)) };
  for (const place of places) {
    if (place === kernel.variables?.poolTrackTable && !named.has(place)) continue;
    const seen = tablesAt(kernel, place, wanted, master, keys, fit, budget);
    const byData = seen.verified > 0;
    const byCode = named.has(place);
    if (!byData && !byCode) continue;
    const notes =
      seen.wrong === 0
        ? []
        : [`${seen.wrong} of ${wanted} pointers in the array of tag tables lead to something else`];
    const found = { array: place, tables: seen.tables, basis: { code: byCode, data: byData }, notes };
    const rank = seen.verified + (byCode ? MAX_PROCESSORS : 0);
    if (best === undefined || rank > best.verified) best = { found, verified: rank };
    if (byCode && seen.verified === wanted - 1) break;
  }
  const found: ProcessorTables = best?.found ?? {
    array: undefined,
    tables: [master.at],
    basis: { code: false, data: false },
    notes: [],
  };
  const limits = [
    ...(more
      ? [`the first tag table's address stands at more places than the ${places.length} that were looked at`]
      : []),
    ...(budget.tables < 0 ? ["the processors have more bytes of tag tables than are read"] : []),
  ];
  return { ...found, notes: [...found.notes, ...limits] };
}

/** The aligned places in nt's writable data that hold `pointer`, and whether there are more. */
function placesHolding(
  kernel: PoolKernel,
  pointer: Va,
): { readonly places: readonly Va[]; readonly more: boolean } {
  const { space, nt } = kernel;
  const needle = new Uint8Array(space.pointerSize);
  for (let i = 0; i < needle.length; i++) needle[i] = Number((pointer >> BigInt(8 * i)) & 0xffn);
  const places: Va[] = [];
  let more = false;
  for (const { start, length } of nt?.writable ?? []) {
    findPatterns(space, start, length, [needle], (at) => {
      if (at % BigInt(space.pointerSize) !== 0n) return true;
      more = places.length >= MAX_POINTER_HITS;
      if (!more) places.push(at);
      return !more;
    });
    if (more) break;
  }
  return { places, more };
}

function tablesAt(
  kernel: PoolKernel,
  place: Va,
  wanted: number,
  master: TrackerTable,
  keys: MasterKeys,
  fit: LayoutFit,
  budget: { tables: number },
): { tables: (Va | undefined)[]; verified: number; wrong: number } {
  const { space } = kernel;
  const tables: (Va | undefined)[] = [master.at];
  const seen = new Set<bigint>([master.at]);
  let verified = 0;
  let wrong = 0;
  for (let cpu = 1; cpu < wanted; cpu++) {
    if (--budget.tables < 0) break;
    const at = space.tryReadPointer(advance(place, cpu * space.pointerSize));
    // with the number of processors unknown the array ends at the first place that is no table
    const endsHere = kernel.processors === undefined;
    if (at === undefined) {
      if (endsHere) break;
      tables.push(undefined);
      continue;
    }
    const table =
      isKernelAddress(at, space.pointerSize) && !seen.has(at)
        ? readTrackerTable(space, at, fit.layout, fit.mask + 2)
        : undefined;
    seen.add(at);
    const agreement = table && compareKeys(table, keys, fit);
    const compared = agreement === undefined ? 0 : agreement.same + agreement.other;
    if (agreement === undefined || (compared > 0 && agreement.same / compared < MIN_SAME_KEYS)) {
      if (endsHere) break;
      wrong++;
      // two in a row: this is no array of tables, and the next thousand pointers will not make it one
      if (wrong > 1 && verified === 0) return { tables, verified, wrong };
      tables.push(undefined);
      continue;
    }
    if (compared > 0) verified++;
    else if (endsHere) break;
    tables.push(agreement.unknown > 0 && compared === 0 ? undefined : at);
  }
  while (tables.length < (kernel.processors === undefined ? 1 : wanted)) tables.push(undefined);
  return { tables, verified, wrong };
}

/** How a table's keys stand to the master's. */
interface KeyAgreement {
  /** Slots with a key that the master has there too. */
  readonly same: number;
  /** Slots with a key that the master has not. */
  readonly other: number;
  /** Slots that cannot be compared. */
  readonly unknown: number;
}

/** Compares a table's keys with the master's, slot by slot. */
function compareKeys(table: TrackerTable, master: MasterKeys, { layout }: LayoutFit): KeyAgreement {
  let same = 0;
  let other = 0;
  let unknown = 0;
  for (let slot = 0; slot < master.keys.length; slot++) {
    if (!table.readable(slot)) {
      unknown++;
      continue;
    }
    const key = table.view.getUint32(slot * layout.stride, true);
    if (key === 0) continue;
    if (master.unread[slot] === 1) unknown++;
    else if (key === master.keys[slot]) same++;
    else other++;
  }
  return { same, other, unknown };
}
