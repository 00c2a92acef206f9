import { beforeAll, describe, expect, it } from "vitest";
import { CONTAINERS, containerMachine, type Files } from "../../bench/containers.mjs";
import { ask, type Dump, openDump } from "../../src/index.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

type Document = Readonly<Record<string, unknown>>;

const QUESTIONS: Readonly<Record<string, (dump: Dump) => unknown>> = {
  modules: (dump) => ask(dump, { command: "modules" }),
  tags: (dump) => ask(dump, { command: "tags" }),
  memory: (dump) => ask(dump, { command: "memory" }),
  processes: (dump) => ask(dump, { command: "processes" }),
  handles: (dump) => ask(dump, { command: "handles" }),
  scan: (dump) => ask(dump, { command: "scan", tag: "Se" }),
  trace: (dump) => ask(dump, { command: "trace", tags: ["Se"] }),
};

/**
 * What a container says of itself, and how the machine ended, which no other one knows; and how much can be read, which is
 * more where all of memory is there.
 */
const OWN: ReadonlySet<string> = new Set(["input", "notes", "crash", "next", "readableBytes", "coverage"]);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Document).flatMap(([key, held]) =>
      OWN.has(key) ? [] : [[key, comparable(held)]],
    ),
  );
}

const folder = temporaryFolder();
let opened = 0;

function answers(files: Files): Record<string, unknown> {
  opened++;
  const [path = ""] = Object.entries(files).map(([name, bytes]) => folder.file(`${opened}-${name}`, bytes));
  using dump = openDump(path);
  return Object.fromEntries(
    Object.entries(QUESTIONS).map(([question, of]) => [question, comparable(of(dump))]),
  );
}

describe.each(["x64", "x86"] as const)("one machine (%s) in every container", (arch) => {
  const made = containerMachine(arch);
  let expected: Record<string, unknown>;
  beforeAll(() => {
    expected = answers(CONTAINERS["crash dump, full"]!(made));
  });

  it.each(Object.keys(CONTAINERS))("%s answers as the crash dump does", (name) => {
    const found = answers(CONTAINERS[name]!(made));
    for (const question of Object.keys(QUESTIONS))
      expect(found[question], question).toEqual(expected[question]);
  });
});
