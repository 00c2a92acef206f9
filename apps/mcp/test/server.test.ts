import { spawn } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema, type Progress } from "@modelcontextprotocol/sdk/types.js";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS, SESSIONS } from "../../../src/cli/commands.ts";
import { pooltrailJson } from "../../../test/fixtures/cli.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";

const MAIN = "apps/mcp/dist/main.js";
const X64 = "samples/leak-x64.dmp";
const X86 = "samples/article-2003.dmp";
const ROOM = 50_000;

const own = temporaryFolder();
const client = new Client({ name: "test", version: "0" });
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [MAIN, "samples", "test/fixtures/hive", own.path],
});
beforeAll(() => client.connect(transport));
afterAll(() => client.close());

interface Called {
  /** What each of the texts says. */
  readonly said: readonly unknown[];
  readonly bytes: number;
  readonly isError: boolean;
}

async function call(
  name: string,
  given: object,
  on?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Called> {
  const options = {
    ...(on === undefined ? {} : { onprogress: on }),
    ...(signal === undefined ? {} : { signal }),
  };
  const result = await client.callTool({ name, arguments: { ...given } }, CallToolResultSchema, options);
  const { content, isError } = CallToolResultSchema.parse(result);
  const texts = content.map((part) => (part.type === "text" ? part.text : ""));
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    said: texts.map((text) => (text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text)),
    bytes,
    isError: isError === true,
  };
}

const schemas = new Map<string, ValidateFunction>(
  readdirSync("schema").map((file) => [
    file.replace(/\.json$/, ""),
    new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(join("schema", file), "utf8"))),
  ]),
);

/** Of each tool: what it is given, and the same on the command line. */
interface Given {
  readonly file: string;
  readonly since?: string;
  readonly [name: string]: unknown;
}
const QUESTIONS: readonly (readonly [name: string, given: Given, words?: readonly string[]])[] = [
  ["trace", { file: X64, tags: ["Se"] }, ["Se"]],
  ["trace", { file: X64, tags: ["Se", "Toke"] }, ["Se", "Toke"]],
  ["trace", { file: X64 }],
  ["trace", { file: X86, tags: ["Se"] }, ["Se"]],
  ["trace", { file: "samples/images/x64", tags: ["Se"] }, ["Se"]],
  [
    "trace",
    { file: X64, tags: ["Se"], images: ["images/x64"], systemHive: "system.hive" },
    ["Se", "--images", "samples/images/x64", "--system-hive", "test/fixtures/hive/system.hive"],
  ],
  ["info", { file: X64 }],
  ["modules", { file: X64, pattern: "ct*" }, ["ct*"]],
  ["memory", { file: X86 }],
  ["tags", { file: X86, sort: "paged", top: 3 }, ["--sort", "paged", "--top", "3"]],
  ["tags", { file: X64, since: X86, force: true, pattern: "Se" }, ["Se", "--since", X86, "--force"]],
  ["scan", { file: X64, tag: "Se" }, ["Se"]],
  ["near", { file: X64, addresses: ["fffff8047bc01172", "nt"] }, ["fffff8047bc01172", "nt"]],
  ["pointers", { file: X86, address: "nt!SeQueryInformationToken" }, ["nt!SeQueryInformationToken"]],
  ["pool", { file: X64, address: "nt+1000" }, ["nt+1000"]],
  ["headers", { file: X64, module: "ctstor" }, ["ctstor"]],
  ["headers", { file: "samples/images/x64/ctstor.sys" }],
  ["imports", { file: X64, module: "ctstor" }, ["ctstor"]],
  ["imports", { file: X86, module: "ba31fd74", length: "L20" }, ["ba31fd74", "L20"]],
  ["exports", { file: X64 }],
  ["functions", { file: X64, module: "ctstor" }, ["ctstor"]],
  [
    "calls",
    { file: X64, module: "ctstor", function: "SeQueryInformationToken" },
    ["ctstor", "SeQueryInformationToken"],
  ],
  ["code", { file: X64, address: "ctstor+1000", view: "function" }, ["ctstor+1000", "--view", "function"]],
  ["read", { file: X64, address: "ctstor", length: "40" }, ["ctstor", "40"]],
  ["processes", { file: X64 }],
  ["handles", { file: X64, of: "Toke" }, ["Toke"]],
];

