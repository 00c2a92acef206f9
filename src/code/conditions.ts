import { type Instruction, isBorrow } from "../isa/instruction.ts";
import {
  type Atom,
  constant,
  fewNumbers,
  knownNumber,
  numberOf,
  sumOf,
  type Value,
} from "./abstract-value.ts";
import type { Bound, Facts } from "./facts.ts";

/** What the processor's flags were last set by: a comparison of two values, or a test of their common bits. */
export interface Comparison {
  readonly kind: "cmp" | "test";
  readonly left: Value;
  readonly right: Value;
  /** Bytes that are compared. */
  readonly size: number;
  /** A test of what is negated. */
  readonly negated?: true;
}

/** Which flags a conditional instruction asks for, and whether it wants them the other way round. */
interface Asked {
  readonly base: "e" | "l" | "le" | "b" | "be" | "s";
  readonly negated: boolean;
}

const ASKED: Readonly<Record<string, Asked>> = {
  e: { base: "e", negated: false },
  ne: { base: "e", negated: true },
  l: { base: "l", negated: false },
  ge: { base: "l", negated: true },
  le: { base: "le", negated: false },
  g: { base: "le", negated: true },
  b: { base: "b", negated: false },
  ae: { base: "b", negated: true },
  be: { base: "be", negated: false },
  a: { base: "be", negated: true },
  s: { base: "s", negated: false },
  ns: { base: "s", negated: true },
};

/**
 * The condition of `jcc`, `setcc` and `cmovcc`, and of `sbb` of a register with itself, which is -1 where there was a
 * carry, and else 0; `undefined` for one that no compiler asks for values with.
 */
export function conditionOf(instruction: Instruction, flags: Comparison | undefined): string | undefined {
  const isNegated = flags?.negated === true;
  if (isBorrow(instruction)) return isNegated ? "ne" : flags?.kind === "cmp" ? "b" : undefined;
  const condition = CONDITIONS.get(instruction.mnemonic);
  // what is negated leaves a carry unless it is 0
  if (isNegated && condition !== undefined) return OF_NEGATED[condition];
  return condition;
}

const OF_NEGATED: Readonly<Record<string, string>> = { e: "e", ne: "ne", b: "ne", ae: "e" };

const CONDITIONS: ReadonlyMap<string, string> = new Map(
  Object.keys(ASKED).flatMap((asked) => ["j", "set", "cmov"].map((form) => [form + asked, asked])),
);

/** Whether a condition holds on this way; `undefined` where that is open. */
export function decide(condition: string, comparison: Comparison, facts: Facts): boolean | undefined {
  const asked = ASKED[condition];
  if (asked === undefined) return undefined;
  const left = numberIn(comparison.left, facts);
  const right = numberIn(comparison.right, facts);
  if (left !== undefined && right !== undefined)
    return computed(asked.base, comparison, left, right) !== asked.negated;
  const question = questionOf(asked, comparison);
  const known = question === undefined ? undefined : facts.get(question.key);
  if (typeof known === "boolean") return known !== question?.negated;
  const implied = question?.bound === undefined ? undefined : facts.implied(question.bound);
  if (implied !== undefined) return implied !== question?.negated;
  const some = left === undefined ? stillPossible(comparison.left, comparison.size, facts) : [left];
  const others = right === undefined ? stillPossible(comparison.right, comparison.size, facts) : [right];
  const answers = (some ?? []).flatMap((a) =>
    (others ?? []).map((b) => computed(asked.base, comparison, a, b) !== asked.negated),
  );
  return answers.every((answer) => answer === answers[0]) ? answers[0] : undefined;
}

/** The few numbers that a value may be, but for those that it was found not to be. */
function stillPossible(value: Value, size: number, facts: Facts): readonly number[] | undefined {
  const [only] = value;
  const all = fewNumbers(value);
  const open = all?.filter((number) => facts.get(`${only?.key}|${extended(number, size)}|e`) !== false);
  return open?.length === 0 ? all : open;
}

/**
 * Whether a condition holds on a way that came out of a loop: a counter that goes up one by one, and is not below a limit
 * any more, is at the limit. `undefined` where it does not ask that.
 */
