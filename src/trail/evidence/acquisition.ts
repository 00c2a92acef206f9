import { TO_CALLER } from "../../code/wide-result.ts";
import { addTo, groupBy } from "../../core/search.ts";
import { type AcquiringFunction, acquiringFunctions } from "../acquiring-functions.ts";
import { findAcquisitions } from "../acquisitions.ts";
import type {
  Acquired,
  Calls,
  Clue,
  Forgets,
  HandsOn,
  HandsOver,
  Holds,
  Keeps,
  LooksUp,
  Releases,
} from "../clue.ts";
import { OF_PROCESS } from "../terms.ts";
import { FORGOTTEN, failing, ONCE } from "../weights.ts";
import type { Case, EvidenceKind, TagSigns, Weight } from "./kind.ts";

/** Its code calls a function that leads to the tag: many do, and rightly. */
const CALLS = 12;
/** Each further place that calls it, up to so many. */
const FURTHER_SITE = 1;
const MOST_SITES = 5;
/** What the call gave is put away: whether it is given back later. */
const KEPT = { none: 28, unread: 12, "any-free": 8, perhaps: 2, "same-place": -14 } as const;
/** It is given back on every way. */
const RELEASES = -18;
/** It goes to the callers of an exported function, which are looked at themselves. */
const HANDS_ON = -18;
/** The import table holds the function: part of the code that may call it cannot be read; all was read, and none calls it. */
const IMPORTS = { unread: 8, unused: 0.5 } as const;
/** The address stands in its data, in no import slot. */
const POINTER = 4;
/** A name is looked up at run time; it stands there, and nothing was seen to use it. */
const LOOKS_UP = { call: 16, name: 4 } as const;
/** One more reference to an object that stays makes no other. */
const EXISTING_FACTOR = 0.35;
/** A function that could not be followed on all its ways. */
const PARTLY_FACTOR = 0.7;
/** What a function looked up is balanced with is a guess more. */
const LOOKED_UP_FACTOR = 0.8;
/** Of a chain of calls: each step makes it less likely that the outer function is what leaks. */
const DEPTH_FACTOR = 0.85;
/** … and each module in between. */
const LIBRARY_FACTOR = 0.85;
/** What the function takes stays inside it: its callers have nothing to give back. */
const INSIDE_FACTOR = 0.4;
/** A reference's nearest export is a guess. */
const NEAREST_FACTOR = 0.3;

/** What becomes of what one function gives. */
type OfCall = Calls | Forgets | Keeps | Releases | HandsOn | HandsOver;

/** Who calls functions that lead to the tag, and what becomes of what they give; who holds them, or looks them up. */
export const ACQUISITION: EvidenceKind<OfCall | Holds | LooksUp> = {
  collect(question) {
    const functions = acquiringFunctions(question);
    const { clues, sites, notes } = findAcquisitions(question, functions);
    return { clues, calls: sites, notes: [...unseenNotes(functions), ...notes] };
  },
  weigh(_own, { all, signs }) {
    const [strongest, ...others] = groups(all, signs);
    const called = strongest !== undefined;
    const holds = all.flatMap((clue) => (clue.kind === "imports" || clue.kind === "pointer" ? [clue] : []));
    // that it looks up more functions, or one in two places, says no more of what it does with them
    const lookups = all
      .filter((clue) => clue.kind === "looks-up-at-run-time")
      .sort((a, b) => lookupPoints(b) - lookupPoints(a));
    const explains = (clue: Clue, points = 0): Weight => ({ clue, points, proves: false });
    return [
      ...(strongest?.clues ?? []),
      ...others.flatMap((group) => group.clues.map(({ clue }) => explains(clue))),
      ...holds.map((clue, i) => explains(clue, i === 0 && !called ? holdPoints(clue) : 0)),
      ...lookups.map((clue, i) => explains(clue, i === 0 && !called ? lookupPoints(clue) : 0)),
    ];
  },
};

const MOST_NAMED = 3;

/** Functions that stand in no export table, one sentence for each module that they are imported from. */
function unseenNotes(functions: readonly AcquiringFunction[]): readonly string[] {
  const unseen = groupBy(
    functions.filter(({ address }) => address === null),
    ({ module }) => module,
  );
  return [...unseen].map(([module, rows]) => {
    const names = rows.map(({ name }) => name);
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
    return `no export table here has ${names.slice(0, MOST_NAMED).join(", ")}${more}, imported from ${module}: of what is called so its documentation is believed`;
  });
}

/** How a module stands by the strongest function that it calls: `excused` where it gives back all, or hands it on. */
export function standing({ all, signs }: Case): "excused" | "perhaps" | "other" {
  const [strongest] = groups(all, signs);
  if (strongest?.excused === true) return "excused";
  const perhaps = strongest?.clues.some(({ clue }) => clue.kind === "kept" && clue.released === "perhaps");
  return perhaps === true ? "perhaps" : "other";
}

interface Group {
  readonly clues: readonly Weight[];
  readonly sum: number;
  readonly excused: boolean;
}

/**
 * Clues by the function that is called, the strongest first. It alone counts: that a driver gives back what one function
 * gives says nothing of another.
 */
