import { constant, fewNumbers, oneOf, onlyNumber, type Value } from "./abstract-value.ts";

/** More numbers than a value may be are any. */
const MOST = 4;

const RESULTS: Readonly<Record<string, (number: number, by: number) => number>> = {
  add: (number, by) => number + by,
  sub: (number, by) => number - by,
  or: (number, by) => (number | by) >>> 0,
  and: (number, by) => (number & by) >>> 0,
  xor: (number, by) => (number ^ by) >>> 0,
  shl: (number, by) => (number << by) >>> 0,
  shr: (number, by) => number >>> by,
};

/**
 * What an operation with a number gives of something that is one of a few numbers, or that it makes one of a few: some of
 * its bits, or its sign. `undefined` where it may be any.
 *
 * @param size of the operands, in bytes
 */
export function fewResults(mnemonic: string, value: Value, by: number, size: number): Value | undefined {
  const numbers = fewNumbers(value);
  const [only] = value;
  const result = RESULTS[mnemonic];
  if (numbers !== undefined && result !== undefined) {
    // what is added to something that has a name is told apart by that name
    const isNamed = only?.kind === "unknown" && only.computed !== undefined;
    if (onlyNumber(value) !== undefined || (isNamed && (mnemonic === "add" || mnemonic === "sub")))
      return undefined;
    return either([...new Set(numbers.map((number) => result(number, by)))]);
  }
  if (mnemonic === "and") return either(partsOf(by >>> 0));
  return mnemonic === "shr" && by === 8 * size - 1 ? oneOf([0, 1]) : undefined;
}

function either(numbers: readonly number[]): Value | undefined {
  const [first, ...others] = numbers;
  if (first === undefined || numbers.length > MOST) return undefined;
  return others.length === 0 ? constant(first) : oneOf(numbers);
}

/** All numbers of which no bit is set that is clear in a mask of one or two; none of other masks. */
function partsOf(mask: number): readonly number[] {
  const low = (mask & -mask) >>> 0;
  const high = (mask ^ low) >>> 0;
  if (low === 0 || (high & (high - 1)) !== 0) return [];
  return high === 0 ? [0, low] : [0, low, high, mask];
}
