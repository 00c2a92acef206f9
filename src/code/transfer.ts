import type { Abi } from "../isa/abi.ts";
import { type Instruction, isBorrow, type Operand } from "../isa/instruction.ts";
import {
  type Atom,
  behindUnknown,
  constant,
  either,
  fieldOf,
  imageAddress,
  loaded,
  type MachineState,
  movedBy,
  movedFrom,
  movedUnknown,
  onlyNumber,
  partOf,
  stackAddress,
  UNKNOWN,
  type Value,
} from "./abstract-value.ts";
import { computes, folded, resultOf, sized, sizedNumber, sumOfOneKnown, withOrigin } from "./arithmetic.ts";
import type { ModuleCode } from "./module-code.ts";
import { copiesVector, mixedWords, storesUpper } from "./vector-words.ts";

export type Memory = Extract<Operand, { kind: "memory" }>;

/** What an instruction copies from memory to memory. */
export interface Copied {
  readonly from: Memory;
  readonly to: Memory;
  /** The register that says how often it is done. */
  readonly counter: number | undefined;
  /** In bytes; `undefined` where nobody knows. */
  readonly size: number | undefined;
  /** What is known of what is copied, by how far into it it stands. */
  readonly words: ReadonlyMap<number, Value>;
}

/** What instructions other than calls do to what is known. */
export class Transfer {
  readonly #code: ModuleCode;
  readonly #abi: Abi;
  readonly #word: 4 | 8;

  constructor(code: ModuleCode) {
    this.#code = code;
    this.#abi = code.set.abi;
    this.#word = this.#abi.pointerSize;
  }

