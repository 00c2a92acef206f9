/** One block of a pool page. */
export interface Block {
  /** From the page's start, in bytes. */
  readonly offset: number;
  /** With its header. */
  readonly bytes: number;
  /** As the header has it, with the protected bit. */
  readonly key: number;
  /** `undefined`: the block is free. */
  readonly pool: "nonPaged" | "paged" | undefined;
}

const PAGE = 0x1000;
/** From Vista on paged pool has odd types; before, the type is stored plus one. */
const VISTA = 6000;

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
  const unit = pointerSize === 4 ? 8 : 16;
  const blocks: Block[] = [];
  let previous = 0;
  let offset = 0;
  while (offset < PAGE) {
    const low = view.getUint16(offset, true);
    const high = view.getUint16(offset + 2, true);
    const before = pointerSize === 4 ? low & 0x1ff : low & 0xff;
    const size = pointerSize === 4 ? high & 0x1ff : high & 0xff;
    const type = pointerSize === 4 ? high >> 9 : high >> 8;
    const bytes = size * unit;
    if (before !== previous || bytes === 0 || offset + bytes > PAGE) return undefined;
    blocks.push({ offset, bytes, key: view.getUint32(offset + 4, true), pool: poolOf(type, build) });
    previous = size;
    offset += bytes;
  }
  return blocks;
}

function poolOf(type: number, build: number): "nonPaged" | "paged" | undefined {
  if (type === 0) return undefined;
  const odd = (type & 1) === 1;
  return odd === build >= VISTA ? "paged" : "nonPaged";
}
