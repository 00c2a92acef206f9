import type { Va } from "../core/address.ts";
import { addTo } from "../core/search.ts";
import { asciiBytes } from "../core/text.ts";
import { tableKey } from "./tag.ts";
import { TAG_SCAN_WASM } from "./tag-scan-wasm.js";

/** Bytes that can be read of an image, in order of address; what is between two chunks cannot. */
export interface ImageChunk {
  readonly va: Va;
  /** Only valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

/** One image to look into. */
export interface IndexedImage {
  readonly name: string;
  /** @param room where the bytes may be read to, from its start; others are copied */
  chunks(room: Uint8Array): Iterable<ImageChunk>;
}

/** By key without the protected bit: the images that hold it, as their places in the list, ascending. */
export type TagIndex = ReadonlyMap<number, readonly number[]>;

/**
 * Which images contain which tags: one pass over each image for all tags, at every alignment, in both
 * forms of the protected bit. A key that no image holds is not in the map.
 */
export function indexTags(images: Iterable<IndexedImage>, keys: Iterable<number>): TagIndex {
  const scanner = new TagScanner(keys);
  const index = new Map<number, number[]>();
  let number = 0;
  for (const image of images) {
    let end: bigint | undefined;
    for (const { va, bytes } of image.chunks(scanner.room)) {
      scanner.scan(bytes, va !== end);
      end = va + BigInt(bytes.length);
    }
    for (const key of scanner.take()) addTo(index, key, number);
    number++;
  }
  return index;
}

/** What wasm/tag-scan.wat exports. */
interface TagScanModule {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Global<"i32">;
  readonly mask: WebAssembly.Global<"i32">;
  readonly shift: WebAssembly.Global<"i32">;
  readonly seen: WebAssembly.Global<"i32">;
  readonly any0: WebAssembly.Global<"i64">;
  readonly any1: WebAssembly.Global<"i64">;
  readonly any2: WebAssembly.Global<"i64">;
  readonly any3: WebAssembly.Global<"i64">;
  scan(at: number, end: number): void;
  scanAll(at: number, end: number): void;
}

/** As in wasm/tag-scan.wat. */
const HASH_FACTOR = 0x9e37_79b1;
const BITMAP_BYTES = 0x8000;
const WASM_PAGE = 0x1_0000;

/** Bytes scanned at once: they stay in the processor's second cache. */
const PIECE = 0x2_0000;
/** Bytes that a tag needs beyond the one it starts at. */
const OVERLAP = 3;

/**
 * Looks for many tags at once, in both forms of the protected bit, at any alignment. Bytes are given
 * piece by piece; `take` tells which tags were seen since it was last asked.
 */
class TagScanner {
  readonly #module: TagScanModule;
  readonly #bytes: Uint8Array;
  readonly #buffer: number;
  /** Room to read bytes into that are scanned where they are, without a copy. */
  readonly room: Uint8Array;
  readonly #seen: number;
  readonly #keys: Uint32Array;
  /** Some place of the four is filtered. */
  readonly #filtered: boolean;
  #carried = 0;

  /** @param keys the protected bit is left out of them; 0 is no tag */
  constructor(keys: Iterable<number>) {
    const wanted = new Set([...keys].map(tableKey));
    wanted.delete(0);
    const slots = 2 ** Math.max(6, Math.ceil(Math.log2(wanted.size * 2 + 1)));
    const table = BITMAP_BYTES;
    this.#seen = table + slots * 4;
    // the bytes of the last call that a tag may begin in stand right before it
    this.#buffer = (this.#seen + slots + 64 + 63) & ~63;
    this.#module = instantiate();
    const { memory, table: tableAt, mask, shift, seen } = this.#module;
    const needed = Math.ceil((this.#buffer + PIECE + 64) / WASM_PAGE);
    const has = memory.buffer.byteLength / WASM_PAGE;
    if (needed > has) memory.grow(needed - has);
    this.#bytes = new Uint8Array(memory.buffer);
    this.room = this.#bytes.subarray(this.#buffer, this.#buffer + PIECE);
    this.#keys = new Uint32Array(memory.buffer, table, slots);
    const bits = 32 - Math.log2(slots);
    tableAt.value = table;
    mask.value = slots - 1;
    shift.value = bits;
    seen.value = this.#seen;
    const { any0, any1, any2, any3 } = this.#module;
    const open = [any0, any1, any2, any3].filter((any, place) => {
      const free = [...wanted].some((key) => !isShown((key >>> (8 * place)) & 0xff));
      any.value = free ? -1n : 0n;
      return free;
    });
    this.#filtered = open.length < 4;
    for (const key of wanted) {
      const hash = Math.imul(key, HASH_FACTOR) >>> 0;
      const byte = hash >>> 17;
      this.#bytes[byte] = (this.#bytes[byte] ?? 0) | (1 << ((hash >>> 14) & 7));
      let slot = hash >>> bits;
      while (this.#keys[slot] !== 0) slot = (slot + 1) % slots;
      this.#keys[slot] = key;
    }
  }

  /**
   * Scans bytes that follow those of the last call, or with `fresh` stand somewhere else. Those in `room`
   * that follow stand at its start.
   */
  scan(bytes: Uint8Array, fresh: boolean): void {
    if (fresh) this.#carried = 0;
    if (bytes.buffer === this.#bytes.buffer) {
      this.#scanAt(bytes.byteOffset, bytes.length);
      return;
    }
    for (let done = 0; done < bytes.length; done += PIECE) {
      const part = bytes.subarray(done, done + PIECE);
      this.room.set(part);
      this.#scanAt(this.#buffer, part.length);
    }
  }

  #scanAt(at: number, length: number): void {
    const end = at + length;
    if (this.#filtered) this.#module.scan(at - this.#carried, end);
    else this.#module.scanAll(at - this.#carried, end);
    const carry = Math.min(OVERLAP, this.#carried + length);
    this.#bytes.copyWithin(this.#buffer - carry, end - carry, end);
    this.#carried = carry;
  }

  /** The keys that were seen since the last call, in no order. */
  take(): readonly number[] {
    this.#carried = 0;
    const flags = this.#bytes.subarray(this.#seen, this.#seen + this.#keys.length);
    const found: number[] = [];
    for (let slot = flags.indexOf(1); slot >= 0; slot = flags.indexOf(1, slot + 1)) {
      found.push(this.#keys[slot] ?? 0);
    }
    flags.fill(0);
    return found;
  }
}

function isShown(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

let compiled: WebAssembly.Module | undefined;

function instantiate(): TagScanModule {
  compiled ??= new WebAssembly.Module(asciiBytes(atob(TAG_SCAN_WASM)));
  const { exports } = new WebAssembly.Instance(compiled);
  return exports as unknown as TagScanModule;
}