  /** Changes `state` to what holds behind the instruction. */
  apply(state: MachineState, instruction: Instruction): void {
    const [to, from] = instruction.operands;
    switch (instruction.mnemonic) {
      case "push": {
        const value = to === undefined ? UNKNOWN : this.valueOf(state, to, instruction);
        state.sp -= this.#word;
        state.put(state.sp, value);
        if (this.#isSaved(value)) state.argumentsFrom = state.sp;
        return;
      }
      case "pop":
        this.#set(state, to, state.stackAt(state.sp));
        state.sp += this.#word;
        state.argumentsFrom = Math.max(state.argumentsFrom, state.sp);
        return;
      case "leave":
        this.#setStackPointer(state, state.registers[this.#abi.framePointer] ?? UNKNOWN);
        state.registers[this.#abi.framePointer] = state.stackAt(state.sp);
        state.sp += this.#word;
        return;
      case "movzx":
      case "movsx":
        if (from !== undefined) this.#set(state, to, this.valueOf(state, from, instruction));
        return;
      case "mov":
      case "movsxd":
        if (to !== undefined && from !== undefined) this.#move(state, to, from, instruction);
        return;
      case "lea":
        if (from?.kind === "memory") this.#set(state, to, this.#sum(state, to, from, instruction));
        return;
      case "xchg":
        if (to !== undefined && from !== undefined) {
          const [a, b] = [this.valueOf(state, to, instruction), this.valueOf(state, from, instruction)];
          this.#set(state, to, b);
          this.#set(state, from, a);
        }
        return;
      default:
        if (this.#copy(state, instruction) || this.#vector(state, instruction, to, from)) return;
        if (instruction.mnemonic.startsWith("cmov") && to !== undefined && from !== undefined) {
          const either_ = either(
            this.valueOf(state, to, instruction),
            this.valueOf(state, from, instruction),
          );
          this.#set(state, to, either_);
          return;
        }
        this.#arithmetic(state, instruction, to, from);
    }
  }

  /** What `movs` copies, with or without `rep`; `undefined` for other instructions. */
  copiedBy(state: MachineState, { mnemonic, operands, writes }: Instruction): Copied | undefined {
    const [to, from] = operands;
    if (to?.kind !== "memory" || from?.kind !== "memory" || !COPIES_STRING.test(mnemonic)) return undefined;
    const counter = writes.find((register) => register !== to.base && register !== from.base);
    const count = counter === undefined ? 1 : onlyNumber(state.registers[counter] ?? UNKNOWN);
    const size = count === undefined ? undefined : count * to.size;
    const start = this.stackOffsetOf(state, from);
    const words = new Map<number, Value>();
    if (start !== undefined) {
      const end = start + (size ?? Number.POSITIVE_INFINITY);
      for (const [offset, value] of state.stack)
        if (offset >= start && offset < end) words.set(offset - start, value);
    }
    if (size === this.#word) words.set(0, this.whole(state, from));
    return { to, from, counter, size, words };
  }

  /** What is copied from memory to memory; false for an instruction that copies nothing so. */
  #copy(state: MachineState, instruction: Instruction): boolean {
    const copied = this.copiedBy(state, instruction);
    if (copied === undefined) return false;
    const { to, from, counter, size, words } = copied;
    const start = this.stackOffsetOf(state, to);
    if (start !== undefined && size !== undefined) {
      for (const offset of [...state.stack.keys()])
        if (offset >= start && offset < start + size) state.put(offset, UNKNOWN);
      for (const [by, value] of words) state.put(start + by, value);
    }
    for (const { base } of [to, from]) {
      if (base === undefined) continue;
      const moved =
        size === undefined ? undefined : folded("add", state.registers[base] ?? UNKNOWN, size, this.#word);
      state.registers[base] = moved ?? UNKNOWN;
    }
    if (counter !== undefined) state.registers[counter] = constant(0);
    return true;
  }

  /** What a vector register is copied to or from, word by word; false for an instruction that has none. */
  #vector(
    state: MachineState,
    { mnemonic, operands }: Instruction,
    to: Operand | undefined,
    from: Operand | undefined,
  ): boolean {
    if (to?.kind !== "vector" && from?.kind !== "vector") return false;
    const words = this.copiedWords(state, mnemonic, from);
    if (to?.kind === "vector") {
      const isZero = ZEROES.test(mnemonic) && from?.kind === "vector" && from.register === to.register;
      const sources = operands.filter(({ kind }) => kind !== "immediate");
      const [order = 0] = operands.flatMap((operand) =>
        operand.kind === "immediate" ? [operand.value] : [],
      );
      const [first, second] = sources.slice(-2).map((operand) => this.wordsOf(state, operand));
      const known = isZero
        ? Array.from({ length: 16 / this.#word }, () => constant(0))
        : (words ?? mixedWords(mnemonic, first, second, order, this.#word));
      if (known === undefined) state.vectors.delete(to.register);
      else state.vectors.set(to.register, known);
    } else if (to?.kind === "memory") {
      for (const [i, place] of this.wordPlaces(to).entries()) this.#set(state, place, words?.[i] ?? UNKNOWN);
    } else if (to?.kind === "register") this.#set(state, to, words?.[0] ?? UNKNOWN);
    return true;
  }

  /** The words that an instruction copies from a vector register or to one, from the lowest on; `undefined` where it copies none. */
  copiedWords(
    state: MachineState,
    mnemonic: string,
    from: Operand | undefined,
  ): readonly Value[] | undefined {
    if (copiesVector(mnemonic)) return this.wordsOf(state, from);
    if (from?.kind !== "vector" || !storesUpper(mnemonic)) return undefined;
    return this.wordsOf(state, from)?.slice(8 / this.#word);
  }

  /** The words that an operand of the vector unit holds, from the lowest on; `undefined` where nobody knows. */
  wordsOf(state: MachineState, operand: Operand | undefined): readonly Value[] | undefined {
    switch (operand?.kind) {
      case "vector":
        return state.vectors.get(operand.register);
      case "memory":
        return operand.size < this.#word
          ? undefined
          : this.wordPlaces(operand).map((place) => this.whole(state, place));
      case "register":
        return operand.size < this.#word ? undefined : [state.registers[operand.register] ?? UNKNOWN];
      default:
        return undefined;
    }
  }

  /** The words of an operand in memory; itself, where it is no larger than one. */
  wordPlaces(memory: Memory): readonly Memory[] {
    const { size, displacement, address } = memory;
    return Array.from({ length: Math.max(1, size / this.#word) }, (_, i) => {
      const by = i * this.#word;
      return {
        ...memory,
        size: Math.min(size, this.#word),
        displacement: displacement + by,
        address: address === undefined ? undefined : address + by,
      };
    });
  }

  /** What `setcc`, `cmovcc` or `sbb` does when its condition comes out so. */
  choose(state: MachineState, instruction: Instruction, holds: boolean): void {
    const [to, from] = instruction.operands;
    if (instruction.mnemonic.startsWith("set")) this.#set(state, to, partOf(constant(holds ? 1 : 0), 1));
    else if (isBorrow(instruction)) this.#set(state, to, sizedNumber(to, holds ? -1 : 0));
    else if (holds && from !== undefined) this.#set(state, to, this.valueOf(state, from, instruction));
  }

  /** What an operand holds. */
  valueOf(state: MachineState, operand: Operand, instruction: Instruction): Value {
    switch (operand.kind) {
      case "immediate":
        return constant(operand.value, instruction.immediateSize >= 4 ? instruction.immediateAt : undefined);
      case "register":
        if (operand.register === this.#abi.stackPointer) return stackAddress(state.sp);
        return sized(state.registers[operand.register] ?? UNKNOWN, operand.size);
      case "memory":
        return sized(this.whole(state, operand), operand.size);
      default:
        return UNKNOWN;
    }
  }

  /** The operand without its index, where that is a number that is known. */
  withoutIndex(state: MachineState, memory: Memory): Memory {
    const { index, scale, displacement, address } = memory;
    const number = index === undefined ? undefined : onlyNumber(state.registers[index] ?? UNKNOWN);
    if (number === undefined) return memory;
    const by = (this.#word === 8 ? number : number | 0) * scale;
    return {
      ...memory,
      index: undefined,
      displacement: displacement + by,
      address: address === undefined ? undefined : address + by,
    };
  }

  /** What stands at an operand's place, however much of it the operand takes. */
  whole(state: MachineState, at: Memory): Value {
    const memory = this.withoutIndex(state, at);
    const offset = this.stackOffsetOf(state, memory);
    if (offset !== undefined) return state.stackAt(offset);
    const place = this.imagePlaceOf(state, memory);
    if (place !== undefined) return loaded(place);
    if (memory.index !== undefined || memory.base === undefined) return UNKNOWN;
    const [only, ...others] = state.registers[memory.base] ?? UNKNOWN;
    return only === undefined || others.length > 0
      ? behindUnknown(memory.displacement)
      : fieldOf(only, memory.displacement);
  }

  /** Where on the stack an operand stands; `undefined` when it stands elsewhere, or nobody knows. */
  stackOffsetOf(state: MachineState, operand: Operand): number | undefined {
    if (operand.kind !== "memory" || operand.base === undefined) return undefined;
    const { index, displacement } = this.withoutIndex(state, operand);
    if (index !== undefined) return undefined;
    if (operand.base === this.#abi.stackPointer) return state.sp + displacement;
    const [only, ...others] = state.registers[operand.base] ?? UNKNOWN;
    return only?.kind === "stack" && others.length === 0 ? only.offset + displacement : undefined;
  }

  /** The place in the image that an operand is; `undefined` when it is elsewhere, or nobody knows. */
  imagePlaceOf(state: MachineState, operand: Operand): number | undefined {
    if (operand.kind !== "memory") return undefined;
    const memory = this.withoutIndex(state, operand);
    if (memory.index !== undefined) return undefined;
    if (memory.base === undefined) return memory.address;
    const [only, ...others] = state.registers[memory.base] ?? UNKNOWN;
    if (only === undefined || others.length > 0) return undefined;
    const address = this.#imageOffset(only);
    return address === undefined ? undefined : address + memory.displacement;
  }

  #move(state: MachineState, to: Operand, from: Operand, instruction: Instruction): void {
    const value = this.valueOf(state, from, instruction);
    const size = to.kind === "register" || to.kind === "memory" ? to.size : 4;
    this.#set(state, to, sized(value, size));
  }

  #arithmetic(
    state: MachineState,
    instruction: Instruction,
    to: Operand | undefined,
    from: Operand | undefined,
  ): void {
    const { mnemonic, writes } = instruction;
    if (to !== undefined && computes(mnemonic)) {
      const a = this.valueOf(state, to, instruction);
      const b = from === undefined ? UNKNOWN : this.valueOf(state, from, instruction);
      const result = resultOf(instruction, a, b, this.#word);
      if (result !== undefined) {
        this.#set(state, to, result);
        return;
      }
    }
    for (const register of writes)
      if (register !== this.#abi.stackPointer) state.registers[register] = UNKNOWN;
    const offset = to === undefined ? undefined : this.stackOffsetOf(state, to);
    if (offset !== undefined && mnemonic !== "cmp" && mnemonic !== "test") state.put(offset, UNKNOWN);
  }

  #wrap(value: number): number {
    return this.#word === 8 ? value : value >>> 0;
  }

  #set(state: MachineState, to: Operand | undefined, value: Value): void {
    if (to?.kind === "register") {
      if (to.register === this.#abi.stackPointer) this.#setStackPointer(state, value);
      else state.registers[to.register] = value;
    } else if (to?.kind === "memory") {
      const offset = this.stackOffsetOf(state, to);
      if (offset !== undefined) state.put(offset, value);
    }
  }

  #setStackPointer(state: MachineState, value: Value): void {
    const [only, ...others] = value;
    if (only?.kind !== "stack" || others.length > 0) return;
    state.sp = only.offset;
    state.argumentsFrom = only.offset;
  }

  /**
   * What `lea` gives. Compilers make a number of another one that they know, most often of zero: `lea r8d, [rax+'ObNm']`.
   * Where the other is not known here, the displacement is what the sum may be.
   */
  #sum(state: MachineState, to: Operand | undefined, from: Memory, { displacementAt }: Instruction): Value {
    const { displacement } = from;
    const sum = withOrigin(this.#address(state, from), displacement, displacementAt);
    const number = from.base !== undefined && from.index === undefined && displacement >>> 24 !== 0;
    if (!number || sum.some(({ kind }) => KNOWN.has(kind)) || to?.kind !== "register" || to.size !== 4)
      return sum;
    const address = this.#imageOffset({ kind: "constant", key: "", value: displacement, origin: undefined });
    return address === undefined ? either(constant(displacement >>> 0, displacementAt), sum) : sum;
  }

  #address(state: MachineState, at: Memory): Value {
    if (at.base === undefined && at.index === undefined) {
      return at.address === undefined ? constant(at.displacement) : imageAddress(at.address);
    }
    const memory = this.withoutIndex(state, at);
    if (memory.base === undefined && memory.index === undefined)
      return constant(this.#wrap(memory.displacement));
    if (memory.base === undefined) return UNKNOWN;
    if (memory.index !== undefined) {
      const [base, index] = [memory.base, memory.index].map((one) => state.registers[one] ?? UNKNOWN);
      if (base === undefined || index === undefined) return UNKNOWN;
      return memory.scale === 1 ? sumOfOneKnown(base, index) : movedFrom(base, index);
    }
    if (memory.base === this.#abi.stackPointer) return stackAddress(state.sp + memory.displacement);
    const [only, ...others] = state.registers[memory.base] ?? UNKNOWN;
    if (only === undefined || others.length > 0) return movedUnknown(memory.displacement);
    if (only.kind === "stack") return stackAddress(only.offset + memory.displacement);
    if (only.kind === "address") return imageAddress(only.rva + memory.displacement);
    if (only.kind === "constant") return constant(this.#wrap(only.value + memory.displacement));
    return movedBy(only, memory.displacement);
  }

  #imageOffset(atom: Atom): number | undefined {
    if (atom.kind === "address") return atom.rva;
    const rva = atom.kind === "constant" ? this.#code.placeOfNumber(atom.value) : undefined;
    return rva === 0 ? undefined : rva;
  }

  /** A register that a function must keep, with what its caller had in it: the push saves it, and is no argument. */
  #isSaved(value: Value): boolean {
    const [only, ...others] = value;
    return others.length === 0 && only?.kind === "register" && this.#abi.preserved.has(only.register);
  }
}

const COPIES_STRING = /^(?:rep )?movs[bwdq]$/;
const ZEROES = /^v?(?:xorp[sd]|pxor[dq]?)$/;

/** What a sum is known to be. */
const KNOWN: ReadonlySet<Atom["kind"]> = new Set(["constant", "stack", "address"]);
