import type { TrailTarget } from "./target.ts";
import type { Conclusion, Reference, Suspect, TrailApi } from "./trail.ts";
import { isExcused, WEIGHTS } from "./weights.ts";

/** Scores from which a module is named, and how far ahead of the next it has to be. */
const HIGH = { score: 42, ahead: 1.5 } as const;
const MEDIUM = { score: 22, ahead: 1.25 } as const;
const LOW = { score: 7, ahead: 1.1 } as const;

/** What the evidence comes to, no further than it goes. */
export function conclude(
  tag: string,
  references: readonly Reference[],
  apis: readonly TrailApi[],
  suspects: readonly Suspect[],
): Conclusion {
  const none = { module: null, confidence: "none" as const, because: [] };
  const [first, second] = suspects;
  if (references.length === 0) {
    return {
      ...none,
      text: `No image holds \`${tag}\` in what could be read, so nothing leads to a driver.`,
    };
  }
  if (first === undefined || first.score < LOW.score) {
    const text =
      apis.length === 0 && first === undefined
        ? `\`${tag}\` stands in the code, but no exported function was found that leads to an allocation with it.`
        : `Nothing that could be read tells who makes \`${tag}\` grow.`;
    return { ...none, text };
  }
  const confidence = confidenceOf(first, second);
  if (confidence === "none") {
    const tied = suspects
      .filter((suspect) => suspect.score * LOW.ahead >= first.score)
      .map((suspect) => suspect.module);
    return {
      ...none,
      text: `The evidence cannot tell ${list(tied.slice(0, 5))} apart${tied.length > 5 ? `, nor ${tied.length - 5} more` : ""}: each can make \`${tag}\` grow.`,
    };
  }
  const who = first.publisher === null ? first.module : `${first.module} (${first.publisher})`;
  return {
    module: first.module,
    confidence,
    text: `${who} ${LIKELY[confidence]} \`${tag}\` grow.`,
    because: [...reasons(first, (points) => points > 0), ...reasons(first, (points) => points < 0)],
  };
}

const MOST_REASONS = 4;

function reasons(suspect: Suspect, speaks: (points: number) => boolean): readonly string[] {
  return suspect.evidence
    .filter(({ points }) => speaks(points))
    .slice(0, MOST_REASONS)
    .map(({ detail, points }) =>
      points < 0 ? `But ${detail.startsWith("its ") ? detail : `it ${detail}`}.` : `${capital(detail)}.`,
    );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const LIKELY = {
  high: "most likely makes",
  medium: "probably makes",
  low: "may make",
} as const;

function confidenceOf(first: Suspect, second: Suspect | undefined): Conclusion["confidence"] {
  const ahead = (second?.score ?? 0) === 0 ? Number.POSITIVE_INFINITY : first.score / (second?.score ?? 1);
  if (isProven(first) && first.score >= HIGH.score && ahead >= HIGH.ahead) return "high";
  const excused = first.verdict !== "owns-tag" && isExcused(first.evidence);
  if (!excused && first.score >= MEDIUM.score && ahead >= MEDIUM.ahead) return "medium";
  return ahead >= LOW.ahead ? "low" : "none";
}

/**
 * Whether a module was seen to keep what it gets: however often a driver calls, it leaks only what it does not
 * give back. Where part of its code cannot be read, calls that are under way make up for it: what is run as
 * often as they are is not paged out.
 */
function isProven({ verdict, evidence }: Suspect): boolean {
  if (verdict !== "calls" && verdict !== "owns-tag") return false;
  const most = (kind: string): number =>
    Math.max(0, ...evidence.filter((one) => one.kind === kind).map(({ points }) => points));
  const kept = most("unbalanced");
  return kept >= WEIGHTS.neverFrees || (kept > 0 && most("on-stack") >= WEIGHTS.onStack);
}

/** What a person does next, in the article's sense: the cheapest first. */
export function nextSteps(
  tag: string,
  suspects: readonly Suspect[],
  references: readonly Reference[],
  conclusion: Conclusion,
  { services, unloaded = [] }: Pick<TrailTarget, "services" | "unloaded">,
): readonly string[] {
  const sure = conclusion.confidence === "high" || conclusion.confidence === "medium";
  const gone = sure ? [] : goneStep(unloaded);
  if (references.length === 0) {
    return [
      "Give the machine's driver files with --images DIR, or a full or kernel dump that holds more of the code (pooltrail modules says how much of each can be read).",
    ];
  }
  const named = suspects.filter((suspect) => suspect.module === conclusion.module);
  const others = suspects.filter((suspect) => suspect.thirdParty !== false && suspect.score >= LOW.score);
  const worth = (named.length > 0 ? named : others).slice(0, 3);
  const second = others.filter((suspect) => !worth.includes(suspect)).slice(0, 3);
  const names = worth.map((suspect) => suspect.module);
  if (worth.length === 0) {
    return [
      "Take a full or kernel dump, or give driver files with --images DIR, so that more of the code can be read.",
      ...gone,
    ];
  }
  const early = worth.filter(({ service }) => service?.start === "boot" || service?.start === "system");
  const steps = [
    `Update ${list(names)}; where that does not help, disable ${worth.length === 1 ? "it" : "them one at a time"} and watch \`${tag}\` (poolmon).`,
  ];
  if (second.length > 0) {
    steps.push(`After that, in this order: ${list(second.map((suspect) => suspect.module))}.`);
  }
  steps.push(...gone);
  if (early.length > 0) {
    steps.push(
      `${list(early.map(({ module, service }) => `${module} (${service?.start} start)`))}: do not disable ${early.length === 1 ? "it" : "them"} blindly, the machine may not start again.`,
    );
  }
  if (services === undefined) {
    steps.push(
      "Which of them start at boot is not known: a boot or system driver must not be disabled blindly. Give the machine's SYSTEM hive with --system-hive FILE, or ask it: sc qc NAME.",
    );
  }
  steps.push(
    `To be sure: verifier /flags 0x8 /driver ${worth.map((suspect) => `${suspect.module}.sys`).join(" ")}, or a second dump later: pooltrail tags NEW --since THIS.`,
  );
  return steps;
}

const MOST_GONE = 5;

/** What a driver that is gone did not free stays, and no code of it is left to be looked at. */
function goneStep(unloaded: readonly string[]): readonly string[] {
  const names = [...new Set(unloaded)];
  if (names.length === 0) return [];
  const more = names.length > MOST_GONE ? ` (and ${names.length - MOST_GONE} more: pooltrail modules)` : "";
  return [
    `Consider ${list(names.slice(0, MOST_GONE))}${more} as well: unloaded before the dump, so that no code of it could be looked at, and what such a driver did not free stays.`,
  ];
}

/** `a`, `a and b`, `a, b and c`. */
function list(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
