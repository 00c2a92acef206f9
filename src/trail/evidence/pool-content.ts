import type { BlockContents, ModuleContent } from "../blocks/block-contents.ts";
import type { Contents, ModuleClue } from "../clue.ts";
import { isKernelModule } from "../question.ts";
import type { TrailModule } from "../target.ts";
import type { EvidenceKind } from "./kind.ts";

/** Blocks of the tag lead into the module: nearly all of them, or some; and by how much less a way there tells. */
const PROOF = 60;
const SOME = 16;
const THROUGH = { "list-head": 1, direct: 1, "one-step": 0.6 } as const;
/** Of so many blocks looked at, so large a share is no chance. */
const FEWEST = 16;
const NEARLY_ALL = 0.9;

/**
 * What the blocks of the tag lead to. Pointers into the kernel, and into a module that allocates with the tag for others,
 * tell of the allocator and not of who asked for the block.
 */
export const POOL_CONTENT: EvidenceKind<Contents> = {
  collect({ blocks }, before) {
    if (blocks === undefined) return {};
    const allocators = new Set(
      before.clues.flatMap(({ module, clue }) =>
        clue.kind === "allocates" && clue.forOthers.length > 0 ? [module] : [],
      ),
    );
    const clues = blocks.byModule.flatMap((content) => {
      const { module } = content;
      if (isKernelModule(module) || allocators.has(module.name)) return [];
      return cluesOf(content, blocks).map((clue) => ({ module: module.name, clue }));
    });
    return { clues };
  },
  weigh: (own, { module, signs: { blocksOf } }) =>
    own.map((clue) => {
      const proves = blocksOf === module;
      const share = clue.of === 0 ? 0 : clue.blocks / clue.of;
      return {
        clue,
        points: (proves ? PROOF : SOME * Math.min(1, share * 2)) * THROUGH[clue.through],
        proves,
      };
    }),
};

/** The one module that nearly all blocks lead into; of several it is none's: IRPs carry routines of a whole stack. */
export function ownerOfBlocks(clues: readonly ModuleClue[]): string | undefined {
  const owners = clues.filter(({ clue }) => clue.kind === "pool-content" && isNearlyAll(clue));
  return owners.length === 1 ? owners[0]?.module : undefined;
}

function isNearlyAll({ blocks, of, through }: Contents): boolean {
  return through !== "one-step" && of >= FEWEST && blocks >= of * NEARLY_ALL;
}

/** The way in which the most blocks lead there; the others are the same blocks again. */
function cluesOf(
  content: ModuleContent<TrailModule>,
  found: BlockContents<TrailModule>,
): readonly Contents[] {
  const { direct, oneStep, listHead } = content;
  const ways: readonly Contents[] = [
    {
      kind: "pool-content",
      through: "list-head",
      blocks: listHead.blocks,
      of: found.followed,
      examples: listHead.examples,
    },
    {
      kind: "pool-content",
      through: "direct",
      blocks: direct.blocks,
      of: found.blocks,
      examples: direct.examples,
    },
    {
      kind: "pool-content",
      through: "one-step",
      blocks: oneStep.blocks,
      of: found.followed,
      examples: oneStep.examples,
    },
  ];
  const share = ({ blocks, of }: Contents): number => (of === 0 ? 0 : blocks / of);
  const [best] = ways.filter(({ blocks }) => blocks > 0).sort((a, b) => share(b) - share(a));
  return best === undefined ? [] : [best];
}
