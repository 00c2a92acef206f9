import { type Instruction, isBorrow, type Operand } from "../isa/instruction.ts";
import {
  constant,
  either,
  fewNumbers,
  imageAddress,
  movedBy,
  movedFrom,
  oneOf,
  onlyNumber,
  partOf,
  stackAddress,
  UNKNOWN,
  type Value,
} from "./abstract-value.ts";
import { tagged } from "./tagged-pointers.ts";

/** Whether anything may be known of what an instruction computes. */
export function computes(mnemonic: string): boolean {
  return COMPUTES.has(mnemonic) || mnemonic.startsWith("set");
}

const COMPUTES: ReadonlySet<string> = new Set("add sub and or xor inc dec neg not shl shr sbb".split(" "));

/**
 * What an instruction makes of its operands' values; `undefined` where nobody knows.
 *
 * @param word of a pointer, in bytes
 */
export function resultOf(instruction: Instruction, a: Value, b: Value, word: 4 | 8): Value | undefined {
  const { mnemonic, operands } = instruction;
  const [to, from] = operands;
  if (to?.kind !== "register" && to?.kind !== "memory") return undefined;
  if (to.kind === "register" && from?.kind === "register" && to.register === from.register) {
    if (mnemonic === "xor" || mnemonic === "sub") return constant(0);
    if (isBorrow(instruction)) return either(sizedNumber(to, 0), sizedNumber(to, -1));
  }
  if (mnemonic.startsWith("set")) return to.kind === "register" ? oneOf([0, 1]) : undefined;
  if (mnemonic === "inc" || mnemonic === "dec") return folded("add", a, mnemonic === "inc" ? 1 : -1, word);
  if (mnemonic === "neg" || mnemonic === "not") {
    const number = onlyNumber(a);
    if (number === undefined || to.kind !== "register") return undefined;
    return sizedNumber(to, mnemonic === "neg" ? -number : ~number);
  }
  const by = from === undefined ? undefined : onlyNumber(b);
  const result = by === undefined ? undefined : withNumber(mnemonic, a, by, to, word);
  if (by !== undefined && result !== undefined) {
    const whole = instruction.immediateSize >= 4 ? instruction.immediateAt : undefined;
    return withOrigin(inBytes(to, result), by, whole);
  }
  return mnemonic === "add" && to.kind === "register" && to.size === word ? sumOfOneKnown(a, b) : undefined;
}

/** A sum of two values of which at most one is known: a place in a block, by an offset. */
export function sumOfOneKnown(a: Value, b: Value): Value {
  const sum = movedFrom(a, b);
  return sum === UNKNOWN ? movedFrom(b, a) : sum;
}

/** A number in a register, of as many bytes as the operand takes. */
export function sizedNumber(register: Operand | undefined, number: number): Value {
  const size = register?.kind === "register" ? register.size : 4;
  return sized(constant(size === 8 ? number : number >>> 0), size);
}

/** What an operand of so many bytes takes of a value. */
export function sized(value: Value, size: number): Value {
  return size > 0 && size < 4 ? partOf(value, size) : value;
}

/** Where the result of adding or joining is one of its parts, that one's bytes are the result's. */
export function withOrigin(value: Value, part: number, origin: number | undefined): Value {
  const [only, ...others] = value;
  if (only?.kind !== "constant" || others.length > 0 || origin === undefined) return value;
  return only.origin === undefined && only.value >>> 0 === part >>> 0 && part >>> 24 !== 0
    ? constant(part >>> 0, origin)
    : value;
}

function withNumber(
  mnemonic: string,
  value: Value,
  by: number,
  { kind, size }: Operand & { readonly size: number },
  word: 4 | 8,
): Value | undefined {
  const pointer = size === word ? tagged(mnemonic, value, by, word) : undefined;
  const few = kind === "register" ? fewResults(mnemonic, value, by, size) : undefined;
  return pointer ?? few ?? folded(mnemonic, value, by, word);
}

/** The result of an operation with a number, for the operations that change a constant or move an address. */
export function folded(mnemonic: string, value: Value, by: number, word: 4 | 8): Value | undefined {
  const wrapped = (number: number): Value => constant(word === 8 ? number : number >>> 0);
  const delta = mnemonic === "add" ? by : mnemonic === "sub" ? -by : undefined;
  if (mnemonic === "or" && by === -1) return wrapped(-1);
  if (mnemonic === "and" && by === 0) return constant(0);
  const [only, ...others] = value;
  if (only === undefined || others.length > 0) return delta === undefined ? undefined : UNKNOWN;
  if (only.kind === "stack" && delta !== undefined) return stackAddress(only.offset + (delta | 0));
  // and esp, -16: by how much it moves nobody knows, and what is above does not matter any more
  if (only.kind === "stack" && mnemonic === "and") return value;
  if (only.kind === "address" && delta !== undefined) return imageAddress(only.rva + delta);
  if (delta !== undefined && only.kind !== "constant") return movedBy(only, delta | 0);
  if (only.kind !== "constant") return undefined;
  if (delta !== undefined) return wrapped(only.value + delta);
  const result = mnemonic === "shl" || mnemonic === "shr" ? undefined : RESULTS[mnemonic];
  return result === undefined ? undefined : constant(result(only.value, by), only.origin);
}

/** A result that may have been carried out of the operand's bytes. */
function inBytes(operand: Operand, value: Value): Value {
  const [only] = value;
  if (operand.kind !== "register" || operand.size !== 4 || only?.kind !== "constant") return value;
  const { value: number, origin } = only;
  return number === number >>> 0 || number === (number | 0) ? value : constant(number >>> 0, origin);
}

/** More numbers than a value may be are any. */
const MOST_NUMBERS = 4;

const RESULTS: Readonly<Record<string, (number: number, by: number) => number>> = {
  add: (number, by) => number + by,
  sub: (number, by) => number - by,
  or: (number, by) => (number | by) >>> 0,
  and: (number, by) => (number & by) >>> 0,
  xor: (number, by) => (number ^ by) >>> 0,
  shl: (number, by) => (number << by) >>> 0,
  shr: (number, by) => number >>> by,
};

/** What is one of a few numbers, and what an operation makes one of a few: some bits of something, or its sign. */
function fewResults(mnemonic: string, value: Value, by: number, size: number): Value | undefined {
  const numbers = fewNumbers(value);
  const [only] = value;
  const result = RESULTS[mnemonic];
  if (numbers !== undefined && result !== undefined) {
    // what is added to something that has a name is told apart by that name
    const isNamed = only?.kind === "unknown" && only.computed !== undefined;
    if (onlyNumber(value) !== undefined || (isNamed && (mnemonic === "add" || mnemonic === "sub")))
      return undefined;
    return anyOf([...new Set(numbers.map((number) => result(number, by)))]);
  }
  if (mnemonic === "and") return anyOf(partsOf(by >>> 0));
  return mnemonic === "shr" && by === 8 * size - 1 ? oneOf([0, 1]) : undefined;
}

function anyOf(numbers: readonly number[]): Value | undefined {
  const [first, ...others] = numbers;
  if (first === undefined || numbers.length > MOST_NUMBERS) return undefined;
  return others.length === 0 ? constant(first) : oneOf(numbers);
}

/** All numbers of which no bit is set that is clear in a mask of one or two; none of other masks. */
function partsOf(mask: number): readonly number[] {
  const low = (mask & -mask) >>> 0;
  const high = (mask ^ low) >>> 0;
  if (low === 0 || (high & (high - 1)) !== 0) return [];
  return high === 0 ? [0, low] : [0, low, high, mask];
}
