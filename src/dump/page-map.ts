/** `locate`: the dump does not hold the page. */
export const NOT_IN_DUMP = -1;
/** `locate`: the dump says that it holds the page, but the file ends before the page does. */
export const TRUNCATED = -2;
/** `locate`: the dump holds the page packed, and it cannot be unpacked. */
export const DAMAGED = -3;

/** Pages that stand one after the other, in physical memory as in the file. */
export interface PageRun {
  /** The first page's number. */
  readonly pfn: number;
  /** In pages. */
  readonly count: number;
  readonly fileOffset: number;
}

/** Which physical page stands where in the file. */
export interface PageMap {
  /** Pages that can be read. */
  readonly present: number;
  /** Pages that the dump claims to hold, but the file ends before them. */
  readonly missing: number;
  /** Of the pages claimed; -1 when there are none. */
  readonly highestPfn: number;
  /** The page's file offset, or `NOT_IN_DUMP`, `TRUNCATED` or `DAMAGED`. Any number may be asked for. */
  locate(pfn: number): number;
  /** How many pages from `pfn` on, itself included, stand together in the file: 0 to `max`. */
  runLength(pfn: number, max: number): number;
  /** The pages claimed, in order of their number; those past the end of the file are among them. */
  runs(): Iterable<PageRun>;
}