describe("the tools", () => {
  it("are the commands that answer with a document, and the list of files", async () => {
    const { tools } = await client.listTools();
    const commands = COMMANDS.map(({ name }) => name).filter((name) => !SESSIONS.includes(name));
    expect(tools.map(({ name }) => name)).toEqual(["files", ...commands]);
    expect(new Set(QUESTIONS.map(([name]) => name))).toEqual(new Set(commands));
    for (const { name, description, inputSchema, annotations } of tools) {
      expect([name, description?.length ?? 0, annotations?.readOnlyHint]).toEqual([
        name,
        expect.any(Number),
        true,
      ]);
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      const described = Object.values(inputSchema.properties ?? {}).map(
        (one) => "description" in one || "items" in one,
      );
      expect(described).not.toContain(false);
    }
  });

  it.each(QUESTIONS.map(([name, given, words = []]) => ({ name, given, words })))(
    "$name $given answers with the document of the command line",
    async ({ name, given, words }) => {
      const { file, since } = given;
      const there = {
        ...given,
        file: resolve(file),
        ...(since === undefined ? {} : { since: resolve(since) }),
      };
      const { said, bytes, isError } = await call(name, there);
      expect(isError).toBe(false);
      expect(bytes).toBeLessThanOrEqual(ROOM);
      const [document, more] = said;
      const printed = pooltrailJson(name, file, ...words);
      expect(document).toEqual(more === undefined ? printed : asLongAs(document, printed));
      const command = since === undefined ? name : "growth";
      for (const one of Array.isArray(document) ? document : [document]) {
        expect([schemas.get(command)?.(one), schemas.get(command)?.errors ?? null]).toEqual([true, null]);
      }
    },
  );
});

/** What `whole` is where its lists and texts end as early as those of `part`. */
function asLongAs(part: unknown, whole: unknown): unknown {
  if (typeof part === "string") return String(whole).slice(0, part.length);
  if (Array.isArray(part) && Array.isArray(whole)) return part.map((item, i) => asLongAs(item, whole[i]));
  if (typeof part !== "object" || part === null) return whole;
  return Object.fromEntries(
    Object.entries(whole as object).map(([name, held]) => [name, asLongAs(Reflect.get(part, name), held)]),
  );
}

describe("a long answer", () => {
  it("is shortened to 50 KB, and given whole from one page to the next", async () => {
    const given = { file: resolve(X64) };
    const all = pooltrailJson("functions", X64);
    const first = await call("functions", given);
    expect(first.bytes).toBeLessThanOrEqual(ROOM);
    const items: unknown[] = [];
    let next: object | undefined = { list: "/functions", offset: 0 };
    let pages = 0;
    for (; next !== undefined; pages++) {
      const { said, bytes } = await call("functions", { ...given, ...next });
      expect(bytes).toBeLessThanOrEqual(ROOM);
      const [page, more] = said as [{ items: unknown[] }, { cut: { next: object }[] } | undefined];
      items.push(...page.items);
      next = more?.cut[0]?.next;
    }
    expect(pages).toBeGreaterThan(1);
    expect(items).toEqual(all.functions);
  });

  it("has as many items as are asked for, and says which list there is not", async () => {
    const given = { file: resolve(X86), list: "/references" };
    const { said } = await call("scan", { ...given, tag: "Se", offset: 1, limit: 2 });
    expect(said[0]).toEqual({
      list: "/references",
      offset: 1,
      of: 19,
      items: pooltrailJson("scan", X86, "Se").references.slice(1, 3),
    });
    const wrong = await call("info", given);
    expect(wrong).toMatchObject({ isError: true, said: [{ error: { kind: "PartError" } }] });
  });
});

describe("what goes wrong", () => {
  it("is told by its fields", async () => {
    const bad = own.file("bad.dmp", new Uint8Array(64));
    const told = async (name: string, given: object): Promise<unknown> => {
      const { said, isError } = await call(name, given);
      expect(isError).toBe(true);
      return (said[0] as { error: unknown }).error;
    };
    expect(await told("info", { file: bad })).toMatchObject({
      kind: "FormatError",
      file: "bad.dmp",
      offset: 0,
      field: "the signature",
      expected: expect.any(String),
      found: expect.any(String),
    });
    expect(await told("info", { file: join(own.path, "none.dmp") })).toMatchObject({
      kind: "FileError",
      problem: "missing",
    });
    expect(await told("info", { file: resolve("samples/images/x64") })).toMatchObject({
      kind: "FileError",
      problem: "directory",
    });
    expect(await told("near", { file: resolve(X64), addresses: ["nosuch!x"] })).toMatchObject({
      kind: "QuestionError",
      command: "near",
    });
    expect(await told("tags", { file: resolve(X64), since: resolve(X86) })).toMatchObject({
      kind: "QuestionError",
    });
    expect(await told("code", { file: resolve(X64), address: "poi(1000)" })).toMatchObject({
      kind: "MemoryError",
      fault: { va: "0x1000" },
    });
  });

  it("is an argument that the tool does not know, or lacks", async () => {
    for (const given of [
      { file: resolve(X64), tag: "Se", modul: "nt" },
      { file: resolve(X64) },
      { file: resolve(X64), tag: 7 },
    ]) {
      const { said, isError } = await call("scan", given);
      expect(isError).toBe(true);
      expect(said[0]).toMatch(/modul|tag/);
    }
  });

  it("is a path that leads out of the folders, whatever it is given as", async () => {
    const secret = resolve("package.json");
    symlinkSync(secret, join(own.path, "link.dmp"));
    symlinkSync(resolve("samples/images/x64"), join(own.path, "images"));
    const calls: readonly (readonly [string, object])[] = [
      ["info", { file: secret }],
      ["info", { file: "../package.json" }],
      ["info", { file: join(own.path, "link.dmp") }],
      ["tags", { file: resolve(X64), pooltags: secret }],
      ["tags", { file: resolve(X64), since: secret }],
      ["trace", { file: resolve(X64), tags: ["Se"], systemHive: secret }],
      ["modules", { file: resolve(X64), images: [resolve("src")] }],
      ["modules", { file: resolve(X64), images: [own.path] }],
    ];
    for (const [name, given] of calls) {
      const { said, isError } = await call(name, given);
      expect([isError, said[0]]).toMatchObject([true, { error: { kind: "OutsideError" } }]);
    }
  });
});

