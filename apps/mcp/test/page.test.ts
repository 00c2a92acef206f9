import { describe, expect, it } from "vitest";
import { type Json, type Page, PartError, pageOf, textsOf } from "../src/page.ts";

/** Bytes that an assistant is given at once. */
const ROOM = 50_000;
const sizeOf = (page: Page): number => Buffer.byteLength(textsOf(page).join(""));

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const rows = (count: number, text: string): readonly Json[] => numbers(count).map((id) => ({ id, text }));

describe("an answer", () => {
  it("is whole where it fits", () => {
    const document = { rows: rows(3, "a"), note: "x".repeat(1000) };
    expect(pageOf(document, {})).toEqual({ json: document, cut: [] });
  });

  it("has its lists shortened where it does not, as little as will do, and says which", () => {
    const document = { first: rows(5000, "a".repeat(60)), second: rows(9, "b") };
    const page = pageOf(document, {});
    expect(sizeOf(page)).toBeLessThanOrEqual(ROOM);
    expect(sizeOf(page)).toBeGreaterThan(ROOM - 200);
    const [cut, ...more] = page.cut;
    expect(more).toEqual([]);
    expect(cut).toMatchObject({ list: "/first", offset: 0, of: 5000 });
    expect(cut?.next).toEqual({ list: "/first", offset: cut?.shown });
    expect(page.json).toEqual({ ...document, first: document.first.slice(0, cut?.shown) });
  });

  it("is given whole from one page to the next", () => {
    const document = { few: [1], many: rows(3000, "ä€".repeat(20)) };
    const items: unknown[] = [];
    let page: Page = pageOf(document, { list: "/many" });
    for (let turns = 0; turns < 20; turns++) {
      expect(sizeOf(page)).toBeLessThanOrEqual(ROOM);
      items.push(...(page.json as { items: unknown[] }).items);
      const [cut] = page.cut;
      if (cut === undefined) break;
      page = pageOf(document, cut.next);
    }
    expect(items).toEqual(document.many);
  });

  it("has one list in the middle of another, and a text in pieces", () => {
    const document = { outer: [{ "a/b~c": numbers(200_000) }], text: "0123456789".repeat(20_000) };
    const { cut } = pageOf(document, {});
    expect(cut.map(({ list }) => list)).toEqual(["/outer/0/a~1b~0c", "/text"]);
    const [inner, text] = cut.map(({ next }) => pageOf(document, { ...next, limit: 3 }).json);
    const [first = 0, second = 0] = cut.map(({ shown }) => shown);
    expect(inner).toEqual({
      list: "/outer/0/a~1b~0c",
      offset: first,
      of: 200_000,
      items: [first, first + 1, first + 2],
    });
    expect(text).toMatchObject({ of: 200_000, items: document.text.slice(second, second + 3) });
  });

  it("shortens a single item that is too long, and says where its rest is", () => {
    const document = { rows: [{ text: "y".repeat(80_000) }, { text: "z" }] };
    const page = pageOf(document, { list: "/rows" });
    expect(sizeOf(page)).toBeLessThanOrEqual(ROOM);
    expect(page.cut.map(({ list, offset, of }) => ({ list, offset, of }))).toEqual([
      { list: "/rows", offset: 0, of: 2 },
      { list: "/rows/0/text", offset: 0, of: 80_000 },
    ]);
    expect(page.cut[0]?.next).toEqual({ list: "/rows", offset: 1 });
  });

  it("takes more than fits only where more is asked for", () => {
    const document = { rows: rows(5000, "a".repeat(60)) };
    const page = pageOf(document, { limit: 4000 });
    expect(sizeOf(page)).toBeGreaterThan(ROOM);
    expect(page.cut).toEqual([
      { list: "/rows", offset: 0, shown: 4000, of: 5000, next: { list: "/rows", offset: 4000 } },
    ]);
  });

  it("takes the longest list at the top where none is named, and of a list itself", () => {
    expect(pageOf({ short: [1], long: [1, 2, 3] }, { offset: 2 }).json).toMatchObject({
      list: "/long",
      items: [3],
    });
    expect(pageOf([7, 8, 9], { offset: 1, limit: 1 }).json).toMatchObject({ list: "", items: [8], of: 3 });
  });

  it("says what there is where a list is asked for that there is not", () => {
    const document = { rows: [1], notes: [], count: 3 };
    expect(() => pageOf(document, { list: "/nothing" })).toThrow(PartError);
    expect(() => pageOf(document, { list: "/count" })).toThrow("it has /rows, /notes");
    expect(() => pageOf(document, { list: "/rows/length" })).toThrow(PartError);
    expect(() => pageOf(document, { list: "rows" })).toThrow(PartError);
    expect(() => pageOf(document, { list: "/rows", offset: 2 })).toThrow("/rows has 1 items, and none at 2");
    expect(pageOf(document, { list: "/rows", offset: 1 }).json).toMatchObject({ items: [] });
  });
});
