import type { CodeFunction } from "../../code/function-table.ts";
import { analyzeImage } from "../../code/functions.ts";
import { tablesIn } from "../../code/jump-tables.ts";
import { advance, type Va } from "../../core/address.ts";
import { MAX_LISTED_BYTES } from "../../core/limits.ts";
import type { TrailModule } from "../target.ts";

/** A contiguous piece of code: of a function, or what stands between functions. */
export interface CodePiece {
  readonly start: Va;
  /** Exclusive. */
  readonly end: Va;
  /** Undefined between functions, and where no code is known. */
  readonly owner: CodeFunction | undefined;
  /** All functions that the piece belongs to, where there are several. */
  readonly owners: readonly CodeFunction[];
}

/** How one module's code is laid out in memory: functions' fragments, and what stands between them. */
export class CodeLayout {
  readonly #module: TrailModule;
  readonly #tables = new Map<number, (rva: number) => boolean>();
  readonly #gaps = new Map<number, readonly number[]>();

  constructor(module: TrailModule) {
    this.#module = module;
  }

  /** The piece that holds an address; undefined outside the module's executable sections. */
  at(address: Va): CodePiece | undefined {
    const { image } = this.#module;
    if (image === undefined || address < this.#module.base || address >= this.#module.end) return undefined;
    const { functions, code } = analyzeImage(image);
    const rva = Number(address - this.#module.base);
    const owners = functions.owning(rva);
    const [owner] = owners;
    const fragment = owner?.fragments.find(({ start, end }) => rva >= start && rva < end);
    if (owner !== undefined && fragment !== undefined)
      return this.#piece(fragment.start, fragment.end, owners);
    const section = code.sections.find(({ start, end }) => rva >= start && rva < end);
    if (section === undefined) return undefined;
    const gaps = this.#gapsOf(section);
    for (let i = 0; i < gaps.length; i += 2) {
      const [start = 0, end = 0] = gaps.slice(i, i + 2);
      if (rva >= start && rva < end) return this.#piece(start, end, []);
    }
    return this.#piece(rva, rva + 1, []);
  }

  /** Which offsets from the module's base are tables that the jumps of a function's piece go through. */
  tablesIn({ start, end, owner }: CodePiece): (rva: number) => boolean {
    const { image, base } = this.#module;
    const fragment = owner?.fragments.find((one) => advance(base, one.end) === end);
    if (image?.machine !== "x64" || fragment === undefined || start > advance(base, fragment.end))
      return () => false;
    const known = this.#tables.get(fragment.start);
    if (known !== undefined) return known;
    const listed = fragment.end - fragment.start <= MAX_LISTED_BYTES;
    const found = listed ? tablesIn(analyzeImage(image).code, fragment) : () => false;
    this.#tables.set(fragment.start, found);
    return found;
  }

  #gapsOf({ start, end }: { readonly start: number; readonly end: number }): readonly number[] {
    const known = this.#gaps.get(start);
    if (known !== undefined) return known;
    const { image } = this.#module;
    const found = image === undefined ? [] : analyzeImage(image).functions.gaps(start, end);
    this.#gaps.set(start, found);
    return found;
  }

  #piece(start: number, end: number, owners: readonly CodeFunction[]): CodePiece {
    const { base } = this.#module;
    return { start: advance(base, start), end: advance(base, end), owner: owners[0], owners };
  }
}
