import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
import { MAX_PFN, MAX_SEGMENTS } from "../core/limits.ts";
import { Lime } from "../generated/lime.js";
import { type ByteSource, readAt } from "../source/source.ts";
import type { DumpFormat } from "./format.ts";
import { mapOf, type RunMap } from "./run-map.ts";

const MAGIC = 0x4c69_4d45;
const HEADER_SIZE = 0x20;

/** What the LiME module copies of a machine's memory: ranges one after the other, each with its place. */
export const lime: DumpFormat = {
  starts: "EMiL of LiME",
  recognise: (head) => head.length >= HEADER_SIZE && head.u32(0, "the signature") === MAGIC,
  open({ main }) {
    const { pages, notes } = mapRanges(main);
    return {
      source: main,
      kind: "lime",
      memory: { source: main, pages },
      facts: { source: "file", roots: [], contexts: [] },
      writer: undefined,
      header: undefined,
      notes,
    };
  },
};

function mapRanges(source: ByteSource): { readonly pages: RunMap; readonly notes: readonly string[] } {
  const runs: { pfn: number; count: number; offset: number }[] = [];
  const notes: string[] = [];
  let at = 0;
  for (let number = 1; at + HEADER_SIZE <= source.size; number++) {
    const head = readAt(source, at, HEADER_SIZE);
    if (head.u32(0, "the signature") !== MAGIC) {
      notes.push(`no header of a range stands behind range ${number - 1}: what follows is left out`);
      break;
    }
    const raw = readStruct(Lime, head, "the header of a range");
    const first = Number(toAddress(raw.first));
    const length = Number(toAddress(raw.last)) - first + 1;
    if (length <= 0 || (first + length) / PAGE_SIZE > MAX_PFN) {
      notes.push(`range ${number} can be no memory: it and what follows it are left out`);
      break;
    }
    if (runs.length === MAX_SEGMENTS) {
      notes.push(`only the first ${MAX_SEGMENTS} ranges are read`);
      break;
    }
    const pfn = Math.ceil(first / PAGE_SIZE);
    const skipped = pfn * PAGE_SIZE - first;
    runs.push({
      pfn,
      count: Math.max(0, Math.floor((length - skipped) / PAGE_SIZE)),
      offset: at + HEADER_SIZE + skipped,
    });
    at += HEADER_SIZE + length;
  }
  const pages = mapOf(runs, source.size);
  if (pages.missing > 0) notes.push(`the file ends early: ${pages.missing} pages are missing; copy it again`);
  return { pages, notes };
}
