import { advance, type Va, va } from "../../core/address.ts";
import { ArgumentRangeError } from "../../core/argument-error.ts";
import { MAX_LISTED_LINES } from "../../core/limits.ts";
import { addAll } from "../../core/search.ts";
import { instructionSetOf } from "../../isa/machines.ts";
import { type FunctionPlace, placeIn } from "../function-place.ts";
import { ModuleCodes } from "../module-codes.ts";
import type { TrailModule, TrailTarget } from "../target.ts";
import { CodeLayout } from "./layout.ts";
import {
  type ChosenLine,
  CodeLines,
  type CodeView,
  type ListingDoubt,
  linesOfView,
  wholeFunction,
} from "./lines.ts";
import { CodeNames } from "./names.ts";
import { CodeReferences, CodeSites, type NamedMention, type Referral } from "./references.ts";
import { LineMarks, type ValueMark } from "./value-marks.ts";

export interface ListingOptions {
  /** Default `around`. */
  readonly view?: CodeView | undefined;
  /** Of `around`: before the address, and behind it; of a function, at most. */
  readonly lines?: number | undefined;
}

/** One line: an instruction, or bytes that are none. */
export interface ListedLine extends Pick<ChosenLine, "address" | "kind" | "length" | "bytes" | "fault"> {
  /** From left to right; empty for what is no instruction. */
  readonly parts: readonly (string | NamedMention)[];
  readonly refers: readonly Referral[];
  /** The address that was asked for is in it. */
  readonly here: boolean;
  /** What happens to what the function acquires. */
  readonly marks: readonly ValueMark[];
}

/** Lines that stand together. */
export interface ListedPiece {
  /** The function's name, or the module and an offset; null in no module. */
  readonly name: string | null;
  /** The function that they belong to; null between functions, and where no function is known. */
  readonly function: FunctionPlace | null;
  readonly lines: readonly ListedLine[];
}

export interface CodeListing {
  readonly address: Va;
  readonly module: string | null;
  readonly view: CodeView;
  readonly pieces: readonly ListedPiece[];
  readonly doubts: readonly ListingDoubt[];
}

const DEFAULT_LINES = 16;

function moduleDoubts(module: TrailModule | undefined): readonly ListingDoubt[] {
  if (module === undefined) return [{ kind: "no-module" }];
  const { imageProblem } = module;
  return imageProblem === undefined ? [] : [{ kind: "no-headers", problem: imageProblem }];
}

/**
 * Lists the instructions around an address, or of its function, with names for what they refer to.
 *
 * @param machine of the dump: of an image its own machine counts
 */
export function listCode(
  target: TrailTarget,
  machine: string,
  address: Va,
  { view = "around", lines }: ListingOptions = {},
): CodeListing {
  const module = target.moduleAt(address);
  const doubts: ListingDoubt[] = [];
  const listing = (pieces: readonly ListedPiece[]): CodeListing => ({
    address,
    module: module?.name ?? null,
    view,
    pieces,
    doubts,
  });
  const own = module?.image?.machine ?? machine;
  const set = instructionSetOf(own);
  const { withPrinter, abi } = set;
  if (withPrinter === undefined) {
    doubts.push({ kind: "not-decoded", machine: own });
    return listing([]);
  }
  addAll(doubts, moduleDoubts(module));
  const codes = new ModuleCodes(target);
  const decoded = module === undefined ? undefined : codes.of(module);
  const layout = module === undefined ? undefined : new CodeLayout(module);
  const highest = va((1n << BigInt(abi.pointerSize * 8)) - 1n);
  const bounds = [module?.base ?? va(0n), module?.end ?? highest] as const;
  const chooser = new CodeLines(target.space, layout, set, bounds);
  const piece = layout?.at(address);
  if (decoded !== undefined && piece === undefined) doubts.push({ kind: "not-code" });
  const owner = piece?.owner;
  if (decoded !== undefined && piece !== undefined && owner === undefined)
    doubts.push({ kind: "no-function" });
  const chosen =
    view !== "function"
      ? linesOfView(chooser, address, view, countOf(lines), doubts)
      : module === undefined || owner === undefined
        ? []
        : wholeFunction(chooser, module, owner, lines ?? MAX_LISTED_LINES, doubts);
  const { owners = [] } = piece ?? {};
  if (module !== undefined && owners.length > 1)
    doubts.push({ kind: "shared", entries: owners.map(({ entry }) => advance(module.base, entry)) });
  const filled = module?.image?.layout === "file" ? 0 : fromFile(target, chosen);
  if (filled > 0) doubts.push({ kind: "from-file", bytes: filled });
  const names = new CodeNames(target, module, decoded);
  const references = new CodeReferences(module, decoded, names, abi);
  const sites = new CodeSites(module, decoded, doubts);
  const marks = new LineMarks(codes, module, decoded);
  return withPrinter((printer) => {
    const line = (one: ChosenLine): ListedLine => {
      const printed = one.kind === "instruction" ? printer.print(one.bytes, one.address) : undefined;
      const parts = printed === undefined ? [] : references.name(one.address, printed);
      const { kind, length, bytes, fault } = one;
      const end = advance(one.address, length);
      return {
        address: one.address,
        length,
        bytes,
        fault,
        // A form that has a length, and that no processor runs: mov cs,ax.
        kind: kind === "instruction" && printed === undefined ? "bad" : kind,
        parts,
        refers: references.of(parts, sites.at(one)),
        here: address >= one.address && address < end,
        marks: marks.at(one),
      };
    };
    return listing(
      together(chosen).map((group) => ({ ...headOf(module, names, group[0]), lines: group.map(line) })),
    );
  });
}

/** @throws {RangeError} no number of lines */
function countOf(lines = DEFAULT_LINES): number {
  if (Number.isInteger(lines) && lines >= 1) return lines;
  throw new ArgumentRangeError(`lines is a number from 1 on, not ${lines}`);
}

/** How many of the lines' bytes a file filled in where the dump has none. */
function fromFile({ space }: TrailTarget, lines: readonly ChosenLine[]): number {
  return lines
    .flatMap(({ address, length }) => space.spans(address, length))
    .reduce((sum, { content, length }) => sum + (content === "file" ? length : 0), 0);
}

/** What a piece is called, and its function as `near` tells it. */
function headOf(
  module: TrailModule | undefined,
  names: CodeNames,
  line: ChosenLine | undefined,
): Omit<ListedPiece, "lines"> {
  if (line === undefined) return { name: null, function: null };
  const { image } = module ?? {};
  const { owner } = line.piece;
  const place =
    module === undefined || image === undefined || owner === undefined
      ? null
      : placeIn(module.name, image, owner, Number(line.address - module.base));
  return { name: names.at(place?.entry ?? line.address)?.name ?? null, function: place };
}

/** Neighbours that belong to one piece. */
function together(lines: readonly ChosenLine[]): readonly (readonly ChosenLine[])[] {
  const groups: ChosenLine[][] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.[0]?.piece.end === line.piece.end && last[0].piece.owner?.entry === line.piece.owner?.entry)
      last.push(line);
    else groups.push([line]);
  }
  return groups;
}
