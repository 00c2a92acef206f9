import { describe, expect, it } from "vitest";
import type { Handles } from "../../src/kernel/handles.ts";
import { type MadeProcess, ObjectMachine } from "../fixtures/object-machine.ts";

const PROCESSES: readonly MadeProcess[] = [
  { pid: 4, name: "System" },
  { pid: 400, name: "smss.exe", parent: 4 },
  { pid: 500, name: "agent.exe", parent: 400 },
];

/** smss.exe has one handle; agent.exe a table of two levels with 600. */
function build(): { made: ObjectMachine; table: bigint; root: bigint } {
  const made = new ObjectMachine("x64", 19041, PROCESSES);
  const event = (): { type: string; object: bigint } => ({
    type: "Event",
    object: made.objects.object("Event", 0x20, { handles: 1 }),
  });
  made.handles(0, 4, [event()]);
  made.handles(1, 400, [event()]);
  const table = made.handles(2, 500, Array.from({ length: 600 }, event));
  return { made, table, root: made.machine.readPointer(table + 8n) & ~7n };
}

function agent(made: ObjectMachine): {
  handles: number | undefined;
  stopped: string | undefined;
  notes: readonly string[];
} {
  const found = made.read() as Handles;
  const { handles, stopped } = found.processes.find(({ process }) => process.pid === 500)!;
  return { handles, stopped, notes: found.notes };
}

describe("a handle table", () => {
  it("whose pages lead to themselves is read once", () => {
    const { made, root } = build();
    made.machine.pointer(root + 16n, root).pointer(root + 24n, made.machine.readPointer(root));
    expect(agent(made)).toEqual({
      handles: 510,
      stopped: "cycle",
      notes: ["handles of agent.exe (500) may be missing: their pages lead back to one another"],
    });
  });

  it.each([
    ["nowhere", 0x10n],
    ["a user address", 0x7ff0_0000_0000n],
    ["no address at all", 0x1234_5678_9abc_deffn],
    ["three levels of what has two", undefined],
  ])("whose code leads to %s gives what it gives, and says that it is broken", (_, code) => {
    const { made, table, root } = build();
    made.machine.u64(table + 8n, code ?? root | 2n);
    const { handles, stopped, notes } = agent(made);
    expect({ handles, stopped }).toEqual({ handles: undefined, stopped: "broken" });
    expect(notes[0]).toBe("the handle tables of agent.exe (500) cannot be read");
  });

  it("with more levels than there are is broken", () => {
    const { made, table, root } = build();
    made.machine.u64(table + 8n, root | 3n);
    expect(agent(made)).toMatchObject({ handles: undefined, stopped: "broken" });
  });

  it("with a page that is not in the dump lacks its handles, not those of the others", () => {
    const { made, root } = build();
    made.machine.setState(made.machine.readPointer(root + 8n), 0x1000, "not-in-dump");
    expect(agent(made)).toEqual({
      handles: 345,
      stopped: "unreadable",
      notes: ["handles of agent.exe (500) may be missing: parts of them are not in the dump"],
    });
  });

  it("whose entries point anywhere has handles of unknown type", () => {
    const { made, root } = build();
    const page = made.machine.readPointer(root);
    for (let entry = 1n; entry < 100n; entry++) {
      made.machine.u64(page + entry * 16n, 0xffff_0000_0000_0001n | (entry * 0x9e37_79b1_7f4a_7c15n));
    }
    const found = made.read() as Handles;
    const one = found.processes.find(({ process }) => process.pid === 500)!;
    expect({ handles: one.handles, unknown: one.unknown }).toEqual({ handles: 600, unknown: 99 });
    expect(found.notes).toEqual([
      "of 99 handles the type is not known: what they lead to cannot be read, or is no object",
    ]);
  });

  it("whose entries lead to blocks that are no objects has handles of unknown type", () => {
    const { made } = build();
    const { objects } = made;
    const freed = objects.object("Event", 0x20, { handles: 1, tag: "Junk" });
    made.handles(1, 400, [{ type: "Event", object: freed }]);
    const found = made.read() as Handles;
    expect(found.processes.map(({ unknown }) => unknown)).toEqual([0, 0, 1]);
  });
});

