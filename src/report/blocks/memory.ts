import type { MemoryLine } from "../../pool/memory-lines.ts";
import { memoryLabel } from "../../pool/memory-lines.ts";
import { type Block, notes, table } from "../block.ts";
import type { MemoryDocument } from "../documents.ts";

/** `memory`: the lines of `!vm 1`, in pages and KB, each with its source or the reason why it is not known. */
export function memoryBlocks(document: MemoryDocument): readonly Block[] {
  const rows: string[][] = [];
  for (const [line, pages] of Object.entries(document.pages) as [MemoryLine, number | null][]) {
    if (line === "pagedUsage") {
      for (const [i, used] of document.pagedPools.entries())
        rows.push([`PagedPool ${i} Usage`, ...figure(used), document.pagedPoolSources[i] ?? ""]);
    }
    const said = pages === null ? document.reasons[line] : document.sources[line];
    rows.push([memoryLabel(line), ...figure(pages), said ?? ""]);
  }
  return [
    ...table(
      [{ title: "" }, { title: "pages", align: "right" }, { title: "KB", align: "right" }, { title: "from" }],
      rows,
    ),
    notes(document.notes),
  ];
}

const KB_PER_PAGE = 4;

function figure(pages: number | null): [string, string] {
  return pages === null ? ["not known", "-"] : [`${pages}`, `${pages * KB_PER_PAGE}`];
}
