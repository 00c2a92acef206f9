import { grouped } from "../../core/text.ts";
import { type Block, type Column, heading, type Notes, notes, table } from "../block.ts";
import type { TagRow, TagsDocument } from "../documents.ts";
import { plural } from "../words.ts";

const COLUMNS: readonly Column[] = [
  { title: "Tag" },
  { title: "NonPaged Allocs", align: "right" },
  { title: "Used", align: "right" },
  { title: "Each", align: "right" },
  { title: "Paged Allocs", align: "right" },
  { title: "Used", align: "right" },
  { title: "Each", align: "right" },
  { title: "in" },
];

/**
 * `tags`: as `!poolused`. Allocs is what is outstanding, Used is bytes, Each is bytes by allocation; TOTAL
 * is of all tags that were asked for, also those that are not shown.
 */
export function tagsBlocks(document: TagsDocument): readonly Block[] {
  if (document.totals === null || document.tags.length === 0) return [notes(document.notes)];
  const { nonPaged, paged } = document.totals;
  const rows = document.tags.map((row) => [
    row.tag,
    ...[row.nonPaged, row.paged].flatMap((use) => [
      `${use.outstanding}`,
      `${use.bytes}`,
      use.bytesPerAllocation === null ? "" : `${Math.round(use.bytesPerAllocation)}`,
    ]),
    about(row),
  ]);
  const total = [
    "TOTAL",
    `${nonPaged.outstanding}`,
    `${nonPaged.bytes}`,
    "",
    `${paged.outstanding}`,
    `${paged.bytes}`,
    "",
    "",
  ];
  return [
    ...usageBars(document),
    ...table(COLUMNS, [...rows, total]),
    leaks(document),
    heading(standing(document)),
    notes(document.notes),
  ];
}

const MOST_BARS = 12;

/** Who uses most of both pools, as far as it is listed. */
function usageBars({ tags }: TagsDocument): readonly Block[] {
  const bars = tags
    .map(({ tag, nonPaged, paged }) => ({ label: tag, value: Math.max(0, nonPaged.bytes + paged.bytes) }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST_BARS)
    .map((bar) => ({ ...bar, text: `${grouped(bar.value)} bytes` }));
  return bars.length < 2 ? [] : [{ kind: "bars", title: "Pool usage by tag, both pools", bars }];
}

const MOST_MODULES = 4;

/** What the tag file says of it, and whose code holds it. */
function about(row: TagRow): string {
  const parts: string[] = [];
  if (row.modules.length > 0) {
    const more = row.modules.length > MOST_MODULES ? ` and ${row.modules.length - MOST_MODULES} more` : "";
    parts.push(row.modules.slice(0, MOST_MODULES).join(", ") + more);
  }
  if (row.description !== null) {
    parts.push(`${row.description.trim()}${row.binary === null ? "" : `, Binary: ${row.binary}`}`);
  }
  if (row.description === null && row.known !== null) parts.push(row.known.meaning);
  if (row.bigPages !== null && row.bigPages.allocations > 0)
    parts.push(`${row.bigPages.allocations} of a page and more`);
  if (row.doubt !== null) parts.push(`figures ${row.doubt}`);
  return parts.join("; ");
}

const MOST_LEAKS = 5;

/** High usage alone is no leak, and so the reasons stand beside each. */
function leaks(document: TagsDocument): Notes {
  return {
    kind: "notes",
    label: "looks like a leak:",
    notes: document.leaks.slice(0, MOST_LEAKS).map((leak) => {
      const source = leak.group?.source;
      const group = source == null || source === leak.tag ? "" : `; \`${source}\` is the likely source`;
      const pool = leak.pool === "paged" ? "paged" : "nonpaged";
      return `\`${leak.tag}\` (${pool}): ${leak.reasons.join("; ")}${group}`;
    }),
  };
}

function standing(document: TagsDocument): string {
  const { processors, layout } = document;
  const of = processors.of === null ? "an unknown number of processors" : plural(processors.of, "processor");
  const read = `Tables of ${processors.read} of ${of}`;
  const proof =
    layout === null
      ? ""
      : `, layout ${layout.name}: ${(layout.score * 100).toFixed(1)} % of the keys stand where their hash puts them`;
  return `${read}${proof}.${document.complete ? "" : " Not complete."}`;
}
