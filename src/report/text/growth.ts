import type { GrowthDocument } from "../documents.ts";
import { renderTable } from "../table.ts";
import { duration, plural } from "../words.ts";
import { blocks, renderNotes, type View } from "./view.ts";

/** `tags --since`: what each tag grew by between two dumps, the most first. */
export function renderGrowth(growth: GrowthDocument, view: View): string {
  const rows = growth.tags.map((row) => [
    row.tag + (row.kind === "new" ? " (new)" : ""),
    signed(row.nonPaged.outstanding),
    signed(row.nonPaged.bytes),
    signed(row.paged.outstanding),
    signed(row.paged.bytes),
    rate(row, growth.seconds),
  ]);
  const table = renderTable(
    [
      { title: "Tag" },
      { title: "NonPaged Allocs", align: "right" },
      { title: "Used", align: "right" },
      { title: "Paged Allocs", align: "right" },
      { title: "Used", align: "right" },
      { title: "bytes an hour", align: "right" },
    ],
    rows,
    view.style,
  );
  const span = growth.seconds === null ? "between the dumps" : `in ${duration(Math.abs(growth.seconds))}`;
  return blocks(
    rows.length === 0 ? "" : table,
    `${plural(growth.tags.length, "tag")} changed ${span}`,
    renderNotes(growth.notes, view),
  );
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : `${value}`;
}

const HOUR = 3600;

function rate({ nonPaged, paged }: GrowthDocument["tags"][number], seconds: number | null): string {
  if (seconds === null || seconds <= 0) return "";
  return signed(Math.round(((nonPaged.bytes + paged.bytes) * HOUR) / seconds));
}
