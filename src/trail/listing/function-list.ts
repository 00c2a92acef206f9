import type { Basis } from "../../code/function-table.ts";
import { analyzeImage } from "../../code/functions.ts";
import type { Va } from "../../core/address.ts";
import type { Image } from "../../pe/image.ts";
import { namesAt } from "../../symbols/image-names.ts";
import type { NameBasis } from "../../symbols/names.ts";

/** The functions of one image. */
export interface FunctionList {
  readonly module: string;
  readonly functions: readonly {
    /** The function's own start. */
    readonly entry: Va;
    /** Null where nothing names it. */
    readonly name: string | null;
    /** What says so; null where nothing names it. */
    readonly nameBasis: NameBasis | null;
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
      const [named] = namesAt(image, entry);
      const first = image.addressOf(entry);
      return {
        entry: first,
        name: named?.name ?? null,
        nameBasis: named?.basis ?? null,
        basis,
        fragments: fragments.map(({ start, end }) => ({
          start: start === entry ? first : image.addressOf(start),
          end: image.addressOf(end),
        })),
      };
    }),
    notes: code.missing === 0 ? notes : [...notes, `${code.missing} bytes of code could not be read`],
  };
}
