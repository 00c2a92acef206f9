import { PAGE_SIZE } from "../core/address.ts";
import type { UnpackedSource } from "../source/unpacked-source.ts";
import { DAMAGED, type PageMap, type PageRun } from "./page-map.ts";

/** A page map over what a file unpacks to: whether a page is whole is known when it was unpacked. */
export class UnpackedMap implements PageMap {
  readonly #source: UnpackedSource;
  readonly #pages: PageMap;
  readonly #pieceSize: number;

  /** @param pages its offsets are of `source`, and none of its pages stands in two pieces */
  constructor(source: UnpackedSource, pages: PageMap, pieceSize: number) {
    this.#source = source;
    this.#pages = pages;
    this.#pieceSize = pieceSize;
  }

  /** Those of broken pieces are among them. */
  get present(): number {
    return this.#pages.present;
  }

  get missing(): number {
    return this.#pages.missing;
  }

  get highestPfn(): number {
    return this.#pages.highestPfn;
  }

  locate(pfn: number): number {
    const offset = this.#pages.locate(pfn);
    return offset < 0 || this.#source.isWhole(offset) ? offset : DAMAGED;
  }

  runLength(pfn: number, max: number): number {
    const offset = this.locate(pfn);
    if (offset < 0) return 0;
    const run = this.#pages.runLength(pfn, max);
    const pagesEach = this.#pieceSize / PAGE_SIZE;
    let good = pagesEach - (offset % this.#pieceSize) / PAGE_SIZE;
    while (good < run && this.#source.isWhole(offset + good * PAGE_SIZE)) good += pagesEach;
    return Math.min(run, good);
  }

  runs(): Iterable<PageRun> {
    return this.#pages.runs();
  }
}
