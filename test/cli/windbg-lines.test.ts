import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTypedLine } from "../../src/cli/windbg-lines.ts";

/** The words of a line, with a space between them; those of more than one word in quotes. */
function words(line: string): string | undefined {
  return readTypedLine(line)
    ?.words.map((word) => (word.includes(" ") ? `"${word}"` : word))
    .join(" ");
}

describe("readTypedLine", () => {
  it.each([
    // the article's lines
    ["!vm 1", "memory"],
    ["!poolused /t10 4", "tags --sort paged --top 10"],
    ['!for_each_module s -a @#Base @#End "Se "', 'scan "Se "'],
    ["!for_each_module s-d @#Base @#End 8096c8cc", "pointers 8096c8cc"],
    ["ln 8096c909", "ln 8096c909"],
    ["lm", "modules"],
    ["!dh b8f04000 -f", "headers b8f04000"],
    ["dps b8f04000+7880 b8f04000+7880+108", "imports b8f04000+7880 b8f04000+7880+108"],
    // the documentation's forms of them
    ["vm", "memory"],
    ["!poolused 2", "tags --sort nonpaged"],
    ["!poolused 0x4 Se*", "tags Se* --sort paged"],
    ["poolused Nt*", "tags Nt*"],
    ["!poolused", "tags"],
    ['!for_each_module "s -a @#Base @#End \\"Se \\""', 'scan "Se "'],
    ["s -d 80000000 L?10000000 8096c8cc", "pointers 8096c8cc"],
    ["s Se", "scan Se"],
    ["lm m ABC*", "modules ABC*"],
    ["lmm ABC*", "modules ABC*"],
    ["lmvm ABCMiniFilter", "modules ABCMiniFilter"],
    ["lm vm ABCMiniFilter", "modules ABCMiniFilter"],
    ["lm ABC*", "modules ABC*"],
    ["lm nt", "modules nt"],
    ["lm t n", "modules"],
    ["lmtn", "modules"],
    ["lma 8096c909", "near 8096c909"],
    ["dh -f ABCMiniFilter", "headers ABCMiniFilter"],
    ["dps b8f04000+7880 L42", "imports b8f04000+7880 L42"],
    ["dps ba31fd74", "imports ba31fd74 L10"],
    ["dps ABCMiniFilter", "imports ABCMiniFilter"],
    ["dds nt L4", "imports nt L4"],
    ["db nt!SeX L20", "db nt!SeX L20"],
    ["dd nt L4", "read nt L10"],
    ["dq nt", "read nt"],
    ["u nt!SeX L10", "u nt!SeX --lines 16"],
    ["uf nt!SeX", "uf nt!SeX"],
    ["!pool e1400028 2", "pool e1400028"],
    ["!process 0 0", "processes"],
    ["!handle", "handles"],
    ["!handle 0 3 2c8", "handles 0x2c8"],
    ["!analyze -v", "info"],
    ["? nt!SeX+3d", "? nt!SeX+3d"],
    ["?nt", "? nt"],
    // this command line's own
    ["tags --top 3", "tags --top 3"],
    ["TRACE Se;", "trace Se"],
    ['scan "Se "', 'scan "Se "'],
    // an expression with spaces is one
    ["ln nt!SeX + 3d", "ln nt!SeX+3d"],
    ["ln poi( nt!X ) nt", 'ln "poi( nt!X )" nt'],
    ["ln poi( poi(nt!X) + 18 )", 'ln "poi( poi(nt!X)+18 )"'],
    ["ln nt, hal", "ln nt hal"],
    ["help near", "help near"],
  ])("%s", (line, found) => {
    expect(words(line)).toBe(found);
  });

  it.each([
    "1 + 1",
    "dump.near('nt')",
    "nosuch 4",
    "constructor 4",
    "tostring",
    "",
    "lm()",
    "!for_each_module dt",
    "x=4",
  ])("%j is none", (line) => {
    expect(words(line)).toBeUndefined();
  });

  it("says what is done otherwise", () => {
    expect(readTypedLine("s -a 0 L1000 Se")?.told).toContain("every module is looked at");
    expect(readTypedLine("dd nt")?.told).toContain("dd shows bytes here");
    expect(readTypedLine("ln nt")?.told).toBeUndefined();
    expect(readTypedLine("k")).toEqual({
      words: [],
      told: expect.stringMatching(/^there is no k here: dps /),
    });
    expect(readTypedLine("!poolusd 4")).toEqual({
      words: [],
      told: "there is no !poolusd here; did you mean !poolused?; .help shows what there is",
    });
  });
});

describe("readTypedLine of anything", () => {
  it("gives words, or nothing", () => {
    const word = fc.constantFrom(
      "lm",
      "s",
      "!dh",
      "dps",
      "!poolused",
      "u",
      "!for_each_module",
      "m",
      "-a",
      "(",
      '"',
      "L",
      "/t",
    );
    const line = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(word, fc.string())).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(line, (text) => {
        const typed = readTypedLine(text);
        return typed === undefined || typed.words.every((one) => typeof one === "string");
      }),
      { numRuns: 2000 },
    );
  });
});
