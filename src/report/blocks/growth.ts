import { type Block, heading, notes, table } from "../block.ts";
import type { GrowthDocument } from "../documents.ts";
import { duration, plural } from "../words.ts";

/** `tags --since`: what each tag grew by between two dumps, the most first. */
export function growthBlocks(growth: GrowthDocument): readonly Block[] {
  const rows = growth.tags.map((row) => [
    row.tag + (row.kind === "new" ? " (new)" : ""),
    signed(row.nonPaged.outstanding),
    signed(row.nonPaged.bytes),
    signed(row.paged.outstanding),
    signed(row.paged.bytes),
    rate(row, growth.seconds),
  ]);
  const columns = [
    { title: "Tag" },
    { title: "NonPaged Allocs", align: "right" },
    { title: "Used", align: "right" },
    { title: "Paged Allocs", align: "right" },
    { title: "Used", align: "right" },
    { title: "bytes an hour", align: "right" },
  ] as const;
  const span = growth.seconds === null ? "between the dumps" : `in ${duration(Math.abs(growth.seconds))}`;
  const changed = [...table(columns, rows), heading(`${plural(growth.tags.length, "tag")} changed ${span}`)];
  // what speaks against the comparison comes first: nobody reads on behind three hundred rows
  return growth.sameStart ? [...changed, notes(growth.notes)] : [notes(growth.notes), ...changed];
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : `${value}`;
}

const HOUR = 3600;

function rate({ nonPaged, paged }: GrowthDocument["tags"][number], seconds: number | null): string {
  if (seconds === null || seconds <= 0) return "";
  return signed(Math.round(((nonPaged.bytes + paged.bytes) * HOUR) / seconds));
}
