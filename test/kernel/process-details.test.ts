import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { groupExited } from "../../src/kernel/exited-processes.ts";
import type { ProcessDetail } from "../../src/kernel/process-detail.ts";
import {
  createdAt,
  exitedAt,
  type MadeProcess,
  type Mode,
  ObjectMachine,
} from "../fixtures/object-machine.ts";

const BUILDS: readonly [Mode, number][] = [
  ["x86", 2600],
  ["pae", 3790],
  ["pae", 6000],
  ["pae", 7601],
  ["pae", 9600],
  ["x64", 3790],
  ["x64", 7601],
  ["x64", 9600],
  ["x64", 10240],
  ["x64", 19041],
];

/** Processes that have ended and stay stand among the others. */
const PROCESSES: readonly MadeProcess[] = [
  { pid: 4, name: "System", threads: 6 },
  { pid: 400, name: "smss.exe", parent: 4, threads: 2 },
  { pid: 500, name: "csrss.exe", parent: 400, session: 1, threads: 9 },
  { pid: 600, name: "services.exe", parent: 480, session: 0, threads: 4 },
  { pid: 604, name: "cmd.exe", parent: 600, exited: true },
  { pid: 700, name: "agent.exe", parent: 600, session: 0 },
  { pid: 704, name: "cmd.exe", parent: 700, session: 0, exited: true },
  { pid: 708, name: "cmd.exe", parent: 700, session: 0, exited: true },
  { pid: 712, name: "cmd.exe", parent: 700, session: 0, exited: true },
  { pid: 716, name: "conhost.exe", parent: 700, session: 0, exited: true },
];

/** A machine whose live processes have tables; agent.exe holds two of the dead, and a driver holds the third. */
function zombies(mode: Mode, windows: number): ObjectMachine {
  const made = new ObjectMachine(mode, windows, PROCESSES);
  const { objects, processes } = made;
  const dead = [6, 7].map((index) => ({ type: "Process", object: processes[index]!.process }));
  const event = { type: "Event", object: objects.object("Event", 0x20, { handles: 1 }) };
  made.handles(0, 4, [event]);
  for (const [index, pid] of [
    [1, 400],
    [2, 500],
    [3, 600],
  ] as const) {
    made.handles(index, pid, [event]);
  }
  made.handles(5, 700, [...dead, event]);
  for (const { object } of dead) objects.setCounts(object, 0x7fff, 1);
  objects.setCounts(processes[8]!.process, 1, 0);
  return made;
}

const said = ({ address, directoryTableBase, handleTable, ...rest }: ProcessDetail): object => ({
  ...rest,
  handleTable: typeof handleTable === "bigint" ? "some" : handleTable,
});

describe.each(BUILDS)("processes of a machine in mode %s, build %i", (mode, windows) => {
  const made = zombies(mode, windows);
  const details = made.details();

  it("say what the writer gave them", () => {
    expect(details.items.map(said)).toEqual(
      PROCESSES.map(({ pid, name, parent = 0, threads, exited = false, session }, i) => ({
        pid,
        imageName: name,
        listed: true,
        parent,
        created: createdAt(i),
        exited: exited ? exitedAt(i) : "none",
        session: session ?? "none",
        threads: exited ? 0 : (threads ?? 1),
        state: exited ? "exited" : "active",
        handleTable: exited ? "none" : "some",
        handles: exited ? 0 : pid === 700 ? 3 : 1,
        handlesToIt: i === 6 || i === 7 ? 1 : 0,
        references: i === 6 || i === 7 ? (windows >= 9200 ? undefined : 0x7fff) : 1,
      })),
    );
    expect({ unknown: details.unknown, notes: details.notes }).toEqual({ unknown: [], notes: [] });
  });

  it("that have ended are grouped by image and parent, with those that no handle holds", () => {
    expect(groupExited(details.items)).toEqual([
      { imageName: "cmd.exe", parent: 700, processes: 3, withoutHandles: 1 },
      { imageName: "cmd.exe", parent: 600, processes: 1, withoutHandles: 1 },
      { imageName: "conhost.exe", parent: 700, processes: 1, withoutHandles: 1 },
    ]);
  });
});

