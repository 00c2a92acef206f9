import type { CodeFunction } from "../code/function-table.ts";
import { advance, type Va } from "../core/address.ts";
import type { ListingDoubt } from "./code-doubts.ts";
import type { ChosenLine, CodeLines, CodeView } from "./code-lines.ts";
import type { TrailModule } from "./target.ts";

/** The lines around an address, from it on, or before it. */
export function linesOfView(
  chooser: CodeLines,
  address: Va,
  view: CodeView,
  lines: number,
  doubts: ListingDoubt[],
): readonly ChosenLine[] {
  const [holder] = chooser.around(address, 0, 0);
  if (holder?.kind === "instruction" && holder.address !== address)
    doubts.push({ kind: "inside-instruction", start: holder.address });
  switch (view) {
    case "from":
      return chooser.from(address, lines);
    case "before": {
      const found = chooser.around(address, lines, 0);
      const last = found.at(-1);
      const whole = last?.kind === "instruction" && last.address !== address;
      return whole ? found.slice(-lines) : found.slice(0, -1);
    }
    default:
      return chooser.around(address, lines, lines);
  }
}

/** A function's pieces, the one with its entry first. */
export function wholeFunction(
  chooser: CodeLines,
  module: TrailModule,
  owner: CodeFunction,
  most: number,
  doubts: ListingDoubt[],
): readonly ChosenLine[] {
  const holdsEntry = ({ start, end }: { readonly start: number; readonly end: number }): boolean =>
    owner.entry >= start && owner.entry < end;
  const fragments = [...owner.fragments].sort((a, b) => Number(holdsEntry(b)) - Number(holdsEntry(a)));
  const lines: ChosenLine[] = [];
  for (const { start, end } of fragments) {
    if (lines.length >= most) break;
    const piece = {
      start: advance(module.base, start),
      end: advance(module.base, end),
      owner,
      owners: [owner],
    };
    for (const line of chooser.whole(piece)) if (lines.length < most) lines.push(line);
  }
  const size = owner.fragments.reduce((sum, { start, end }) => sum + end - start, 0);
  const bytes = size - lines.reduce((sum, { length }) => sum + length, 0);
  if (bytes > 0) doubts.push({ kind: "cut", bytes });
  return lines;
}
