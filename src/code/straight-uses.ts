import type { Rva } from "../core/address.ts";
import type { CodeRun, SimpleInstruction } from "../isa/instruction.ts";
import type { SimpleDecoding } from "../isa/instruction-set.ts";
import type { PoolRoutine } from "./allocators.ts";
import { type Callee, routineOf } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import type { ModuleCode } from "./module-code.ts";
import { argumentSeen } from "./reached.ts";
import { ENDS_LINE, StraightRegisters, straightCallee } from "./straight-line.ts";
import type { TagUse } from "./tag-use.ts";

/** Instructions from a tag to the call that takes it: 98 of 100 are within 15. */
const MAX_AHEAD = 64;
/** Instructions before a tag that are looked at for the other arguments. */
const MAX_BEHIND = 24;

/** Instructions between the two that make one number, where compilers mix them with others. */
const MAX_APART = 16;
/** Bytes that a load of a literal reaches, to either side. */
const LITERAL_REACH = 0x10_0000;

/**
 * Where code makes a number out of two halves: the places of the first of the two instructions. Byte searches find none
 * of these. None in sets whose instructions hold numbers whole.
 *
 * @param keys the numbers, as u32
 */
export function madeNumbers(code: ModuleCode, keys: readonly number[]): readonly { rva: Rva; key: number }[] {
  const { simple } = code.set;
  const found: { rva: Rva; key: number }[] = [];
  if (simple === undefined) return found;
  for (const run of code.runs) {
    simple.eachNumber(run, (at, first) => {
      if (first.kind !== "number" || first.keep || first.shift > 16 || first.register === 31) return;
      for (const key of keys) {
        if (((key >>> first.shift) & 0xffff) !== first.value) continue;
        const other = 16 - first.shift;
        if (otherHalf(simple, run, at, first.register, other) === (key >>> other) % 0x10000)
          found.push({ rva: at as Rva, key });
      }
    });
  }
  return found;
}

/** The other 16 bits, which another instruction puts into the same register. */
function otherHalf(
  { length, at: instructionAt }: SimpleDecoding,
  run: CodeRun,
  from: number,
  register: number,
  shift: number,
): number | undefined {
  for (let at = from + length; at <= from + MAX_APART * length; at += length) {
    const next = instructionAt(run, at);
    if (next === undefined) return undefined;
    if (next.kind === "number" && next.register === register)
      return next.keep && next.shift === shift ? next.value : undefined;
    if (changes(next, register) || leaves(next)) return undefined;
  }
  return undefined;
}

/** What happens to the tag whose bytes stand at `rva`, or that the code there makes; told of straight lines of code. */
export function straightUse(flows: DataFlow, simple: SimpleDecoding, rva: Rva): TagUse {
  const { code, functions, image } = flows.image;
  const nowhere = { instruction: undefined, function: functions.owning(rva)[0]?.entry };
  if (!code.isCode(rva))
    return {
      ...nowhere,
      use: "data",
      seen: { kind: "data", readers: "not-decoded", machine: image.machine },
    };
  const run = code.runAt(rva);
  if (run === undefined) return { ...nowhere, use: "unknown", seen: { kind: "unreadable" } };
  const made = simple.at(run, rva);
  const starts =
    made?.kind === "number" && !made.keep
      ? [{ at: rva as number, register: made.register, how: "made" as const }]
      : loadsOf(simple, run, rva).map((load) => ({ ...load, how: "loaded" as const }));
  for (const { at, register, how } of starts) {
    const [owner] = functions.owning(at);
    const base = { instruction: at as Rva, function: owner?.entry };
    const use = new TagLine(flows, simple, run, at, register).use();
    if (use !== undefined) return { ...base, ...use };
    if (at === starts.at(-1)?.at)
      return { ...base, use: "unknown", seen: { kind: "left", how, at, register, machine: image.machine } };
  }
  return {
    ...nowhere,
    use: "unknown",
    seen: { kind: "no-load", machine: image.machine },
  };
}

/** The instructions that load the word at `rva` from among the code. */
function loadsOf(
  simple: SimpleDecoding,
  run: CodeRun,
  rva: number,
): readonly { at: number; register: number }[] {
  const found: { at: number; register: number }[] = [];
  simple.eachLiteral(run, (rva & ~3) - LITERAL_REACH, rva + LITERAL_REACH + 1, (at, load) => {
    if (load.kind === "literal" && load.place === rva) found.push({ at, register: load.register });
  });
  return found;
}

