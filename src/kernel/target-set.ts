import { MAX_HANDLE_TARGETS } from "../core/limits.ts";

/** The slots of an empty set; it doubles as it fills. */
const FIRST_SLOTS = 1024;
/** Places that share a slot: chance makes some ten of them, a made dump as many as it likes. */
const MOST_PROBES = 256;

/**
 * A set of places with a number for each, and who saw each last: 14 bytes for each slot, and no
 * object for each place.
 */
export class TargetSet {
  /** No more places were taken in: what was told after that counts as not known. */
  full = false;
  size = 0;
  #places = new Float64Array(FIRST_SLOTS);
  #kinds = new Uint16Array(FIRST_SLOTS);
  #seenBy = new Uint32Array(FIRST_SLOTS);

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
    if (this.size * 2 <= this.#places.length) return found;
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
    for (let slot = 0; slot < this.#places.length; slot++) {
      const place = this.#places[slot] ?? 0;
      if (place !== 0) visit(place, this.#kinds[slot] ?? 0);
    }
  }

  /** Where a place stands or can; -1 where neither is near. */
  #probe(place: number): number {
    const mask = this.#places.length - 1;
    // objects are 16 bytes apart at least
    const first = Math.imul((place / 16) | 0, 0x9e37_79b1) >>> 7;
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const slot = (first + probe) & mask;
      const there = this.#places[slot];
      if (there === place || there === 0) return slot;
    }
    return -1;
  }

  #grow(): void {
    const [places, kinds, seenBy] = [this.#places, this.#kinds, this.#seenBy];
    this.#places = new Float64Array(places.length * 2);
    this.#kinds = new Uint16Array(places.length * 2);
    this.#seenBy = new Uint32Array(places.length * 2);
    for (let slot = 0; slot < places.length; slot++) {
      const place = places[slot] ?? 0;
      if (place === 0) continue;
      const to = this.#probe(place);
      if (to < 0) {
        this.size--;
        this.full = true;
        continue;
      }
      this.#places[to] = place;
      this.#kinds[to] = kinds[slot] ?? 0;
      this.#seenBy[to] = seenBy[slot] ?? 0;
    }
  }
}
