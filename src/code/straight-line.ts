import { hex, type Rva } from "../core/address.ts";
import type { Abi } from "../isa/abi.ts";
import type { CodeRun, SimpleInstruction } from "../isa/instruction.ts";
import type { SimpleDecoding } from "../isa/instruction-set.ts";
import type { PoolRoutine } from "./allocators.ts";
import { type Callee, routineOf } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import type { TagUse } from "./reached.ts";

/** Instructions from a tag to the call that takes it: 98 of 100 are within 15. */
const MAX_AHEAD = 64;
/** Instructions before a tag that are looked at for the other arguments. */
const MAX_BEHIND = 24;

type Held =
  | { readonly kind: "tag" }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "address" | "slot"; readonly rva: number };

/** What registers hold along one line of code, branches not taken, up to the first thing that is done with the tag. */
export class StraightLine {
  readonly #flows: DataFlow;
  readonly #simple: SimpleDecoding;
  readonly #run: CodeRun;
  readonly #from: number;
  readonly #register: number;
  readonly #held = new Map<number, Held>();

  constructor(flows: DataFlow, simple: SimpleDecoding, run: CodeRun, from: number, register: number) {
    this.#flows = flows;
    this.#simple = simple;
    this.#run = run;
    this.#from = from;
    this.#register = register;
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
        if (ENDS.has(instruction.kind)) return undefined;
      }
      this.#apply(instruction);
      if (at === this.#from) this.#held.set(this.#register, { kind: "tag" });
      if (behind && ![...this.#held.values()].some(({ kind }) => kind === "tag")) return undefined;
    }
    return undefined;
  }

  get #abi(): Abi {
    return this.#flows.image.code.set.abi;
  }

  #useAt(at: number, instruction: SimpleInstruction): Omit<TagUse, "instruction" | "function"> | undefined {
    const isTag = (register: number): boolean => this.#held.get(register)?.kind === "tag";
    if (instruction.kind === "compare" && instruction.registers.some(isTag))
      return { use: "compare", detail: `compared at ${hex(at)}` };
    if (instruction.kind === "store" && isTag(instruction.register))
      return { use: "store", detail: `stored at ${hex(at)}` };
    const callee = this.#callee(instruction);
    if (callee === undefined) return undefined;
    const routine = routineOf(callee);
    if (routine?.tag !== undefined && isTag(this.#abi.argumentRegisters[routine.tag - 1] ?? -1))
      return this.#given(at, callee, routine);
    const argument = this.#abi.argumentRegisters.findIndex(isTag);
    if (argument === -1 || routine !== undefined) return undefined;
    const name = callee.name ?? "a function that nothing names";
    const detail = `argument ${argument + 1} of ${name} at ${hex(at)}, which is no known pool routine`;
    return { use: "unknown", call: callOf(at, callee), detail };
  }

  #given(at: number, callee: Callee, routine: PoolRoutine): Omit<TagUse, "instruction" | "function"> {
    const number = (index: number | undefined): number | undefined => {
      const held =
        index === undefined ? undefined : this.#held.get(this.#abi.argumentRegisters[index - 1] ?? -1);
      return held?.kind === "number" ? held.value : undefined;
    };
    const [size, poolType, poolFlags] = [routine.size, routine.poolType, routine.poolFlags].map(number);
    return {
      use: routine.use,
      call: callOf(at, callee),
      ...(size === undefined ? {} : { size }),
      ...(poolType === undefined ? {} : { poolType }),
      ...(poolFlags === undefined ? {} : { poolFlags }),
      detail: `argument ${routine.tag} of ${callee.name} at ${hex(at)}`,
    };
  }

  #callee(instruction: SimpleInstruction): Callee | undefined {
    if (instruction.kind === "call" || instruction.kind === "jump")
      return straightCallee(this.#flows, instruction.target);
    if (instruction.kind !== "call-register" && instruction.kind !== "jump-register") return undefined;
    const held = this.#held.get(instruction.register);
    return held?.kind === "slot" ? this.#flows.callees.throughSlot(held.rva) : { target: undefined };
  }

  #apply(instruction: SimpleInstruction): void {
    const held = this.#held;
    switch (instruction.kind) {
      case "number": {
        const before = held.get(instruction.register);
        // The second half of the tag itself
        if (instruction.keep && before?.kind === "tag") return;
        const { value, shift, register } = instruction;
        const rest = instruction.keep ? (before?.kind === "number" ? before.value : undefined) : 0;
        if (rest === undefined || shift > 16) held.delete(register);
        else
          held.set(register, {
            kind: "number",
            value: ((rest & ~(0xffff << shift)) | (value << shift)) >>> 0,
          });
        return;
      }
      case "address":
        held.set(instruction.register, { kind: "address", rva: instruction.place });
        return;
      case "add": {
        const from = held.get(instruction.from);
        const { by, register } = instruction;
        if (from === undefined || (by !== 0 && from.kind !== "address")) held.delete(register);
        else held.set(register, from.kind === "address" ? { kind: "address", rva: from.rva + by } : from);
        return;
      }
      case "load": {
        const base = held.get(instruction.base);
        if (base?.kind === "address" && instruction.size === 8)
          held.set(instruction.register, { kind: "slot", rva: base.rva + instruction.offset });
        else held.delete(instruction.register);
        return;
      }
      case "literal":
        held.delete(instruction.register);
        return;
      case "call":
      case "call-register":
        for (const register of this.#abi.volatile) held.delete(register);
        return;
      case "other":
        for (const register of instruction.writes) held.delete(register);
        return;
      default:
    }
  }
}

/** What ends a straight line. */
const ENDS: ReadonlySet<SimpleInstruction["kind"]> = new Set(["return", "stop", "jump", "jump-register"]);

/** What a near call leads to: an export of the image, an import through a thunk, or a function that nothing names. */
export function straightCallee({ image, callees }: DataFlow, target: number): Callee {
  const slot = image.code.set.thunks.jumpAt(image.code, target)?.slot;
  if (slot !== undefined) return { ...callees.throughSlot(slot), thunk: target };
  const name = image.image.exports.at(target).find((item) => item.name !== null)?.name;
  return { target: image.code.vaOf(target), offset: target, ...(name == null ? {} : { name }) };
}

function callOf(at: number, { target, module, name }: Callee): NonNullable<TagUse["call"]> {
  return {
    at: at as Rva,
    target,
    ...(module === undefined ? {} : { module }),
    ...(name === undefined ? {} : { name }),
  };
}
