import { beforeAll, describe, expect, it } from "vitest";
import { CONTAINERS, containerMachine, type Files } from "../../bench/containers.mjs";
import { ask, type Dump, openDump } from "../../src/index.ts";

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

/** What a container says of itself, and how the machine ended, which no other one knows. */
function comparable(document: unknown): unknown {
  const { input: _, notes: __, crash: ___, next: ____, ...rest } = document as Document;
  return rest;
}

function answers(files: Files): Record<string, unknown> {
  const [name, bytes] = Object.entries(files)[0] ?? [];
  if (name === undefined || bytes === undefined) throw new Error("no file");
  using dump = openDump(bytes);
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
