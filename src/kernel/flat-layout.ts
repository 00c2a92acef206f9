import { PAGE_SIZE } from "../core/address.ts";
import { MAX_FLAT_LAYOUTS } from "../core/limits.ts";
import { grouped } from "../core/text.ts";
import type { PhysicalRun } from "../dump/facts.ts";
import { mapOf, type RunMap } from "../dump/run-map.ts";

/** Where devices begin below 4 GB, in pages: VMware's place first, and those of other virtual hardware. */
export const DEVICES: readonly number[] = [0xc_0000, 0xe_0000, 0x8_0000, 0xf_0000];
export const DEVICES_END = 0x10_0000;

/** Where the pages of a flat file belong. */
export interface FlatLayout {
  readonly pages: RunMap;
  /** What is missing, or was put back; `undefined`: the file is memory from its first page to its last. */
  readonly note: string | undefined;
}

/** A way in which a file can hold memory. */
interface Candidate {
  /** Pages that the file leaves out, in order. */
  readonly left: readonly PhysicalRun[];
  /** Where the runs of memory stand in the file. */
  readonly placed: readonly (PhysicalRun & { readonly offset: number })[];
  /** The file has the pages that it should have, and that is no chance. */
  readonly whole: boolean;
}

/**
 * Where the pages of a flat file belong. The kernel says where there is memory; between its runs a file may leave out all,
 * nothing, or what the machine's devices take. Which it is, the kernel's own images decide, that begin where its page tables
 * say only where pages are in their places; then the file's length. Where neither does, the pages that would stand
 * elsewhere are not known.
 *
 * @param runs of memory, in order
 * @param score how well the kernel reads with pages in some places; higher is better
 */
export function placeFlatFile(
  runs: readonly PhysicalRun[],
  fileSize: number,
  score: (pages: RunMap) => number,
): FlatLayout {
  const filePages = Math.floor(fileSize / PAGE_SIZE);
  const candidates = waysToLeaveOut(runs, filePages);
  const scored = candidates.map((one) => ({ one, score: score(mapOf(one.placed, fileSize)) }));
  const most = Math.max(...scored.map(({ score }) => score));
  const best = scored.filter(({ score }) => score === most).map(({ one }) => one);
  const whole = best.filter((one) => one.whole);
  const [chosen, ...others] = whole.length > 0 ? whole : best;
  if (chosen === undefined) return { pages: mapOf(runs.map(fromStart), fileSize), note: undefined };
  const agreed = chosen.placed.filter((run, i) =>
    others.every(
      ({ placed }) => placed[i]?.offset === run.offset || standsBehind(run, placed[i]?.offset, fileSize),
    ),
  );
  const pages = mapOf(agreed, fileSize);
  const doubt = chosen.placed.find((run) => !agreed.includes(run));
  const holes = holesBetween(runs).length;
  const untried =
    holes > MAX_FLAT_LAYOUTS && !chosen.whole
      ? `of ${holes} holes in the machine's memory only the ${MAX_FLAT_LAYOUTS} largest were tried: pages may belong elsewhere`
      : undefined;
  const notes = [noteOn(chosen, pages, doubt), untried].filter((note) => note !== undefined);
  return { pages, note: notes.length === 0 ? undefined : notes.join("; ") };
}

/** Whether a run is not in the file, wherever it would be. */
function standsBehind(
  { offset }: { readonly offset: number },
  other: number | undefined,
  fileSize: number,
): boolean {
  return offset >= fileSize && other !== undefined && other >= fileSize;
}

function noteOn({ left }: Candidate, pages: RunMap, doubt: PhysicalRun | undefined): string | undefined {
  if (doubt !== undefined) {
    return `the file leaves out memory, and nothing in it tells where its pages from page ${doubt.pfn.toString(16)} on belong: they are not read`;
  }
  const holes = left.length === 1 ? "a hole" : `${left.length} holes`;
  const count = pagesOf(left);
  const putBack =
    left.length === 0
      ? undefined
      : `the file leaves out ${holes} in the machine's memory (${grouped(count)} pages), put back by what the kernel says`;
  const cut =
    pages.missing === 0
      ? undefined
      : `the file ends before the machine's memory does: ${grouped(pages.missing)} of ${grouped(pages.present + pages.missing)} pages are missing; copy it again`;
  return putBack === undefined || cut === undefined ? (putBack ?? cut) : `${putBack}; ${cut}`;
}

/** What a file may leave out: nothing; the largest holes between runs, up to all of them; the devices below 4 GB; or of one hole as much as the file is too short. */
function waysToLeaveOut(runs: readonly PhysicalRun[], filePages: number): readonly Candidate[] {
  const holes = holesBetween(runs);
  const largest = [...holes].sort((a, b) => b.count - a.count).slice(0, MAX_FLAT_LAYOUTS);
  const few = endOf(runs) - filePages;
  const devices = DEVICES.filter((pfn) =>
    holes.some((hole) => hole.pfn <= pfn && endOf([hole]) >= DEVICES_END),
  ).map((pfn) => [{ pfn, count: DEVICES_END - pfn }]);
  const ways = [
    [],
    ...largest.map((_, i) => largest.slice(0, i + 1).sort((a, b) => a.pfn - b.pfn)),
    holes,
    ...devices,
  ].map((left): Candidate => {
    const placed = placedBy(runs, left);
    return { left, placed, whole: few === pagesOf(left) || (left.length === 0 && few < 0) };
  });
  // as much as the file is too short always fits: that proves nothing
  const parts = largest
    .filter(({ count }) => few > 0 && few < count)
    .map((hole): Candidate => {
      const left = [{ pfn: endOf([hole]) - few, count: few }];
      return { left, placed: placedBy(runs, left), whole: false };
    });
  return [...new Map([...parts, ...ways].map((one) => [JSON.stringify(one.left), one])).values()];
}

function holesBetween(runs: readonly PhysicalRun[]): readonly PhysicalRun[] {
  let end = 0;
  return runs.flatMap(({ pfn, count }) => {
    const hole = { pfn: end, count: pfn - end };
    end = pfn + count;
    return hole.count > 0 ? [hole] : [];
  });
}

function placedBy(runs: readonly PhysicalRun[], left: readonly PhysicalRun[]): Candidate["placed"] {
  return runs.map(({ pfn, count }) => {
    const before = pagesOf(left.filter((hole) => hole.pfn < pfn));
    return { pfn, count, offset: (pfn - before) * PAGE_SIZE };
  });
}

function pagesOf(runs: readonly PhysicalRun[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

function fromStart(run: PhysicalRun): PhysicalRun & { readonly offset: number } {
  return { ...run, offset: run.pfn * PAGE_SIZE };
}

function endOf(runs: readonly PhysicalRun[]): number {
  return runs.reduce((last, { pfn, count }) => Math.max(last, pfn + count), 0);
}
