import { grouped } from "../core/text.ts";
import type { Conclusion } from "../trail/conclude.ts";
import type { ObjectHolder } from "../trail/object-holders.ts";
import type { Unseen } from "../trail/surroundings.ts";
import type { Findings } from "../trail/trace.ts";
import { clueWords } from "./clue-words.ts";
import { list } from "./list.ts";

const LIKELY = { high: "most likely makes", medium: "probably makes", low: "may make" } as const;
const HOLDS = { high: "most likely make", medium: "probably make", low: "may make" } as const;
const MOST_TIED = 5;
const MOST_UNSEEN = 4;
const MOST_PIDS = 3;

/** `watchman.exe (7120)`, `40 processes of svchost.exe (712, 733, 801 and more)`. */
function holderName({ name, pids }: ObjectHolder): string {
  const ids = pids.slice(0, MOST_PIDS).join(", ");
  if (pids.length === 1) return `${name ?? "a process"} (${ids})`;
  const more = pids.length > MOST_PIDS ? " and more" : "";
  return `${pids.length} processes of ${name ?? "one image"} (${ids}${more})`;
}

const SHORTFALL = {
  triage: "This is a triage dump (minidump), which holds next to nothing of drivers and pool. ",
  "stacks-only": "This live dump holds kernel stacks only, and neither drivers nor pool. ",
  "cut-off": "This dump is cut off, and much of it is missing. ",
} as const;

/** The verdict in a sentence; what the dump is too small for comes first. */
export function verdictWords(findings: Findings): string {
  const { shortfall } = findings;
  return `${shortfall === null ? "" : SHORTFALL[shortfall]}${sentence(findings)}`;
}

function sentence(findings: Findings): string {
  const { tag, conclusion, suspects, objects } = findings;
  const { culprit, module, confidence, leaks } = conclusion;
  const shown = `\`${tag ?? ""}\``;
  const calm = leaks === false ? `${shown} does not look like a leak. ` : "";
  if (culprit?.kind === "process" && objects !== null && confidence !== "none") {
    const { holder } = culprit;
    const who = holderName(holder);
    // what was freed while the dump was taken may still have a handle
    const kept = Math.min(holder.objects, objects.outstanding);
    const tables = objects.what === "table-pages";
    const part = `${tables ? "tables on " : ""}${grouped(kept)} of the ${grouped(objects.outstanding)} ${tables ? "pages" : "that are there"}`;
    const all = holder.handles === holder.objects ? "" : `, with ${grouped(holder.handles)} handles`;
    if (leaks === false)
      return `${calm}If it is one, ${who} comes first, whose open handles keep ${part}${all}.`;
    return `${who} ${holder.pids.length === 1 ? LIKELY[confidence] : HOLDS[confidence]} ${shown} grow: ${holder.pids.length === 1 ? "its" : "their"} open handles keep ${part}${all}. No driver is to blame for these.`;
  }
  if (culprit?.kind === "windows" && confidence !== "none") {
    const who = module === null ? "Windows itself" : `${module}, a part of Windows,`;
    return `${who} ${LIKELY[confidence]} ${shown} grow: nothing of anybody else leads to it or hangs in between, and nothing of theirs was left unread.`;
  }
  if (module !== null && confidence !== "none") {
    const publisher = suspects.find((suspect) => suspect.module === module)?.publisher ?? null;
    const who = publisher === null ? module : `${module} (${publisher})`;
    return leaks === false
      ? `${calm}If it is one, ${who} comes first.`
      : `${who} ${LIKELY[confidence]} ${shown} grow.`;
  }
  const open = `${calm}${unnamed(findings, shown)}`;
  return culprit?.kind === "none-visible" ? `${open} ${unseenWords(culprit.unseen)}` : open;
}

/** Why nobody is named. */
function unnamed({ conclusion, apis, suspects }: Findings, shown: string): string {
  const { outcome, tied } = conclusion;
  switch (outcome) {
    case "no-tag":
      return "No tag was named, and none was seen to leak in what could be read.";
    case "no-reference":
      return `No image holds ${shown} in what could be read, so nothing leads to a driver.`;
    case "not-looked-at":
      return `${shown} was not found, but there is code that was not looked at: this instruction set is not decoded.`;
    case "only-data":
      return `${shown} stands only in text and data, and no code was seen to allocate with it.`;
    case "tied":
      return `The evidence cannot tell ${list(tied.slice(0, MOST_TIED))} apart${tied.length > MOST_TIED ? `, nor ${tied.length - MOST_TIED} more` : ""}: each can make ${shown} grow.`;
    default:
      return apis.length === 0 && suspects.length === 0
        ? `No exported function was found that leads to an allocation with ${shown}.`
        : `Nothing that could be read tells who makes ${shown} grow.`;
  }
}

/** What could not be looked at. */
function unseenWords(unseen: readonly Unseen[]): string {
  const named = unseen.slice(0, MOST_UNSEEN).map(unseenName);
  const more = unseen.length - named.length;
  return `Whoever does may be where nobody could look: ${list(named)}${more > 0 ? `, and ${more} more` : ""}.`;
}

function unseenName(unseen: Unseen): string {
  switch (unseen.what) {
    case "module":
      return unseen.missing === null
        ? `all of ${unseen.name}`
        : `${grouped(unseen.missing)} bytes of the code of ${unseen.name}`;
    case "unloaded":
      return `${unseen.name}, which was unloaded`;
    case "module-list":
      return "modules behind the end of the list";
    case "handles":
      return "handle tables of processes";
  }
}

/** The reasons, one sentence each; those that speak for the module say so. */
export function reasonWords({ because }: Conclusion, pointerSize: 4 | 8): readonly string[] {
  return because.map(({ clue, points }) => {
    const { detail } = clueWords(clue, pointerSize);
    return points < 0 ? `But it ${detail}.` : `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
  });
}
