import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { ask, FileError, FormatError, openDump as openHere, QuestionError } from "../../src/index.ts";
import { type DumpWorker, openDump, type SentQuestion } from "../../src/worker.ts";

const X64 = "samples/leak-x64.dmp";
const IMAGES = "samples/images/x64";
const HIVE = "test/fixtures/hive/system.hive";

/** The worker of the built package: Node's own runs no TypeScript. */
const worker = (): Worker => new Worker("./dist/worker-thread.js");

const opened: DumpWorker[] = [];
async function open(...[input, options]: Parameters<typeof openDump>): Promise<DumpWorker> {
  const dump = await openDump(input, { worker, ...options });
  opened.push(dump);
  return dump;
}
afterAll(() => Promise.all(opened.map((dump) => dump.close())));

const QUESTIONS: readonly Exclude<SentQuestion, { command: "growth" }>[] = [
  { command: "trace", tags: ["Se"] },
  { command: "trace" },
  { command: "info" },
  { command: "modules", pattern: "ct*" },
  { command: "memory" },
  { command: "tags", pattern: "S*", top: 3 },
  { command: "scan", tag: "Se" },
  { command: "near", addresses: ["nt!SeQueryInformationToken+10", 0xfffff80481401000n] },
  { command: "pointers", address: "nt!SeQueryInformationToken" },
  { command: "pool", address: "nt+1000" },
  { command: "headers", module: "ctstor" },
  { command: "imports", module: "ctstor" },
  { command: "exports" },
  { command: "functions", module: "ctstor" },
  { command: "calls", module: "ctstor", function: "SeQueryInformationToken" },
  { command: "code", address: "ctstor+1000", lines: 4 },
  { command: "read", address: "ctstor", length: 16 },
  { command: "processes" },
  { command: "handles" },
];

describe("a dump in a worker", () => {
  const here = openHere(X64);
  afterAll(() => here.close());
  const there = open(X64);

  it.each(QUESTIONS)("answers $command as the library does", async (question) => {
    const { command } = question;
    const answer = await (await there).ask<typeof command>(question);
    expect(answer).toEqual(ask<typeof command>(here, question));
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({ schemaVersion: 1 });
  });

  it("says what is open", async () => {
    const { file, pointerSize } = await there;
    expect({ file, pointerSize }).toEqual({ file: "leak-x64.dmp", pointerSize: 8 });
  });

  it("tells how far it is, and lets this thread go on meanwhile", async () => {
    const modules = new Set<string>();
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    const onProgress = (module: string): unknown => modules.add(module);
    await (await there).ask({ command: "trace", tags: ["Se"] }, { onProgress });
    clearInterval(turning);
    expect([...modules]).toEqual(here.modules.items.map(({ name }) => name));
    expect(turns).toBeGreaterThan(0);
  });

  it("answers in the order of the questions", async () => {
    const dump = await there;
    const order: string[] = [];
    const note = async (name: string, answer: Promise<unknown>): Promise<void> => {
      await answer;
      order.push(name);
    };
    await Promise.all([
      note("trace", dump.ask({ command: "trace", tags: ["Se"] })),
      note("info", dump.ask({ command: "info" })),
    ]);
    expect(order).toEqual(["trace", "info"]);
  });

  it("takes what belongs to the dump: files by path, by URL, by bytes with their names", async () => {
    const given = { images: [IMAGES], systemHive: HIVE };
    using expected = openHere(X64, given);
    const names = ["ntoskrnl.exe", "ctstor.sys"];
    const files = names.map((name) => ({ name, bytes: Uint8Array.from(readFileSync(join(IMAGES, name))) }));
    const byUrl = await open(pathToFileURL(X64), {
      images: [pathToFileURL(IMAGES)],
      systemHive: pathToFileURL(HIVE),
    });
    const byBytes = await open(Uint8Array.from(readFileSync(X64)), { images: files });
    const question = { command: "trace", tags: ["Se"] } as const;
    expect(await byUrl.ask(question)).toEqual(ask(expected, question));
    const { coverage } = await byBytes.ask(question);
    expect(coverage.filter(({ fromFile }) => fromFile > 0).map(({ module }) => module)).toEqual([
      "nt",
      "ctstor",
    ]);
  });

  it("compares with an older dump, and knows what tags mean", async () => {
    const dump = await open(X64, { pooltags: new TextEncoder().encode("Se   - nt!se - of the bytes") });
    const growth = await dump.ask({ command: "growth", older: X64 });
    expect(growth).toMatchObject({ seconds: 0, tags: [] });
    const { tags } = await dump.ask({ command: "tags", pattern: "Se" });
    expect(tags[0]?.description).toContain("of the bytes");
  });
});

describe("an abort", () => {
  it("ends the question that runs, and the next one is answered", async () => {
    const dump = await open(X64);
    const stop = new AbortController();
    const running = dump.ask(
      { command: "trace", tags: ["Se"] },
      { signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) },
    );
    const next = dump.ask({ command: "modules" });
    await expect(running).rejects.toThrow("enough");
    expect((await next).modules).toHaveLength(13);
  });

  it("takes back a question that waits, and leaves the one that runs", async () => {
    const dump = await open(X64);
    const stop = new AbortController();
    const running = dump.ask({ command: "trace", tags: ["Se"] });
    const waiting = dump.ask({ command: "info" }, { signal: stop.signal });
    stop.abort(new Error("not any more"));
    await expect(waiting).rejects.toThrow("not any more");
    expect((await running).conclusion.module).toBe("ctstor");
  });

  it("is heeded where it came before the question, and while the dump is opened", async () => {
    const gone = AbortSignal.abort(new Error("too late"));
    await expect(open(X64, { signal: gone })).rejects.toThrow("too late");
    const dump = await open(X64);
    await expect(dump.ask({ command: "info" }, { signal: gone })).rejects.toThrow("too late");
  });
});

describe("what goes wrong in a worker", () => {
  it("is the error that the library throws", async () => {
    const dump = await open(X64);
    await expect(dump.ask({ command: "near", addresses: ["nosuch!x"] })).rejects.toThrow(QuestionError);
    await expect(open("no-such-file")).rejects.toThrow(FileError);
    const error: unknown = await open(new Uint8Array(64)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ field: "the signature", offset: 0 });
    await expect(open(new Blob([new Uint8Array(64)]))).rejects.toThrow(TypeError);
  });

  it("is told where the worker itself ends", async () => {
    const dump = await openDump(X64, {
      worker: () => new Worker("process.nextTick(() => { throw new Error('out of luck') })", { eval: true }),
    }).catch((error: unknown) => error);
    expect(dump).toMatchObject({ message: "the worker ended: out of luck" });
  });

  it("is a question to a dump that was closed", async () => {
    const dump = await open(X64);
    const asked = dump.ask({ command: "trace", tags: ["Se"] });
    const waiting = dump.ask({ command: "info" });
    await Promise.all([
      expect(asked).rejects.toThrow("the dump was closed"),
      expect(waiting).rejects.toThrow("the dump was closed"),
      dump.close(),
    ]);
    await expect(dump.ask({ command: "info" })).rejects.toThrow("the dump was closed");
  });
});
