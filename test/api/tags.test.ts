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
});
