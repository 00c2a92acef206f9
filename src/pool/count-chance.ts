import { upperBound } from "../core/search.ts";

/**
 * How likely it is that counts of tags that have nothing to do with each other come so near by chance. Counts of an
 * idle machine's tags lie evenly over their orders of magnitude, dense below and thin above; what is equal among the
 * many small ones says nothing, and what is equal among the few large ones much.
 */
export class CountChance {
  /** Ascending. */
  readonly #counts: readonly number[];

  /** @param counts of all tags, in any order */
  constructor(counts: readonly number[]) {
    this.#counts = [...counts].sort((a, b) => a - b);
  }

  /**
   * Tags to be met by chance within a part of a count: how far away, as a part of the count, and never taken for less
   * than `RESOLUTION`.
   *
   * @param partners tags near it that are thought to be there for a reason: they make the crowd no denser
   */
  expectedNear(count: number, partners: number): (apart: number) => number {
    const around = this.#between(count / AROUND, count * AROUND) - partners;
    const density = (Math.max(0, around) + 1) / (2 * Math.log(AROUND));
    return (apart) => density * 2 * (Math.max(apart, RESOLUTION) + 1 / count);
  }

  /** Its place among all counts, the largest first, from 1 on. */
  rank(count: number): number {
    return this.#counts.length - this.#below(count * (1 - TIE)) || 1;
  }

  #between(low: number, high: number): number {
    return this.#below(high) - this.#below(low);
  }

  #below(count: number): number {
    return upperBound(this.#counts.length, Math.ceil(count) - 1, (i) => this.#counts[i] ?? 0);
  }
}

/** How far around a count the crowd is looked at: a third of it to three times as much. */
const AROUND = 3;
/** Tags that come and go count in round numbers, and meet more often than points on a line. */
const RESOLUTION = 0.0015;
const TIE = 0.03;

/** The chance that at least `count` are met where `expected` are on average. */
export function chanceOf(count: number, expected: number): number {
  let term = Math.exp(-expected);
  let fewer = 0;
  for (let met = 0; met < count; met++) {
    fewer += term;
    term *= expected / (met + 1);
  }
  // the difference loses all digits where the chance is small; the first term is then nearly all of it
  return expected < 0.01 ? term : Math.max(0, 1 - fewer);
}
