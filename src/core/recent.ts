/** Keeps what was asked for last, up to a total weight; what came last stays, whatever it weighs. */
export class Recent<K, V> {
  readonly #limit: number;
  /** The longest unasked first. */
  readonly #items = new Map<K, { readonly value: V; readonly weight: number }>();
  #weight = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: K): V | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    this.#items.delete(key);
    this.#items.set(key, item);
    return item.value;
  }

  /** @returns what is not kept any more */
  add(key: K, value: V, weight: number): readonly (readonly [K, V])[] {
    const gone: (readonly [K, V])[] = [];
    this.#weight += weight;
    for (const [oldest, item] of this.#items) {
      if (this.#weight <= this.#limit) break;
      this.#items.delete(oldest);
      this.#weight -= item.weight;
      gone.push([oldest, item.value]);
    }
    this.#items.set(key, { value, weight });
    return gone;
  }
}
