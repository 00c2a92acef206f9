import { afterAll, describe, expect, it } from "vitest";
import { valueText } from "../../src/cli/script.ts";
import {
  ask,
  openDump,
  PLAIN,
  type Question,
  renderCsv,
  renderHtml,
  renderJson,
  renderMarkdown,
  renderText,
} from "../../src/index.ts";
import { pooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** Clears the screen, colours it (ESC and C1), turns the direction (twice), ends the line, and is half a character. */
const HOSTILE = "ct\u001b[2J\u009b31m\u202e\u061c\u200b\r\nst\ud800or\u2028";
/** Nothing of these may reach a terminal or a page; line ends are those of the format. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const dump = openDump("samples/leak-x64.dmp");
afterAll(() => dump.close());

/** The document with another name for ctstor wherever it stands. */
function renamed(value: unknown): never {
  const inside = (held: unknown): unknown => {
    if (typeof held === "string") return held.replaceAll(/ctstor/gi, HOSTILE);
    if (Array.isArray(held)) return held.map(inside);
    if (typeof held !== "object" || held === null) return held;
    return Object.fromEntries(Object.entries(held).map(([key, one]) => [key, inside(one)]));
  };
  return inside(value) as never;
}

const QUESTIONS: readonly Question[] = [
  { command: "trace", tags: ["Se"] },
  { command: "modules" },
  { command: "scan", tag: "Se" },
  { command: "near", addresses: ["ctstor+1000"] },
  { command: "pointers", address: "nt!SeQueryInformationToken" },
  { command: "headers", module: "ctstor" },
  { command: "imports", module: "ctstor" },
  { command: "exports", module: "ctstor" },
  { command: "functions", module: "ctstor" },
  { command: "calls", module: "ctstor", function: "SeQueryInformationToken" },
  { command: "code", address: "ctstor+1000" },
  { command: "read", address: "ctstor" },
];

describe.each(QUESTIONS)("a hostile name in the answer of $command", (question) => {
  const { command } = question;
  const document = renamed(ask(dump, question));
  const view = { pointerSize: 8 } as const;

  it.each<[string, string]>([
    ["text", renderText(command, document, { ...view, style: PLAIN })],
    ["text in a terminal", renderText(command, document, { ...view, style: PLAIN, width: 80 })],
    ["JSON", renderJson(document)],
    ["HTML", renderHtml(command, document, { ...view, title: HOSTILE, command: HOSTILE })],
    ["Markdown", renderMarkdown(command, document, view)],
    ["CSV", renderCsv(command, document, view)],
    ["the REPL", valueText(document, false, false)],
    ["eval --json", valueText(document, true, false)],
  ])("reaches %s in a form that does nothing", (_, text) => {
    expect(FORBIDDEN.exec(text)?.[0].codePointAt(0)).toBeUndefined();
  });

  it("is there, and is itself again in JSON", () => {
    expect(JSON.stringify(JSON.parse(renderJson(document)))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
  });
});

describe("a hostile file name", () => {
  const folder = temporaryFolder();
  const name = "evil\u001b[2J\u202e.dmp";

  it.each([
    ["that is no dump", folder.file(name, new Uint8Array(64))],
    ["that is not there", `${folder.path}/no${name}`],
  ])("%s is told in one line that does nothing", (_, path) => {
    const { code, stderr } = pooltrail("info", path);
    expect(code).toBe(1);
    expect(stderr).toContain("evil\\u{1b}[2J\\u{202e}.dmp");
    expect(stderr).toMatch(/^[^\n]*\n$/);
    expect(FORBIDDEN.test(stderr)).toBe(false);
  });

  it("is a word of the command line, too", () => {
    const { code, stderr } = pooltrail("near", "samples/leak-x64.dmp", "\u001b[2J\u061c!x");
    expect(code).toBe(2);
    expect(FORBIDDEN.test(stderr)).toBe(false);
  });
});
