import type { Va } from "../core/address.ts";
import type { MemoryRuns } from "./memory-runs.ts";

/** Neighbouring pages that are looked at together. */
export interface Piece {
  readonly start: Va;
  readonly pages: number;
}

/** Pages of one piece: of all memory, and of a sample. Blocks of one tag stand together, so that small pieces tell more. */
const WHOLE = 64;
const SAMPLE = 4;

/**
 * All pages of some memory in rounds, each of which takes pieces from everywhere: any number of rounds
 * is an even sample. The place of a piece in its part of memory changes from part to part, so that
 * nothing which repeats at a fixed distance is always met, or never.
 */
export class EvenPieces {
  readonly rounds: number;
  readonly #runs: MemoryRuns;
  readonly #size: number;
  readonly #count: number;

  /** @param perRound pages */
  constructor(runs: MemoryRuns, perRound: number) {
    this.#runs = runs;
    this.#size = runs.pages <= perRound ? WHOLE : SAMPLE;
    this.#count = Math.ceil(runs.pages / this.#size);
    this.rounds = Math.max(1, Math.ceil(this.#count / Math.max(1, Math.floor(perRound / this.#size))));
  }

  /** @param round from 0 on, below `rounds` */
  *of(round: number): Generator<Piece> {
    const { rounds } = this;
    const step = coprimeNear(Math.round(rounds * 0.618), rounds);
    for (let first = 0, part = 0; first < this.#count; first += rounds, part++) {
      const index = first + ((scatter(part) + round * step) % rounds);
      if (index < this.#count) yield* this.#piece(index * this.#size);
    }
  }

  /** In several parts where it reaches from one run into the next. */
  *#piece(index: number): Generator<Piece> {
    for (let done = 0; done < this.#size; ) {
      const found = this.#runs.at(index + done);
      if (found === undefined) return;
      const pages = Math.min(found.pages, this.#size - done);
      yield { start: found.start, pages };
      done += pages;
    }
  }
}

/** A number that looks like chance and is always the same. */
function scatter(part: number): number {
  let value = Math.imul(part + 1, 0x9e37_79b1);
  value = Math.imul(value ^ (value >>> 15), 0x85eb_ca6b);
  return (value ^ (value >>> 13)) >>> 0;
}

/** Steps of it meet all of `of` places before one comes again. */
function coprimeNear(wanted: number, of: number): number {
  let step = Math.max(1, wanted);
  while (greatestDivisor(step, of) !== 1) step++;
  return step;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
