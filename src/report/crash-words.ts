import { hex } from "../core/address.ts";
import { grouped } from "../core/text.ts";
import type { Occasion } from "../kernel/stop.ts";
import type { Exhaustion } from "../pool/exhaustion.ts";
import { type Crash, isVictim, type UnfreedDriver } from "../trail/crash.ts";
import type { Shortfall } from "../trail/next-steps.ts";
import { percent, plural } from "./words.ts";

const POOLS = {
  paged: "the paged pool",
  nonPaged: "the nonpaged pool",
  commit: "the memory that Windows can promise",
} as const;

/** What the machine had run out of, as a clause. */
function exhaustionWords(exhaustion: Exhaustion): string {
  switch (exhaustion.basis) {
    case "limit":
      return `${POOLS[exhaustion.of]} was full (${grouped(exhaustion.used)} of ${grouped(exhaustion.most)} pages, ${percent(exhaustion.used, exhaustion.most)})`;
    case "bugcheck":
      return exhaustion.of === "pool" ? "the pool was empty" : "no page of memory was left";
    case "status":
      return `a request for memory had failed (${exhaustion.status})`;
  }
}

/** What a dump of a machine that went on is good for, a sentence without its full stop each. */
export function liveNotes(
  occasion: Occasion | undefined,
  shortfall: Shortfall | undefined,
): readonly string[] {
  if (occasion !== "live") return [];
  if (shortfall === "stacks-only") {
    return [
      "this live dump holds kernel stacks only: neither drivers nor pool can be looked into (Task Manager: Full live kernel memory dump takes all)",
    ];
  }
  const also =
    shortfall === undefined
      ? ": a second one an hour later shows what grew (pooltrail tags NEW --since THIS)"
      : "";
  return [`the machine went on when this dump was taken${also}`];
}

/** What the crash says of leaks, as sentences; none where it says nothing. */
export function crashWords(crash: Crash): readonly string[] {
  const { bugcheck, module, exhaustion, unfreed } = crash;
  const code = `${hex(bugcheck.code)}${bugcheck.name === null ? "" : ` ${bugcheck.name}`}`;
  const words: string[] = [];
  if (unfreed !== null) {
    const who = unfreed.file ?? "a driver whose name cannot be read";
    const many =
      unfreed.allocations === null ? "allocations" : `${plural(unfreed.allocations, "allocation")}`;
    const gone =
      unfreed.file !== null && unfreed.module === null ? " (not in the list of modules any more)" : "";
    words.push(
      `Driver Verifier stopped the machine (${code}): ${who}${gone} was unloaded and had not freed ${many}${leftWords(unfreed.tags)}.`,
    );
  }
  if (isVictim(crash) && exhaustion !== null) {
    const who = module === null ? "Whoever crashed" : `The crash in ${module}`;
    const says =
      module === null
        ? "was a victim, and is not for that reason the one that leaks"
        : "is a consequence: where no memory is left any code can fail, and who crashes is not for that reason the one that leaks";
    const clause = exhaustionWords(exhaustion);
    words.push(
      `${clause.charAt(0).toUpperCase()}${clause.slice(1)} when the machine crashed (${code}). ${who} ${says}.`,
    );
  }
  return words;
}

const MOST_TAGS = 4;

function leftWords(tags: UnfreedDriver["tags"]): string {
  if (tags.length === 0) return "; !verifier 3 in a debugger lists them";
  const shown = tags
    .slice(0, MOST_TAGS)
    .map(({ tag, allocations }) => `${grouped(allocations)} with \`${tag}\``);
  const more = tags.length - shown.length;
  return `: ${shown.join(", ")}${more > 0 ? ` and ${more} more tags` : ""}`;
}
