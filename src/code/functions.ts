import { MAX_CODE_KEPT } from "../core/limits.ts";
import { Recent } from "../core/recent.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Image } from "../pe/image.ts";
import { exportNames } from "../symbols/exports.ts";
import { type CodeFunction, type FunctionTable, FunctionTableBuilder } from "./function-table.ts";
import { findByDescent } from "./functions-by-descent.ts";
import { findByUnwind } from "./functions-by-unwind.ts";
import { ModuleCode } from "./module-code.ts";
import { neverReturns } from "./no-return.ts";
import { readSeeds, type Seeds } from "./seeds.ts";

/** What is known of an image's code. */
export interface ImageCode {
  readonly image: Image;
  readonly code: ModuleCode;
  readonly functions: FunctionTable;
  /** What the image itself says of places in its code: exports and pointers. */
  readonly seeds: Seeds;
  /** What is not as it should be, or was left out, in sentences. */
  readonly notes: readonly string[];
}

const known = new WeakMap<AddressSpace, Recent<Image, ImageCode>>();

/**
 * Finds the functions of an image. The work is done once for an image, as long as no others of its address space are
 * asked for that have more code than is kept of all together.
 *
 * What cannot be read leaves functions out, or cuts them short; `notes` and `code.missing` say so. For a machine whose
 * code is not understood there are only the functions that unwind data tells.
 */
export function analyzeImage(image: Image): ImageCode {
  const kept = known.get(image.space) ?? new Recent<Image, ImageCode>(MAX_CODE_KEPT);
  known.set(image.space, kept);
  const done = kept.get(image);
  if (done !== undefined) return done;
  const code = new ModuleCode(image);
  const builder = new FunctionTableBuilder();
  const notes: string[] = [];
  if (code.truncated) notes.push("the image has more code than is looked at");
  const seeds = readSeeds(code);
  if (seeds.cut) notes.push("the image has more data than is looked through for pointers to its code");
  const { starts } = code.set;
  const decoded = code.decoding((decoder) => {
    if (starts === undefined) findByUnwind(code, decoder, seeds, builder, notes);
    else findByDescent(code, decoder, starts, seeds, neverReturning(image), builder, notes);
    return true;
  });
  if (decoded === undefined) {
    notes.push(`${image.machine} code is not decoded`);
    for (const { entry, fragments } of image.unwind.functions()) {
      builder.add(
        entry,
        "pdata",
        fragments.flatMap(({ start, end }) => [start, end]),
      );
    }
  }
  if (builder.rejected > 0) notes.push(`${builder.rejected} functions are more than are kept`);
  const functions = builder.build();
  if (functions.isCrowded) notes.push("some code belongs to more functions than are told of it");
  const result = { image, code, functions, seeds, notes };
  kept.add(image, result, image.size);
  return result;
}

/** The functions that hold `rva`: none where the code there is nobody's, several where they share a block. */
export function functionsAt(image: Image, rva: number): readonly CodeFunction[] {
  return analyzeImage(image).functions.owning(rva);
}

/** Exports of the image itself, and its import slots, that no call comes back from. */
function neverReturning(image: Image): (target: number) => boolean {
  const places = new Set<number>();
  for (const { name, rva } of exportNames(image).items) if (neverReturns(name)) places.add(rva);
  for (const { rva, declared } of image.imports.slots) {
    if (declared?.name != null && neverReturns(declared.name)) places.add(rva);
  }
  return (target) => places.has(target);
}
