import type { Va } from "../core/address.ts";
import { utf16Z } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { ObjectHeaders } from "./object-headers.ts";
import type { WordPages } from "./word-pages.ts";

/** OBJECT_TYPE: what the kernel counts of the objects of one type. */
export interface ObjectType {
  readonly address: Va;
  /** `Process`; of its first four letters the tag is made. */
  readonly name: string;
  /** Key: of the blocks that objects of this type are allocated in. */
  readonly tag: number;
  readonly index: number;
  readonly objects: number;
  readonly handles: number;
}

/** Addresses from `start` on, `length` bytes. */
export interface TypePlaces {
  readonly start: Va;
  readonly length: number;
}

/** The types of a machine. */
export interface ObjectTypes {
  /** By what headers of their objects say: `ObjectHeader.kind`. */
  readonly byKind: ReadonlyMap<number, ObjectType>;
  /** The byte that disguises types in headers: ObHeaderCookie; `undefined` where there is none, or no types were found. */
  readonly cookie: number | undefined;
}

interface TypeLayout {
  readonly name: number;
  /** The two counts follow the index. */
  readonly index: number;
  readonly key: number;
}

/** OBJECT_TYPE of public symbols, that of newer Windows first. */
const LAYOUTS: Readonly<Record<4 | 8, readonly TypeLayout[]>> = {
  4: [
    { name: 8, index: 0x14, key: 0x84 },
    { name: 8, index: 0x14, key: 0x7c },
    { name: 8, index: 0x14, key: 0xb4 },
    { name: 0x40, index: 0x4c, key: 0xac },
  ],
  8: [
    { name: 0x10, index: 0x28, key: 0xc0 },
    { name: 0x10, index: 0x28, key: 0xb8 },
    { name: 0x10, index: 0x28, key: 0x120 },
    { name: 0x78, index: 0x90, key: 0x118 },
  ],
};
/** An index has one byte. */
const MOST_TYPES = 256;
/** Neighbouring types by which their table is told from other pointers; the first two places of it hold none. */
const NEIGHBOURS = 8;
const FIRST_INDEX = 2;
/** The longest names have some thirty characters. */
const MAX_NAME_BYTES = 0x100;
const TYPE_TAG = 0x546a_624f;

/**
 * Finds the types: from Windows 7 on by their table in nt's data, before by the objects themselves. A type is one
 * where its name begins with its tag.
 *
 * @param kinds what headers of objects say
 * @param data nt's sections that it writes
 */
export function findObjectTypes(
  space: AddressSpace,
  headers: ObjectHeaders,
  kinds: Iterable<number>,
  data: readonly TypePlaces[],
): ObjectTypes {
  const reader = new TypeReader(space, headers.pages);
  if (headers.form === "pointer") {
    const found = new Map<number, ObjectType>();
    for (const kind of kinds) {
      const type = reader.at(kind);
      if (type !== undefined) found.set(kind, type);
    }
    for (const [kind, type] of reader.listed(headers, kinds)) found.set(kind, type);
    return { byKind: found, cookie: undefined };
  }
  const table = reader.table(data);
  const process = table.find((type) => type.name === "Process");
  if (process === undefined) return { byKind: new Map(), cookie: undefined };
  const cookie = headers.form === "index" ? 0 : headers.processKind ^ process.index;
  const byKind = new Map(table.map((type) => [type.index ^ cookie, type]));
  return { byKind, cookie: headers.form === "index" ? undefined : cookie };
}

class TypeReader {
  readonly #space: AddressSpace;
  readonly #pages: WordPages;
  #layouts: readonly TypeLayout[];

  constructor(space: AddressSpace, pages: WordPages) {
    this.#space = space;
    this.#pages = pages;
    this.#layouts = LAYOUTS[pages.pointerSize];
  }

  /** The type at a place; the first one that is found decides on the layout of all. */
  at(place: number): ObjectType | undefined {
    for (const layout of this.#layouts) {
      const type = this.#read(place, layout);
      if (type === undefined) continue;
      this.#layouts = [layout];
      return type;
    }
    return undefined;
  }

