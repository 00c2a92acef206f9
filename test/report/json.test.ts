import { describe, expect, it } from "vitest";
import { renderJson } from "../../src/report/json.ts";

describe("renderJson", () => {
  it("sets lists within lists as JSON.stringify does, with bigints and what is undefined as text and null", () => {
    const document = {
      none: [],
      nothing: {},
      list: [{ at: 0x10n, name: undefined, parts: [1, [2n, []], {}] }, null, "two\nlines"],
      deep: { list: [[{ a: 1 }]], text: "\u202eRLO" },
    };
    const plain = {
      schemaVersion: 1,
      none: [],
      nothing: {},
      list: [{ at: "0x10", name: null, parts: [1, ["0x2", []], {}] }, null, "two\nlines"],
      deep: { list: [[{ a: 1 }]], text: "\u202eRLO" },
    };
    expect(renderJson(document)).toBe(JSON.stringify(plain, null, 2).replace("\u202e", "\\u202e"));
  });

  it("gives a list of documents as one list, each with its version", () => {
    const texts = JSON.stringify(
      [
        { schemaVersion: 1, tag: "Toke" },
        { schemaVersion: 1, tag: "Proc" },
      ],
      null,
      2,
    );
    expect(renderJson([{ tag: "Toke" }, { tag: "Proc" }])).toBe(texts);
    expect(renderJson([])).toBe("[]");
  });
});
