import { grouped } from "../../core/text.ts";
import {
  at,
  type Block,
  bold,
  heading,
  notes as notesOf,
  type PointerSize,
  stoppedNote,
  table,
} from "../block.ts";
import type { ExitedRow, ProcessesDocument, ProcessRow } from "../object-documents.ts";
import { plural } from "../words.ts";

/** Groups of ended processes that are shown. */
const MOST_GROUPS = 20;

/** `processes`: as `!process 0 0`, the dead apart, and what holds them. */
export function processesBlocks(document: ProcessesDocument, size: PointerSize): readonly Block[] {
  const { processes, exited, unknown, stopped, notes } = document;
  const alive = processes.filter(({ state }) => state !== "exited");
  const dead = processes.length - alive.length;
  const gone = dead === 0 ? "" : `, and ${grouped(dead)} that ended and ${dead === 1 ? "stays" : "stay"}`;
  return [
    ...aliveTable(alive, size),
    ...exitedBlocks(exited),
    ...(processes.length === 0 ? [] : [heading(plural(alive.length, "process", "processes") + gone)]),
    notesOf(
      unknown.map(({ field, reason }) => `not known of any process: ${fieldWords(field)}; ${reason}`),
      stoppedNote("the list of processes", processes.length === 0 ? null : stopped),
      notes,
    ),
  ];
}

function aliveTable(processes: readonly ProcessRow[], size: PointerSize): readonly Block[] {
  return table(
    [
      { title: "pid", align: "right" },
      { title: "parent", align: "right" },
      { title: "process" },
      { title: "session", align: "right" },
      { title: "threads", align: "right" },
      { title: "handles", align: "right" },
      { title: "created" },
      { title: "name" },
    ],
    processes.map((process) => [
      `${process.pid}`,
      `${process.parent ?? "-"}`,
      at(size, process.address),
      `${process.session ?? "-"}`,
      process.threads === null ? "-" : grouped(process.threads),
      process.handles === null ? "-" : grouped(process.handles),
      process.created === null ? "-" : process.created.slice(0, 19).replace("T", " "),
      `${process.name ?? "-"}${process.listed ? "" : " (not in the list)"}`,
    ]),
  );
}

function exitedBlocks(exited: readonly ExitedRow[]): readonly Block[] {
  const left = exited.length - MOST_GROUPS;
  const rows = exited
    .slice(0, MOST_GROUPS)
    .map(({ processes, withoutHandles, name, parent, parentName }) => [
      grouped(processes),
      withoutHandles === null ? "-" : grouped(withoutHandles),
      name ?? "-",
      parent === null ? "-" : `${parentName ?? "one that is gone"} (${parent})`,
    ]);
  const tables = table(
    [
      { title: "processes", align: "right" },
      { title: "without handles", align: "right" },
      { title: "name" },
      { title: "child of" },
    ],
    rows,
  );
  return [
    ...tables.map((one) => ({ ...one, heading: bold("Ended, and still there:") })),
    ...(left > 0 ? [heading(`and ${plural(left, "more group", "more groups")}`)] : []),
  ];
}

function fieldWords(field: string): string {
  const words: Readonly<Record<string, string>> = {
    created: "when it was created",
    exited: "when it ended",
    threads: "how many threads it has",
    handleTable: "its handle table",
    handles: "how many handles it holds",
    references: "who refers to it",
  };
  return words[field] ?? `its ${field}`;
}
