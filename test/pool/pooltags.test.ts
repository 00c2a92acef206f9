import { describe, expect, it } from "vitest";
import { parseTagFile } from "../../src/pool/pooltags.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { stepsOf } from "../fixtures/steps.ts";

// lines of our own, in the forms that Microsoft's file has
const FILE = parseTagFile(
  [
    "rem",
    "REM  Pooltag.txt: tags and who owns them",
    "",
    "// a comment of another kind",
    "Xyz1 - foo.sys     - Foo contexts",
    "Xy   - nt!xy       - Short tag - with a dash - or two",
    "Ab - bar.sys - not padded",
    "Afd? - afd.sys     -   Any fourth character",
    "Acp* - acpi.sys    - Any of ACPI",
    "Ac*  - other.sys   - A shorter start",
    "None - <unknown>   - call to ExAllocatePool",
    "Only - only.sys",
    "<unknown>",
    "Xyz1 - second.sys  - the first entry of a tag holds",
    "a*b* - odd.sys     - what follows a star is not looked at",
  ].join("\r\n"),
);
const of = (tag: string) => FILE.describe(parseTag(tag).key);

describe("parseTagFile", () => {
  it.each([
    ["Xyz1", "foo.sys", "Foo contexts"],
    ["Xy", "nt!xy", "Short tag - with a dash - or two"],
    ["Ab", "bar.sys", "not padded"],
    ["AfdX", "afd.sys", "Any fourth character"],
    ["AcpR", "acpi.sys", "Any of ACPI"],
    ["Acxx", "other.sys", "A shorter start"],
    ["None", null, "call to ExAllocatePool"],
    ["Only", "only.sys", ""],
    ["axyz", "odd.sys", "what follows a star is not looked at"],
  ])("describes %s", (tag, binary, description) => {
    expect(of(tag)).toMatchObject({ binary, description });
  });

  it.each(["Afd", "xyz1", "Zzzz", "AB"])("does not describe %s", (tag) => {
    // `Afd?` fits `Afd ` too: a space is a character
    expect(of(tag)?.binary).toBe(tag === "Afd" ? "afd.sys" : undefined);
  });

  it("prefers the longest start, then the first entry, however the wildcards stand", () => {
    const file = parseTagFile(
      "A?cd - a.sys\nAb?d - b.sys\n*    - c.sys\n?b*  - d.sys\nAbc? - e.sys\nAbc* - f.sys\nA*   - g.sys",
    );
    const binaries = ["Abcd", "Abxd", "Axcd", "Axxx", "xbxx", "xxxx"].map(
      (tag) => file.describe(parseTag(tag).key)?.binary,
    );
    expect(binaries).toEqual(["e.sys", "b.sys", "a.sys", "g.sys", "c.sys", "c.sys"]);
  });

  it("finds a tag among two hundred thousand wildcards in few steps", () => {
    const lines = Array.from(
      { length: 199_999 },
      (_, i) => `${(i + 46_656).toString(36).padStart(4, "0").slice(1)}? - x.sys`,
    );
    const file = parseTagFile([...lines, "Zz*  - z.sys"].join("\n"));
    expect(stepsOf(() => expect(file.describe(parseTag("Zz12").key)?.binary).toBe("z.sys"))).toBeLessThan(
      200,
    );
  });

  it("sees a protected tag as the tag that it is", () => {
    expect(FILE.describe((parseTag("Xyz1").key | 0x8000_0000) >>> 0)?.binary).toBe("foo.sys");
  });

  it("says that there are more lines than are read (MAX_POOLTAG_LINES)", () => {
    const last = `${"rem\n".repeat(199_999)}Last - last.sys - line 200,000`;
    const file = parseTagFile(`${last}\nNext - next.sys - line 200,001`);
    expect([parseTagFile(last).notes, file.entries, file.notes]).toEqual([
      [],
      1,
      ["lines after 200000 are not read"],
    ]);
  });

  it("keeps the lines that are no entry", () => {
    expect(FILE.notes).toEqual(["line 13: <unknown>"]);
    expect(FILE.entries).toBe(9);
  });

  it("shows no control characters of the file", () => {
    expect(parseTagFile("Evil - \u001b[2Jx.sys - \u202egnp").describe(parseTag("Evil").key)).toMatchObject({
      binary: "\\u{1b}[2Jx.sys",
      description: "\\u{202e}gnp",
    });
  });

  it.each([
    ["one line of ten megabytes", "Xyz1 - ".padEnd(10_000_000, " ")],
    ["a description lost in spaces", `Xyz1 - a${" ".repeat(10_000_000)}b`],
    ["a million dashes", " -".repeat(1_000_000)],
    ["nothing", ""],
    ["bytes of a program", String.fromCharCode(...Array.from({ length: 4096 }, (_, i) => (i * 7) % 256))],
  ])("ends soon on %s", (_, text) => {
    expect(stepsOf(() => void parseTagFile(text))).toBeLessThan(1000);
  });
});