  /** All types by the list of the type of types: links stand behind their creators' parts, next to their headers. */
  *listed(headers: ObjectHeaders, kinds: Iterable<number>): Generator<readonly [number, ObjectType]> {
    const [known] = kinds;
    const ofTypes = known === undefined ? undefined : headers.kindAt(known - headers.size);
    if (ofTypes === undefined || this.at(ofTypes)?.name !== "Type") return;
    const creator = 4 * this.#pages.pointerSize;
    // the list's head stands in front of the name
    const head = ofTypes + (this.#layouts[0]?.name ?? 0) - 2 * this.#pages.pointerSize;
    let link = this.#pages.pointer(head);
    for (let count = 0; count < MOST_TYPES && link !== undefined && link !== 0 && link !== head; count++) {
      const place = link + creator + headers.size;
      const type = this.at(place);
      if (type === undefined) return;
      yield [place, type];
      link = this.#pages.pointer(link);
    }
  }

  /** ObTypeIndexTable: pointers to types, each at its index. */
  table(data: readonly TypePlaces[]): readonly ObjectType[] {
    const { pointerSize } = this.#pages;
    const least = NEIGHBOURS * pointerSize;
    for (const { start, length } of data) {
      const place = this.#pages.placeOf(start);
      if (place === undefined) continue;
      let run = 0;
      for (let at = 0; at < length; at += pointerSize) {
        const pointer = this.#pages.pointer(place + at);
        run = pointer === undefined || pointer === 0 ? 0 : run + pointerSize;
        if (run < least) continue;
        const found = this.#tableFrom(place + at + pointerSize - least);
        if (found !== undefined) return found;
      }
    }
    return [];
  }

  /** @param first the place of a pointer to some type, if it is one */
  #tableFrom(first: number): readonly ObjectType[] | undefined {
    const { pointerSize } = this.#pages;
    const types: ObjectType[] = [];
    for (let at = first; types.length < MOST_TYPES; at += pointerSize) {
      const pointer = this.#pages.pointer(at);
      const type = pointer === undefined || pointer === 0 ? undefined : this.at(pointer);
      if (type === undefined || type.index !== FIRST_INDEX + types.length) break;
      types.push(type);
    }
    return types.length < NEIGHBOURS ? undefined : types;
  }

  #read(place: number, { name: nameAt, index: indexAt, key }: TypeLayout): ObjectType | undefined {
    const index = this.#pages.u32(place + indexAt);
    const tag = this.#pages.u32(place + key);
    if (index === undefined || tag === undefined || (index & 0xff) === 0 || place % 8 !== 0) return undefined;
    const name = this.#nameAt(place + nameAt);
    if (name === undefined || (tagOf(name) !== tag && !(name === "Type" && tag === TYPE_TAG)))
      return undefined;
    const objects = this.#pages.u32(place + indexAt + 4);
    const handles = this.#pages.u32(place + indexAt + 8);
    if (objects === undefined || handles === undefined) return undefined;
    const address = this.#pages.addressOf(place);
    return { address, name, tag, index: index & 0xff, objects, handles };
  }

  #nameAt(place: number): string | undefined {
    const lengths = this.#pages.u32(place);
    const text = this.#pages.pointer(place + this.#pages.pointerSize);
    const length = (lengths ?? 0) & 0xffff;
    if (text === undefined || text === 0 || length < 2 || length > MAX_NAME_BYTES || length % 2 !== 0) {
      return undefined;
    }
    const bytes = this.#space.tryRead(this.#pages.addressOf(text), length);
    const name = bytes === undefined ? "" : utf16Z(bytes);
    return /^[\x20-\x7e]+$/.test(name) ? name : undefined;
  }
}

/** The tag that Windows makes of a type's name. */
function tagOf(name: string): number {
  return [...name.slice(0, 4).padEnd(4, " ")].reduceRight(
    (key, character) => key * 0x100 + character.charCodeAt(0),
    0,
  );
}
