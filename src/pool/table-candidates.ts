import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { isKernelAddress, type PoolKernel } from "./pool-kernel.ts";
import { printableCount } from "./tag.ts";
import { TRACKER_LAYOUTS } from "./tracker-layout.ts";

/** Whether the first page could be the start of a table: some slots taken, and those with a tag's characters. */
export function mayBeTable(space: AddressSpace, at: Va): boolean {
  const { bytes, holes } = space.readSparse(at, 0x1000);
  if (holes.length > 0) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return TRACKER_LAYOUTS.some(({ stride, pointerSize }) => {
    if (pointerSize !== space.pointerSize) return false;
    let keys = 0;
    let text = 0;
    for (let offset = 0; offset + 4 <= bytes.length; offset += stride) {
      const key = view.getUint32(offset, true);
      if (key === 0) continue;
      keys++;
      if (key < 0x8000_0000 && printableCount(key) === 4) text++;
    }
    return keys > 0 && text / keys >= 0.6;
  });
}

/** The places in nt's writable data that hold the address of a page in kernel space. */
export function* pointersIn(kernel: PoolKernel): Generator<Va> {
  const { space, nt } = kernel;
  const chunk = 0x10_0000;
  for (const range of nt?.writable ?? []) {
    for (let done = 0; done < range.length; done += chunk) {
      const start = advance(range.start, done);
      const { bytes } = space.readSparse(start, Math.min(chunk, range.length - done));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let offset = 0; offset + space.pointerSize <= bytes.length; offset += space.pointerSize) {
        // page-aligned: a table of 64 entries and more is larger than half a page
        if ((view.getUint16(offset, true) & 0xfff) !== 0) continue;
        const value =
          space.pointerSize === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
        if (isKernelAddress(value, space.pointerSize)) yield advance(start, offset);
      }
    }
  }
}
