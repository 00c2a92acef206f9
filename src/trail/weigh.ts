import type { Acquired, Allocates, Clue, Contents, Forgets, Keeps, ModuleClue, OnStack } from "./clue.ts";
import {
  ALLOCATES_RELEASED,
  CONTENT,
  DEPTH_FACTOR,
  EXISTING_FACTOR,
  FAILING,
  FORGOTTEN,
  HANDS_ON,
  IMPORTS,
  INSIDE_FACTOR,
  KEPT,
  LIBRARY_FACTOR,
  LOOKED_UP_FACTOR,
  LOOKS_UP,
  MOST_SITES,
  MOST_STACKS,
  NEAREST_FACTOR,
  ONCE,
  OTHERS_BLOCKS_FACTOR,
  OWNS,
  PARTLY_FACTOR,
  RELEASES,
  SIZE,
  STACK,
  STACK_FACTOR,
  WEIGHTS,
} from "./weights.ts";

/** What the weighing is told of the tag besides the clues. */
export interface TagSigns {
  /** Nearly all blocks of the tag lead into this one module. */
  readonly blocksOf?: string | undefined;
  /** Whether the tag looks like a leak; `undefined` where the dump does not tell. */
  readonly leaks: boolean | undefined;
}

export type Verdict = "owns-tag" | "calls" | "looks-up-at-run-time" | "imports" | "indirect" | "unknown";

/** A clue with what it adds to its module's score: below 0 it speaks for the module, 0 only explains. */
export interface WeighedClue {
  readonly clue: Clue;
  readonly points: number;
}

/** What all clues of one module come to. */
export interface Weighed {
  /** The weightiest first. */
  readonly clues: readonly WeighedClue[];
  readonly points: number;
  readonly verdict: Verdict;
  /** Something was seen that a leak needs: a way that forgets, a place that is never emptied, blocks that lead there. */
  readonly proven: boolean;
  /** It was seen to give back everything, or to hand it on; at most where something else fails it does not. */
  readonly excused: boolean;
}

/**
 * Weighs all clues of one module together. Of several functions that it calls the strongest counts: that a driver gives
 * back what one gives says nothing of another.
 */
export function weigh(module: string, clues: readonly Clue[], signs: TagSigns): Weighed {
  const ownsBlocks = signs.blocksOf === module;
  const groups = groupsOf(clues).map((group) => weighGroup(group, signs));
  groups.sort((a, b) => b.sum - a.sum);
  const [strongest, ...others] = groups;
  const weighed: WeighedClue[] = [];
  for (const { clue, points } of strongest?.clues ?? []) weighed.push({ clue, points });
  for (const { clue } of others.flatMap((group) => group.clues)) weighed.push({ clue, points: 0 });
  const perhaps =
    strongest?.clues.some(({ clue }) => clue.kind === "kept" && clue.released === "perhaps") === true;
  const state = strongest?.state === "excused" ? "excused" : perhaps ? "perhaps" : "other";
  const excused = strongest !== undefined && strongest.state === "excused";
  const holds = clues.filter((clue) => clue.kind === "imports" || clue.kind === "pointer");
  holds.forEach((clue, i) => {
    const points = i === 0 && strongest === undefined ? holdPoints(clue) : 0;
    weighed.push({ clue, points });
  });
  for (const clue of clues) {
    if (clue.kind === "looks-up-at-run-time")
      weighed.push({
        clue,
        points: strongest === undefined ? (clue.call === null ? LOOKS_UP.name : LOOKS_UP.call) : 0,
      });
    else if (clue.kind === "allocates") weighed.push({ clue, points: ownerPoints(clue, signs) });
    else if (clue.kind === "on-stack")
      weighed.push({ clue, points: stackPoints(clue) * STACK_FACTOR[state] });
    else if (clue.kind === "pool-content") weighed.push({ clue, points: contentPoints(clue, ownsBlocks) });
    else if (clue.kind === "size-match") weighed.push({ clue, points: SIZE[clue.strength] });
  }
  const inGroup = new Set(strongest?.clues.map(({ clue }) => clue));
  const sum = weighed.reduce(
    (total, { clue, points }) => total + (inGroup.has(clue) ? 0 : points),
    strongest?.sum ?? 0,
  );
  const live = clues.some(
    (clue) => clue.kind === "on-stack" && clue.hits.some(({ state }) => state === "live"),
  );
  return {
    clues: weighed.sort((a, b) => Math.abs(b.points) - Math.abs(a.points)),
    points: sum * (signs.blocksOf === undefined || ownsBlocks ? 1 : OTHERS_BLOCKS_FACTOR),
    verdict: verdictOf(clues),
    proven: weighed.some(({ clue, points }) => points > 0 && isProof(clue, live, ownsBlocks, signs)),
    excused:
      excused && !clues.some((clue) => clue.kind === "allocates" && isProof(clue, live, ownsBlocks, signs)),
  };
}

