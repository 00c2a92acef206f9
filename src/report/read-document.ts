import type { Va } from "../core/address.ts";
import { advance } from "../core/address.ts";
import { describeFault } from "../core/errors.ts";
import type { SparseBytes } from "../memory/address-space.ts";
import type { ReadDocument } from "./documents.ts";

/** Bytes with holes as the `read` command's document. */
export function readDocument(
  read: SparseBytes & { readonly fromFile: number },
  { module, rva, below }: Pick<ReadDocument, "module" | "rva" | "below">,
): ReadDocument {
  const digits = Array.from(read.bytes, (byte) => byte.toString(16).padStart(2, "0"));
  for (const hole of read.holes) digits.fill("??", hole.offset, hole.offset + hole.length);
  const start: Va = read.start;
  return {
    address: start,
    module,
    rva,
    below,
    length: read.bytes.length,
    bytes: digits.join(" "),
    holes: read.holes.map((hole) => ({
      address: advance(start, hole.offset),
      length: hole.length,
      fault: { kind: hole.fault.kind, detail: describeFault(hole.fault) },
    })),
    fromFile: read.fromFile,
  };
}
