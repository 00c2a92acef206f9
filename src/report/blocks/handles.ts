import { grouped } from "../../core/text.ts";
import { type Block, bold, heading, type Line, notes as notesOf, table } from "../block.ts";
import type {
  HandleCountRow,
  HandlesDocument,
  HandleTotalRow,
  ProcessHandlesRow,
} from "../object-documents.ts";
import { percent, plural } from "../words.ts";

/** Processes that are shown where none was asked for, and types of each. */
const MOST_PROCESSES = 15;
const MOST_TYPES = 4;

/** `handles`: who holds most, of which types, and what all hold beside what the kernel counts. */
export function handlesBlocks(document: HandlesDocument): readonly Block[] {
  const { totals, missing, coverage, notes, process } = document;
  if (missing !== null) return [heading(`The handles are not known: ${missing.detail}.`), notesOf(notes)];
  const tables =
    coverage === null ? [] : [`${grouped(coverage.tables)} of ${plural(coverage.of, "handle table")} read`];
  return [
    ...holders(document),
    ...(process === null ? totalsTable(totals) : []),
    heading(...tables),
    notesOf(notes),
  ];
}

function holders({ processes, process, tag, totals }: HandlesDocument): readonly Block[] {
  if (process !== null)
    return processes.length === 0
      ? [heading(`No process ${process} is in the list.`)]
      : processes.flatMap(oneProcess);
  if (tag !== null && processes.length === 0)
    return [heading(`No handle leads to an object with the tag \`${tag}\`.`)];
  const all = totals.reduce((sum, { handles }) => sum + handles, 0);
  const left = processes.length - MOST_PROCESSES;
  const rows = processes.slice(0, MOST_PROCESSES).map(({ pid, name, handles, byType, unknown }) => {
    const told = byType.reduce((sum, one) => sum + one.handles, 0);
    const shown = tag === null ? handles : told;
    return [
      shown === null ? "-" : grouped(shown),
      shown === null ? "-" : percent(shown, Math.max(all, shown)),
      `${pid}`,
      name ?? "-",
      typesOf(byType, tag === null ? unknown : 0),
    ];
  });
  const columns = [
    { title: "handles", align: "right" },
    { title: "share", align: "right" },
    { title: "pid", align: "right" },
    { title: "process" },
    { title: "to" },
  ] as const;
  return [
    ...table(columns, rows),
    ...(left > 0 ? [heading(`and ${plural(left, "more process", "more processes")}`)] : []),
  ];
}

/** `Event 10,000, Key 12 to 1 object`. */
function typesOf(byType: readonly HandleCountRow[], unknown: number): string {
  const shown = byType.slice(0, MOST_TYPES).map((one) => {
    const objects = one.objects === one.handles ? "" : ` to ${plural(one.objects, "object")}`;
    return `${one.type ?? `\`${one.tag}\``} ${grouped(one.handles)}${objects}`;
  });
  const left = byType.slice(MOST_TYPES).reduce((sum, { handles }) => sum + handles, 0);
  if (left > 0) shown.push(`others ${grouped(left)}`);
  if (unknown > 0) shown.push(`not known ${grouped(unknown)}`);
  return shown.join(", ");
}

function oneProcess({ pid, name, handles, byType, unknown }: ProcessHandlesRow): readonly Block[] {
  const count = handles === null ? "its handle table cannot be read" : plural(handles, "handle");
  const title: Line = [bold(`${name ?? "process"} (${pid})`), `: ${count}`];
  const rows = byType.map((one) => [one.type ?? "-", one.tag, grouped(one.handles), grouped(one.objects)]);
  if (unknown > 0) rows.push(["not known", "", grouped(unknown), "-"]);
  if (rows.length === 0) return [heading(title)];
  const columns = [
    { title: "type" },
    { title: "tag" },
    { title: "handles", align: "right" },
    { title: "objects", align: "right" },
  ] as const;
  return table(columns, rows).map((one) => ({ ...one, heading: title }));
}

function totalsTable(totals: readonly HandleTotalRow[]): readonly Block[] {
  const figure = (value: number | null): string => (value === null ? "-" : grouped(value));
  const columns = [
    { title: "type" },
    { title: "tag" },
    { title: "handles", align: "right" },
    { title: "to objects", align: "right" },
    { title: "objects in all", align: "right" },
    { title: "outstanding", align: "right" },
  ] as const;
  const rows = totals.map((one) => [
    one.type ?? "-",
    one.tag,
    grouped(one.handles),
    grouped(one.objects),
    figure(one.typeObjects),
    figure(one.outstanding),
  ]);
  return table(columns, rows).map((one) => ({ ...one, heading: bold("All handles:") }));
}
