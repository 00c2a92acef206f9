import { type Va, windbgHex } from "../core/address.ts";
import { placeOf } from "../trail/function-place.ts";
import { neighboursOf } from "../trail/symbols.ts";
import type { TrailTarget } from "../trail/target.ts";
import type { NearRow } from "./documents.ts";
import { stopText } from "./words.ts";

/** The names around an address, and the function that it stands in as far as that is known. */
export function nearRow(target: TrailTarget, address: Va): NearRow {
  const { module, below, above, symbol } = neighboursOf(target, address);
  const place = module === undefined ? null : placeOf(module, address);
  const notes: string[] = [];
  if (module?.imageProblem !== undefined)
    notes.push(`the headers cannot be read: ${module.imageProblem.message}`);
  const stopped = module?.image?.exports.stopped;
  if (stopped !== undefined)
    notes.push(`some of the export table cannot be read, a nearer name may be missing: ${stopText(stopped)}`);
  if (module === undefined)
    notes.push(`${windbgHex(address, target.space.pointerSize)} belongs to no module in the list`);
  const rva = module === undefined ? null : Number(address - module.base);
  return { address, module: module?.name ?? null, rva, below, above, symbol, function: place, notes };
}
