import { hex, type Va } from "../../core/address.ts";
import { grouped } from "../../core/text.ts";
import type { BigAllocation } from "../../pool/big-pages.ts";
import type { BlockUsage } from "../../pool/blocks.ts";
import type { TagUsage } from "../../pool/tag-table.ts";
import type { Evidence, Reference } from "../trail.ts";

/** A place that allocates a constant number of bytes with the tag. */
export interface SizedSite {
  readonly module: string;
  readonly address: Va;
  /** In bytes, as asked for. */
  readonly size: number;
}

/** What is known of the sizes that a tag's allocations have. */
export interface KnownSizes {
  readonly pointerSize: 4 | 8;
  /** What the kernel counts for the tag; absent where its table was not found. */
  readonly usage?: Pick<TagUsage, "nonPaged" | "paged" | "doubt"> | undefined;
  /** The tag's blocks, by their headers. */
  readonly blocks?: readonly Pick<BlockUsage, "pool" | "blocks" | "sizes">[] | undefined;
  /** The tag's allocations of a page and more. */
  readonly big?: readonly Pick<BigAllocation, "bytes">[] | undefined;
}

/** A site whose size is that of the tag's allocations. */
export interface SizeMatch<S extends SizedSite> {
  readonly site: S;
  /** In bytes, as the allocator gives them: with a header, or whole pages. */
  readonly block: number;
  /**
   * How far the site can account for what is outstanding. `all`: it is exactly that many blocks of this
   * size; `most`: nearly, or more than half of the blocks seen; `some`: a tenth of them or more.
   */
  readonly strength: "all" | "most" | "some";
  readonly evidence: Evidence;
}

const PAGE = 0x1000;
/** How far an average may be off the size: some other allocations always carry the tag too. */
const TOLERANCE = 0.02;
/** Fewer allocations than this have an average by chance. */
const FEW = 16;
const STRENGTHS = ["all", "most", "some"] as const;

/** The places that allocate a constant number of bytes. */
export function sizedSites(references: readonly Reference[]): readonly SizedSite[] {
  return references.flatMap(({ use, allocationSize, module, address }) =>
    use === "allocate" && allocationSize !== null ? [{ module, address, size: allocationSize }] : [],
  );
}

/**
 * What the pool takes for an allocation, in bytes: in units of a header's size and with one, or in pages
 * where a page cannot hold it.
 *
 * @param size in bytes, as asked for
 */
export function allocatedBytes(size: number, pointerSize: 4 | 8): number {
  const header = 2 * pointerSize;
  if (size > PAGE - 2 * header) return Math.ceil(size / PAGE) * PAGE;
  return Math.ceil((Math.max(size, 1) + header) / header) * header;
}

/**
 * Compares the sizes that code asks for with those that the tag's allocations have. A match is a hint:
 * other code may ask for as much, and one that is missing is no proof, for a tag's allocations can have
 * many sizes.
 *
 * @returns the strongest first
 */
export function matchSizes<S extends SizedSite>(
  sites: readonly S[],
  known: KnownSizes,
): readonly SizeMatch<S>[] {
  const sharing = new Map<number, number>();
  for (const { size } of sites) {
    const block = allocatedBytes(size, known.pointerSize);
    sharing.set(block, (sharing.get(block) ?? 0) + 1);
  }
  const matches = sites.flatMap((site) => {
    const block = allocatedBytes(site.size, known.pointerSize);
    const found = best([
      ...byAverage(block, known),
      ...byBlocks(block, known),
      ...byBigPages(site.size, block, known),
    ]);
    if (found === undefined) return [];
    const others = (sharing.get(block) ?? 1) - 1;
    const detail = [
      `asks for ${hex(site.size)} bytes, which take ${hex(block)} of pool: ${found.detail}`,
      ...(others > 0
        ? [`${others === 1 ? "another place asks" : `${others} other places ask`} for as much`]
        : []),
    ].join("; ");
    const evidence = { kind: "size-match", address: site.address, detail };
    return [{ site, block, strength: found.strength, evidence }];
  });
  return matches.sort(
    (a, b) => STRENGTHS.indexOf(a.strength) - STRENGTHS.indexOf(b.strength) || compare(a.site, b.site),
  );
}

interface Found {
  readonly strength: SizeMatch<SizedSite>["strength"];
  readonly detail: string;
}

const POOLS = { nonPaged: "nonpaged", paged: "paged" } as const;

function byAverage(block: number, { usage }: KnownSizes): readonly Found[] {
  if (usage === undefined || usage.doubt !== undefined) return [];
  return (["paged", "nonPaged"] as const).flatMap((pool): readonly Found[] => {
    const { outstanding, bytes } = usage[pool];
    if (outstanding < FEW || bytes <= 0 || bytes < (usage.paged.bytes + usage.nonPaged.bytes) / 10) return [];
    const average = bytes / outstanding;
    if (average === block) {
      const detail = `exactly what each of the ${grouped(outstanding)} ${POOLS[pool]} allocations has`;
      return [{ strength: "all", detail }];
    }
    if (Math.abs(average - block) > block * TOLERANCE) return [];
    const detail = `the ${grouped(outstanding)} ${POOLS[pool]} allocations have ${average.toFixed(1)} bytes each on average`;
    return [{ strength: "most", detail }];
  });
}

function byBlocks(block: number, { blocks = [] }: KnownSizes): readonly Found[] {
  const total = blocks.reduce((sum, one) => sum + one.blocks, 0);
  return blocks.flatMap(({ pool, sizes }) => {
    const same = sizes.find(({ bytes }) => bytes === block)?.blocks ?? 0;
    return share(same, total, `blocks that were seen are ${POOLS[pool]} and have that size`);
  });
}

/** From Vista on the table has the bytes that were asked for, before that whole pages. */
function byBigPages(size: number, block: number, { big = [] }: KnownSizes): readonly Found[] {
  if (block % PAGE !== 0) return [];
  const same = big.filter(({ bytes }) => bytes === size || bytes === block).length;
  return share(same, big.length, "allocations of a page and more have that size");
}

function share(same: number, total: number, what: string): readonly Found[] {
  if (total < FEW || same < total / 10) return [];
  const detail = `${grouped(same)} of ${grouped(total)} ${what}`;
  return [{ strength: same === total ? "all" : same > total / 2 ? "most" : "some", detail }];
}

function best(found: readonly Found[]): Found | undefined {
  return [...found].sort((a, b) => STRENGTHS.indexOf(a.strength) - STRENGTHS.indexOf(b.strength))[0];
}

function compare(a: SizedSite, b: SizedSite): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
