import type { Instruction } from "../isa/instruction.ts";
import { type Atom, type MachineState, UNKNOWN } from "./abstract-value.ts";
import type { Transfer } from "./transfer.ts";

/** Pointers that a local array is taken to have at most. */
const MOST_ELEMENTS = 64;

/** Arrays of pointers in a function's frame: what stands in one of them is found again by its index, which nobody may know. */
export class LocalArrays {
  readonly #transfer: Transfer;
  readonly #pointerSize: number;
  /** Where they start, from the return address's place on. */
  readonly #starts = new Set<number>();
  /** Instructions that read from them. */
  readonly #reads = new Set<number>();

  constructor(transfer: Transfer, pointerSize: number) {
    this.#transfer = transfer;
    this.#pointerSize = pointerSize;
  }

  /** Finds out what an instruction takes by its index, or steps over, in a state. */
  see(state: MachineState, { start, mnemonic, operands }: Instruction): void {
    for (const operand of operands) {
      if (operand.kind !== "memory" || operand.index === undefined) continue;
      const isPointer = operand.size === this.#pointerSize || operand.size === 0;
      if (!isPointer || operand.scale !== this.#pointerSize) continue;
      const from = this.#transfer.stackOffsetOf(state, { ...operand, index: undefined });
      this.#add(from);
      if (from !== undefined) this.#reads.add(start);
    }
    const [to, by] = operands;
    if (mnemonic !== "add" || to?.kind !== "register" || by?.kind !== "immediate") return;
    const [only, ...others] = state.registers[to.register] ?? UNKNOWN;
    if (by.value === this.#pointerSize && only?.kind === "stack" && others.length === 0)
      this.#add(only.offset);
  }

  #add(start: number | undefined): void {
    if (start !== undefined) this.#starts.add(start);
  }

  /** Whether a value was read from one of them, nobody knows from where in it. */
  isElement(atom: Atom): boolean {
    return atom.kind === "unknown" && atom.computed !== undefined && this.#reads.has(atom.computed.at);
  }

  /** Whether a place in the frame may be in one that was seen. */
  hold(place: number): boolean {
    return [...this.#starts].some(
      (start) => start <= place && place < start + MOST_ELEMENTS * this.#pointerSize,
    );
  }
}
