import { MAX_HANDLE_TARGETS } from "../core/limits.ts";

/** The slots of an empty set; they double as it fills. */
const FIRST_SLOTS = 1024;
const MOST_SLOTS = 2 * MAX_HANDLE_TARGETS;
/** Places that share a slot: chance makes some ten of them, a made dump as many as it likes. */
const MOST_PROBES = 256;

/**
 * A set of places with a number for each, and who saw each last: 14 bytes for each slot, and no
 * object for each place. Room for the largest set is there from the start, of which a process holds only what is written
 * to; so a set that grows leaves no smaller ones behind.
 */
export class TargetSet {
  /** No more places were taken in: what was told after that counts as not known. */
  full = false;
  size = 0;
  readonly #places = new Float64Array(MOST_SLOTS);
  readonly #kinds = new Uint16Array(MOST_SLOTS);
  readonly #seenBy = new Uint32Array(MOST_SLOTS);
  /** Those in use, from the first. */
  #slots = FIRST_SLOTS;

  /**
   * The slot of a place, which is valid until the next one is asked for.
   *
   * @param place not 0
   * @returns -1 for a place that was not there and found no room
   */
  slotOf(place: number): number {
    const found = this.#probe(place);
    if (found >= 0 && this.#places[found] === place) return found;
    if (found < 0 || this.size >= MAX_HANDLE_TARGETS) {
      this.full = true;
      return -1;
    }
    this.size++;
    this.#places[found] = place;
    if (this.size * 2 <= this.#slots) return found;
    this.#grow();
    return this.#probe(place);
  }

  /** The number of the place in a slot; 0: none was given. */
  kindOf(slot: number): number {
    return this.#kinds[slot] ?? 0;
  }

  /** @param kind 1 to 65,535 */
  setKind(slot: number, kind: number): void {
    this.#kinds[slot] = kind;
  }

  /** Whether `who` sees the place in a slot for the first time since another one did. */
  isNewTo(slot: number, who: number): boolean {
    if (this.#seenBy[slot] === who) return false;
    this.#seenBy[slot] = who;
    return true;
  }

  /** Shows all places with their numbers. */
  each(visit: (place: number, kind: number) => void): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      const place = this.#places[slot] ?? 0;
      if (place !== 0) visit(place, this.#kinds[slot] ?? 0);
    }
  }

  /** Where a place stands or can; -1 where neither is near. */
  #probe(place: number): number {
    const mask = this.#slots - 1;
    // objects are 16 bytes apart at least
    const first = Math.imul((place / 16) | 0, 0x9e37_79b1) >>> 7;
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const slot = (first + probe) & mask;
      const there = this.#places[slot];
      if (there === place || there === 0) return slot;
    }
    return -1;
  }

  /**
   * Doubles the slots in use. Going up, a place finds its new slot in the upper half, or at or below its old one: only
   * those that reach round the end of the table, into its start, have to wait.
   */
  #grow(): void {
    const old = this.#slots;
    this.#slots *= 2;
    const waiting: Target[] = [];
    let slot = 0;
    for (let target = this.#take(slot); target !== undefined; target = this.#take(++slot))
      waiting.push(target);
    for (; slot < old; slot++) {
      const target = this.#take(slot);
      if (target !== undefined) this.#put(target);
    }
    for (const target of waiting) this.#put(target);
  }

  #take(slot: number): Target | undefined {
    const place = this.#places[slot] ?? 0;
    if (place === 0) return undefined;
    this.#places[slot] = 0;
    const target = { place, kind: this.#kinds[slot] ?? 0, seenBy: this.#seenBy[slot] ?? 0 };
    this.#kinds[slot] = 0;
    this.#seenBy[slot] = 0;
    return target;
  }

  #put({ place, kind, seenBy }: Target): void {
    const slot = this.#probe(place);
    if (slot < 0) {
      this.size--;
      this.full = true;
      return;
    }
    this.#places[slot] = place;
    this.#kinds[slot] = kind;
    this.#seenBy[slot] = seenBy;
  }
}

interface Target {
  readonly place: number;
  readonly kind: number;
  readonly seenBy: number;
}
