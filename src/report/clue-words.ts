import { type Va, windbgHex } from "../core/address.ts";
import type { Clue } from "../trail/clue.ts";
import { ClueSentences } from "./clue-sentences.ts";

/** A clue in words: what was seen, where to look first, every place, and the command that shows it. */
export interface ClueWords {
  /** A clause without its subject, which is the module. */
  readonly detail: string;
  readonly address: Va | null;
  readonly addresses: readonly Va[];
  /** Of the command line, without the dump's name; null where no command shows it. */
  readonly command: string | null;
}

/** Puts a clue into words. */
export function clueWords(clue: Clue, pointerSize: 4 | 8): ClueWords {
  const words = new ClueSentences(pointerSize);
  const addresses = addressesOf(clue);
  const first = addresses[0] ?? null;
  return {
    detail: words.of(clue),
    address: first,
    addresses,
    command: first === null ? null : commandFor(clue, windbgHex(first, pointerSize)),
  };
}

/** All places of a clue, the one to look at first in front. */
function addressesOf(clue: Clue): readonly Va[] {
  switch (clue.kind) {
    case "calls":
      return clue.places.map(({ at }) => at);
    case "forgotten":
      return [
        ...new Set([
          ...clue.ways.map(({ call }) => call),
          ...clue.ways.map(({ end }) => end),
          ...clue.releasedOnOthers,
        ]),
      ];
    case "kept":
      return [
        ...new Set([
          ...clue.places.map(({ call }) => call),
          ...clue.places.map(({ at }) => at),
          ...clue.releasedAt,
        ]),
      ];
    case "releases":
      return [...clue.releasedAt.map(({ at }) => at), ...clue.calls];
    case "hands-on":
      return clue.calls;
    case "may-release":
      return [...new Set([...clue.calls, ...clue.to.map(({ at }) => at)])];
    case "imports":
    case "pointer":
      return [clue.at];
    case "looks-up-at-run-time":
      return [
        ...(clue.call === null ? [] : [clue.call.at]),
        clue.text,
        ...(clue.keptIn === null ? [] : [clue.keptIn]),
      ];
    case "allocates":
      return [...clue.at, ...clue.forgets.map(({ end }) => end), ...clue.releasedAt];
    case "registers-contexts":
      return clue.at;
    case "on-stack":
      return clue.hits.map(({ at }) => at);
    case "pool-content":
      return clue.examples.map(({ at }) => at);
    case "size-match":
      return [clue.at];
    case "tracked":
      return clue.callers.map(({ at }) => at);
    case "left-unfreed":
      return [];
  }
}

function commandFor({ kind }: Clue, address: string): string {
  switch (kind) {
    case "imports":
    case "pointer":
    case "registers-contexts":
    case "on-stack":
    case "pool-content":
      return `read ${address}`;
    default:
      return `code ${address}`;
  }
}
