import type { Va } from "../core/address.ts";
import type { WordPages } from "./word-pages.ts";

/** How OBJECT_HEADER says what an object is: by a pointer to its type, by a number, or by a number that is disguised. */
export type TypeForm = "pointer" | "index" | "disguised";

/** What stands in front of an object. */
export interface ObjectHeader {
  /** References; while there are handles, Windows 8 and later take thousands in advance for each. */
  readonly pointerCount: number;
  readonly handleCount: number;
  /**
   * Equal for objects of one type, and different for those of two: the place of its OBJECT_TYPE, its index, or its index
   * disguised by a secret byte that is the same for all.
   */
  readonly kind: number;
  /** The tag of the block that it stands in, as tag tables have it; `undefined` where no block's start was found. */
  readonly tag: number | undefined;
}

/** The first builds: of types by number, and of numbers that are disguised. */
const BY_INDEX = 7600;
const DISGUISED = 10240;
const FIRST_INDEX = 2;
/** InfoMask: the sizes of the parts in front of the header, by bit, in pointers. */
const PART_WORDS = [4, 4, 2, 4, 2, 2];
/** A part with this bit, or a higher one, has a size that the bit alone does not tell. */
const UNTOLD_PARTS = 0xc0;
/** How far in front of a header its block can begin. */
const MOST_BEFORE = 0x100;
/** Before Windows 7: the flag of a part that names the creator, which stands next to the header. */
const CREATOR_FLAG = 4;
/** A driver's protected tag has it, and no tag table. */
const PROTECTED = 0x8000_0000;

/** Tags of the two types of which objects are known: the processes of the list, and their threads. */
const PROCESS_TAG = 0x636f_7250;
const THREAD_TAG = 0x6572_6854;

/** What the form of headers is proved with: objects whose type is known. */
export interface KnownObjects {
  readonly processes: readonly Va[];
  readonly threads: readonly Va[];
}

/** Objects of a kind that are looked at to prove a form. */
const SAMPLE = 64;

/**
 * Reads what stands in front of objects. A form of header is taken only where it gives all processes
 * one type, with the tag `Proc`, and all threads another, with `Thre`.
 */
export class ObjectHeaders {
  readonly form: TypeForm;
  readonly pages: WordPages;
  /** Of processes. */
  readonly processKind: number;
  /** From an object's header to its body, in bytes. */
  readonly size: number;
  readonly #word: 4 | 8;

  private constructor(pages: WordPages, form: TypeForm, processKind = -1) {
    this.pages = pages;
    this.form = form;
    this.processKind = processKind;
    this.#word = pages.pointerSize;
    this.size = 6 * this.#word;
  }

  /** @returns `undefined` where no form fits, or no process can be read */
  static find(
    pages: WordPages,
    build: number | undefined,
    { processes, threads }: KnownObjects,
  ): ObjectHeaders | undefined {
    const known = build ?? DISGUISED;
    const own: TypeForm = known >= DISGUISED ? "disguised" : known >= BY_INDEX ? "index" : "pointer";
    const forms: readonly TypeForm[] = ["disguised", "index", "pointer"];
    for (const form of [own, ...forms.filter((other) => other !== own)]) {
      const headers = new ObjectHeaders(pages, form);
      const process = headers.#kindOf(processes, PROCESS_TAG);
      if (process === undefined) continue;
      const thread = headers.#kindOf(threads, THREAD_TAG);
      if (thread !== process) return new ObjectHeaders(pages, form, process);
    }
    return undefined;
  }

  /** The header of an object's body; `undefined` where it cannot be read. */
  of(body: Va): ObjectHeader | undefined {
    const place = this.pages.placeOf(body);
    return place === undefined ? undefined : this.at(place - this.size);
  }

