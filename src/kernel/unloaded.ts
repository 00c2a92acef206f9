import type { Va } from "../core/address.ts";
import { MemoryError } from "../core/errors.ts";
import { parseWith, toAddress, toBigInt } from "../core/kaitai.ts";
import type { Walk } from "../core/walk.ts";
import type { TriageList, TriageUnloaded } from "../dump/triage-drivers.ts";
import { UnloadedDriver as Layout } from "../generated/unloaded_driver.js";
import type { AddressSpace } from "../memory/address-space.ts";
import { readUnicode } from "./names.ts";

/** A module that was unloaded before the machine stopped. */
export interface UnloadedModule {
  /** The file's name; a triage dump keeps its first twelve characters. */
  readonly name: string;
  readonly base: Va;
  /** Exclusive. */
  readonly end: Va;
  /** FILETIME: units of 100 ns since 1601, UTC. A triage dump does not keep it. */
  readonly time: bigint | undefined;
}

/** MI_UNLOADED_DRIVERS: places in the ring. */
const PLACES = 50;
const ENTRY_SIZE = { 4: 0x18, 8: 0x28 } as const;

/**
 * Reads the ring of unloaded drivers, the one unloaded last standing last.
 *
 * @param variables MmUnloadedDrivers, which points to the ring, and MmLastUnloadedDriver, the place that
 * is used next
 */
export function readUnloaded(
  space: AddressSpace,
  variables: { readonly drivers: Va; readonly last: Va | undefined },
): Walk<UnloadedModule> {
  const items: UnloadedModule[] = [];
  try {
    const ring = space.readPointer(variables.drivers);
    // the ring is allocated when the first driver is unloaded
    if (ring === 0n) return { items };
    const next = variables.last === undefined ? 0 : (space.tryReadU32(variables.last) ?? 0) % PLACES;
    const size = ENTRY_SIZE[space.pointerSize];
    const bytes = space.read(ring, PLACES * size);
    for (let i = 0; i < PLACES; i++) {
      const at = ((next + i) % PLACES) * size;
      const entry = readEntry(space, bytes.subarray(at, at + size));
      if (entry !== undefined) items.push(entry);
    }
    return { items };
  } catch (error) {
    if (error instanceof MemoryError) return { items, stopped: error.fault };
    throw error;
  }
}

/** The unloaded modules of a triage dump, which keeps a list of its own. */
export function triageUnloaded({ items, claimed }: TriageList<TriageUnloaded>): Walk<UnloadedModule> {
  const modules = items
    .filter(({ start, end }) => end > start)
    .map(({ name, start, end }) => ({
      name: name === "" ? unknown(start) : name,
      base: start,
      end,
      time: undefined,
    }));
  return items.length < claimed ? { items: modules, stopped: "broken" } : { items: modules };
}

/** @returns `undefined` for a place that was never used */
function readEntry(space: AddressSpace, bytes: Uint8Array): UnloadedModule | undefined {
  const raw = space.pointerSize === 4 ? parseWith(Layout.Entry32, bytes) : parseWith(Layout.Entry64, bytes);
  const base = toAddress(raw.startAddress);
  const end = toAddress(raw.endAddress);
  if (end <= base) return undefined;
  const { length, buffer } = raw.name;
  const time = toBigInt(raw.currentTime);
  return {
    name: readUnicode(space, { length, buffer: toAddress(buffer) }) ?? unknown(base),
    base,
    end,
    time: time === 0n ? undefined : time,
  };
}

function unknown(base: Va): string {
  return `unknown_${base.toString(16)}`;
}
