import { type BlockHeader, parseBlockHeader } from "./block-header.ts";

/** One block of a pool page. */
export interface Block extends BlockHeader {
  /** From the page's start, in bytes. */
  readonly offset: number;
}

const PAGE = 0x1000;

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
  while (offset < PAGE) {
    const header = parseBlockHeader(view, offset, pointerSize, build);
    const { bytes, previousBytes } = header;
    if (previousBytes !== previous || bytes === 0 || offset + bytes > PAGE) return undefined;
    blocks.push({ offset, ...header });
    previous = bytes;
    offset += bytes;
  }
  return blocks;
}
