import { grouped } from "../core/text.ts";
import type { LeaderReason, Lockstep } from "../pool/lockstep.ts";
import { list } from "./list.ts";

const MOST_NAMED = 6;

/** Why one tag leads, as a clause of which it is the subject. */
export function leaderReasonText(reason: LeaderReason, owners: readonly string[]): string {
  switch (reason) {
    case "never-frees":
      return "it alone never frees";
    case "object":
      return "it is of objects, and the others are of what such objects have with them";
    case "third-party":
      return `it alone is a third party's (${list(owners)} ${owners.length === 1 ? "allocates" : "allocate"} with it), and Windows allocates the others for that`;
    case "fewest-frees":
      return "it keeps most of what it takes, and the others free nearly all";
  }
}

/** Which tags grow together, and which of them is the cause, in a sentence. */
export function lockstepWords({ members, leader }: Lockstep): string {
  const shown = members.slice(0, MOST_NAMED).map(({ tag, outstanding, ratio }) => {
    const times = ratio > 1 ? `, ${ratio} each` : "";
    return `\`${tag}\` (${grouped(outstanding)}${times})`;
  });
  const more = members.length > shown.length ? ` and ${members.length - shown.length} more` : "";
  const together = `The counts of ${list(shown)}${more} go together, which is no coincidence`;
  if (leader === undefined) return `${together}; nothing tells which of them is the cause.`;
  const shadows = members.flatMap(({ tag }) => (tag === leader.tag ? [] : [`\`${tag}\``]));
  const rest =
    shadows.length > MOST_NAMED
      ? "the others are its shadows"
      : `${list(shadows)} ${shadows.length === 1 ? "is its shadow" : "are its shadows"}`;
  return `${together}: \`${leader.tag}\` is the cause, for ${leaderReasonText(leader.reason, leader.owners)}; ${rest}.`;
}
