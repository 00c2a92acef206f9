import type { Basis } from "../../code/function-table.ts";
import { analyzeImage } from "../../code/functions.ts";
import type { Va } from "../../core/address.ts";
import type { Image } from "../../pe/image.ts";
import { exportedName } from "../function-place.ts";

/** The functions of one image. */
export interface FunctionList {
  readonly module: string;
  readonly functions: readonly {
    /** The function's own start. */
    readonly entry: Va;
    /** Null where nothing names it. */
    readonly name: string | null;
    readonly basis: Basis;
    /** By address; one piece can belong to several functions. */
    readonly fragments: readonly { readonly start: Va; readonly end: Va }[];
  }[];
  readonly notes: readonly string[];
}

/** Lists an image's functions, by entry. */
export function listFunctions(module: string, image: Image): FunctionList {
  const { functions, code, notes } = analyzeImage(image);
  return {
    module,
    functions: Array.from({ length: functions.count }, (_, i) => {
      const { entry, basis, fragments } = functions.at(i);
      return {
        entry: image.addressOf(entry),
        name: exportedName(image, entry),
        basis,
        fragments: fragments.map(({ start, end }) => ({
          start: image.addressOf(start),
          end: image.addressOf(end),
        })),
      };
    }),
    notes: code.missing === 0 ? notes : [...notes, `${code.missing} bytes of code could not be read`],
  };
}
