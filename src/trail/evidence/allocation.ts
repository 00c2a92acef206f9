import { poolRoutine } from "../../code/allocators.ts";
import type { TagUse } from "../../code/tag-use.ts";
import type { Va } from "../../core/address.ts";
import { type AcquiringFunction, handedOutBy } from "../acquiring-functions.ts";
import { Balance } from "../balance.ts";
import type { Allocates, Forgets, Keeps, ModuleClue } from "../clue.ts";
import { dutyOf } from "../duties.ts";
import { type HandedOut, handedOut } from "../handed-out.ts";
import { listsOf } from "../lookaside-lists.ts";
import type { Duty } from "../pairs/pair.ts";
import { acquirersNamed } from "../pairs/table.ts";
import { isKernelModule, type Question } from "../question.ts";
import { runsOnceOnly } from "../reach.ts";
import type { Reference } from "../scan.ts";
import { codeMissing, type TrailModule } from "../target.ts";
import { FORGOTTEN, failing } from "../weights.ts";
import type { EvidenceKind } from "./kind.ts";

/** The module's own code allocates with the tag, in a dump that shows the tag to leak, and in any other. */
const OWNS = { leaking: 32, other: 12, /** … and only once, as it starts. */ once: 6 } as const;
/** It allocates for whoever calls its exported functions, as the kernel does. */
const FOR_OTHERS = 4;
/** What becomes of what it allocates. */
const RELEASED = {
  none: 20,
  unread: 4,
  "any-free": 0,
  perhaps: 0,
  "same-place": -10,
  "every-way": -24,
} as const;

/**
 * Modules whose own code takes memory with the tag; the kernel does so for others, and so do drivers whose exported
 * functions others call.
 */
export const ALLOCATION: EvidenceKind<Allocates> = {
  collect(question, { calls }) {
    const callers = (module: string): readonly string[] => [
      ...new Set(calls.filter((call) => call.function.module === module).map((call) => call.module.name)),
    ];
    const clues = question.target.modules.flatMap((module): ModuleClue[] => {
      if (isKernelModule(module)) return [];
      const allocating = question.references.filter(
        (reference) =>
          reference.module === module.name && (reference.use === "allocate" || reference.use === "lookaside"),
      );
      if (allocating.length === 0) return [];
      return [{ module: module.name, clue: allocates(question, module, allocating, callers(module.name)) }];
    });
    return { clues };
  },
  weigh: (own, { signs: { leaks } }) =>
    own.map((clue) => ({
      clue,
      points: pointsOf(clue, leaks),
      proves: !clue.onceOnly && (leaks === true || clue.forgets.length > 0 || clue.released === "none"),
    })),
};

function pointsOf({ released, forgets, onceOnly, forOthers }: Allocates, leaks: boolean | undefined): number {
  if (forOthers.length > 0) return FOR_OTHERS;
  if (onceOnly) return leaks === true ? OWNS.once : OWNS.once / 2;
  const base = leaks === true ? OWNS.leaking : OWNS.other;
  return base + (forgets.length > 0 ? FORGOTTEN * failing(forgets, leaks) : RELEASED[released]);
}

function allocates(
  question: Question,
  module: TrailModule,
  references: readonly Reference[],
  forOthers: readonly string[],
): Allocates {
  const sizes = new Set(references.map(({ allocationSize }) => allocationSize));
  const [size = null, ...others] = sizes;
  const balance = balanceOfOwn(question, module, references);
  const clues = balance?.clues() ?? [];
  const forgets = clues.flatMap((clue) => (clue.kind === "forgotten" ? clue.ways : []));
  const kept = clues.find((clue): clue is Keeps => clue.kind === "kept");
  const frees = clues.flatMap((clue) =>
    clue.kind === "releases" ? clue.releasedAt.map(({ at }) => at) : [],
  );
  const free = question.codes.of(module) === undefined ? undefined : kept?.releasedAt;
  const released = kept?.released ?? (frees.length > 0 && forgets.length === 0 ? "every-way" : "perhaps");
  const handsOn = clues.some(({ kind }) => kind === "hands-on");
  const isLost = forgets.some((way) => !way.failing) || (released === "none" && !handsOn);
  return {
    kind: "allocates",
    at: references.map(({ address }) => address),
    size: others.length === 0 ? size : null,
    forgets: forgets satisfies Forgets["ways"],
    released,
    releasedAt: [...frees, ...(free ?? [])],
    onceOnly:
      allocatesOnce(question, module, references) || (kept?.onceOnly === true && forgets.length === 0),
    // what it loses itself is nobody else's
    forOthers: isLost ? [] : forOthers,
  };
}

