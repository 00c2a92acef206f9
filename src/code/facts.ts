import { COMPUTED } from "./abstract-value.ts";

/** What a way through a function has found out by its branches: comparisons by what they compared, and how they came out. */
export class Facts {
  static readonly none: Facts = new Facts(new Map(), "");
  /** Equal for those that found out the same in the same order. */
  readonly text: string;
  readonly #known: ReadonlyMap<string, boolean | number>;

  private constructor(known: ReadonlyMap<string, boolean | number>, text: string) {
    this.#known = known;
    this.text = text;
  }

  get(key: string): boolean | number | undefined {
    return this.#known.get(key);
  }

  /** Keys of what is known to be 0. */
  zeros(): readonly string[] {
    return [...this.#known].filter(([, value]) => value === 0).map(([key]) => key);
  }

  /** What other comparisons of a value say of this one: what is 129 or more is not below 8. */
  implied({ of, base, number }: Bound): boolean | undefined {
    const start = `${of}|`;
    for (const [fact, isSo] of this.#known) {
      if (typeof isSo !== "boolean" || !fact.startsWith(start) || fact.at(-2) !== "|") continue;
      const limit = Number(fact.slice(start.length, -2));
      if (!Number.isInteger(limit)) continue;
      const answer = boundBy(fact.at(-1), limit, isSo, base, number);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  with(key: string, value: boolean | number): Facts {
    const before = this.#known.get(key);
    if (before === value) return this;
    const known = new Map(this.#known).set(key, value);
    return new Facts(known, before === undefined ? this.text + textOf(key, value) : textOfAll(known));
  }

  /** Facts about computed values that are nowhere any more tell nothing. */
  about(live: ReadonlySet<string>): Facts {
    if (!this.text.includes(COMPUTED)) return this;
    const kept = [...this.#known].filter(([key]) => [...computedIn(key)].every((name) => live.has(name)));
    if (kept.length === this.#known.size) return this;
    const known = new Map(kept);
    return new Facts(known, textOfAll(known));
  }

  /** Facts about a place that is written to hold no longer. */
  without(place: string): Facts {
    if (!this.text.includes(place)) return this;
    for (const first of this.#known.keys()) {
      if (!isAbout(first, place)) continue;
      const kept = new Map([...this.#known].filter(([key]) => !isAbout(key, place)));
      return new Facts(kept, textOfAll(kept));
    }
    return this;
  }
}

/** Whether a value is below a number, with a sign (`l`) or without (`b`), or equal to it. */
export interface Bound {
  readonly of: string;
  readonly base: "b" | "l" | "e";
  readonly number: number;
}

/** The answer for a value that is below a limit, or is not. Numbers without a sign that have the highest bit set are left out. */
function boundBy(
  kind: string | undefined,
  limit: number,
  isBelow: boolean,
  base: Bound["base"],
  number: number,
): boolean | undefined {
  const isUnsigned = kind === "b" && limit >= 0;
  if (!isUnsigned && kind !== "l") return undefined;
  if (base === "e") {
    const isOutside = isBelow ? number >= limit : number < limit;
    if (number < 0 && isUnsigned) return isBelow ? false : undefined;
    return isOutside ? false : undefined;
  }
  if (base === kind) {
    if (isUnsigned && number < 0) return undefined;
    const says = isBelow ? limit <= number : limit >= number;
    return says ? isBelow : undefined;
  }
  // what is below a limit without a sign is not negative, and what is not below 0 is the same either way
  if (isUnsigned && isBelow) return number >= limit ? true : number <= 0 ? false : undefined;
  return kind === "l" && !isBelow && limit >= number && number >= 0 ? false : undefined;
}

/** Whether one of the keys that a fact's is made of is a place's, or of what stands behind it. */
function isAbout(key: string, place: string): boolean {
  for (let at = 0; ; ) {
    const next = key.charCodeAt(at + place.length);
    if (key.startsWith(place, at) && !(next >= 0x30 && next <= 0x39)) return true;
    const bar = key.indexOf("|", at);
    if (bar === -1) return false;
    at = bar + 1;
  }
}

/** The computed values that a fact is about, by their keys. */
function* computedIn(key: string): Generator<string> {
  for (let at = key.indexOf(COMPUTED); at !== -1; at = key.indexOf(COMPUTED, at + 1))
    yield key.slice(at, key.indexOf(";", at) + 1);
}

function textOf(key: string, value: boolean | number): string {
  return `;${key},${value}`;
}

function textOfAll(known: ReadonlyMap<string, boolean | number>): string {
  return [...known].map(([key, value]) => textOf(key, value)).join("");
}
