import { advance } from "../core/address.ts";
import { MAX_MEMORY_RUNS, MAX_PFN } from "../core/limits.ts";
import type { PhysicalRun } from "../dump/facts.ts";
import type { Kernel } from "./kernel.ts";

/**
 * The machine's physical memory by MmPhysicalMemoryBlock, a PHYSICAL_MEMORY_DESCRIPTOR with its runs.
 *
 * @returns in order of the pages; `undefined` where it cannot be read, or its runs do not add up to what it says
 */
export function readPhysicalRuns(
  kernel: Pick<Kernel, "space" | "variable">,
): readonly PhysicalRun[] | undefined {
  const { space } = kernel;
  const { pointerSize } = space;
  const variable = kernel.variable("MmPhysicalMemoryBlock");
  const block = variable && space.tryReadPointer(variable.address);
  const claimed = block === undefined ? undefined : space.tryReadU32(block);
  if (block === undefined || claimed === undefined || claimed === 0 || claimed > MAX_MEMORY_RUNS)
    return undefined;
  const word = (index: number): number =>
    Number(space.tryReadPointer(advance(block, index * pointerSize)) ?? -1n);
  const runs: PhysicalRun[] = [];
  let end = 0;
  let total = 0;
  for (let i = 0; i < claimed; i++) {
    const [pfn, count] = [word(2 + 2 * i), word(3 + 2 * i)];
    if (pfn < end || count <= 0 || pfn + count > MAX_PFN) return undefined;
    runs.push({ pfn, count });
    end = pfn + count;
    total += count;
  }
  return total === word(1) ? runs : undefined;
}
