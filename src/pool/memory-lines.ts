/** One line of the memory summary. */
export interface MemoryFigure {
  /** As `!vm` prints it. */
  readonly label: string;
  /** Pages of 4 KB; null where the dump does not say. */
  readonly pages: number | null;
  /** Which variable or block says so; null with `pages`. */
  readonly from: string | null;
  /** Why `pages` is null. */
  readonly reason?: string;
}

const LABELS = {
  physical: "Physical Memory",
  pageFile: "Page File, current",
  available: "Available Pages",
  residentAvailable: "ResAvail Pages",
  lockedIo: "Locked IO Pages",
  freeSystemPtes: "Free System PTEs",
  freeNonPagedPtes: "Free NP PTEs",
  freeSpecialNonPaged: "Free Special NP",
  modified: "Modified Pages",
  modifiedPageFile: "Modified PF Pages",
  modifiedNoWrite: "Modified No Write Pages",
  nonPagedUsage: "NonPagedPool Usage",
  nonPagedMax: "NonPagedPool Max",
  pagedUsage: "PagedPool Usage",
  pagedMax: "PagedPool Maximum",
  sessionCommit: "Session Commit",
  sharedCommit: "Shared Commit",
  specialPool: "Special Pool",
  sharedProcess: "Shared Process",
  pagesForMdls: "Pages For MDLs",
  pagedCommit: "PagedPool Commit",
  driverCommit: "Driver Commit",
  committed: "Committed pages",
  commitLimit: "Commit limit",
  commitLimitMaximum: "Commit limit, at most",
  committedPeak: "Committed pages, peak",
} as const;

/** A line's name, as in the JSON document. */
export type MemoryLine = keyof typeof LABELS;

/** The lines in the order of `!vm`. */
export const MEMORY_LINES: readonly MemoryLine[] = Object.keys(LABELS) as MemoryLine[];

/** A line's title, as `!vm` prints it. */
export function memoryLabel(line: MemoryLine): string {
  return LABELS[line];
}
