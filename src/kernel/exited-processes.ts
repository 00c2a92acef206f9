import type { ProcessDetail } from "./process-detail.ts";

/** Processes that have ended and stay, of one image and one parent. */
export interface ExitedGroup {
  readonly imageName: string | undefined;
  readonly parent: number | undefined;
  readonly processes: number;
  /** Of them, those to which no handle is left: the kernel, or a driver, holds them. */
  readonly withoutHandles: number | undefined;
}

/** Groups processes that have ended; the most first. */
export function groupExited(items: readonly ProcessDetail[]): readonly ExitedGroup[] {
  const groups = new Map<string, ProcessDetail[]>();
  for (const process of items) {
    if (process.state !== "exited") continue;
    const name = `${process.parent}:${process.imageName}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [process]);
    else group.push(process);
  }
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group) => ({
      imageName: group[0]?.imageName,
      parent: group[0]?.parent,
      processes: group.length,
      withoutHandles: group.every(({ handlesToIt }) => handlesToIt === undefined)
        ? undefined
        : group.filter(({ handlesToIt }) => handlesToIt === 0).length,
    }));
}