function allocatesOnce(question: Question, module: TrailModule, references: readonly Reference[]): boolean {
  const decoded = question.codes.of(module);
  if (decoded === undefined || references.some(({ use }) => use === "lookaside")) return false;
  const users = references.flatMap(({ rva }) => {
    const { users: entries } = decoded.uses.at(rva);
    const named = entries?.flatMap((entry) => decoded.image.functions.startingAt(entry) ?? []);
    return named ?? decoded.image.functions.owning(rva);
  });
  return users.length > 0 && users.every((from) => runsOnceOnly(decoded, from));
}

/** Who else frees plain memory, as is documented of IRP.Flags (wdm.h). */
const OF_IRP: readonly Duty[] = [{ keeper: "io-manager", putInto: "freed-buffer" }];
const OF_POOL: HandedOut = { gives: { by: "return" }, fails: "null", isNew: true };

function balanceOfOwn(
  question: Question,
  module: TrailModule,
  references: readonly Reference[],
): Balance | undefined {
  const decoded = question.codes.of(module);
  if (decoded === undefined) return undefined;
  const missing = codeMissing(question.target, module);
  const { abi } = decoded.image.code.set;
  const function_ = { module: module.name, name: "the pool", address: module.base as Va };
  const calls = references.flatMap(({ rva, use }) => {
    const call = use === "allocate" ? decoded.uses.at(rva).call : undefined;
    const inStructure = call?.name !== undefined && poolRoutine(call.name)?.structure !== undefined;
    if (call === undefined || inStructure) return [];
    const [row] = call.name === undefined ? [] : acquirersNamed(call.name);
    const gives = row === undefined ? handedOutThrough(question, call) : [handedOutBy(row, abi)];
    return [{ at: call.at, row, gives }];
  });
  const lists = listsOf(module, decoded, references);
  const acquiring: AcquiringFunction = {
    ...function_,
    acquired: {
      function: function_,
      path: [],
      basis: "code",
      depth: 0,
      libraries: 0,
      handsOut: true,
      releases: [],
      existing: false,
    },
    out: OF_POOL,
    row: undefined,
    frees: calls.flatMap(({ row }) => row?.releases ?? []),
    givenBack: lists.flatMap(({ given }) => given),
  };
  const balance = new Balance(question, module, decoded, acquiring, missing);
  for (const { at, row, gives } of calls) {
    for (const from of decoded.image.functions.owning(at)) {
      const duties = [...(row?.duties ?? []), ...OF_IRP];
      if (dutyOf(question.tag, duties, decoded, { from, at }, row?.name) !== undefined) continue;
      for (const out of gives) balance.follow(from, { at, ...out }, (module.base + BigInt(at)) as Va);
    }
  }
  for (const { taken, isRelease } of lists)
    for (const { from, at } of taken)
      balance.follow(from, { at, ...OF_POOL, isRelease }, (module.base + BigInt(at)) as Va);
  return balance;
}

/** How a routine that allocates, or a function that calls such routines for its callers, gives what is allocated. */
function handedOutThrough(
  { codes, ownership }: Question,
  call: NonNullable<TagUse["call"]>,
): readonly HandedOut[] {
  if (call.within === undefined) return [OF_POOL];
  const module = codes.find(call)?.module;
  const decoded = module === undefined ? undefined : codes.of(module);
  if (decoded === undefined) return [];
  const { flows, image } = decoded;
  return call.within.flatMap((at) =>
    image.functions.owning(at).flatMap((found) => {
      const fates = ownership.fatesOf(flows, found, { at, ...OF_POOL });
      const out = handedOut(fates, image.code.set.abi);
      return out === undefined ? [] : [{ ...out, isNew: true }];
    }),
  );
}
