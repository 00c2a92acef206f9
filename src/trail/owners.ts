import { poolRoutine } from "../code/allocators.ts";
import type { Rva, Va } from "../core/address.ts";
import type { AcquiringFunction } from "./acquiring-functions.ts";
import { Balance } from "./balance.ts";
import type { Allocates, Forgets, Keeps, ModuleClue } from "./clue.ts";
import { isKernelModule, type Question } from "./question.ts";
import { runsOnceOnly } from "./reach.ts";
import type { Reference } from "./scan.ts";
import { codeMissing, type TrailModule } from "./target.ts";

/**
 * Modules whose own code takes memory with the tag; the kernel does so for others, and so do drivers whose exported
 * functions others call.
 *
 * @param callers modules that call functions of a module which allocate for them
 */
export function findOwners(
  question: Question,
  references: readonly Reference[],
  callers: (module: string) => readonly string[],
): readonly ModuleClue[] {
  return question.target.modules.flatMap((module): ModuleClue[] => {
    if (isKernelModule(module)) return [];
    const own = references.filter((reference) => reference.module === module.name);
    const allocating = own.filter(({ use }) => use === "allocate" || use === "lookaside");
    if (allocating.length === 0) return [];
    return [{ module: module.name, clue: allocates(question, module, allocating, callers(module.name)) }];
  });
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
  return {
    kind: "allocates",
    at: references.map(({ address }) => address),
    size: others.length === 0 ? size : null,
    forgets: forgets satisfies Forgets["ways"],
    released: kept?.released ?? (frees.length > 0 && forgets.length === 0 ? "every-way" : "perhaps"),
    releasedAt: [...frees, ...(free ?? [])],
    onceOnly: allocatesOnce(question, module, references),
    forOthers,
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

function balanceOfOwn(
  question: Question,
  module: TrailModule,
  references: readonly Reference[],
): Balance | undefined {
  const decoded = question.codes.of(module);
  if (decoded === undefined) return undefined;
  const missing = codeMissing(question.target, module);
  const function_ = { module: module.name, name: "the pool", address: module.base as Va };
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
    out: { gives: { by: "return" }, fails: "null" },
    row: undefined,
  };
  const balance = new Balance(question, module, decoded, acquiring, missing);
  for (const { rva, use } of references) {
    const call = use === "allocate" ? decoded.uses.at(rva).call : undefined;
    if (call === undefined || (call.name !== undefined && poolRoutine(call.name)?.structure !== undefined))
      continue;
    for (const from of decoded.image.functions.owning(call.at)) {
      balance.follow(
        from,
        { at: call.at, gives: { by: "return" }, fails: "null" },
        (module.base + BigInt(call.at)) as Va,
      );
    }
  }
  return balance;
}

export type { Rva };
