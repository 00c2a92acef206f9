import { describe, expect, it } from "vitest";
import { groupExited } from "../../src/kernel/exited-processes.ts";
import type { Handles, ProcessHandles } from "../../src/kernel/handles.ts";
import { tagText } from "../../src/pool/tag.ts";
import { type MadeProcess, type Mode, ObjectMachine } from "../fixtures/object-machine.ts";

const BUILDS: readonly [Mode, number][] = [
  ["pae", 3790],
  ["pae", 7601],
  ["x64", 7601],
  ["x64", 9600],
  ["x64", 19041],
  ["x64", 26100],
];
const SYSTEM: MadeProcess = { pid: 4, name: "System", threads: 4 };
const SERVICES: MadeProcess = { pid: 600, name: "services.exe", parent: 4 };
const LEAKER: MadeProcess = { pid: 700, name: "leaker.exe", parent: 600 };
const INNOCENT: MadeProcess = { pid: 800, name: "innocent.exe", parent: 600 };

/** The first processes by how many handles of a tag they hold. */
function holders(found: Handles, tag: string): readonly (readonly [string | undefined, number, number])[] {
  const of = ({
    process,
    byType,
  }: ProcessHandles): readonly (readonly [string | undefined, number, number])[] =>
    byType
      .filter((one) => tagText(one.tag) === tag)
      .map(({ handles, objects }) => [process.imageName, handles, objects] as const);
  return found.processes.flatMap(of).sort((a, b) => b[1] - a[1]);
}

describe.each(BUILDS)("a machine in mode %s, build %i", (mode, windows) => {
  it("of which a process leaks 10,000 events shows that process, and not one with as many sections", () => {
    const made = new ObjectMachine(mode, windows, [SYSTEM, SERVICES, LEAKER, INNOCENT]);
    const make = (type: string): { type: string; object: bigint } => ({
      type,
      object: made.objects.object(type, 0x20, { handles: 1 }),
    });
    made.handles(0, 4, [make("Event")]);
    made.handles(1, 600, [make("Event"), make("Key")]);
    made.handles(
      2,
      700,
      Array.from({ length: 10_000 }, () => make("Event")),
    );
    made.handles(3, 800, [...Array.from({ length: 9000 }, () => make("Section")), make("Event")]);
    const found = made.read() as Handles;
    expect(holders(found, "Even")).toEqual([
      ["leaker.exe", 10_000, 10_000],
      ["innocent.exe", 1, 1],
      ["services.exe", 1, 1],
      ["System", 1, 1],
    ]);
    const type = [...found.types.byKind.values()].find(({ name }) => name === "Event");
    expect({ objects: type?.objects, handles: type?.handles }).toEqual({ objects: 10_003, handles: 10_003 });
  });

  it("of which a process opens one event 20,000 times shows that it is one", () => {
    const made = new ObjectMachine(mode, windows, [SYSTEM, SERVICES, LEAKER]);
    const event = { type: "Event", object: made.objects.object("Event", 0x20, { handles: 20_001 }) };
    made.handles(0, 4, [event]);
    made.handles(1, 600, [event]);
    made.handles(2, 700, new Array<typeof event>(20_000).fill(event));
    const found = made.read() as Handles;
    expect(holders(found, "Even")[0]).toEqual(["leaker.exe", 20_000, 1]);
    expect(found.totals.map(({ handles, objects }) => [handles, objects])).toEqual([[20_002, 1]]);
  });

  it("whose dead processes stay shows of whom they are, and whether handles hold them", () => {
    const dead = Array.from({ length: 300 }, (_, i) => ({
      pid: 2000 + i * 4,
      name: i < 200 ? "cmd.exe" : "conhost.exe",
      parent: 700,
      exited: true,
    }));
    const made = new ObjectMachine(mode, windows, [SYSTEM, SERVICES, LEAKER, ...dead]);
    const { objects, processes } = made;
    const event = { type: "Event", object: objects.object("Event", 0x20, { handles: 1 }) };
    for (const [index, pid] of [
      [0, 4],
      [1, 600],
    ] as const) {
      made.handles(index, pid, [event]);
    }
    // leaker.exe holds the dead of cmd.exe; a driver took a reference to each conhost.exe
    const held = processes.slice(3, 203).map(({ process }) => ({ type: "Process", object: process }));
    made.handles(2, 700, held);
    for (const { object } of held) objects.setCounts(object, 0x7fff, 1);
    const kernel = made.kernel();
    const { items } = made.details(kernel);
    expect(groupExited(items)).toEqual([
      { imageName: "cmd.exe", parent: 700, processes: 200, withoutHandles: 0 },
      { imageName: "conhost.exe", parent: 700, processes: 100, withoutHandles: 100 },
    ]);
    const told = new Set(items.slice(3).map(({ imageName, references }) => `${imageName} ${references}`));
    // from Windows 8 on a handle takes references in advance, so that their number says nothing
    expect([...told]).toEqual([`cmd.exe ${windows >= 9200 ? undefined : 0x7fff}`, "conhost.exe 1"]);
    expect(holders(made.read(kernel) as Handles, "Proc")).toEqual([["leaker.exe", 200, 200]]);
  });
});
