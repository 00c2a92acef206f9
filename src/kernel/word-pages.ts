import type { Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";

const PAGE = 0x1000;
/** Pages that are kept, by the low bits of their numbers: objects of one kind stand close together. */
const KEPT = 512;
const HIGH_HALF = 0xffff_0000_0000_0000n;
const LOW_48 = 0xffff_ffff_ffffn;

/**
 * Kernel memory by plain numbers, for walks over millions of places: an address is its low 48 bits, which
 * is all that differs between addresses of kernel space. On 32-bit machines it is the address.
 */
export class WordPages {
  readonly pointerSize: 4 | 8;
  readonly #space: AddressSpace;
  readonly #numbers = new Float64Array(KEPT).fill(-1);
  readonly #pages: (DataView | undefined)[] = new Array(KEPT).fill(undefined);

  constructor(space: AddressSpace) {
    this.#space = space;
    this.pointerSize = space.pointerSize;
  }

  /** The number of an address; `undefined` where it is none of kernel space. */
  placeOf(address: bigint): number | undefined {
    const place = Number(address & LOW_48);
    if (this.pointerSize === 4) return address <= 0xffff_ffffn && place >= 0x8000_0000 ? place : undefined;
    return address >= HIGH_HALF + (1n << 47n) ? place : undefined;
  }

  /** The address of a number. */
  addressOf(place: number): Va {
    return (this.pointerSize === 4 ? BigInt(place) : BigInt(place) | HIGH_HALF) as Va;
  }

  /** The page around a place; `undefined` where it cannot be read. */
  page(place: number): DataView | undefined {
    const number = Math.floor(place / PAGE);
    const slot = number % KEPT;
    if (this.#numbers[slot] === number) return this.#pages[slot];
    const bytes = this.#space.tryRead(this.addressOf(number * PAGE), PAGE);
    const view =
      bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#numbers[slot] = number;
    this.#pages[slot] = view;
    return view;
  }

  u8(place: number): number | undefined {
    return this.page(place)?.getUint8(place % PAGE);
  }

  /** `undefined` where it cannot be read, or where two pages share it, as no word of the kernel's stands. */
  u32(place: number): number | undefined {
    const at = place % PAGE;
    return at > PAGE - 4 ? undefined : this.page(place)?.getUint32(at, true);
  }

  /**
   * A pointer into kernel space.
   *
   * @returns its place; 0 for a null pointer, `undefined` for what is unreadable or no such pointer
   */
  pointer(place: number): number | undefined {
    const low = this.u32(place);
    if (low === undefined) return undefined;
    if (this.pointerSize === 4) return low === 0 || low >= 0x8000_0000 ? low : undefined;
    const high = this.u32(place + 4);
    if (high === undefined) return undefined;
    if (low === 0 && high === 0) return 0;
    return high >= 0xffff_8000 ? (high & 0xffff) * 2 ** 32 + low : undefined;
  }

  /** A word that is no address, an id for example; `undefined` where it has more than 32 bits or cannot be read. */
  small(place: number): number | undefined {
    const low = this.u32(place);
    return this.pointerSize === 4 || this.u32(place + 4) === 0 ? low : undefined;
  }
}
