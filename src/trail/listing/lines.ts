import type { CodeFunction } from "../../code/function-table.ts";
import { startLeadingTo, type WalkStep, walkInstructions } from "../../code/instruction-walk.ts";
import { advance, type Va } from "../../core/address.ts";
import type { MemoryFault } from "../../core/errors.ts";
import { MAX_LISTED_BYTES } from "../../core/limits.ts";
import type { InstructionSet } from "../../isa/instruction-set.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { TrailModule } from "../target.ts";
import type { CodeLayout, CodePiece } from "./layout.ts";

/** Which instructions are listed: around an address, from it on, before it, or of its whole function. */
export type CodeView = "around" | "from" | "before" | "function";

/** One line of a listing, before it is named and printed. */
export interface ChosenLine {
  readonly piece: CodePiece;
  readonly address: Va;
  readonly kind: WalkStep["kind"];
  /** In bytes; of a hole as long as one fault goes on. */
  readonly length: number;
  /** Empty of a hole. */
  readonly bytes: Uint8Array;
  /** Why a hole cannot be read. */
  readonly fault: MemoryFault | undefined;
}

/** An instruction has at most 15 bytes, and some steps are needed to fall into step. */
const BYTES_A_LINE = 16;
const ROOM = 0x100;
/** How far back from an address a place is looked for from where decoding leads to it. */
const LOOK_BACK = 0x400;

/** Chooses the lines of a listing of one module's code, or of memory that belongs to none. */
export class CodeLines {
  readonly #space: AddressSpace;
  readonly #layout: CodeLayout | undefined;
  readonly #set: InstructionSet;
  readonly #bounds: readonly [Va, Va];

  /** @param bounds what a listing does not leave: a module, or all of memory */
  constructor(
    space: AddressSpace,
    layout: CodeLayout | undefined,
    set: InstructionSet,
    bounds: readonly [start: Va, end: Va],
  ) {
    this.#space = space;
    this.#layout = layout;
    this.#set = set;
    this.#bounds = bounds;
  }

  /** Up to so many lines before the one that holds `address`, that one, and as many behind it. */
  around(address: Va, before: number, after: number): readonly ChosenLine[] {
    const here = this.#piece(address, Math.max(before, after));
    const lines = this.#walk(here, address, Math.max(before, after) + 1);
    const index = lines.findIndex((line) => address < advance(line.address, line.length));
    if (index === -1) return [];
    return [
      ...this.#back(here, lines.slice(0, index), before),
      ...this.#on(here, lines.slice(index), after + 1),
    ];
  }

  /** `count` lines from the very address on, whether an instruction of the function starts there or not. */
  from(address: Va, count: number): readonly ChosenLine[] {
    const piece = this.#piece(address, count);
    const lines = this.#walk({ ...piece, start: address }, address, count);
    return this.#on(piece, lines, count);
  }

  /** All of one piece, as far as it is listed at once. */
  whole(piece: CodePiece): readonly ChosenLine[] {
    return this.#walk(piece, piece.start, MAX_LISTED_BYTES / BYTES_A_LINE);
  }

  /** Where code is known, its piece; else as much around the address as is needed. */
  #piece(address: Va, lines: number): CodePiece {
    const known = this.#layout?.at(address);
    if (known !== undefined) return known;
    const room = BigInt(lines * BYTES_A_LINE + ROOM);
    const [lowest, highest] = this.#bounds;
    return {
      start: address - lowest > room ? advance(address, -room) : lowest,
      end: highest - address > room ? advance(address, room) : highest,
      owner: undefined,
      owners: [],
    };
  }

  /** The piece cut into lines, as far as `count` lines on both sides of `target` need it. */
  #walk(piece: CodePiece, target: Va, count: number): readonly ChosenLine[] {
    const room = BigInt(count * BYTES_A_LINE + ROOM);
    const known = piece.owner !== undefined && target - piece.start <= BigInt(MAX_LISTED_BYTES);
    const start = known || target - piece.start <= room ? piece.start : advance(target, -room);
    const end = piece.end - target <= room ? piece.end : advance(target, room);
    const stretch = this.#space.readSparse(start, Number(end - start));
    const at = Number(target - start);
    const base = Number(start - this.#bounds[0]);
    const tables = piece.owner === undefined ? undefined : this.#layout?.tablesIn(piece);
    let steps = walkInstructions(stretch, this.#set, 0, tables && ((offset) => tables(base + offset)));
    const hits = at === stretch.bytes.length || steps.some((step) => step.at === at);
    if (!known && !hits) {
      const from = startLeadingTo(stretch, this.#set, at, at - LOOK_BACK);
      steps = walkInstructions(stretch, this.#set, from, undefined);
    }
    return steps.map(({ kind, at: offset, length }) => ({
      piece,
      address: advance(start, offset),
      kind,
      length,
      bytes: kind === "hole" ? new Uint8Array(0) : stretch.bytes.slice(offset, offset + length),
      fault: kind === "hole" ? this.#fault(advance(start, offset)) : undefined,
    }));
  }

  #fault(at: Va): MemoryFault | undefined {
    const found = this.#space.mapping.locate(at, 1);
    return "fault" in found ? found.fault : undefined;
  }

  /** The last `count` lines up to a place, those of the pieces before it among them. */
  #back(first: CodePiece, lines: readonly ChosenLine[], count: number): readonly ChosenLine[] {
    let found = lines.slice(Math.max(0, lines.length - count));
    for (let { start } = first; found.length < count; ) {
      const piece = this.#layout?.at(advance(start, -1));
      if (piece === undefined || piece.start >= start) break;
      const before = this.#walk({ ...piece, end: start }, start, count - found.length);
      found = [...before.slice(-(count - found.length)), ...found];
      start = piece.start;
    }
    return found;
  }

  /** `count` lines from a place on, those of the pieces behind it among them. */
  #on(first: CodePiece, lines: readonly ChosenLine[], count: number): readonly ChosenLine[] {
    let found = lines.slice(0, count);
    for (let { end } = first; found.length < count; ) {
      const piece = this.#layout?.at(end);
      if (piece === undefined || piece.end <= end) break;
      const from = end;
      const behind = this.#walk(piece, from, count - found.length).filter(({ address }) => address >= from);
      found = [...found, ...behind.slice(0, count - found.length)];
      end = piece.end;
    }
    return found;
  }
}

/** Why a listing is not what it seems. */
export type ListingDoubt =
  | { readonly kind: "not-decoded"; readonly machine: string }
  | { readonly kind: "no-module" }
  | { readonly kind: "no-headers"; readonly problem: Error }
  | { readonly kind: "not-code" }
  | { readonly kind: "no-function" }
  /** The address is not where an instruction starts. */
  | { readonly kind: "inside-instruction"; readonly start: Va }
  | { readonly kind: "shared"; readonly entries: readonly Va[] }
  /** Bytes that a PE file given by the user gave, and not the dump. */
  | { readonly kind: "from-file"; readonly bytes: number }
  | { readonly kind: "not-followed" }
  | { readonly kind: "cut"; readonly bytes: number };

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
