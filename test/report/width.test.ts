import { afterAll, describe, expect, it } from "vitest";
import { ask, openDump, type Question, renderText } from "../../src/index.ts";
import { COLOR, PLAIN } from "../../src/report/style.ts";

const dump = openDump("samples/leak-x64.dmp");
afterAll(() => dump.close());

const QUESTIONS: readonly Question[] = [
  { command: "trace", tags: ["Se"] },
  { command: "info" },
  { command: "modules" },
  { command: "tags" },
  { command: "scan", tag: "Se" },
  { command: "imports", module: "ctstor" },
  { command: "handles" },
];

/** Colour codes stand for no character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are
const shown = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, "");
const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

describe.each([60, 80, 132])("in a terminal of %i columns", (width) => {
  it.each(QUESTIONS)("$command stays within it, and says every word", (question) => {
    const { command } = question;
    const document = ask(dump, question);
    const whole = renderText(command, document as never, { style: PLAIN, pointerSize: 8 });
    const set = renderText(command, document as never, { style: PLAIN, pointerSize: 8, width });
    expect(words(set)).toEqual(words(whole));
    const colored = renderText(command, document as never, { style: COLOR, pointerSize: 8, width });
    expect(shown(colored)).toBe(set);
    // what cannot be broken is a word, or the cells in front of a table's last one
    const wide = set.split("\n").filter((line) => line.length > width);
    const unbroken = wide.filter((line) => /\S {1,1}\S/.test(line.trim().slice(width)));
    expect(unbroken).toEqual([]);
  });
});