function groups(all: readonly Clue[], signs: TagSigns): readonly Group[] {
  const byFunction = new Map<string, OfCall[]>();
  for (const clue of all) {
    if (!("acquired" in clue)) continue;
    const { module, name } = clue.acquired.function;
    addTo(byFunction, `${module}!${name}`, clue);
  }
  const live = all.some(
    (clue) => clue.kind === "on-stack" && clue.hits.some(({ state }) => state === "live"),
  );
  const weighed = [...byFunction.values()].map((clues) => weighGroup(clues, signs, live));
  return weighed.sort((a, b) => b.sum - a.sum);
}

function weighGroup(clues: readonly OfCall[], signs: TagSigns, live: boolean): Group {
  const [first] = clues;
  const near = first === undefined ? 0 : nearness(first.acquired);
  const way = clues.some((clue) => clue.kind === "calls" && clue.way === "direct") ? 1 : LOOKED_UP_FACTOR;
  const kinds = new Set(clues.map(({ kind }) => kind));
  const points = clues.map((clue) => pointsOf(clue, kinds, near * way, signs));
  const losing = (one: number, i: number): boolean => one > 0 && loses(clues[i]);
  const most = points.filter(losing).reduce((a, b) => Math.max(a, b), 0);
  const worst = points.findIndex((one, i) => one === most && losing(one, i));
  const weighed = clues.map((clue, i): Weight => {
    const own = points[i] ?? 0;
    const proves = own > 0 && isProof(clue, live, signs);
    return { clue, points: own, proves, counted: own > 0 && loses(clue) && i !== worst };
  });
  const kept = clues.filter((clue) => clue.kind === "kept");
  const forgets = clues.some((clue) => clue.kind === "forgotten" && !onlyIfMoreFails(clue, kinds, signs));
  const open = forgets || kept.some(({ released }) => released !== "same-place");
  const answered = kinds.has("releases") || kinds.has("hands-on") || kinds.has("may-release");
  return {
    clues: weighed,
    sum: weighed.reduce((sum, one) => sum + (one.counted === true ? 0 : one.points), 0),
    excused: !open && (answered || kept.length > 0),
  };
}

function loses(clue: OfCall | undefined): boolean {
  return clue?.kind === "forgotten" || clue?.kind === "kept";
}

function pointsOf(clue: OfCall, kinds: ReadonlySet<Clue["kind"]>, near: number, signs: TagSigns): number {
  const leaks = kinds.has("forgotten") || kinds.has("kept");
  const once = "onceOnly" in clue && clue.onceOnly ? ONCE[signs.leaks === true ? "leaking" : "other"] : 1;
  switch (clue.kind) {
    case "calls": {
      const further = Math.min(clue.places.length - 1, MOST_SITES) * FURTHER_SITE;
      return clue.typed ? (CALLS + further) * near * once : 0;
    }
    case "forgotten":
      return FORGOTTEN * failing(clue.ways, signs.leaks) * (clue.partly ? PARTLY_FACTOR : 1) * once * near;
    case "kept": {
      const points = KEPT[clue.released];
      return points > 0 ? points * once * near : points;
    }
    case "releases":
      return leaks ? 0 : RELEASES;
    case "hands-on":
      return leaks || kinds.has("releases") ? 0 : HANDS_ON;
    case "may-release":
      return leaks || !clue.to.every(({ name }) => name !== null && GIVEN_AWAY.has(name)) ? 0 : HANDS_ON;
  }
}

/** Who has it then, though nobody can tell what becomes of it. */
const GIVEN_AWAY: ReadonlySet<string> = new Set([OF_PROCESS, TO_CALLER]);

/** How much of a call's weight is left after the calls in between, and where nothing comes out. */
function nearness({ depth, libraries, handsOut, basis, existing }: Acquired): number {
  const factor = DEPTH_FACTOR ** Math.max(0, depth - libraries) * LIBRARY_FACTOR ** libraries;
  if (existing) return factor * EXISTING_FACTOR;
  return factor * (basis === "nearest-export" ? NEAREST_FACTOR : handsOut ? 1 : INSIDE_FACTOR);
}

/** It gives back what it got, save where something else goes wrong; and nothing says that the tag leaks. */
function onlyIfMoreFails({ ways }: Forgets, kinds: ReadonlySet<Clue["kind"]>, { leaks }: TagSigns): boolean {
  return leaks !== true && ways.every((way) => way.failing) && kinds.has("releases");
}

/** @param live a call of it stands on a stack in use */
function isProof(clue: OfCall, live: boolean, { leaks }: TagSigns): boolean {
  if (clue.kind === "forgotten") return !clue.onceOnly && failing(clue.ways, leaks) === 1;
  if (clue.kind !== "kept") return false;
  return !clue.onceOnly && (clue.released === "none" || (live && clue.released === "unread"));
}

function lookupPoints({ call }: LooksUp): number {
  return call === null ? LOOKS_UP.name : LOOKS_UP.call;
}

function holdPoints(clue: Holds): number {
  if (clue.kind === "pointer") return POINTER;
  if (clue.basis === "disagree") return 0;
  return clue.codeMissing === 0 ? IMPORTS.unused : IMPORTS.unread;
}
