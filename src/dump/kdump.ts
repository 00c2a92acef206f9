import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
import { MAX_BITMAP_BYTES, MAX_PACKED_PAGE } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { loadFflate } from "../generated/fflate.js";
import { Kdump } from "../generated/kdump.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { type PackedPieces, UnpackedSource } from "../source/unpacked-source.ts";
import { BitmapMap } from "./bitmap-map.ts";
import { readCoreNotes } from "./core-notes.ts";
import { FLATTENED, flattenedSource } from "./flattened.ts";
import type { DumpFormat, OpenedDump } from "./format.ts";
import { UnpackedMap } from "./unpacked-map.ts";

const SIGNATURE = "KDUMP   ";
const HEADER_SIZE = 0x1d0;
const SUB_HEADER_SIZE = 0x68;
const DESCRIPTOR_SIZE = 24;
/** From this version of the header on the sub header has a number of pages that does not wrap. */
const WIDE_VERSION = 6;
const STORED = 0;
const ZLIB = 1;
const OTHERS: ReadonlyMap<number, string> = new Map([
  [2, "lzo"],
  [4, "snappy"],
  [0x20, "zstd"],
]);

/** Compressed cores: QEMU's `dump-guest-memory -z`, libvirt's `--format kdump-zlib`, makedumpfile's. */
export const kdump: DumpFormat = {
  starts: "KDUMP or makedumpfile of a compressed core",
  recognise: ({ array }) => {
    const text = asciiZ(array.subarray(0, 16));
    return text.startsWith(SIGNATURE) || text === FLATTENED;
  },
  open({ main }) {
    const flat = asciiZ(readAt(main, 0, 16).array) === FLATTENED;
    const { source, notes } = flat ? flattenedSource(main) : { source: main, notes: [] };
    return openPlain(source, main, notes);
  },
};

function openPlain(source: ByteSource, main: ByteSource, notes: readonly string[]): OpenedDump {
  const head = readAt(source, 0, HEADER_SIZE);
  const raw = readStruct(Kdump.Header, head, "the header of the compressed core");
  if (asciiZ(raw.signature) !== SIGNATURE)
    head.fail(0, "the signature of the compressed core", "KDUMP", asciiZ(raw.signature));
  if (raw.blockSize !== PAGE_SIZE)
    head.fail(0x1ac, "the size of a block", `${PAGE_SIZE}`, `${raw.blockSize}`);
  const packer = OTHERS.get(raw.status & ~ZLIB);
  if (packer !== undefined)
    head.fail(0x1a8, "the compression", "zlib", `${packer}; write the core again with zlib (kdump-zlib)`);
  const sub = readStruct(Kdump.SubHeader, readAt(source, PAGE_SIZE, SUB_HEADER_SIZE), "the sub header");
  const bits = raw.headerVersion >= WIDE_VERSION ? Number(toAddress(sub.maxPfn64)) || raw.maxPfn : raw.maxPfn;
  const bitmapAt = (1 + raw.subHeaderBlocks) * PAGE_SIZE;
  const half = (raw.bitmapBlocks / 2) * PAGE_SIZE;
  // a flattened core ends wherever its records say
  if (half > MAX_BITMAP_BYTES || bitmapAt + 2 * half > source.size || 2 * half > main.size)
    head.fail(0x1b4, "the bitmaps", "inside the file", `${2 * half} bytes from ${bitmapAt} on`);
  const words = new Int32Array(Math.ceil(half / 4));
  source.read(bitmapAt + half, new Uint8Array(words.buffer, 0, Math.floor(half)));
  const descriptors = bitmapAt + 2 * half;
  const most = Math.min(source.size - descriptors, main.size) / DESCRIPTOR_SIZE;
  const pieces = pagesOf(source, descriptors, Math.max(0, Math.floor(most)));
  const unpacked = new UnpackedSource(source, pieces);
  const map = new BitmapMap(words, Math.min(bits, words.length * 32), 0, unpacked.size);
  const found = readCoreNotes(source, [
    { offset: Number(toAddress(sub.noteOffset)), fileSize: Number(toAddress(sub.noteSize)) },
  ]);
  const missing =
    map.missing > 0 ? [`the file ends early: ${map.missing} pages are missing; copy it again`] : [];
  return {
    source: main,
    kind: "kdump",
    memory: { source: unpacked, pages: new UnpackedMap(unpacked, map, PAGE_SIZE) },
    facts: found.facts,
    writer: found.writer,
    header: undefined,
    get notes() {
      const { broken } = unpacked;
      const damage =
        broken === undefined ? [] : [`${broken.count} pages cannot be unpacked: ${broken.first.message}`];
      return [...notes, ...found.notes, ...missing, ...damage];
    },
  };
}

/** The pages by their descriptors, which stand in the order of the pages. */
function pagesOf(source: ByteSource, descriptors: number, count: number): PackedPieces {
  return {
    count,
    size: PAGE_SIZE,
    unpack(piece, into) {
      const at = descriptors + piece * DESCRIPTOR_SIZE;
      const row = readAt(source, at, DESCRIPTOR_SIZE);
      const { offset, size, flags } = readStruct(Kdump.Page, row, "the descriptor of a page");
      const from = Number(toAddress(offset));
      if (size > MAX_PACKED_PAGE)
        row.fail(8, "a page", `${MAX_PACKED_PAGE} bytes at most`, `${size} bytes from ${from} on`);
      const packed = readAt(source, from, size);
      if (packed.length < size) row.fail(8, "a page", `${size} bytes from ${from} on`, `${packed.length}`);
      if (flags === STORED && size === PAGE_SIZE) into.set(packed.array);
      else if (flags === ZLIB)
        inflate(packed.array, into, () => row.fail(0, "a page", "zlib data of one page", "what is none"));
      else row.fail(12, "a page", "stored, or packed with zlib", OTHERS.get(flags) ?? `flags ${flags}`);
    },
  };
}

function inflate(packed: Uint8Array, into: Uint8Array, fail: () => never): void {
  try {
    if (loadFflate().unzlibSync(packed, { out: into }).length === into.length) return;
  } catch {
    // told below: whatever is wrong in it, the page cannot be had
  }
  fail();
}
