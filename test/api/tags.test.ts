import { describe, expect, it } from "vitest";
import { answerTo } from "../../src/cli/answers.ts";
import { openDump } from "../../src/index.ts";
import { PLAIN } from "../../src/report/style.ts";

describe("the tags document", () => {
  const dump = openDump("samples/article-2003.dmp");

  it("says that a tag may stand in modules that could not be read whole", () => {
    const { document, text } = answerTo(dump, "tags", ["Ntff"]);
    // Ntfs is 14 % readable: that it is not named is not known to mean anything
    expect(document).toMatchObject({
      tags: [{ tag: "Ntff", modules: [] }],
      notes: [
        expect.stringMatching(/ bytes of 31 modules could not be read: a tag may stand in more modules/),
      ],
    });
    expect(text({ style: PLAIN, pointerSize: 4 })).toContain(
      "a tag may stand in more modules than are named",
    );
  });

  it("has the largest of both pools where only some are asked for, and all by tag", () => {
    const sizes = new Map(
      dump.tags().items.map(({ tag, paged, nonPaged }) => [tag, paged.bytes + nonPaged.bytes]),
    );
    const largest = [...sizes.values()].sort((a, b) => b - a).slice(0, 5);
    const top = dump.tags().document({ top: 5 }).tags;
    expect(top.map(({ tag }) => sizes.get(tag))).toEqual(largest);
    const all = dump
      .tags()
      .document({})
      .tags.map(({ tag }) => tag);
    expect(all).toHaveLength(sizes.size);
    expect(all).toEqual([...all].sort());
  });
});
