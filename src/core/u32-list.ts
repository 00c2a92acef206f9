/** Numbers of 32 bits in a row that grows. */
export class U32List {
  #items = new Uint32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = value;
  }

  at(index: number): number {
    return this.#items[index] ?? 0;
  }

  /** A copy without the room to grow. */
  toArray(): Uint32Array {
    return this.#items.slice(0, this.#length);
  }
}
