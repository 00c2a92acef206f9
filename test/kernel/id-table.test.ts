import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readIdTable } from "../../src/kernel/id-table.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { type MadeProcess, type Mode, ObjectMachine } from "../fixtures/object-machine.ts";

const BUILDS: readonly [Mode, number][] = [
  ["x86", 2600],
  ["pae", 7601],
  ["pae", 9600],
  ["x64", 7601],
  ["x64", 9200],
  ["x64", 19041],
];
const PROCESSES: readonly MadeProcess[] = [
  { pid: 4, name: "System", threads: 2 },
  { pid: 400, name: "smss.exe", parent: 4 },
  { pid: 4004, name: "hidden.exe", parent: 400 },
  { pid: 5000, name: "agent.exe", parent: 400 },
];

describe.each(BUILDS)("the table of ids of a machine in mode %s, build %i", (mode, windows) => {
  const made = new ObjectMachine(mode, windows, PROCESSES);
  const { machine, objects, processes } = made;
  const variable = machine.allocate(16);
  const ids = new Map([
    ...processes.map(({ process }, i) => [PROCESSES[i]!.pid, process] as const),
    ...processes.flatMap(({ threads }, i) =>
      threads.map((thread, n) => [6000 + i * 40 + n * 4, thread] as const),
    ),
    // an id at which another process stands
    [5004, processes[3]!.process],
  ]);
  objects.idTable(variable, ids);
  const kernel = made.kernel();
  const { space, build, processLayout } = kernel;
  const told: Kernel["variable"] = () => ({ address: va(variable), basis: "kdbg" });

  it("has all processes at their own ids, and the threads", () => {
    expect(readIdTable({ space, build, processLayout, machine: kernel.machine, variable: told })).toEqual({
      processes: processes.map(({ process }, i) => ({ address: process, pid: PROCESSES[i]!.pid })),
      threads: 5,
      others: 1,
      stopped: undefined,
    });
  });

  it("is not known where KDBG does not say where it is", () => {
    expect(
      readIdTable({ space, build, processLayout, machine: kernel.machine, variable: () => undefined }),
    ).toBeUndefined();
  });
});
