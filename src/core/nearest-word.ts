import { MAX_SPELLED } from "./limits.ts";

/** One wrong letter in so many is forgiven, and one in any word. */
const LETTERS_A_SLIP = 4;
/** So many letters of a longer word are enough to mean it. */
const LEAST_START = 3;

/** Behind a sentence that says what there is not. */
export function didYouMean(typed: string, words: Iterable<string>): string {
  const word = nearestWord(typed, words);
  return word === undefined ? "" : `; did you mean ${word}?`;
}

/**
 * The word that was most likely meant: one that differs in its case only, else by a few letters left out, doubled, wrong or
 * exchanged, else the shortest that starts so. `undefined` where none is near.
 */
function nearestWord(typed: string, words: Iterable<string>): string | undefined {
  if (typed.length > MAX_SPELLED) return undefined;
  const wanted = typed.toLowerCase();
  const most = Math.max(1, Math.floor(wanted.length / LETTERS_A_SLIP));
  let best: { readonly word: string; readonly slips: number } | undefined;
  let longer: string | undefined;
  for (const word of words) {
    if (word.length > MAX_SPELLED) continue;
    const known = word.toLowerCase();
    const slips = slipsBetween(wanted, known, Math.min(most, (best?.slips ?? most + 1) - 1));
    if (slips === 0) return word;
    if (slips !== undefined) best = { word, slips };
    const starts = wanted.length >= LEAST_START && known.startsWith(wanted);
    if (starts && (longer === undefined || word.length < longer.length)) longer = word;
  }
  return best?.word ?? longer;
}

/** Letters to add, leave out, change or exchange with the next; `undefined` where they are more than `most`. */
function slipsBetween(one: string, other: string, most: number): number | undefined {
  if (Math.abs(one.length - other.length) > most) return undefined;
  let [before, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      const cost = [at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1)];
      const exchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (exchanged) cost.push(at(before, j - 2) + 1);
      row.push(Math.min(...cost));
    }
    if (Math.min(...row) > most) return undefined;
    [before, last] = [last, row];
  }
  const slips = at(last, other.length);
  return slips <= most ? slips : undefined;
}

function at(row: readonly number[], j: number): number {
  return row[j] ?? Number.POSITIVE_INFINITY;
}
