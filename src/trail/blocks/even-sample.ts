/** Keeps some of many things, evenly from all that were seen, without knowing how many will come. */
export class EvenSample<T> {
  readonly #most: number;
  #items: T[] = [];
  #every = 1;
  #seen = 0;

  /** @param most that are kept; at least half as many are where so many come */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param make called only for what is kept */
  offer(make: () => T): void {
    if (this.#seen++ % this.#every !== 0) return;
    if (this.#items.length === this.#most) {
      this.#items = this.#items.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
      if ((this.#seen - 1) % this.#every !== 0) return;
    }
    this.#items.push(make());
  }

  get items(): readonly T[] {
    return this.#items;
  }
}
