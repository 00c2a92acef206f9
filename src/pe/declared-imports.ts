import type { Va } from "../core/address.ts";
import type { SparseBytes } from "../memory/address-space.ts";
import type { DeclaredImport } from "./import-names.ts";
import type { ImportSlot, ImportTable } from "./imports.ts";

/** The image whose slots are read: an `Image` in memory. */
export interface SlotMemory {
  readonly base: Va;
  readonly size: number;
  readonly pointerSize: 4 | 8;
  readSparse(rva: number, length: number): SparseBytes;
}

/**
 * The slots of an image in memory, with the names that its file declares where memory has lost them.
 *
 * @param image where to read slots that only the file knows of; absent: their values stay unknown
 */
export function declaredBy(
  table: ImportTable,
  file: ImportTable | undefined,
  image?: SlotMemory,
): ImportTable {
  if (file === undefined) return table;
  const declared = new Map(file.slots.map((slot) => [slot.rva, slot]));
  const known = new Set(table.slots.map((slot) => slot.rva));
  const named = table.slots.map((slot) => {
    const names = declared.get(slot.rva);
    if (names?.declared === undefined || !isBetter(names.declared, slot.declared)) return slot;
    return { ...slot, kind: names.kind, declared: names.declared };
  });
  const missing = file.slots.filter((slot) => !known.has(slot.rva));
  const read = image === undefined ? missing : missing.map((slot) => withValue(slot, image));
  return { ...table, slots: [...named, ...read].sort((a, b) => a.rva - b.rva) };
}

/** What the linker wrote stands against all that memory shows but a name, which nothing else turns into. */
function isBetter(file: DeclaredImport, memory: DeclaredImport | undefined): boolean {
  if (memory === undefined) return true;
  if (memory.name !== null) return false;
  return memory.ordinal === null || file.name !== null;
}

function withValue(slot: ImportSlot, image: SlotMemory): ImportSlot {
  const { bytes, holes } = image.readSparse(slot.rva, image.pointerSize);
  if (bytes.length < image.pointerSize) return slot;
  const fault = holes[0]?.fault;
  if (fault !== undefined) return { ...slot, fault };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = (
    image.pointerSize === 4 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true)
  ) as Va;
  const own = value >= image.base && value < image.base + BigInt(image.size);
  return { ...slot, value, pending: slot.kind === "delay-iat" && own };
}
