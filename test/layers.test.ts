import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** From top to bottom: a folder imports only itself and the folders above it. */
const LAYERS: readonly string[] = [
  "core",
  "source",
  "dump",
  "memory",
  "pe",
  "symbols",
  "isa",
  "code",
  "registry",
  "kernel",
  "pool",
  "trail",
  "report",
  "api",
  "worker",
  "cli",
];

/** What users import, and what a worker runs: they gather from the layers. */
const ENTRIES: readonly string[] = ["index.ts", "worker.ts", "worker-thread.ts"];

/** The folders that read byte layouts. */
const READS_LAYOUTS: readonly string[] = ["dump", "kernel", "pe", "registry"];

/** The one place of each package whose traps are answered there. */
const PACKAGE_HOMES: Readonly<Record<string, string>> = {
  "kaitai-struct": "core/kaitai.ts",
  "pe-library": "pe/",
  resedit: "pe/",
  pkijs: "pe/",
  asn1js: "pe/",
  "iced-x86": "isa/",
};

/** What opens files and prints; the rest has to run in a browser, too. */
const NODE_HOMES: readonly string[] = ["source/node-files.ts", "worker/node-threads.ts", "cli/"];

function mayUseNode(file: string): boolean {
  return NODE_HOMES.some((home) => file.startsWith(home));
}

/** The text without its comments; a comment here starts its line, or is a doc comment. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function importsOf(code: string): readonly string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1]!);
}

/** What is wrong with one import of `file`, a path from src/ with forward slashes. */
function importProblem(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) {
    return mayUseNode(file)
      ? undefined
      : `${specifier}: only source/node-files.ts, worker/node-threads.ts and cli/ know of Node`;
  }
  // packages that tools/bundle-packages.mjs makes fit to be bundled stand beside what ksy/ compiles to
  const bundled = /\/generated\/(fflate|iced-x86|kaitai-struct|pkijs)\.js$/.exec(specifier)?.[1];
  if (bundled !== undefined || !specifier.startsWith(".")) {
    const home = PACKAGE_HOMES[bundled ?? specifier.split("/")[0]!];
    return home === undefined || file.startsWith(home)
      ? undefined
      : `${specifier} is imported outside ${home}`;
  }
  const target = join(dirname(file), specifier).split(sep).join("/");
  const [from, to] = [file.split("/")[0]!, target.split("/")[0]!];
  if (to === "..")
    return target === "../package.json" && from === "cli" ? undefined : `${target} is outside src/`;
  if (to === "generated") {
    return READS_LAYOUTS.includes(from) ? undefined : `${from}/ may not read byte layouts`;
  }
  if (ENTRIES.includes(file) || from === to) return undefined;
  // An instruction set is asked for by its machine: isa/x86/ and its like are behind the type.
  if (to === "isa" && target.split("/").length > 2) return `${target} is asked for through isa/machines.ts`;
  const [own, other] = [LAYERS.indexOf(from), LAYERS.indexOf(to)];
  return own >= 0 && other >= 0 && other < own ? undefined : `${from}/ is not below ${to}`;
}

/** Each way in which the file breaks the architecture. */
function problemsOf(file: string, text: string): readonly string[] {
  const code = withoutComments(text);
  const problems = importsOf(code).flatMap((specifier) => importProblem(file, specifier) ?? []);
  if (
    !ENTRIES.includes(file) &&
    /^export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s+)?from\b/m.test(code)
  ) {
    problems.push("re-exports: only src/index.ts and src/worker.ts are barrels");
  }
  if (!file.startsWith("cli/") && /\bconsole\.|\bprocess\.(?:argv|exit|exitCode|std\w+)\b/.test(code)) {
    problems.push("prints, reads argv or exits: only cli/ may");
  }
  if (!mayUseNode(file) && /(?<![\w.])Buffer\b/.test(code)) {
    problems.push("Buffer: only source/node-files.ts, worker/node-threads.ts and cli/ know of Node");
  }
  if (/\.(?:push|unshift)\(\s*(?:[\w.]+,\s*)*\.\.\./.test(code)) {
    problems.push("spreads a list into push: addAll does it without the stack, however long the list is");
  }
  return problems;
}

