import { type Va, va } from "../core/address.ts";
import type { Image } from "./image.ts";
import { RELOCATE_32, RELOCATE_64 } from "./relocations.ts";
import type { RvaRange } from "./rva-ranges.ts";

/**
 * IMAGE_LOAD_CONFIG_DIRECTORY: where the addresses of those variables stand that the loader sets in
 * sections which nobody else may write to. GuardCFCheckFunctionPointer and GuardCFDispatchFunctionPointer;
 * in 64 bits from GuardXFGCheckFunctionPointer to GuardMemcpyFunctionPointer.
 */
const GUARD_POINTERS: Readonly<Record<4 | 8, readonly number[]>> = {
  4: [0x48, 0x4c],
  8: [0x70, 0x78, 0x118, 0x120, 0x128, 0x130, 0x138],
};
/** IMAGE_FILE_RELOCS_STRIPPED */
const RELOCATIONS_STRIPPED = 1;
/** The widest place that any relocation changes. */
const WIDEST_RELOCATION = 8;

/**
 * What the loader writes to in sections that count as read-only: import slots, delayed ones too, and
 * the pointers of Control Flow Guard.
 */
export function changedByLoader(file: Image): readonly RvaRange[] {
  const { pointerSize } = file;
  const slots = [...file.imports.slots.map(({ rva }) => rva), ...guardVariables(file)];
  const changed: RvaRange[] = slots.map((rva) => ({ start: rva, end: rva + pointerSize }));
  const addresses = file.directory("import-address-table");
  if (addresses !== undefined) changed.push({ start: addresses.rva, end: addresses.rva + addresses.size });
  return changed;
}

/** Places that move with the base in a way other than by adding the difference. */
export function otherRelocations(file: Image): readonly RvaRange[] {
  const { rvas, types } = file.relocations;
  const others: RvaRange[] = [];
  for (const [index, start] of rvas.entries()) {
    const type = types[index];
    if (type !== RELOCATE_32 && type !== RELOCATE_64) others.push({ start, end: start + WIDEST_RELOCATION });
  }
  return others;
}

/** An image that no loader can put elsewhere. */
export function isFixed(file: Image): boolean {
  return (file.headers.characteristics & RELOCATIONS_STRIPPED) !== 0;
}

/** The variables that Control Flow Guard calls through; none where the load configuration names or shows none. */
export function guardVariables(file: Image): readonly number[] {
  const config = file.directory("load-configuration");
  if (config === undefined) return [];
  const offsets = GUARD_POINTERS[file.pointerSize];
  const { bytes, holes } = file.readSparse(config.rva, Math.max(...offsets) + file.pointerSize);
  if (bytes.length < 4 || holes[0]?.offset === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Math.min(view.getUint32(0, true), bytes.length);
  return offsets.flatMap((offset) => {
    if (offset + file.pointerSize > size) return [];
    const address: Va = va(
      file.pointerSize === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true),
    );
    return file.rvaOf(address) ?? [];
  });
}
