import { BitSet } from "../core/bit-set.ts";
import type { ImageCode } from "./functions.ts";

const known = new WeakMap<ImageCode, BitSet>();

/**
 * The functions of an image, by entry, whose addresses stand in its data or are taken by its code: whoever is given one
 * may call it. By the bytes, so that one may be among them that only seems to be; one that is not is called by its callers
 * alone. The work is done once.
 */
export function addressedFunctions(image: ImageCode): BitSet {
  const done = known.get(image);
  if (done !== undefined) return done;
  const { code, functions, seeds } = image;
  const entries = new BitSet(code.image.size);
  for (const entry of functions.entries) entries.add(entry);
  const found = new BitSet(code.image.size);
  for (const target of seeds.pointers.targets) if (entries.has(target)) found.add(target);
  for (const { start, bytes } of code.runs) {
    if (code.wide) addLoaded(bytes, start, entries, found);
    else addConstants(bytes, code.base32, entries, found);
  }
  known.set(image, found);
  return found;
}

/** `lea reg, [rip+displacement]`. */
function addLoaded(bytes: Uint8Array, start: number, entries: BitSet, found: BitSet): void {
  const last = bytes.length - 6;
  for (let at = bytes.indexOf(0x8d); at >= 0 && at <= last; at = bytes.indexOf(0x8d, at + 1)) {
    if (((bytes[at + 1] as number) & 0xc7) !== 0x05) continue;
    const target = start + at + 6 + wordAt(bytes, at + 2);
    if (target >= 0 && entries.has(target)) found.add(target);
  }
}

/** Addresses that stand in 32-bit code as they are. */
function addConstants(bytes: Uint8Array, base32: number, entries: BitSet, found: BitSet): void {
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const target = (wordAt(bytes, at) - base32) | 0;
    if (target > 0 && target < entries.size && entries.has(target)) found.add(target);
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
