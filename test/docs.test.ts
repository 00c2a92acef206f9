import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../src/cli/commands.ts";
import { pooltrail, spawnedPooltrail } from "./fixtures/cli.ts";
import { commandPage } from "./fixtures/command-page.ts";

/**
 * Runs every sample of README.md and docs/ and compares what it prints. `UPDATE_DOCS=1 npx vitest run test/docs.test.ts`,
 * after a build, writes down what they print instead.
 */
const root = new URL("../", import.meta.url);
const updating = process.env.UPDATE_DOCS === "1";
/** Pages for each command stand in docs/commands, and are written by this test as a whole. */
const PAGES = [
  "README.md",
  ...readdirSync(new URL("docs", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...COMMANDS.map(({ name }) => `docs/commands/${name}.md`),
];

interface Sample {
  readonly language: string;
  /** What stands between the fences, each line ended. */
  readonly body: string;
  /** Where the body starts in the text. */
  readonly offset: number;
}

function samplesOf(text: string): Sample[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? "",
    body: match[2] ?? "",
    offset: match.index + 4 + (match[1] ?? "").length,
  }));
}

const PROMPT = "pooltrail> ";
const ended = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/** What a console shows: the command, and what it prints. Of pipes, only `| head -N` is known. */
function runConsole(body: string): string {
  const [first = "", ...rest] = body.split("\n");
  const [, line = "", count] = /^\$ pooltrail (.*?)(?: \| head -(\d+))?$/.exec(first) ?? [];
  if (line === "") throw new Error(`not a pooltrail command: ${first}`);
  const words = line.split(" ");
  const inputs = rest.filter((text) => text.startsWith(PROMPT)).map((text) => text.slice(PROMPT.length));
  const { stdout, stderr, code } =
    inputs.length === 0 ? pooltrail(...words) : spawnedPooltrail(`${inputs.join("\n")}\n`, ...words);
  expect([code, stderr]).toEqual([0, ""]);
  if (count !== undefined) {
    const lines = stdout.split("\n").slice(0, Number(count));
    return `${first}\n${ended(lines.join("\n").trimEnd())}`;
  }
  if (inputs.length === 0) return `${first}\n${ended(stdout)}`;
  const [banner = "", ...answers] = stdout.split(PROMPT);
  const turns = inputs.map((input, i) => `${PROMPT}${input}\n${ended(answers[i] ?? "")}`);
  return `${first}\n${ended(banner)}${turns.join("")}`;
}

const folder = mkdtempSync(fileURLToPath(new URL("test/docs-", root)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a TypeScript sample prints, run as a module of its own against the source. */
async function runTypeScript(body: string, name: string): Promise<string> {
  const file = join(folder, `${name}.ts`);
  const library = pathToFileURL(fileURLToPath(new URL("src/index.ts", root))).pathname;
  // Node runs no TypeScript, and so the worker is that of the built package
  const worker = pathToFileURL(fileURLToPath(new URL("dist/worker.js", root))).pathname;
  writeFileSync(
    file,
    body
      .replace('"pooltrail"', JSON.stringify(library))
      .replace('"pooltrail/worker"', JSON.stringify(worker)),
  );
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(values.map(String).join(" "));
  });
  try {
    await import(file);
  } finally {
    log.mockRestore();
  }
  return printed.map((line) => `${line}\n`).join("");
}

describe("the page of each command", () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    "%s says what its help says",
    (name, command) => {
      const path = new URL(`docs/commands/${name}.md`, root);
      if (updating) writeFileSync(path, commandPage(command));
      // what the example prints is compared below
      const head = (text: string): string => text.split("```console")[0] ?? "";
      expect(head(readFileSync(path, "utf8"))).toBe(head(commandPage(command)));
    },
  );

  it("are all that there are", () => {
    expect(readdirSync(new URL("docs/commands", root)).sort()).toEqual(
      COMMANDS.map(({ name }) => `${name}.md`).sort(),
    );
  });
});

describe("the README", () => {
  const README = readFileSync(new URL("README.md", root), "utf8");
  const readme = samplesOf(README);

  it("has samples of the command line, the REPL and the library", () => {
    const languages = readme.map(({ language }) => language);
    expect(languages.filter((language) => language === "console").length).toBeGreaterThan(4);
    expect(readme.some(({ body }) => body.includes(PROMPT))).toBe(true);
    expect(languages).toContain("ts");
  });

  it("names only commands that are there", () => {
    const { stdout } = pooltrail("--help");
    const rows = [...README.matchAll(/^\| `(\w+) (?:DUMP|DIR)/gm)].map((match) => match[1]);
    const commands = [...stdout.matchAll(/^ {2}(\w+) DUMP/gm)].map((match) => match[1]);
    expect(rows).toEqual(commands);
  });
});

describe.each(PAGES)("%s", (page) => {
  const path = new URL(page, root);
  const command = COMMANDS.find(({ name }) => page === `docs/commands/${name}.md`);
  const text = updating && command !== undefined ? commandPage(command) : readFileSync(path, "utf8");
  const samples = samplesOf(text);
  const edits: { offset: number; length: number; body: string }[] = [];

  function settle(sample: Sample, body: string): void {
    if (!updating) expect(body).toBe(sample.body);
    else edits.push({ offset: sample.offset, length: sample.body.length, body });
  }

  it("links to files that are there", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    expect(links.filter((link) => !existsSync(new URL(link, path)))).toEqual([]);
  });

  it.each(
    samples
      .filter(({ language }) => language === "console")
      .map((sample) => [sample.body.split("\n")[0], sample] as const),
  )("%s prints what it says", (_, sample) => settle(sample, runConsole(sample.body)));

  it.each(samples.flatMap((sample, i) => (sample.language === "ts" ? [i] : [])))(
    "sample %i of the library prints the text behind it",
    async (i) => {
      const [code, output] = samples.slice(i, i + 2);
      if (code === undefined || output?.language !== "text")
        throw new Error("a ts block wants a text block behind it");
      settle(output, await runTypeScript(code.body, `${page.replaceAll("/", "-")}-${i}`));
    },
  );

  afterAll(() => {
    let written = text;
    for (const { offset, length, body } of [...edits].sort((a, b) => b.offset - a.offset)) {
      written = written.slice(0, offset) + body + written.slice(offset + length);
    }
    if (updating) writeFileSync(path, written);
  });
});
