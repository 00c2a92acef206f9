import { MAX_OBJECT_KINDS } from "../core/limits.ts";
import type { EntryForm } from "./handle-entries.ts";
import type { ObjectHeaders } from "./object-headers.ts";
import type { ObjectType, ObjectTypes } from "./object-types.ts";
import { TargetSet } from "./target-set.ts";

/** Objects of one type, as handles lead to them. */
export interface HandleKind {
  /** Of the blocks that the objects stand in. */
  readonly tag: number;
  /** `undefined` where the type was not found: the tag alone says what the objects are. */
  readonly type: ObjectType | undefined;
}

/** Handles to objects of one type. */
export interface HandleCount extends HandleKind {
  readonly handles: number;
  /** How many objects they lead to. */
  readonly objects: number;
}

/** Handles of one process, by the numbers that `HandleCounter` gives to what they lead to. */
export interface NumberedCounts {
  readonly handles: number;
  readonly byNumber: ReadonlyMap<number, Counts>;
}

interface Counts {
  readonly handles: number;
  readonly objects: number;
}

/**
 * Counts handles process by process, and the objects that they lead to, each once. What a header says and the
 * tag around it together have a number; which of them are objects shows when all are seen.
 */
export class HandleCounter {
  readonly #headers: ObjectHeaders;
  readonly #form: EntryForm;
  readonly #targets = new TargetSet();
  /** Number 0: not known. */
  readonly #seen: { readonly kind: number; readonly tag: number; objects: number }[] = [
    { kind: -1, tag: 0, objects: 0 },
  ];
  readonly #numbers = new Map<number, Map<number, number>>();
  #counts = new Float64Array(0);
  #kindsFull = false;
  #handles = 0;
  #processes = 0;

  constructor(headers: ObjectHeaders, form: EntryForm) {
    this.#headers = headers;
    this.#form = form;
  }

  /** Some objects were not told apart, since there are too many, or too many kinds of them. */
  get full(): boolean {
    return this.#targets.full || this.#kindsFull;
  }

  /** What headers of objects say, as far as any was seen. */
  get kinds(): ReadonlySet<number> {
    return new Set(this.#seen.slice(1).map(({ kind }) => kind));
  }

  /** From here on handles are those of another process. */
  start(): void {
    this.#processes++;
    this.#handles = 0;
    this.#counts = new Float64Array(2 * MAX_OBJECT_KINDS);
  }

  /** The handles since the last start. */
  take(): NumberedCounts {
    const byNumber = new Map<number, Counts>();
    for (let number = 0; number < this.#seen.length; number++) {
      const handles = this.#counts[2 * number] ?? 0;
      if (handles > 0) byNumber.set(number, { handles, objects: this.#counts[2 * number + 1] ?? 0 });
    }
    return { handles: this.#handles, byNumber };
  }

  /** Counts a page of entries; the first one of every page is no handle. */
  add(page: DataView): void {
    const wide = this.#headers.pages.pointerSize === 8;
    const size = wide ? 16 : 8;
    const counts = this.#counts;
    for (let at = size; at < page.byteLength; at += size) {
      const low = page.getUint32(at, true);
      const place = this.#form.decode(low, wide ? page.getUint32(at + 4, true) : 0);
      if (place === 0) continue;
      this.#handles++;
      const slot = place < 0 ? -1 : this.#targets.slotOf(place);
      const number = slot < 0 ? 0 : this.#numberIn(slot, place);
      counts[2 * number] = (counts[2 * number] ?? 0) + 1;
      if (slot >= 0 && this.#targets.isNewTo(slot, this.#processes)) {
        counts[2 * number + 1] = (counts[2 * number + 1] ?? 0) + 1;
      }
    }
  }

  /** Over all processes: objects that several of them hold count once. */
  totals(all: readonly NumberedCounts[]): NumberedCounts {
    const sums = new Map<number, Counts>();
    for (const { byNumber } of all) {
      for (const [number, { handles }] of byNumber) {
        const objects = this.#seen[number]?.objects ?? 0;
        sums.set(number, { handles: handles + (sums.get(number)?.handles ?? 0), objects });
      }
    }
    return { handles: all.reduce((sum, { handles }) => sum + handles, 0), byNumber: sums };
  }

  /**
   * What numbers stand for. What most objects of a kind have is the tag of its type; others are no objects, but what
   * stands where one was.
   */
  proved({ byKind }: ObjectTypes): readonly (HandleKind | undefined)[] {
    const most = new Map<number, { readonly tag: number; readonly objects: number }>();
    for (const { kind, tag, objects } of this.#seen) {
      if (objects > (most.get(kind)?.objects ?? 0)) most.set(kind, { tag, objects });
    }
    return this.#seen.map(({ kind, tag }) => {
      const type = byKind.get(kind);
      const right = type?.tag ?? most.get(kind)?.tag;
      return tag === right && kind !== -1 ? { tag, type } : undefined;
    });
  }

  #numberIn(slot: number, place: number): number {
    const known = this.#targets.kindOf(slot);
    if (known !== 0) return known - 1;
    const number = this.#numberAt(place);
    this.#targets.setKind(slot, number + 1);
    return number;
  }

  /** The number of what stands at a place, which is one object more of it. */
  #numberAt(place: number): number {
    const kind = this.#headers.kindAt(place);
    const tag = kind === undefined ? undefined : this.#headers.tagAt(place);
    if (kind === undefined || tag === undefined) return 0;
    let tags = this.#numbers.get(kind);
    if (tags === undefined) {
      tags = new Map();
      this.#numbers.set(kind, tags);
    }
    let number = tags.get(tag);
    if (number === undefined) {
      this.#kindsFull ||= this.#seen.length >= MAX_OBJECT_KINDS;
      if (this.#kindsFull) return 0;
      number = this.#seen.length;
      this.#seen.push({ kind, tag, objects: 0 });
      tags.set(tag, number);
    }
    const entry = this.#seen[number];
    if (entry !== undefined) entry.objects++;
    return number;
  }
}
