import type { Kernel } from "./kernel.ts";

/** Of nt's image less than this part is there: a dump of kernel memory has nearly all of it. */
const PART = 0.1;

/**
 * Whether a live dump holds no more than the kernel's stacks and what they need: of nt next to nothing can be read, or the
 * list of modules cannot. Task Manager offers such dumps beside those of all of the kernel.
 */
export function holdsStacksOnly({
  modules,
  base,
  space,
}: Pick<Kernel, "modules" | "base" | "space">): boolean {
  const nt = modules.items.find((module) => module.base === base) ?? modules.items[0];
  return nt === undefined || space.readableBytes(nt.base, nt.size) < nt.size * PART;
}
