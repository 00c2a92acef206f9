import type { KnownLeak } from "../trail/known/leaks.ts";
import type { TagKnowledge } from "../trail/known/tag-knowledge.ts";
import type { BesidesPool } from "../trail/known/tags.ts";
import { list } from "./list.ts";

const MOST_FUNCTIONS = 4;
const MOST_LEAKS = 3;

/** What a tag stands for, in a clause without its full stop; null where nothing public says. */
export function meaningWords({ meaning, objectTypes }: TagKnowledge): string | null {
  const objects = objectTypes.length === 0 ? [] : [`objects of the type ${list(objectTypes)}`];
  const parts = [...(meaning === undefined ? [] : [meaning.what]), ...objects];
  return parts.length === 0 ? null : parts.join("; ");
}

/** Which functions to look for, in a sentence; null where none is known. */
function functionWords({ acquiredBy, releasedBy }: TagKnowledge): string | null {
  if (acquiredBy.length === 0) return null;
  const shown = [...new Set(acquiredBy)];
  const rest = shown.length - MOST_FUNCTIONS;
  const more = rest > 0 ? ` and ${rest} more` : "";
  const release = releasedBy.slice(0, MOST_FUNCTIONS);
  const back =
    release.length === 0 ? "" : `; ${list(release)} ${release.length === 1 ? "gives" : "give"} it back`;
  return `${list(shown.slice(0, MOST_FUNCTIONS))}${more} ${shown.length === 1 ? "takes it for its caller" : "take it for their caller"}${back}.`;
}

const CULPRIT = { driver: "a driver", process: "a process", windows: "Windows itself" } as const;

/** One leak of the tag that was solved in public, as a clause. */
function knownLeakWords({ culprit, what, source }: KnownLeak): string {
  return `${CULPRIT[culprit]}: ${what} (${source})`;
}

const PAGE_KB = 4;

/** What a leak costs beyond what the pool's figures say. */
function besidesWords({ pages, what, source }: BesidesPool): string {
  return `Outside the pool each keeps about ${pages} pages (${pages * PAGE_KB} KB) as well, of ${what} (${source}).`;
}

/** What is public of a tag, a sentence each. */
export function knowledgeWords(known: TagKnowledge): readonly string[] {
  const meaning = meaningWords(known);
  const functions = functionWords(known);
  const source = known.meaning === undefined ? "" : ` (${known.meaning.source})`;
  const leaks = known.leaks.slice(0, MOST_LEAKS).map(knownLeakWords);
  const more = known.leaks.length > leaks.length ? `; and ${known.leaks.length - leaks.length} more` : "";
  return [
    ...(meaning === null ? [] : [`\`${known.tag}\` is the tag of ${meaning}${source}.`]),
    ...(functions === null ? [] : [functions]),
    ...(known.besides === undefined ? [] : [besidesWords(known.besides)]),
    ...(leaks.length === 0 ? [] : [`Leaks of it that were solved in public: ${leaks.join("; ")}${more}.`]),
  ];
}
