import { PAGE_SIZE } from "../core/address.ts";
/** What stands in front of a block: POOL_HEADER. */
export interface BlockHeader {
  /** Of the block before it in its page, with its header; 0 for the first one. */
  readonly previousBytes: number;
  /** With this header. */
  readonly bytes: number;
  /** `undefined`: the block is free. */
  readonly pool: "nonPaged" | "paged" | undefined;
  /** Its bytes are charged to a process. */
  readonly quota: boolean;
  /** As it stands there, with the protected bit. */
  readonly key: number;
}

/** The first build whose pools are segment heaps, without a chain of headers. */
export const SEGMENT_HEAP = 18362;
/** From Vista on paged pool has odd types; before, the type is stored plus one. */
const VISTA = 6000;
const QUOTA = 8;

/** Reads a header; any eight bytes make one. */
export function parseBlockHeader(
  view: DataView,
  offset: number,
  pointerSize: 4 | 8,
  build: number,
): BlockHeader {
  const low = view.getUint16(offset, true);
  const high = view.getUint16(offset + 2, true);
  const narrow = pointerSize === 4;
  const unit = 2 * pointerSize;
  const type = narrow ? high >> 9 : high >> 8;
  return {
    previousBytes: (narrow ? low & 0x1ff : low & 0xff) * unit,
    bytes: (narrow ? high & 0x1ff : high & 0xff) * unit,
    pool: poolOf(type, build),
    quota: type !== 0 && ((build >= VISTA ? type : type - 1) & QUOTA) !== 0,
    key: view.getUint32(offset + 4, true),
  };
}

function poolOf(type: number, build: number): "nonPaged" | "paged" | undefined {
  if (type === 0) return undefined;
  const odd = (type & 1) === 1;
  return odd === build >= VISTA ? "paged" : "nonPaged";
}

/** One block of a pool page. */
export interface Block extends BlockHeader {
  /** From the page's start, in bytes. */
  readonly offset: number;
}

/**
 * The blocks of one page, where they follow one another from its start to its end and each names the
 * size of the one before it. `undefined` for any other page.
 *
 * @param page 4,096 bytes
 */
export function parsePoolPage(
  page: Uint8Array,
  pointerSize: 4 | 8,
  build: number,
): readonly Block[] | undefined {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const blocks: Block[] = [];
  let previous = 0;
  let offset = 0;
  while (offset < PAGE_SIZE) {
    const header = parseBlockHeader(view, offset, pointerSize, build);
    const { bytes, previousBytes } = header;
    if (previousBytes !== previous || bytes === 0 || offset + bytes > PAGE_SIZE) return undefined;
    blocks.push({ offset, ...header });
    previous = bytes;
    offset += bytes;
  }
  return blocks;
}
