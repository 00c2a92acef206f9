import { describe, expect, it } from "vitest";
import type { Handles } from "../../src/kernel/handles.ts";
import { tagText } from "../../src/pool/tag.ts";
import { type MadeProcess, type Mode, ObjectMachine } from "../fixtures/object-machine.ts";

const BUILDS: readonly [Mode, number][] = [
  ["x86", 2600],
  ["pae", 3790],
  ["pae", 7601],
  ["pae", 9600],
  ["x64", 3790],
  ["x64", 7601],
  ["x64", 9200],
  ["x64", 9600],
  ["x64", 10240],
  ["x64", 19041],
  ["x64", 26100],
  ["x64-la57", 26100],
  ["arm64", 22000],
];

const PROCESSES: readonly MadeProcess[] = [
  { pid: 4, name: "System", threads: 4 },
  { pid: 400, name: "smss.exe", parent: 4 },
  { pid: 500, name: "csrss.exe", parent: 400, session: 0 },
  { pid: 600, name: "services.exe", parent: 400, session: 0, threads: 2 },
  { pid: 700, name: "leaker.exe", parent: 600, session: 0 },
  { pid: 800, name: "other.exe", parent: 600, session: 1 },
];

/** What was found, in few words: handles and objects by tag. */
function summary(found: Handles): Record<string, Record<string, string>> {
  const rows = (counts: Handles["totals"]): Record<string, string> =>
    Object.fromEntries(
      counts.map(({ tag, type, handles, objects }) => [
        tagText(tag),
        `${type?.name}: ${handles} to ${objects}`,
      ]),
    );
  return {
    ...Object.fromEntries(found.processes.map(({ process, byType }) => [process.imageName, rows(byType)])),
    all: rows(found.totals),
  };
}

function readable(made: ObjectMachine): Handles {
  const found = made.read();
  if ("missing" in found) throw new Error(found.reason);
  return found;
}

describe.each(BUILDS)("handles of a machine in mode %s, build %i", (mode, windows) => {
  const made = new ObjectMachine(mode, windows, PROCESSES);
  const { objects } = made;
  const event = (): { type: string; object: bigint } => ({
    type: "Event",
    object: objects.object("Event", 0x20, { handles: 1, parts: ["quota"] }),
  });
  const token = (): { type: string; object: bigint } => ({
    type: "Token",
    object: objects.object("Token", 0x300, { handles: 1, parts: ["creator", "quota"], paged: true }),
  });
  const shared = {
    type: "Section",
    object: objects.object("Section", 0x40, { handles: 3, parts: ["creator", "name", "handle", "quota"] }),
  };
  const threads = made.processes[3]!.threads.map((object) => ({ type: "Thread", object }));
  made.handles(0, 4, [shared, { type: "Process", object: made.processes[4]!.process }]);
  made.handles(3, 600, [...threads, shared, ...Array.from({ length: 700 }, event)], { free: 7 });
  made.handles(4, 700, Array.from({ length: 60 }, token));
  made.handles(5, 800, [shared, shared, ...Array.from({ length: 3 }, event)], { levels: 2 });
  const found = readable(made);

  it("are counted by process, type and object", () => {
    expect(summary(found)).toEqual({
      System: { Proc: "Process: 1 to 1", Sect: "Section: 1 to 1" },
      "smss.exe": {},
      "csrss.exe": {},
      "services.exe": { Even: "Event: 700 to 700", Thre: "Thread: 2 to 2", Sect: "Section: 1 to 1" },
      "leaker.exe": { Toke: "Token: 60 to 60" },
      "other.exe": { Even: "Event: 3 to 3", Sect: "Section: 2 to 1" },
      all: {
        Even: "Event: 703 to 703",
        Toke: "Token: 60 to 60",
        Sect: "Section: 4 to 1",
        Thre: "Thread: 2 to 2",
        Proc: "Process: 1 to 1",
      },
    });
    expect(found.processes.map(({ handles, unknown, stopped }) => ({ handles, unknown, stopped }))).toEqual(
      [703, 60, 5, 2, 0, 0].map((handles) => ({ handles, unknown: 0, stopped: undefined })),
    );
    expect({ tables: found.tables, notes: found.notes }).toEqual({ tables: { read: 4, of: 4 }, notes: [] });
  });

  it("lead to types with the kernel's own counts", () => {
    const types = [...found.types.byKind.values()];
    expect(types.find(({ name }) => name === "Event")).toMatchObject({ objects: 703, handles: 703 });
    expect(types.find(({ name }) => name === "Process")).toMatchObject({
      objects: PROCESSES.length,
      handles: 1,
    });
    expect(types).toHaveLength(28);
    expect(found.types.cookie).toBe(windows >= 10240 ? 0x5a : undefined);
  });
});
