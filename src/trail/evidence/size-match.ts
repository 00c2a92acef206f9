import type { Va } from "../../core/address.ts";
import { PAGE_SIZE } from "../../core/address.ts";
import { groupBy } from "../../core/search.ts";
import type { BigAllocation } from "../../pool/big-pages.ts";
import type { TagUsage } from "../../pool/tag-table.ts";
import type { ModuleClue, SizeMatches } from "../clue.ts";
import { isKernelModule } from "../question.ts";
import type { Reference } from "../scan.ts";
import type { EvidenceKind } from "./kind.ts";

/** A place that allocates a constant number of bytes with the tag. */
export interface SizedSite {
  readonly module: string;
  readonly address: Va;
  /** In bytes, as asked for. */
  readonly size: number;
}

/** The blocks of one pool: how many there are of each size, with their headers. */
export interface BlockSizes {
  readonly pool: "nonPaged" | "paged";
  readonly blocks: number;
  readonly sizes: readonly { readonly bytes: number; readonly blocks: number }[];
}

/** What is known of the sizes that a tag's allocations have. */
export interface KnownSizes {
  readonly pointerSize: 4 | 8;
  /** What the kernel counts for the tag; absent where its table was not found. */
  readonly usage?: Pick<TagUsage, "nonPaged" | "paged" | "doubt"> | undefined;
  /** The tag's blocks, by their headers. */
  readonly blocks?: readonly BlockSizes[] | undefined;
  /** The tag's allocations of a page and more. */
  readonly big?: readonly Pick<BigAllocation, "bytes">[] | undefined;
}

/** What a size was compared with. */
export type SizeBasis =
  /** What the kernel counts; `average` in bytes, by all that is outstanding in the pool. */
  | {
      readonly kind: "average";
      readonly pool: "nonPaged" | "paged";
      readonly outstanding: number;
      readonly average: number;
    }
  /** `same` of `of` blocks that were seen are in the pool, and have the size. */
  | {
      readonly kind: "blocks";
      readonly pool: "nonPaged" | "paged";
      readonly same: number;
      readonly of: number;
    }
  /** `same` of `of` allocations of a page and more have the size. */
  | { readonly kind: "big-pages"; readonly same: number; readonly of: number };

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
  /** The strongest of what agrees. */
  readonly by: SizeBasis;
  /** The other sites whose blocks have the same size. */
  readonly sharing: readonly S[];
}

/** How far an average may be off the size: some other allocations always carry the tag too. */
const TOLERANCE = 0.02;
/** Fewer allocations than this have an average by chance. */
const FEW = 16;
const STRENGTHS = ["all", "most", "some"] as const;

/**
 * The places that allocate a constant number of bytes.
 *
 * @internal
 */
export function sizedSites(
  references: readonly Pick<Reference, "use" | "allocationSize" | "module" | "address">[],
): readonly SizedSite[] {
  return references.flatMap(({ use, allocationSize, module, address }) =>
    use === "allocate" && allocationSize !== null ? [{ module, address, size: allocationSize }] : [],
  );
}

/**
 * What the pool takes for an allocation, in bytes: in units of a header's size and with one, or in pages
 * where a page cannot hold it.
 *
 * @param size in bytes, as asked for
 * @internal
 */
export function allocatedBytes(size: number, pointerSize: 4 | 8): number {
  const header = 2 * pointerSize;
  if (size > PAGE_SIZE - 2 * header) return Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
  return Math.ceil((Math.max(size, 1) + header) / header) * header;
}

/**
 * Compares the sizes that code asks for with those that the tag's allocations have. A match is a hint:
 * other code may ask for as much, and one that is missing is no proof, for a tag's allocations can have
 * many sizes.
 *
 * @returns the strongest first
 * @internal
 */
export function matchSizes<S extends SizedSite>(
  sites: readonly S[],
  known: KnownSizes,
): readonly SizeMatch<S>[] {
  const alike = groupBy(sites, (site) => allocatedBytes(site.size, known.pointerSize));
  const matches = [...alike].flatMap(([block, same]) =>
    same.flatMap((site): readonly SizeMatch<S>[] => {
      const found = best([
        ...byAverage(block, known),
        ...byBlocks(block, known),
        ...byBigPages(site.size, block, known),
      ]);
      return found === undefined
        ? []
        : [{ site, block, ...found, sharing: same.filter((other) => other !== site) }];
    }),
  );
  return matches.sort(
    (a, b) => STRENGTHS.indexOf(a.strength) - STRENGTHS.indexOf(b.strength) || compare(a.site, b.site),
  );
}

type Found = Pick<SizeMatch<SizedSite>, "strength" | "by">;

function byAverage(block: number, { usage }: KnownSizes): readonly Found[] {
  if (usage === undefined || usage.doubt !== undefined) return [];
  return (["paged", "nonPaged"] as const).flatMap((pool): readonly Found[] => {
    const { outstanding, bytes } = usage[pool];
    if (outstanding < FEW || bytes <= 0 || bytes < (usage.paged.bytes + usage.nonPaged.bytes) / 10) return [];
    const average = bytes / outstanding;
    if (Math.abs(average - block) > block * TOLERANCE) return [];
    const by = { kind: "average", pool, outstanding, average } as const;
    return [{ strength: average === block ? "all" : "most", by }];
  });
}

function byBlocks(block: number, { blocks = [] }: KnownSizes): readonly Found[] {
  const of = blocks.reduce((sum, one) => sum + one.blocks, 0);
  return blocks.flatMap(({ pool, sizes }) => {
    const same = sizes.find(({ bytes }) => bytes === block)?.blocks ?? 0;
    return share({ kind: "blocks", pool, same, of });
  });
}

/** From Vista on the table has the bytes that were asked for, before that whole pages. */
function byBigPages(size: number, block: number, { big = [] }: KnownSizes): readonly Found[] {
  if (block % PAGE_SIZE !== 0) return [];
  const same = big.filter(({ bytes }) => bytes === size || bytes === block).length;
  return share({ kind: "big-pages", same, of: big.length });
}

function share(by: Exclude<SizeBasis, { kind: "average" }>): readonly Found[] {
  const { same, of } = by;
  if (of < FEW || same < of / 10) return [];
  return [{ strength: same === of ? "all" : same > of / 2 ? "most" : "some", by }];
}

function best(found: readonly Found[]): Found | undefined {
  return [...found].sort((a, b) => STRENGTHS.indexOf(a.strength) - STRENGTHS.indexOf(b.strength))[0];
}

function compare(a: SizedSite, b: SizedSite): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}

/** The size of what it asks for is the size that leaks. */
const POINTS = { all: 10, most: 7, some: 4 } as const;

/**
 * Modules that ask for as many bytes as each allocation of the tag has. What the kernel asks for tells its functions
 * apart, and not those who call them.
 */
export const SIZE_MATCH: EvidenceKind<SizeMatches> = {
  collect({ target, references, usage }) {
    if (usage === null) return {};
    const seen = new Set<string>();
    const known = { pointerSize: target.space.pointerSize, usage };
    const clues = matchSizes(sizedSites(references), known).flatMap(
      ({ site, block, strength, sharing }): ModuleClue[] => {
        if (isKernelModule({ name: site.module }) || seen.has(site.module)) return [];
        seen.add(site.module);
        const clue = { at: site.address, size: site.size, block, strength, others: sharing.length };
        return [{ module: site.module, clue: { kind: "size-match", ...clue } }];
      },
    );
    return { clues };
  },
  weigh: (own) => own.map((clue) => ({ clue, points: POINTS[clue.strength], proves: false })),
};
