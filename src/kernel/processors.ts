import { advance, type Va } from "../core/address.ts";
import { MemoryError } from "../core/errors.ts";
import { MAX_PROCESSORS } from "../core/limits.ts";
import type { Walk } from "../core/walk.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** A logical processor. */
export interface Processor {
  /** Its KPRCB. */
  readonly prcb: Va;
  /** As its KPRCB says; `undefined` where that cannot be read. */
  readonly number: number | undefined;
}

/** From Windows 7 on a processor's number has 32 bits; before, 8. */
const WIDE_NUMBERS = 7600;

/**
 * Reads KiProcessorBlock, an array of pointers that a zero ends.
 *
 * @param count as the dump's header says; more are not read
 * @param numberOffset KDBG's OffsetPrcbNumber
 */
export function readProcessors(
  space: AddressSpace,
  array: Va,
  options: {
    readonly count: number | undefined;
    readonly numberOffset: number | undefined;
    readonly build: number | undefined;
  },
): Walk<Processor> {
  const items: Processor[] = [];
  const end = options.count ?? MAX_PROCESSORS;
  try {
    while (items.length < end) {
      const prcb = space.readPointer(advance(array, items.length * space.pointerSize));
      if (prcb === 0n) return { items };
      items.push({ prcb, number: numberOf(space, prcb, options) });
    }
  } catch (error) {
    if (error instanceof MemoryError) return { items, stopped: error.fault };
    throw error;
  }
  return options.count === undefined ? { items, stopped: "limit" } : { items };
}

function numberOf(
  space: AddressSpace,
  prcb: Va,
  { numberOffset, build }: { readonly numberOffset: number | undefined; readonly build: number | undefined },
): number | undefined {
  if (numberOffset === undefined || build === undefined) return undefined;
  const at = advance(prcb, numberOffset);
  return build >= WIDE_NUMBERS ? space.tryReadU32(at) : space.tryRead(at, 1)?.[0];
}