export function decideAtLoopEnd(
  condition: string,
  { kind, left, right, size }: Comparison,
  facts: Facts,
): boolean | undefined {
  const asked = ASKED[condition];
  const [counter, ...others] = left;
  const number = knownNumber(right);
  if (asked?.base !== "e" || kind !== "cmp" || counter === undefined || number === undefined)
    return undefined;
  if (counter.kind !== "unknown" || counter.computed === undefined || others.length > 0) return undefined;
  const limit = extended(number, size);
  const isOver =
    facts.get(`${counter.key}|${limit}|b`) === false || facts.get(`${counter.key}|${limit}|l`) === false;
  return isOver ? !asked.negated : undefined;
}

/** The facts of the way on which the condition came out as `holds`. */
export function learn(condition: string, comparison: Comparison, holds: boolean, facts: Facts): Facts {
  const asked = ASKED[condition];
  const question = asked === undefined ? undefined : questionOf(asked, comparison);
  if (question === undefined) return facts;
  const { key, negated, equals } = question;
  const isSo = holds !== negated;
  const more = facts.with(key, isSo);
  return isSo && equals !== undefined ? more.with(equals.key, equals.number) : more;
}

/** Whether a value is only asked whether it is zero, or negative. */
function isSelfTest({ kind, left, right }: Comparison): boolean {
  const [a, ...others] = left;
  const [b, ...more] = right;
  return kind === "test" && others.length + more.length === 0 && a !== undefined && a.key === b?.key;
}

/** Whether a value is compared with zero, by whichever instruction. */
export function isAgainstZero(comparison: Comparison): boolean {
  return isSelfTest(comparison) || (comparison.kind === "cmp" && knownNumber(comparison.right) === 0);
}

/** How a condition comes out for a value that is known to be this number. */
export function holdsFor(condition: string, comparison: Comparison, number: number): boolean | undefined {
  const asked = ASKED[condition];
  const right = isSelfTest(comparison) ? number : knownNumber(comparison.right);
  if (asked === undefined || right === undefined) return undefined;
  return computed(asked.base, comparison, number, right) !== asked.negated;
}

/**
 * The comparison with the number in the place of what is known to be one, on the right, where a comparison with what may
 * be any number has it; what is equal to a number is so either way round.
 */
export function withKnown(condition: string, comparison: Comparison, facts: Facts): Comparison {
  const { left, right } = comparison;
  const isEquality = ASKED[condition]?.base === "e";
  if (isEquality && isSelfTest(comparison)) return withoutSum(comparison, 0);
  if (comparison.kind !== "cmp") return comparison;
  const of = numberIn(right, facts);
  if (of !== undefined) {
    if (isEquality) return withoutSum(comparison, of);
    return knownNumber(right) === of ? comparison : { ...comparison, right: constant(of) };
  }
  const number = isEquality ? numberIn(left, facts) : undefined;
  return number === undefined ? comparison : withoutSum({ ...comparison, left: right }, number);
}

/** Compares what a number was added to, and not the sum, with the number that is meant then. */
function withoutSum(comparison: Comparison, number: number): Comparison {
  const { kind, left, right, size } = comparison;
  const [only, ...others] = left;
  const sum = only === undefined || others.length > 0 ? undefined : sumOf(only);
  if (sum === undefined) {
    const isThere = kind === "test" || knownNumber(right) === number;
    return isThere ? comparison : { ...comparison, right: constant(number) };
  }
  const meant = number - sum.added;
  return { kind: "cmp", left: [sum.of], right: constant(size === 4 ? meant | 0 : meant), size };
}

/** Whether the condition holds, or does not, for equal values only. */
export function meansEqual(condition: string, { kind }: Comparison, holds: boolean): boolean {
  const asked = ASKED[condition];
  return kind === "cmp" && asked?.base === "e" && holds !== asked.negated;
}

/** The one number that a value is known to be on a way. */
export function numberIn(value: Value, facts: Facts): number | undefined {
  const number = knownNumber(value);
  if (number !== undefined) return number;
  const [only, ...others] = value;
  if (only === undefined || others.length > 0) return undefined;
  const known = facts.get(only.key);
  if (typeof known === "number") return known;
  const sum = sumOf(only);
  const before = sum === undefined ? undefined : facts.get(sum.of.key);
  return sum === undefined || typeof before !== "number" ? undefined : before + sum.added;
}