/** Files that import each other, directly or through others: each circle by its files in order. */
function circlesIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const circles = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): void => {
    const start = above.indexOf(file);
    if (start >= 0) circles.add([...above.slice(start)].sort().join(" "));
    if (start >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...above, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return [...circles];
}

/** The files of src/ that a file imports, types as well. */
function ownImports(file: string, text: string): readonly string[] {
  return importsOf(withoutComments(text))
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => join(dirname(file), specifier).split(sep).join("/"));
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.split(sep).join("/"))
  .filter((file) => file.endsWith(".ts") && !file.startsWith("generated/"));

describe("the folders are the data flow", () => {
  it("finds the sources", () => {
    expect(files).toContain("core/bytes.ts");
  });

  it.each(files)("%s keeps to its layer", (file) => {
    expect(problemsOf(file, readFileSync(join(src, file), "utf8"))).toEqual([]);
  });

  it("goes in no circle, from file to file", () => {
    const imports = files.map(
      (file) => [file, ownImports(file, readFileSync(join(src, file), "utf8"))] as const,
    );
    expect(circlesIn(new Map(imports))).toEqual([]);
  });

  it("has no folder or file beside the layers", () => {
    const known = new Set([...LAYERS, ...ENTRIES]);
    expect([...new Set(files.map((file) => file.split("/")[0]!))].filter((name) => !known.has(name))).toEqual(
      [],
    );
  });
});

describe("the check itself", () => {
  it.each([
    ["memory/walk.ts", 'import { x } from "../kernel/kdbg.ts";', "memory/ is not below kernel"],
    ["pe/x.ts", 'const x = await import("../cli/main.ts");', "pe/ is not below cli"],
    [
      "pe/x.ts",
      'export type { Va } from "../core/address.ts";',
      "re-exports: only src/index.ts and src/worker.ts are barrels",
    ],
    ["trail/x.ts", 'import { U64 } from "../generated/u64.js";', "trail/ may not read byte layouts"],
    ["trail/x.ts", 'import { Decoder } from "iced-x86";', "iced-x86 is imported outside isa/"],
    [
      "code/x.ts",
      'import { x64 } from "../isa/x86/sets.ts";',
      "isa/x86/sets.ts is asked for through isa/machines.ts",
    ],
    ["report/x.ts", 'import x from "../../bench/x.ts";', "../bench/x.ts is outside src/"],
    ["api/x.ts", "process.exit(1);", "prints, reads argv or exits: only cli/ may"],
    [
      "pe/x.ts",
      'import { readFileSync } from "node:fs";',
      "node:fs: only source/node-files.ts, worker/node-threads.ts and cli/ know of Node",
    ],
    [
      "pe/x.ts",
      'const x = Buffer.from("x");',
      "Buffer: only source/node-files.ts, worker/node-threads.ts and cli/ know of Node",
    ],
    ["core/x.ts", 'console.log("x");', "prints, reads argv or exits: only cli/ may"],
    [
      "code/x.ts",
      "runs.push(...found.runs);",
      "spreads a list into push: addAll does it without the stack, however long the list is",
    ],
    [
      "code/x.ts",
      "runs.push(first, ...others);",
      "spreads a list into push: addAll does it without the stack, however long the list is",
    ],
  ])("finds in %s what %s breaks", (file, text, problem) => {
    expect(problemsOf(file, text)).toEqual([problem]);
  });

  it("finds circles, of two files and of three", () => {
    const imports = new Map([
      ["a.ts", ["b.ts"]],
      ["b.ts", ["a.ts", "c.ts"]],
      ["c.ts", ["d.ts"]],
      ["d.ts", ["b.ts"]],
      ["e.ts", ["a.ts"]],
    ]);
    expect(circlesIn(imports)).toEqual(["a.ts b.ts", "b.ts c.ts d.ts"]);
  });

  it("allows what the design allows", () => {
    const text =
      '/** console.log in a comment */\nimport { U64 } from "../generated/u64.js";\nimport { x } from "./x.ts";';
    expect(problemsOf("kernel/x.ts", text)).toEqual([]);
    expect(
      problemsOf("cli/x.ts", 'process.exitCode = 2;\nimport { openDump } from "../api/open-dump.ts";'),
    ).toEqual([]);
  });
});
