import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { grouped } from "../core/text.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import { UnpackedSource } from "../source/unpacked-source.ts";
import { fact, type MachineFacts } from "./facts.ts";
import type { DumpFormat } from "./format.ts";
import { type HibernationHeader, isHibernationFile, readHibernationHeader } from "./hibernation-header.ts";
import { PIECE_SIZE, PieceIndex } from "./piece-index.ts";
import { type ChainEnd, indexSets, unpackSet } from "./restoration-sets.ts";
import { RunMap } from "./run-map.ts";
import { UnpackedMap } from "./unpacked-map.ts";

/** hiberfil.sys: the memory of a machine that was hibernated, in packed pieces. */
export const hibernation: DumpFormat = {
  starts: "HIBR or WAKE, of a hibernation file (hiberfil.sys)",
  recognise: isHibernationFile,
  open({ main }) {
    const header = readHibernationHeader(main);
    const index = new PieceIndex();
    const chains = indexChains(main, header, index);
    const unpacked = new UnpackedSource(main, {
      count: index.count,
      size: PIECE_SIZE,
      unpack: (piece, into) => unpackSet(main, index.offsetOf(piece), header.bits, into),
    });
    if (!holdsMemory(unpacked, chains[0])) noMemory(main, header);
    const pages = new RunMap(index.runs, unpacked.size);
    const notes = [...stateNotes(header), ...chains.flatMap(chainNotes), ...indexNotes(index, pages)];
    return {
      source: main,
      kind: "hibernation",
      memory: { source: unpacked, pages: new UnpackedMap(unpacked, pages, PIECE_SIZE) },
      facts: factsOf(header),
      writer: undefined,
      header: undefined,
      // what is broken shows when it is unpacked
      get notes() {
        return [...notes, ...brokenNotes(unpacked)];
      },
    };
  },
};

/** A chain of sets, and what came of it. */
interface IndexedChain extends ChainEnd {
  readonly name: "kernel" | "boot";
  /** As the header says. */
  readonly stated: number | undefined;
}

/** The kernel's first: Windows restores its pages last, over those of the boot set. */
function indexChains(
  source: ByteSource,
  { bits, body }: HibernationHeader,
  index: PieceIndex,
): readonly [IndexedChain, IndexedChain] {
  const read = (name: "kernel" | "boot"): IndexedChain => {
    const { start, pages } = body[name];
    return { name, stated: pages, ...indexSets(source, { start, most: pages, bits }, index) };
  };
  const kernel = read("kernel");
  index.preferKnown();
  return [kernel, read("boot")];
}

/** Broken sets at the start are bad luck once, and encryption if there are more. */
const FIRST_SETS = 4;

function holdsMemory(unpacked: UnpackedSource, kernel: IndexedChain): boolean {
  if (kernel.pages === 0) return false;
  return Array.from({ length: FIRST_SETS }, (_, piece) => piece * PIECE_SIZE).some((offset) =>
    unpacked.isWhole(offset),
  );
}

const COPY_AGAIN = "hibernate the machine again, and copy the file while Windows is off";

function noMemory(source: ByteSource, { body, resumed }: HibernationHeader): never {
  const bytes: Bytes = readAt(source, body.kernel.start, PAGE_SIZE);
  const emptied = bytes.array.every((byte) => byte === 0);
  const found =
    bytes.length === 0
      ? "the end of the file; copy it again"
      : resumed || emptied
        ? `nothing: Windows was resumed from this file, and empties it then; ${COPY_AGAIN}`
        : "what cannot be unpacked: it is encrypted, or was written over; copy it from the unlocked volume, while Windows is off";
  bytes.fail(0, "the kernel's pages", "packed as Windows 8 and later do it", found);
}

function factsOf({ bits, systemTime }: HibernationHeader): MachineFacts {
  return {
    source: "header",
    // 64-bit ones look alike on x64 and ARM64
    machine: fact(bits === 32 ? "x86" : undefined, "header"),
    roots: [],
    contexts: [],
    taken: fact(systemTime, "header"),
  };
}

function stateNotes({ resumed, fastStart }: HibernationHeader): readonly string[] {
  const notes: string[] = [];
  if (resumed) notes.push("Windows was resumed from this file: it shows the machine as it was before that");
  if (fastStart === true) {
    notes.push(
      "users were logged off before Windows was hibernated (fast start): the kernel, its drivers and its pools are here, and no user's processes",
    );
  }
  return notes;
}

function chainNotes({ name, why, pages, stated }: IndexedChain): readonly string[] {
  const of = stated === undefined ? "" : ` of ${grouped(stated)}`;
  const read = `${grouped(pages)}${of} pages of the ${name} set are read`;
  switch (why) {
    case "complete":
      return stated === undefined
        ? [`the header is of a size that is not known here, and the ${name} set was read up to its end mark`]
        : [];
    case "cut-off":
      return [`the file ends early: ${read}; copy it again`];
    case "no-set":
      return [`what follows is no set of pages: ${read}`];
    case "limit":
      return [`there are more sets of pages than are read: ${read}`];
  }
}

function indexNotes({ outside }: PieceIndex, { overlaps }: RunMap): readonly string[] {
  const notes: string[] = [];
  if (outside > 0) notes.push(`pages outside every physical address: ${outside}; they are left out`);
  if (overlaps > 0) notes.push(`runs of pages that overlap another: ${overlaps}; the lower one is read`);
  return notes;
}

function brokenNotes({ broken }: UnpackedSource): readonly string[] {
  if (broken === undefined) return [];
  return [
    `pieces of the file that were asked for and cannot be unpacked: ${broken.count}; the first: ${broken.first.message}`,
  ];
}