function computed(base: Asked["base"], { kind, size }: Comparison, left: number, right: number): boolean {
  const bits = Math.min(8 * size, 32);
  const unsigned = (value: number): number => (bits === 32 ? value >>> 0 : value & (2 ** bits - 1));
  if (kind === "test") {
    const both = unsigned(left & right);
    if (base === "e") return both === 0;
    if (base === "b") return false;
    if (base === "be") return both === 0;
    const negative = signed(both, size) < 0;
    return base === "le" ? negative || both === 0 : negative;
  }
  switch (base) {
    case "e":
      return unsigned(left) === unsigned(right);
    case "b":
      return unsigned(left) < unsigned(right);
    case "be":
      return unsigned(left) <= unsigned(right);
    case "le":
      return signed(left, size) <= signed(right, size);
    default:
      return signed(left, size) < signed(right, size);
  }
}

/** A number of so many bytes with its sign. */
function extended(number: number, size: number): number {
  return size > 4 ? number : signed(number, size);
}

/** The lowest bytes of a number, four at most, with their sign. */
function signed(value: number, size: number): number {
  const above = 32 - Math.min(8 * size, 32);
  return (value << above) >> above;
}

/** What a condition asks of two values, however the code puts it. */
interface Question {
  /** Equal where the answers are. */
  readonly key: string;
  /** The condition holds where the answer is no. */
  readonly negated: boolean;
  /** The number that a value is where the answer is yes. */
  readonly equals: { readonly key: string; readonly number: number } | undefined;
  /** It compares a value with a number. */
  readonly bound?: Bound;
}

/** `undefined` where nobody knows what is compared. */
function questionOf(asked: Asked, comparison: Comparison): Question | undefined {
  const { kind } = comparison;
  const [left, ...more] = comparison.left;
  const [right, ...others] = comparison.right;
  if (left === undefined || right === undefined || more.length + others.length > 0) return undefined;
  if (isNobodys(left) || isNobodys(right)) return undefined;
  if (isAgainstZero(comparison)) return ofNumber(asked, left.key, 0, comparison.size);
  if (kind === "test" || asked.base === "s")
    return {
      key: `${left.key}|${kind}|${right.key}|${asked.base}`,
      negated: asked.negated,
      equals: undefined,
    };
  const number = numberOf(right);
  if (number !== undefined) return ofNumber(asked, left.key, number, comparison.size);
  const other = numberOf(left);
  if (other !== undefined) return ofNumber(turned(asked), right.key, other, comparison.size);
  const isTurned = asked.base === "e" ? left.key > right.key : asked.base !== "b" && asked.base !== "l";
  const { base, negated } = isTurned ? turned(asked) : asked;
  const [first, second] = isTurned ? [right, left] : [left, right];
  return { key: `${first.key}|cmp|${second.key}|${base}`, negated, equals: undefined };
}

/** The same asked of the two values the other way round. */
function turned({ base, negated }: Asked): Asked {
  const other = TURNED[base];
  return other === undefined ? { base, negated } : { base: other, negated: !negated };
}

const TURNED: Readonly<Partial<Record<Asked["base"], Asked["base"]>>> = {
  b: "be",
  be: "b",
  l: "le",
  le: "l",
};

/** "At most" asks for less than one more, "below 1" for 0, and "negative" for less than 0. */
function ofNumber({ base, negated }: Asked, key: string, number: number, size: number): Question {
  const bound = (of: Bound["base"], limit: number): Question => ({
    key: `${key}|${limit}|${of}`,
    negated,
    equals: of === "e" ? { key, number } : undefined,
    bound: { of: key, base: of, number: limit },
  });
  if (base === "e") return bound("e", extended(number, size));
  const limit = extended(number, size) + (base === "be" || base === "le" ? 1 : 0);
  if (base === "b" || base === "be") {
    // nothing is above the highest of all numbers, which is -1 here
    if (limit === 0 && base === "be") return { key: `${key}|-1|be`, negated, equals: undefined };
    return limit === 1 ? ofNumber({ base: "e", negated }, key, 0, size) : bound("b", limit);
  }
  return bound("l", limit);
}

function isNobodys(atom: Atom): boolean {
  return atom.kind === "unknown" && atom.computed === undefined;
}
