/** Where an argument stands on the stack or in a register, when its function is called. */
export type ArgumentPlace =
  | { readonly kind: "register"; readonly register: number }
  /** Bytes above the stack pointer as it is right before the call. */
  | { readonly kind: "stack"; readonly offset: number };

/** A machine's calling convention, as Windows kernels have it. Registers are told by their number in the encoding. */
export interface Abi {
  /** In bytes; arguments on the stack take as much, or a multiple of it. */
  readonly pointerSize: 4 | 8;
  /** Registers that may carry arguments, from the first on. */
  readonly argumentRegisters: readonly number[];
  /** Whether a function of that name takes its first arguments in those registers, and not on the stack. */
  takesRegisters(name: string | undefined): boolean;
  /** Bytes on the stack that belong to the callee, below the first argument that is passed there. */
  readonly homeBytes: number;
  /** Arguments are pushed for each call, and the callee takes them off the stack. */
  readonly calleePops: boolean;
  /** The register that a result is returned in. */
  readonly result: number;
  /** … and the second word of a structure of two, where the convention has that. */
  readonly second: number | undefined;
  readonly stackPointer: number;
  readonly framePointer: number;
  /** Registers that a callee keeps for its caller, but for the stack pointer. */
  readonly preserved: ReadonlySet<number>;
  /** Registers that a callee may change. */
  readonly volatile: readonly number[];
}

/**
 * Where an argument stands.
 *
 * @param argument counted from 1, in pointer-sized places; of what compilers give functions that nobody else calls in
 *   registers, though the convention has none for that (GCC's eax, edx and ecx), the register's number in `volatile`, negated
 * @param name of the function that is called, as images export it
 */
export function argumentPlace(abi: Abi, argument: number, name?: string): ArgumentPlace {
  const registers = abi.takesRegisters(name) ? abi.argumentRegisters : [];
  const register = argument > 0 ? registers[argument - 1] : abi.volatile[-argument];
  if (register !== undefined) return { kind: "register", register };
  return { kind: "stack", offset: abi.homeBytes + (argument - 1 - registers.length) * abi.pointerSize };
}

/** The number of an argument by its place: `argumentPlace` the other way round. */
export function argumentNumber(abi: Abi, place: ArgumentPlace, name?: string): number {
  if (place.kind === "register") return abi.argumentRegisters.indexOf(place.register) + 1;
  const inRegisters = abi.takesRegisters(name) ? abi.argumentRegisters.length : 0;
  return inRegisters + 1 + (place.offset - abi.homeBytes) / abi.pointerSize;
}
