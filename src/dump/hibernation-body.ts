import { grouped } from "../core/text.ts";
import type { ByteSource } from "../source/source.ts";
import { UnpackedSource } from "../source/unpacked-source.ts";
import type { Chain, HibernationHeader } from "./hibernation-header.ts";
import { indexTables, unpackBlock } from "./hibernation-tables.ts";
import type { PageMap } from "./page-map.ts";
import { type ChainEnd, PIECE_SIZE, PieceIndex } from "./piece-index.ts";
import { indexSets, unpackSet } from "./restoration-sets.ts";
import { RunMap } from "./run-map.ts";
import { UnpackedMap } from "./unpacked-map.ts";

/** The packed memory of a hibernation file. */
export interface HibernationBody {
  readonly source: UnpackedSource;
  readonly pages: PageMap;
  /** What is missing, or is odd; more when pieces were unpacked. */
  readonly notes: readonly string[];
}

/** Broken pieces at the start are bad luck once, and encryption if there are more. */
const FIRST_PIECES = 4;

/**
 * Finds out where each page stands, by one pass over the heads of the packed pieces.
 *
 * @returns `undefined`: no packed pages stand where the header says
 */
export function indexBody(file: ByteSource, { bits, body }: HibernationHeader): HibernationBody | undefined {
  const index = new PieceIndex(file.size);
  const chains =
    body.form === "tables" ? [tables(file, body.start, bits, index)] : sets(file, body, bits, index);
  const source = new UnpackedSource(file, {
    count: index.count,
    size: PIECE_SIZE,
    unpack: (piece, into) => {
      const at = index.offsetOf(piece);
      if (body.form === "tables") unpackBlock(file, at, into);
      else unpackSet(file, at, bits, into);
    },
  });
  const first = Array.from({ length: FIRST_PIECES }, (_, piece) => piece * PIECE_SIZE);
  if (chains[0]?.pages === 0 || !first.some((offset) => source.isWhole(offset))) return undefined;
  const pages = new RunMap(index.runs, source.size);
  const notes = [...chains.flatMap(chainNotes), ...indexNotes(index, pages)];
  return {
    source,
    pages: new UnpackedMap(source, pages, PIECE_SIZE),
    get notes() {
      return [...notes, ...brokenNotes(source)];
    },
  };
}

/** A chain of pieces, and what came of it. */
interface IndexedChain extends ChainEnd {
  readonly name: string;
  /** Pages, as the header says. */
  readonly stated: number | undefined;
  /** It is marked where the chain ends, even where `stated` is absent. */
  readonly endsItself: boolean;
}

function tables(file: ByteSource, start: number, bits: 32 | 64, index: PieceIndex): IndexedChain {
  const end = indexTables(file, start, bits, index);
  return { ...end, name: "tables", stated: undefined, endsItself: true };
}

/** The kernel's first: Windows restores its pages last, over those of the boot set. */
function sets(
  file: ByteSource,
  { kernel, boot }: { readonly kernel: Chain; readonly boot: Chain },
  bits: 32 | 64,
  index: PieceIndex,
): readonly IndexedChain[] {
  const read = (name: string, { start, pages }: Chain): IndexedChain => {
    const end = indexSets(file, { start, most: pages, bits }, index);
    return { ...end, name, stated: pages, endsItself: false };
  };
  const kernels = read("kernel set", kernel);
  index.preferKnown();
  return [kernels, read("boot set", boot)];
}

function chainNotes({ name, why, pages, stated, endsItself }: IndexedChain): readonly string[] {
  const of = stated === undefined ? "" : ` of ${grouped(stated)}`;
  const read = `${grouped(pages)}${of} pages of the ${name} are read`;
  switch (why) {
    case "complete":
      if (stated !== undefined || endsItself) return [];
      return [`the header does not tell how many pages the ${name} has: it was read up to its end mark`];
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
  const { count, of, first } = broken;
  return [
    `${grouped(count)} of the ${grouped(of)} packed pieces that were asked for cannot be unpacked; the first: ${first.message}`,
  ];
}