function changes(instruction: SimpleInstruction, register: number): boolean {
  if (instruction.kind === "other") return instruction.writes.includes(register);
  return (
    "register" in instruction &&
    instruction.register === register &&
    !/store|-register/.test(instruction.kind)
  );
}

function leaves({ kind }: SimpleInstruction): boolean {
  return /^(?:call|jump|branch|return|stop)/.test(kind);
}

/** Follows a tag along one line of code, up to the first thing that is done with it. */
class TagLine {
  readonly #flows: DataFlow;
  readonly #simple: SimpleDecoding;
  readonly #run: CodeRun;
  readonly #from: number;
  readonly #register: number;
  readonly #registers: StraightRegisters;

  constructor(flows: DataFlow, simple: SimpleDecoding, run: CodeRun, from: number, register: number) {
    this.#flows = flows;
    this.#simple = simple;
    this.#run = run;
    this.#from = from;
    this.#register = register;
    this.#registers = new StraightRegisters(flows.image.code.set.abi);
  }

  use(): Omit<TagUse, "instruction" | "function"> | undefined {
    const [owner] = this.#flows.image.functions.owning(this.#from);
    const { length } = this.#simple;
    const start = Math.max(this.#run.start, owner?.entry ?? 0, this.#from - MAX_BEHIND * length);
    for (let at = start; at < this.#from + MAX_AHEAD * length; at += length) {
      const instruction = this.#simple.at(this.#run, at);
      if (instruction === undefined) return undefined;
      const behind = at > this.#from;
      if (behind) {
        const use = this.#useAt(at, instruction);
        if (use !== undefined) return use;
        if (ENDS_LINE.has(instruction.kind)) return undefined;
      }
      this.#registers.apply(instruction);
      if (at === this.#from) this.#registers.setTag(this.#register);
      if (behind && !this.#registers.holdTag) return undefined;
    }
    return undefined;
  }

  #argument(index: number): ReturnType<StraightRegisters["at"]> {
    const { argumentRegisters } = this.#flows.image.code.set.abi;
    return this.#registers.at(argumentRegisters[index - 1] ?? -1);
  }

  #useAt(at: number, instruction: SimpleInstruction): Omit<TagUse, "instruction" | "function"> | undefined {
    const isTag = (register: number): boolean => this.#registers.at(register)?.kind === "tag";
    if (instruction.kind === "compare" && instruction.registers.some(isTag))
      return { use: "compare", seen: { kind: "compared", at } };
    if (instruction.kind === "store" && isTag(instruction.register))
      return { use: "store", seen: { kind: "stored", at, into: "unknown" } };
    const callee = this.#callee(instruction);
    if (callee === undefined) return undefined;
    const routine = routineOf(callee);
    if (routine?.tag !== undefined && this.#argument(routine.tag)?.kind === "tag")
      return this.#given(at, callee, routine);
    const argument = this.#flows.image.code.set.abi.argumentRegisters.findIndex(isTag);
    if (argument === -1 || routine !== undefined) return undefined;
    const seen = argumentSeen(argument + 1, { name: callee.name }, at, false);
    return { use: "unknown", call: callOf(at, callee), seen };
  }

  #given(at: number, callee: Callee, routine: PoolRoutine): Omit<TagUse, "instruction" | "function"> {
    const number = (index: number | undefined): number | undefined => {
      const held = index === undefined ? undefined : this.#argument(index);
      return held?.kind === "number" ? held.value : undefined;
    };
    const [size, poolType, poolFlags] = [routine.size, routine.poolType, routine.poolFlags].map(number);
    return {
      use: routine.use,
      call: callOf(at, callee),
      ...(size === undefined ? {} : { size }),
      ...(poolType === undefined ? {} : { poolType }),
      ...(poolFlags === undefined ? {} : { poolFlags }),
      seen: argumentSeen(routine.tag ?? 0, callee, at, true),
    };
  }

  #callee(instruction: SimpleInstruction): Callee | undefined {
    if (instruction.kind === "call" || instruction.kind === "jump")
      return straightCallee(this.#flows, instruction.target);
    if (instruction.kind !== "call-register" && instruction.kind !== "jump-register") return undefined;
    const held = this.#registers.at(instruction.register);
    return held?.kind === "slot" ? this.#flows.callees.throughSlot(held.rva) : { target: undefined };
  }
}

function callOf(at: number, { target, module, name }: Callee): NonNullable<TagUse["call"]> {
  return {
    at: at as Rva,
    target,
    ...(module === undefined ? {} : { module }),
    ...(name === undefined ? {} : { name }),
  };
}
