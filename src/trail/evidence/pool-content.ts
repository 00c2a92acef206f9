import type { BlockContents, ModuleContent } from "../blocks/block-contents.ts";
import type { Contents, ModuleClue } from "../clue.ts";
import { isKernelModule } from "../question.ts";
import type { TrailModule } from "../target.ts";

/**
 * What the blocks of the tag lead to. Pointers into the kernel, and into a module that allocates with the tag for others,
 * tell of the allocator and not of who asked for the block.
 *
 * @param allocators names of modules that allocate with the tag for others
 */
export function contentClues(
  found: BlockContents<TrailModule> | undefined,
  allocators: ReadonlySet<string>,
): readonly ModuleClue[] {
  if (found === undefined) return [];
  return found.byModule.flatMap((content) => {
    const { module } = content;
    if (isKernelModule(module) || allocators.has(module.name)) return [];
    return cluesOf(content, found).map((clue) => ({ module: module.name, clue }));
  });
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
