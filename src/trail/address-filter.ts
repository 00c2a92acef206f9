import { addTo } from "../core/search.ts";
/** Finds pointers out of a known set in bytes, with one look-up in a table for nearly every place. */
export class AddressFilter<T> {
  /** By the low 32 bits. */
  readonly #byLow = new Map<number, { readonly high: number; readonly item: T }[]>();
  /** Which low 16 bits there are. */
  readonly #low16 = new Uint8Array(0x10000);
  readonly #pointerSize: 4 | 8;

  constructor(addresses: ReadonlyMap<bigint, T>, pointerSize: 4 | 8) {
    this.#pointerSize = pointerSize;
    for (const [address, item] of addresses) {
      const low = Number(address & 0xffffffffn);
      const entry = { high: Number(address >> 32n), item };
      this.#low16[low & 0xffff] = 1;
      addTo(this.#byLow, low, entry);
    }
  }

  /**
   * Looks at each place of `bytes` where an aligned pointer can stand.
   *
   * @param bytes from an aligned address on
   */
  search(bytes: Uint8Array, onHit: (offset: number, item: T) => void): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const step = this.#pointerSize;
    for (let at = 0; at + step <= bytes.length; at += step) {
      const low = view.getUint32(at, true);
      if (this.#low16[low & 0xffff] === 0) continue;
      const high = step === 8 ? view.getUint32(at + 4, true) : 0;
      for (const entry of this.#byLow.get(low) ?? []) if (entry.high === high) onHit(at, entry.item);
    }
  }
}