/** Clues about one function that is called. */
interface Group {
  readonly acquired: Acquired;
  readonly clues: readonly Clue[];
}

interface WeighedGroup {
  readonly clues: readonly WeighedClue[];
  readonly sum: number;
  readonly state: "leaks" | "excused" | "open";
}

function groupsOf(clues: readonly Clue[]): readonly Group[] {
  const groups = new Map<string, { acquired: Acquired; clues: Clue[] }>();
  for (const clue of clues) {
    if (!("acquired" in clue)) continue;
    const { module, address } = clue.acquired.function;
    const key = `${module}:${address}`;
    const same = groups.get(key);
    if (same === undefined) groups.set(key, { acquired: clue.acquired, clues: [clue] });
    else same.clues.push(clue);
  }
  return [...groups.values()];
}

function weighGroup({ acquired, clues }: Group, { leaks: leaking }: TagSigns): WeighedGroup {
  const onceFactor = leaking === true ? ONCE.leaking : ONCE.other;
  const near = nearness(acquired);
  const way = clues.some((clue) => clue.kind === "calls" && clue.way === "direct") ? 1 : LOOKED_UP_FACTOR;
  const kinds = new Set(clues.map(({ kind }) => kind));
  const leaks = kinds.has("forgotten") || kinds.has("kept");
  const weighed = clues.map((clue): WeighedClue => {
    switch (clue.kind) {
      case "calls": {
        const further = Math.min(clue.places.length - 1, MOST_SITES) * WEIGHTS.furtherSite;
        const once = clue.onceOnly ? onceFactor : 1;
        return { clue, points: clue.typed ? (WEIGHTS.calls + further) * near * way * once : 0 };
      }
      case "forgotten":
        return {
          clue,
          points:
            FORGOTTEN *
            failing(clue.ways, leaking) *
            (clue.partly ? PARTLY_FACTOR : 1) *
            (clue.onceOnly ? onceFactor : 1) *
            near *
            way,
        };
      case "kept": {
        const points = KEPT[clue.released];
        return {
          clue,
          points: points > 0 ? points * (clue.onceOnly ? onceFactor : 1) * near * way : points,
        };
      }
      case "releases":
        return { clue, points: leaks ? 0 : RELEASES };
      case "hands-on":
        return { clue, points: leaks || kinds.has("releases") ? 0 : HANDS_ON };
      default:
        return { clue, points: 0 };
    }
  });
  const worst = Math.max(
    0,
    ...weighed.filter(({ clue }) => LOSES.has(clue.kind)).map(({ points }) => points),
  );
  const sum = weighed.reduce(
    // what is lost on one way and kept on another is one leak
    (total, { clue, points }) => total + (points > 0 && LOSES.has(clue.kind) ? 0 : points),
    worst,
  );
  const kept = clues.filter((clue): clue is Keeps => clue.kind === "kept");
  const forgets = clues.some((clue) => clue.kind === "forgotten" && !onlyIfMoreFails(clue, clues, leaking));
  const open = forgets || kept.some(({ released }) => released !== "same-place");
  const excused =
    !open && (kinds.has("releases") || kinds.has("hands-on") || kinds.has("may-release") || kept.length > 0);
  return { clues: weighed, sum, state: excused ? "excused" : open ? "leaks" : "open" };
}

const LOSES: ReadonlySet<Clue["kind"]> = new Set(["forgotten", "kept"]);