describe("a question that takes long", () => {
  it("tells how far it is, in steps that only grow, also where a second tag begins anew", async () => {
    const told: Progress[] = [];
    await call("trace", { file: resolve(X64), tags: ["Toke", "Proc"] }, (progress) => told.push(progress));
    expect(told.map(({ progress }) => progress)).toEqual(told.map((_, i) => i + 1));
    expect(told.filter(({ message }) => message === "nt, 0 of 13 modules").length).toBeGreaterThan(1);
  });

  it("ends when it is cancelled, and the next one is answered", async () => {
    const stop = new AbortController();
    const asked = call(
      "trace",
      { file: resolve(X86), tags: ["Ntff"] },
      () => stop.abort(new Error("enough")),
      stop.signal,
    );
    await expect(asked).rejects.toThrow("enough");
    const { said } = await call("info", { file: resolve(X86) });
    expect(said[0]).toMatchObject({ build: 3790 });
  });
});

describe("the files", () => {
  it("are those below the folders, page by page", async () => {
    const { said } = await call("files", { limit: 100_000 });
    const { items } = said[0] as { items: { path: string; size: number }[] };
    const sizes = new Map(items.map(({ path, size }) => [path, size]));
    expect(sizes.get(realpathSync(X64))).toBe(readFileSync(X64).length);
    expect(sizes.has(resolve("package.json"))).toBe(false);
  });
});

describe("the resources", () => {
  it("are the pages of docs/ and the schemas", async () => {
    const { resources } = await client.listResources();
    const uris = resources.map(({ uri }) => uri);
    expect(uris).toEqual(
      expect.arrayContaining([
        "pooltrail://docs/tutorial.md",
        "pooltrail://docs/commands/trace.md",
        "pooltrail://schema/trace.json",
      ]),
    );
    const { contents } = await client.readResource({ uri: "pooltrail://docs/commands/trace.md" });
    expect(contents).toEqual([
      {
        uri: "pooltrail://docs/commands/trace.md",
        mimeType: "text/markdown",
        text: readFileSync("docs/commands/trace.md", "utf8"),
      },
    ]);
    await expect(client.readResource({ uri: "pooltrail://docs/../package.json" })).rejects.toThrow();
  });
});

describe("the program", () => {
  const run = (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...args]);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
    const ended = new Promise<number | null>((done) => child.on("close", done));
    return { child, ended, text: () => text };
  };

  it.each([
    [[], 2, "pooltrail-mcp FOLDER..."],
    [["no-such-folder"], 2, "pooltrail-mcp: no-such-folder is no folder"],
    [["--version"], 0, JSON.parse(readFileSync("apps/mcp/package.json", "utf8")).version],
    [["--help"], 0, "pooltrail-mcp FOLDER..."],
  ])("called with %o ends with %i and says how it is called", async (args, code, said) => {
    const { ended, text } = run(...args);
    expect(await ended).toBe(code);
    expect(text()).toContain(said);
  });

  it("ends when its client does, also in the middle of a question", async () => {
    const { child, ended, text } = run("samples");
    const send = (message: object): unknown =>
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    const clientInfo = { name: "raw", version: "0" };
    send({
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo },
    });
    send({ method: "notifications/initialized" });
    const question = { name: "trace", arguments: { file: "article-2003.dmp" }, _meta: { progressToken: 1 } };
    send({ id: 2, method: "tools/call", params: question });
    await expect.poll(text, { timeout: 20_000 }).toContain("notifications/progress");
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(text()).not.toContain("schemaVersion");
  });
});
