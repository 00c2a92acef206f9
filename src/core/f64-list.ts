/** Numbers in a row that grows: file offsets, which have more than 32 bits. */
export class F64List {
  #items = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = value;
  }

  at(index: number): number {
    return this.#items[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  /** The numbers themselves, as long as none is added. */
  get items(): Float64Array {
    return this.#items.subarray(0, this.#length);
  }
}
