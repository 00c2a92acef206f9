import { either, UNKNOWN, type Value } from "./abstract-value.ts";

/** Whether an instruction copies a vector register, or its lowest bytes, as they are. */
export function copiesVector(mnemonic: string): boolean {
  return COPIES.test(mnemonic);
}

/** Whether an instruction writes a vector register to memory, or a half of it, as it is. */
export function storesVector(mnemonic: string): boolean {
  return copiesVector(mnemonic) || storesUpper(mnemonic);
}

/** Whether an instruction writes the upper eight bytes of a vector register to memory. */
export function storesUpper(mnemonic: string): boolean {
  return /^v?movhp[sd]$/.test(mnemonic);
}

const COPIES = /^v?(?:mov(?:[au]p[sd]|dq[au]|dq[au](?:8|16|32|64)|q|d|s[sd]|lp[sd]|nt(?:ps|pd|dq))|lddqu)$/;
/** Instructions that put the lower eight bytes of two operands behind each other. */
const JOINS = /^v?(?:punpcklqdq|unpcklpd|movlhps|movhp[sd])$/;
/** Instructions that put the words of their operands in another order, or leave some out. */
const MIXES = /^v?(?:p?shuf\w+|p?unpck\w+|perm\w+|palignr|ps[lr]ldq|pinsr\w+|insertps|movhlps|p?blend\w+)$/;

/**
 * The words of a vector register behind an instruction that makes them of those of two operands, from the lowest on;
 * `undefined` where it makes something else of them. Where their order is not followed each may be any.
 *
 * @param order the immediate, which tells the order
 */
export function mixedWords(
  mnemonic: string,
  first: readonly Value[] | undefined,
  second: readonly Value[] | undefined,
  order: number,
  word: number,
): readonly Value[] | undefined {
  if (first === undefined && second === undefined) return undefined;
  if (JOINS.test(mnemonic)) {
    const half = Array.from({ length: 8 / word }, (_, i) => i);
    return [first, second].flatMap((words) => half.map((i) => words?.[i] ?? UNKNOWN));
  }
  if (!MIXES.test(mnemonic)) return undefined;
  const chosen = chosenWords(mnemonic, order, word);
  if (chosen !== undefined) return chosen.map(([of, i]) => (of === 0 ? first : second)?.[i] ?? UNKNOWN);
  const [any = UNKNOWN, ...others] = [...(first ?? []), ...(second ?? [])];
  return Array.from({ length: 16 / word }, () => others.reduce(either, any));
}

/** Of which operand, and which of its words, each word is; `undefined` where that is not followed. */
function chosenWords(
  mnemonic: string,
  order: number,
  word: number,
): readonly (readonly [of: 0 | 1, index: number])[] | undefined {
  const plain = mnemonic.replace(/^v/, "");
  const quads = word === 8;
  if (plain === "shufpd" && quads)
    return [
      [0, order & 1],
      [1, (order >> 1) & 1],
    ];
  if (plain !== "pshufd" && plain !== "shufps") return undefined;
  const doubles = [0, 2, 4, 6].map((shift, i) => {
    const of = plain === "pshufd" || i > 1 ? 1 : 0;
    return [of, (order >> shift) & 3] as const;
  });
  if (!quads) return doubles;
  const pairs = [doubles.slice(0, 2), doubles.slice(2)].map(([low, high]) =>
    low !== undefined && high !== undefined && low[1] % 2 === 0 && high[1] === low[1] + 1
      ? ([low[0], low[1] / 2] as const)
      : undefined,
  );
  return pairs.every((pair) => pair !== undefined) ? pairs : undefined;
}
