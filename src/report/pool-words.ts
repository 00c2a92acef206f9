import { grouped } from "../core/text.ts";
import type { LeakReason } from "../pool/leak-signs.ts";
import type { TagUsage } from "../pool/tag-table.ts";
import type { BlockNote } from "../trail/blocks/block-contents.ts";
import { list } from "./list.ts";
import { leaderReasonText } from "./lockstep-words.ts";
import { duration, percent, plural } from "./words.ts";

/** What falls short in a look at a tag's blocks, as a sentence without its full stop. */
export function blockNoteText(note: BlockNote): string {
  switch (note.kind) {
    case "not-searched":
      return note.why === "triage"
        ? "a triage dump (minidump) does not hold the pool: no block could be looked at"
        : "where the pools stand is not known, so that no small block could be looked at";
    case "sampled":
      return note.one > 1
        ? `one in ${grouped(note.one)} pieces of the pool was looked at, evenly from all of it`
        : "not all of the pool was looked at, but pieces from everywhere";
    case "not-all-places":
      return "the pool is in more pieces than are looked at: what stands in the last ones is not known";
    case "whole-kernel-space":
      return "nothing says where the pools stand: blocks were looked for in all of kernel space";
    case "freed-too":
      return "this Windows does not mark its free blocks: some of those counted may have been freed";
    case "doubtful":
      return `${plural(note.blocks, "header")} with the tag ${note.blocks === 1 ? "was" : "were"} left out, which nothing confirms`;
    case "big-unread":
      return `${grouped(note.blocks)} of ${grouped(note.of)} allocations of a page and more could not be looked at`;
    case "followed":
      return `the pointers of ${grouped(note.followed)} of ${grouped(note.of)} blocks were followed, evenly from all`;
    case "cut":
      return CUT[note.what];
    case "not-billed":
      return `${plural(note.blocks, "block")} ${note.blocks === 1 ? "is" : "are"} charged to ${note.blocks === 1 ? "a process" : "processes"}: ${BILLED[note.why]}`;
    case "billed":
      return `the processes of ${grouped(note.billed)} of ${grouped(note.of)} charged blocks were looked for, evenly from all`;
  }
}

const CUT = {
  pointers: "blocks hold more pointers than are followed",
  objects: "the blocks point to more objects than are looked at",
  lists: "the blocks are in longer lists than are followed",
} as const;

const BILLED = {
  "no-processes": "to which is not known, for the list of processes cannot be read",
  "many-processes":
    "to which is not known, for this Windows hides it and there are too many processes to look for its secret with",
  cookie: "to which is not known, for this Windows hides it and its secret was not found",
  "not-a-process": "to none that still runs",
} as const;

const POOL = { nonPaged: "nonpaged", paged: "paged" } as const;

/** What speaks for a leak of a tag or against it, as a sentence without its full stop. */
export function leakReasonText(reason: LeakReason, pool: "nonPaged" | "paged"): string {
  switch (reason.kind) {
    case "no-table":
      return "the kernel's tag tables cannot be read: whether it leaks is not known";
    case "not-in-table":
      return "the tag is not in what could be read of the tag tables";
    case "doubt":
      return "what the tables say of it is in doubt: a share is missing or cannot be right";
    case "none-outstanding":
      return "nothing of it is allocated now";
    case "share": {
      const place = reason.rank === 1 ? "the most of all tags" : `number ${grouped(reason.rank)} of all tags`;
      return `it holds ${percent(reason.part, 1)} of the ${POOL[pool]} pool that tags account for, ${place}`;
    }
    case "fills":
      return `it fills ${percent(reason.part, 1)} of what the ${POOL[pool]} pool can hold`;
    case "never-freed":
      return `none of its ${plural(reason.allocations, "allocation")} was ever freed`;
    case "kept":
      return `${percent(reason.part, 1)} of its ${plural(reason.allocations, "allocation")} ${reason.many ? "are still there" : "are there, all others were freed"}`;
    case "few":
      return `${plural(reason.outstanding, "allocation")} of ${plural(reason.bytes, "byte")} in all are little`;
    case "more-than-alive":
      return `${grouped(reason.outstanding)} are allocated, and only ${grouped(reason.alive)} such objects are alive`;
    case "goes-with":
      return `its count goes with that of ${reason.tags.join(", ")}${sourceText(reason)}`;
    case "leads":
      return `the ${reason.tags.length === 1 ? "count of" : "counts of"} ${list(reason.tags)} ${reason.tags.length === 1 ? "goes" : "go"} with its own, and it is the cause: ${leaderReasonText(reason.reason, reason.owners)}`;
    case "follows":
      return `its count goes with that of ${reason.leader}, which is the cause: ${leaderReasonText(reason.reason, reason.owners)}`;
    case "grew":
      return `it grew by ${plural(reason.outstanding, "allocation")} and ${plural(reason.bytes, "byte")} in ${duration(reason.seconds)}`;
    case "did-not-grow":
      return `it did not grow in the ${duration(reason.seconds)} since the older dump`;
  }
}

function sourceText({
  source,
  isSource,
}: {
  readonly source: string | null;
  readonly isSource: boolean;
}): string {
  if (source === null) return "";
  return isSource ? ", and it alone never frees" : `, of which ${source} never frees`;
}

/** The tags that use most of a pool, as a sentence without its full stop; none where no usage is known. */
export function largestTags(pool: "nonPaged" | "paged", tags: readonly TagUsage[]): readonly string[] {
  const used = tags.filter((usage) => usage[pool].bytes > 0);
  if (used.length === 0) return [];
  const each = used.map(({ tag, [pool]: { bytes, outstanding } }) => {
    return `\`${tag}\` ${grouped(bytes)} bytes in ${plural(outstanding, "allocation")}`;
  });
  return [`what uses most ${POOL[pool]} pool: ${each.join(", ")}`];
}