describe("a Windows of which nobody knows where EPROCESS has its fields", () => {
  const details = zombies("x64", 26100).details();

  it("has them found by what they hold", () => {
    const { parent, created, exited, threads } = details.fields;
    expect({ parent, created, exited, threads }).toEqual({
      parent: { offset: 0x2d0, basis: "search" },
      created: { offset: 0x1f8, basis: "search" },
      exited: { offset: 0x5c8, basis: "search" },
      threads: { offset: 0x380, basis: "search" },
    });
    expect(details.items[6]).toMatchObject({ parent: 700, exited: exitedAt(6), threads: 0, state: "exited" });
  });

  it("has no sessions, and that is said", () => {
    expect(details.items.every(({ session }) => session === undefined)).toBe(true);
    expect(details.unknown).toEqual([
      { field: "session", reason: "no place in EPROCESS of build 26100 proves to hold it" },
    ]);
  });
});

describe("what does not prove itself", () => {
  it("is not known: without headers nobody knows who refers to a process", () => {
    const made = zombies("x64", 19041);
    const { machine, processes } = made;
    // another tag in front of all processes
    for (const { process } of processes) {
      for (let at = process - 0x60n; at < process; at += 16n) {
        if (Buffer.from(machine.read(at + 4n, 4)).toString("latin1") === "Proc")
          machine.u32(at + 4n, 0x58585858);
      }
    }
    const { items, unknown } = made.details();
    expect(items.map(({ handlesToIt, references }) => handlesToIt ?? references)).toEqual(
      PROCESSES.map(() => undefined),
    );
    expect(unknown).toEqual([
      { field: "handles", reason: "what entries of the handle tables lead to does not prove to be objects" },
      { field: "references", reason: "what stands in front of processes fits no known form of header" },
    ]);
  });

  it("is not known: times that are none", () => {
    const made = zombies("x64", 19041);
    for (const { process } of made.processes) made.machine.u64(process + 0x468n, 0x1234n);
    const { items, unknown } = made.details();
    expect(unknown.map(({ field }) => field)).toEqual(["created", "exited"]);
    // without an exit time, having neither threads nor handles tells it
    expect(items.map(({ state }) => state)).toEqual(
      PROCESSES.map(({ exited }) => (exited === true ? "exited" : "active")),
    );
  });

  it("is not known: a handle table that names another process", () => {
    const made = zombies("x64", 19041);
    const table = made.machine.readPointer(made.processes[5]!.process + 0x570n);
    made.machine.pointer(table + 0x28n, 123);
    expect(made.details().items[5]?.handleTable).toBeUndefined();
  });
});

describe("processes that are not in the list", () => {
  const made = zombies("x64", 19041);
  const hidden = made.processes[5]!.process;
  const [before, after] = [made.processes[4]!.process, made.processes[6]!.process].map(
    (process) => process + 0x448n,
  );
  made.machine.pointer(before!, after!).pointer(after! + 8n, before!);
  const kernel = made.kernel();

  it("are read where they were found elsewhere, and said not to be listed", () => {
    const found = [va(hidden), va(made.processes[1]!.process)];
    const { items } = made.details(kernel, found);
    expect(items).toHaveLength(PROCESSES.length);
    expect(items.at(-1)).toMatchObject({
      pid: 700,
      imageName: "agent.exe",
      listed: false,
      parent: 600,
      handles: 3,
    });
  });

  it("are not known without", () => {
    expect(made.details(kernel).items.map(({ pid }) => pid)).not.toContain(700);
  });

  it("are 65,536 at the most, and it is said where there are more", () => {
    const others = Array.from({ length: 65_536 }, (_, i) => va(BigInt(i) * 0x10n));
    expect(made.details(kernel, [...others, va(hidden)])).toMatchObject({
      items: { length: PROCESSES.length - 1 },
      notes: ["there are more processes outside the list than are looked at"],
    });
  });

  it("are left out where they are none", () => {
    const { items } = made.details(kernel, [va(0x10n), va(hidden + 0x11n)]);
    expect(items).toHaveLength(PROCESSES.length - 1);
  });
});
