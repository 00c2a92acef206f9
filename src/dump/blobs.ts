import type { Bytes } from "../core/bytes.ts";
import { hexDigits } from "../core/bytes.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_BLOBS } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import type { Walk } from "../core/walk.ts";
import { DumpBlob } from "../generated/dump_blob.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** Data that a driver or the crash reporter added behind the dump proper. */
export interface DumpBlobEntry {
  /** Whose data it is: `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`. */
  readonly guid: string;
  readonly fileOffset: number;
  /** In bytes; those past the end of the file are not counted. */
  readonly size: number;
}

const FILE_HEADER_SIZE = 0x10;
const HEADER_SIZE = 0x20;

/**
 * The tagged blobs that stand from `start` on; none where no `DumpBlob` stands. The padding that
 * the kernel writes behind the last one ends them.
 */
export function readBlobs(source: ByteSource, start: number): Walk<DumpBlobEntry> {
  const file = bytesAt(source, start, FILE_HEADER_SIZE);
  if (file === undefined || asciiZ(file.array.subarray(0, 8)) !== "DumpBlob") return { items: [] };
  const items: DumpBlobEntry[] = [];
  let at = start + readStruct(DumpBlob.FileHeader, file, "the head of the secondary data").headerSize;
  for (;;) {
    const bytes = bytesAt(source, at, HEADER_SIZE);
    if (bytes === undefined) return { items };
    const raw = readStruct(DumpBlob, bytes, "a secondary blob");
    if (raw.headerSize !== HEADER_SIZE) return { items };
    if (items.length === MAX_BLOBS) return { items, stopped: "limit" };
    const fileOffset = at + HEADER_SIZE + raw.prePad;
    const size = Math.max(0, Math.min(raw.dataSize, source.size - fileOffset));
    items.push({ guid: guidOf(raw.tag), fileOffset, size });
    at = fileOffset + raw.dataSize + raw.postPad;
  }
}

function bytesAt(source: ByteSource, offset: number, length: number): Bytes | undefined {
  const bytes = readAt(source, offset, length);
  return bytes.length === length ? bytes : undefined;
}

/** The first three fields are numbers, written the other way round. */
function guidOf(bytes: Uint8Array): string {
  const digits = (from: number, to: number) => hexDigits(bytes.subarray(from, to));
  const number = (from: number, to: number) => hexDigits(bytes.slice(from, to).reverse());
  return `{${number(0, 4)}-${number(4, 6)}-${number(6, 8)}-${digits(8, 10)}-${digits(10, 16)}}`;
}