  /** @param place of a header */
  at(place: number): ObjectHeader | undefined {
    const kind = this.kindAt(place);
    const pointerCount = this.pages.u32(place);
    const handleCount = this.pages.u32(place + this.#word);
    if (kind === undefined || pointerCount === undefined || handleCount === undefined) return undefined;
    return { pointerCount, handleCount, kind, tag: this.tagAt(place) };
  }

  /** @param place of a header; @returns `undefined` where it cannot be read, or none can stand there */
  kindAt(place: number): number | undefined {
    if (place % 8 !== 0) return undefined;
    if (this.form === "pointer") {
      const type = this.pages.pointer(place + 2 * this.#word);
      return type === 0 ? undefined : type;
    }
    const index = this.pages.u8(place + 3 * this.#word);
    // the type of types has the first index that is one
    if (this.form === "index") return index === undefined || index < FIRST_INDEX ? undefined : index;
    return index === undefined ? undefined : index ^ (Math.floor(place / 0x100) & 0xff);
  }

  /** The tag of the block that a header stands in. */
  tagAt(place: number): number | undefined {
    const block = this.#blockAround(place);
    const tag = block === undefined ? undefined : this.pages.u32(block + 4);
    return tag === undefined ? undefined : (tag & ~PROTECTED) >>> 0;
  }

  /**
   * The headers that a pool block can hold: what stands in front of one can look like one. That of the block's object
   * is of a kind which others of the same tag have too.
   *
   * @param block where the block's own header stands
   */
  inBlock(block: Va): readonly { readonly body: Va; readonly header: ObjectHeader }[] {
    const start = this.pages.placeOf(block);
    if (start === undefined) return [];
    const contents = start + 2 * this.#word;
    const found: { readonly body: Va; readonly header: ObjectHeader }[] = [];
    for (let place = contents; place <= contents + MOST_BEFORE; place += 8) {
      const header = this.#blockAround(place) === start ? this.at(place) : undefined;
      if (header !== undefined) found.push({ body: this.pages.addressOf(place + this.size), header });
    }
    return found;
  }

  /** Where the header of the block stands around an object's header. */
  #blockAround(place: number): number | undefined {
    const mask = this.pages.u8(place + 3 * this.#word + 2);
    if (mask === undefined) return undefined;
    if (this.form === "pointer") return this.#blockBefore(place - this.#partsBefore7(place));
    if ((mask & UNTOLD_PARTS) === 0) {
      const words = PART_WORDS.reduce((sum, size, bit) => (mask & (1 << bit) ? sum + size : sum), 0);
      return this.#blockBefore(place - words * this.#word);
    }
    for (let before = 0; before <= MOST_BEFORE; before += 2 * this.#word) {
      const block = this.#blockBefore(place - before);
      if (block !== undefined) return block;
    }
    return undefined;
  }

  /** Bytes in front of a header, by the distances of its parts. */
  #partsBefore7(place: number): number {
    const at = place + 3 * this.#word;
    const part = (offset: number): number => this.pages.u8(at + offset) ?? 0;
    const creator = part(3) & CREATOR_FLAG ? 4 * this.#word : 0;
    return Math.max(part(0), part(1), part(2), creator);
  }

  /** @param start behind the block's header */
  #blockBefore(start: number): number | undefined {
    const header = start - 2 * this.#word;
    // a block of a page and more has no header
    if (start % 0x1000 === 0 || header % (2 * this.#word) !== 0) return undefined;
    const sizes = this.pages.u32(header);
    const tag = this.pages.u32(header + 4);
    if (sizes === undefined || tag === undefined || !isPrintable(tag)) return undefined;
    const units = this.#word === 4 ? (sizes >>> 16) & 0x1ff : (sizes >>> 16) & 0xff;
    const used = this.#word === 4 ? sizes >>> 25 : sizes >>> 24;
    return units * 2 * this.#word > this.size && used !== 0 ? header : undefined;
  }

  /** The kind that most of some objects have, where most have the tag. */
  #kindOf(bodies: readonly Va[], tag: number): number | undefined {
    const every = Math.max(1, Math.floor(bodies.length / SAMPLE));
    const votes = new Map<number, number>();
    let read = 0;
    for (let i = 0; i < bodies.length; i += every) {
      const body = bodies[i];
      const header = body === undefined ? undefined : this.of(body);
      if (header === undefined) continue;
      read++;
      if (header.tag === tag) votes.set(header.kind, (votes.get(header.kind) ?? 0) + 1);
    }
    const [best] = [...votes].sort((a, b) => b[1] - a[1]);
    return best !== undefined && best[1] * 2 > read ? best[0] : undefined;
  }
}

/** All four characters, but for the bit of protected tags. */
function isPrintable(tag: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = ((tag & ~PROTECTED) >>> shift) & 0xff;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}