describe("all handle tables together", () => {
  it("are read up to 65,536 pages, and it is said whose are left (MAX_HANDLE_PAGES)", () => {
    const many = Array.from({ length: 132 }, (_, i) => ({ pid: 4 + 4 * i, name: `p${i}.exe` }));
    const made = new ObjectMachine("x64", 19041, [{ pid: 4, name: "System" }, ...many.slice(1)]);
    const { machine, objects } = made;
    const event = { type: "Event", object: objects.object("Event", 0x20, { handles: 132 }) };
    const tables = many.map(({ pid }, i) => made.handles(i, pid, [event], { levels: 1 }));
    // all lead to the pages of the first: one of pointers, and 500 of which 499 hold no handles
    const code = machine.readPointer(tables[0]! + 8n);
    for (let i = 1n; i < 500n; i++) {
      machine.pointer((code & ~7n) + 8n * i, machine.allocate(0x1000, { align: 0x1000 }));
    }
    for (const table of tables) machine.u64(table + 8n, code);
    const found = made.read() as Handles;
    const last = found.processes.filter(({ stopped }) => stopped !== undefined);
    // 130 tables of 501 pages, and 406 pages more
    expect(last.map(({ process, pages, handles }) => [process.imageName, pages, handles])).toEqual([
      ["p130.exe", 405, 1],
      ["p131.exe", 0, undefined],
    ]);
    expect(found.notes).toEqual([
      "the handle tables of p131.exe (528) cannot be read",
      "handles of p130.exe (524) may be missing: there are more pages than are looked at",
    ]);
  });

  it("lead to 1,023 kinds of objects that are told apart (MAX_OBJECT_KINDS)", () => {
    const last = (kinds: number) => {
      const { made } = build();
      const { objects } = made;
      // what most objects of a type have is its tag; others stand where one was
      const stale = Array.from({ length: kinds - 2 }, (_, i) => ({
        type: "Event",
        object: objects.object("Event", 0x20, { handles: 1, tag: `${i}`.padStart(4, "0") }),
      }));
      made.handles(1, 400, stale);
      const token = { type: "Token", object: objects.object("Token", 0x300, { handles: 1 }) };
      const event = { type: "Event", object: objects.object("Event", 0x20, { handles: 1 }) };
      made.handles(2, 500, [event, token]);
      const found = made.read() as Handles;
      const { byType, unknown } = found.processes.find(({ process }) => process.pid === 500)!;
      return { types: byType.map(({ type }) => type?.name).sort(), unknown, notes: found.notes };
    };
    const note = "the type is not known: what they lead to cannot be read, or is no object";
    expect(last(1023)).toEqual({ types: ["Event", "Token"], unknown: 0, notes: [`of 1021 handles ${note}`] });
    expect(last(1024)).toEqual({
      types: ["Event"],
      unknown: 1,
      notes: [
        `of 1023 handles ${note}`,
        "there are more objects than are told apart: those beyond count as not known",
      ],
    });
  });
});

describe("counts of 2^31 and more", () => {
  it("in a header are read as they stand, and nothing is made of them", () => {
    const { made } = build();
    const dead = made.processes[1]!.process;
    made.objects.setCounts(dead, 0x8000_0000, 0xffff_ffff);
    const { items } = made.details();
    expect(items[1]).toMatchObject({ handlesToIt: 0xffff_ffff, references: undefined });
  });
});

describe("a list of processes", () => {
  it("that leads back into itself is read once, and that is said", () => {
    const { made } = build();
    const links = made.processes.map(({ process }) => process + 0x448n);
    made.machine.pointer(links[2]!, links[1]!).pointer(links[0]! + 8n, links[1]!);
    const details = made.details();
    expect(details.items.map(({ pid }) => pid)).toEqual([4, 400, 500]);
    expect(details.notes).toEqual(["the list of processes ends early, after 3: it leads back into itself"]);
  });
});
