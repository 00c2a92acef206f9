/** JSON as it is written. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json;
}

/** The part of an answer that is asked for. */
export interface Part {
  /** A list or text of the answer, as a JSON pointer; where it is left out, the longest list at the top. */
  readonly list?: string | undefined;
  /** In items, or in characters of a text. */
  readonly offset?: number | undefined;
  /** As many as fit where it is left out. */
  readonly limit?: number | undefined;
}

/** A list or a text that is not there whole. */
export interface Cut {
  readonly list: string;
  readonly offset: number;
  readonly shown: number;
  readonly of: number;
  /** What to ask for to go on. */
  readonly next: { readonly list: string; readonly offset: number };
}

/** An answer, or a part of it, with what of it is not there. */
export interface Page {
  readonly json: Json;
  readonly cut: readonly Cut[];
}

/** Bytes that an answer has at most, when nobody asks for more. */
const ROOM = 50_000;

/** What `Part` names is not in the answer. */
export class PartError extends Error {}

/**
 * An answer that fits into `ROOM`: whole where it does, else each of its lists as far as the same number of items, and each
 * text as far as so many pieces. Of one list that is asked for, as many items as fit, or as many as are asked for.
 *
 * @throws {PartError} there is no such list, or nothing at that offset
 */
export function pageOf(document: Json, part: Part): Page {
  const { list, offset, limit } = part;
  if (list !== undefined || offset !== undefined || limit !== undefined) return listPage(document, part);
  return largest((most) => shortened(document, "", most));
}

/** How many bytes a page takes. */
function sizeOf(page: Page): number {
  return textsOf(page).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** A page as it is sent: the document itself, and beside it what is not there. */
export function textsOf({ json, cut }: Page): readonly string[] {
  return [JSON.stringify(json), ...(cut.length === 0 ? [] : [JSON.stringify({ cut })])];
}

function listPage(document: Json, { list = longestList(document), offset = 0, limit }: Part): Page {
  const found = at(document, list);
  if (typeof found !== "string" && !isList(found)) {
    const known = listsOf(document).join(", ");
    throw new PartError(
      `there is no list "${list}" in this answer${known === "" ? "" : `; it has ${known}`}`,
    );
  }
  const of = found.length;
  if (offset > of) throw new PartError(`${list} has ${of} items, and none at ${offset}`);
  const window = (shown: number): Page => {
    const items = found.slice(offset, offset + shown);
    const end = offset + items.length;
    const cut = { list, offset, shown: items.length, of, next: { list, offset: end } };
    return { json: { list, offset, of, items }, cut: end < of ? [cut] : [] };
  };
  if (limit !== undefined) return window(limit);
  const page = largest(window);
  if (sizeOf(page) <= ROOM || typeof found === "string") return page;
  // one item alone is too long
  return largest((most) => {
    const { json, cut } = shortened(found[offset] ?? null, `${list}/${offset}`, most);
    return { json: { list, offset, of, items: [json] }, cut: [...page.cut, ...cut] };
  });
}

/** The longest page that fits, or the shortest there is; `make` gives longer ones for larger numbers. */
function largest(make: (most: number) => Page): Page {
  const fits = (page: Page): boolean => sizeOf(page) <= ROOM;
  let low = 1;
  let best = make(low);
  if (!fits(best)) return best;
  let high = 2;
  for (; best.cut.length > 0; high *= 2) {
    const page = make(high);
    if (!fits(page)) break;
    [low, best] = [high, page];
  }
  while (best.cut.length > 0 && high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const page = make(middle);
    if (fits(page)) [low, best] = [middle, page];
    else high = middle;
  }
  return best;
}

/** Characters of a text that count as much as an item of a list. */
const PIECE = 64;

/** Every list to `most` items, every text to `most` pieces. */
function shortened(document: Json, pointer: string, most: number): Page {
  const cut: Cut[] = [];
  const told = (list: string, shown: number, of: number): void => {
    if (shown < of) cut.push({ list, offset: 0, shown, of, next: { list, offset: shown } });
  };
  const walk = (value: Json, list: string): Json => {
    if (typeof value === "string") {
      told(list, Math.min(value.length, most * PIECE), value.length);
      return value.slice(0, most * PIECE);
    }
    if (isList(value)) {
      told(list, Math.min(value.length, most), value.length);
      return value.slice(0, most).map((item, i) => walk(item, `${list}/${i}`));
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, held]) => [name, walk(held, `${list}/${escaped(name)}`)]),
    );
  };
  return { json: walk(document, pointer), cut };
}

function longestList(document: Json): string {
  if (isList(document)) return "";
  const length = (list: string): number => {
    const found = at(document, list);
    return isList(found) ? found.length : 0;
  };
  const [longest = ""] = [...listsOf(document)].sort((a, b) => length(b) - length(a));
  return longest;
}

/** The lists at the top of an answer. */
function listsOf(document: Json): readonly string[] {
  if (typeof document !== "object" || document === null || isList(document)) return [];
  return Object.entries(document).flatMap(([name, value]) => (isList(value) ? [`/${escaped(name)}`] : []));
}

/** What a JSON pointer means; `undefined`: nothing. */
function at(document: Json, pointer: string): Json | undefined {
  const [start, ...names] = pointer.split("/");
  if (start !== "") return undefined;
  return names.reduce<Json | undefined>((value, name) => {
    if (typeof value !== "object" || value === null) return undefined;
    const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
    return Object.entries(value).find(([own]) => own === key)?.[1];
  }, document);
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
