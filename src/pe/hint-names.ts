import type { RvaReader } from "./rva-reader.ts";

/** Names of imports that tell a record from other bytes begin within this many bytes. */
const NAME_BYTES = 64;
/** Kernels export some 3,000 functions, and a hint is an index among their names. */
const MAX_HINT = 0x4000;

/**
 * Whether IMAGE_IMPORT_BY_NAME stands at an RVA: a hint that may be one, an identifier behind it, and
 * the end of something else before it.
 *
 * @returns `hole`: it cannot be read
 */
export function recordAt(reader: RvaReader, rva: number): "record" | "none" | "hole" {
  const start = Math.max(0, rva - 1);
  const table = reader.table(start, NAME_BYTES + 3);
  const at = rva - start;
  const hint = table.u16(at);
  if (hint === undefined || table.fault(at + 2, 1) !== undefined) {
    return at + 2 < table.length ? "hole" : "none";
  }
  if (hint >= MAX_HINT || (at === 1 && table.bytes[0] !== 0)) return "none";
  for (let i = at + 2; i < table.length; i++) {
    if (table.fault(i, 1) !== undefined) return "hole";
    const byte = table.bytes[i] ?? 0;
    if (byte === 0) return i > at + 2 ? "record" : "none";
    if (!(i === at + 2 ? isFirst(byte) : byte > 0x20 && byte < 0x7f)) return "none";
  }
  return table.length === NAME_BYTES + 2 + at ? "record" : "none";
}

/** A letter, `_`, `?`, `@` or `$`, as names of C and C++ begin. */
function isFirst(byte: number): boolean {
  return (byte >= 0x3f && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f || byte === 0x24;
}