/** How much of a call's weight is left after the calls in between, and where nothing comes out. */
function nearness({ depth, libraries, handsOut, basis, existing }: Acquired): number {
  const factor = DEPTH_FACTOR ** Math.max(0, depth - libraries) * LIBRARY_FACTOR ** libraries;
  if (existing) return factor * EXISTING_FACTOR;
  return factor * (basis === "nearest-export" ? NEAREST_FACTOR : handsOut ? 1 : INSIDE_FACTOR);
}

/** It gives back what it got, save where something else goes wrong; and nothing says that the tag leaks. */
function onlyIfMoreFails({ ways }: Forgets, clues: readonly Clue[], leaks: boolean | undefined): boolean {
  return leaks !== true && ways.every((way) => way.failing) && clues.some(({ kind }) => kind === "releases");
}

/** On ways that end with an error it is lost only as often as that error comes up. */
function failing(ways: Forgets["ways"], leaks: boolean | undefined): number {
  if (!ways.every((way) => way.failing)) return 1;
  return leaks === true ? FAILING.leaking : FAILING.other;
}

function holdPoints(clue: Clue): number {
  if (clue.kind === "pointer") return WEIGHTS.pointer;
  if (clue.kind !== "imports" || clue.basis === "disagree") return 0;
  return clue.codeMissing === 0 ? IMPORTS.unused : IMPORTS.unread;
}

function ownerPoints({ released, forgets, onceOnly, forOthers }: Allocates, { leaks }: TagSigns): number {
  if (forOthers.length > 0) return WEIGHTS.allocatesForOthers;
  if (onceOnly) return leaks === true ? OWNS.once : OWNS.once / 2;
  const base = leaks === true ? OWNS.leaking : OWNS.other;
  return base + (forgets.length > 0 ? FORGOTTEN * failing(forgets, leaks) : ALLOCATES_RELEASED[released]);
}

function stackPoints({ hits }: OnStack): number {
  const points = hits.map(({ state }) => STACK[state]).sort((a, b) => b - a);
  return points.slice(0, MOST_STACKS).reduce((sum, one) => sum + one, 0);
}

function contentPoints(clue: Contents, ownsBlocks: boolean): number {
  const share = clue.of === 0 ? 0 : clue.blocks / clue.of;
  const through = CONTENT.through[clue.through];
  if (ownsBlocks) return CONTENT.proof * through;
  return CONTENT.some * Math.min(1, share * 2) * through;
}

/** The one module that nearly all blocks lead into; of several it is none's: IRPs carry routines of a whole stack. */
export function ownerOfBlocks(clues: readonly ModuleClue[]): string | undefined {
  const owners = clues.filter(({ clue }) => clue.kind === "pool-content" && isContentProof(clue));
  return owners.length === 1 ? owners[0]?.module : undefined;
}

/** Blocks of which nearly all lead into one module are that module's. */
function isContentProof({ blocks, of, through }: Contents): boolean {
  return through !== "one-step" && of >= CONTENT.fewest && blocks >= of * CONTENT.nearlyAll;
}

function isProof(clue: Clue, live: boolean, ownsBlocks: boolean, { leaks }: TagSigns): boolean {
  switch (clue.kind) {
    case "forgotten":
      return !clue.onceOnly && failing(clue.ways, leaks) === 1;
    case "kept":
      return !clue.onceOnly && (clue.released === "none" || (live && clue.released === "unread"));
    case "allocates":
      return !clue.onceOnly && (leaks === true || clue.forgets.length > 0 || clue.released === "none");
    case "pool-content":
      return ownsBlocks;
    default:
      return false;
  }
}

/** The strongest way in which a module has to do with the tag. */
function verdictOf(clues: readonly Clue[]): Verdict {
  if (clues.some(({ kind }) => kind === "allocates")) return "owns-tag";
  const called = clues.flatMap((clue) => (clue.kind === "calls" ? [clue] : []));
  const direct = called.filter(({ way }) => way === "direct");
  if (direct.some(({ acquired }) => acquired.libraries === 0)) return "calls";
  if (clues.some((clue) => clue.kind === "looks-up-at-run-time")) return "looks-up-at-run-time";
  if (direct.length > 0) return "indirect";
  return clues.some(({ kind }) => kind === "imports") ? "imports" : "unknown";
}
