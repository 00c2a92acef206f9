import { grouped } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { readableChunks } from "../memory/sweep.ts";
import { type BigPages, bigUsageByTag, type NoBigPages } from "../pool/big-pages.ts";
import type { LeakCandidate, LeakReport } from "../pool/leaks.ts";
import type { TagFile } from "../pool/pooltags.ts";
import { parseTagPattern, sameButForCase } from "../pool/tag.ts";
import { type IndexedImage, indexTags } from "../pool/tag-index.ts";
import {
  inexactNote,
  isInUse,
  type NoTagTable,
  sortTags,
  type TagOrder,
  type TagTable,
  type TagUsage,
  totalsOf,
} from "../pool/tag-table.ts";
import { answer, jsonOf } from "../report/answer.ts";
import type { LeakRow, TagRow, TagsDocument } from "../report/documents.ts";
import { meaningWords } from "../report/knowledge-words.ts";
import { plural } from "../report/words.ts";
import { knownOf } from "../trail/known/tag-knowledge.ts";
import type { Module } from "./module.ts";

/** Which tags a question is about, and in which order. */
export interface TagQuery {
  /** `*` is any run of characters, `?` any one. */
  readonly pattern?: string | undefined;
  /** By tag where it is left out; the largest first where only some are asked for. */
  readonly sort?: TagOrder | undefined;
  /** At most so many. */
  readonly top?: number | undefined;
  /** What the tags mean. */
  readonly descriptions?: TagFile | undefined;
}

/** What else the answer of the `tags` command takes; each is read when it is asked for. */
export interface TagSources {
  readonly leaks: () => LeakReport;
  readonly bigPages: () => BigPages | NoBigPages;
  /** Of the dump. */
  readonly notes: () => readonly string[];
}

/** Usage by tag of a whole dump. */
export class Tags {
  /** The tag tables as they were found, or why they were not. */
  readonly table: TagTable | NoTagTable;
  readonly #space: AddressSpace;
  readonly #modules: readonly Module[];

  readonly #more: TagSources;

  /** @internal */
  constructor(
    table: TagTable | NoTagTable,
    space: AddressSpace,
    modules: readonly Module[],
    more: TagSources,
  ) {
    this.table = table;
    this.#space = space;
    this.#modules = modules;
    this.#more = more;
  }

  /** The answer of the `tags` command without a pattern. */
  toJSON(): unknown {
    return jsonOf(this.document({}));
  }

  /** Every tag with something outstanding; empty where no table was found, and `table` says why. */
  get items(): readonly TagUsage[] {
    return "missing" in this.table ? [] : this.table.tags.filter(isInUse);
  }

  byPagedBytes(): readonly TagUsage[] {
    return sortTags(this.items, "paged");
  }

  byNonPagedBytes(): readonly TagUsage[] {
    return sortTags(this.items, "nonpaged");
  }

  byCount(): readonly TagUsage[] {
    return sortTags(this.items, "count");
  }

  byTag(): readonly TagUsage[] {
    return sortTags(this.items, "tag");
  }

  /** One tag, also when nothing of it is outstanding; undefined where the tables do not have it. */
  get(key: number): TagUsage | undefined {
    return "missing" in this.table ? undefined : this.table.tags.find((usage) => usage.key === key);
  }

  /**
   * The answer of the `tags` command. Each tag comes with the modules whose images contain it.
   *
   * @throws {RangeError} a pattern that no tag can match
   */
  document(query: TagQuery): TagsDocument {
    return answer(this.#document(query, this.#more.notes()));
  }

  #document(query: TagQuery, notes: readonly string[]): TagsDocument {
    const { table } = this;
    if ("missing" in table) {
      return {
        tags: [],
        totals: null,
        complete: false,
        processors: table.processors,
        layout: null,
        basis: [],
        overflow: null,
        leaks: [],
        notes: [table.reason, ...notes],
      };
    }
    const matches = query.pattern === undefined ? () => true : parseTagPattern(query.pattern);
    const chosen = sortTags(
      this.items.filter((usage) => matches(usage.key)),
      query.sort ?? (query.top === undefined ? "tag" : "bytes"),
    );
    const shown = chosen.slice(0, query.top ?? chosen.length);
    const holders = this.#holders(shown);
    const big = bigBytes(this.#more.bigPages());
    const leaks = this.#more.leaks().candidates.filter(({ key }) => matches(key));
    const totals = totalsOf(chosen);
    const counts = [
      totals.nonPaged,
      totals.paged,
      ...shown.flatMap(({ nonPaged, paged }) => [nonPaged, paged]),
    ];
    return {
      tags: shown.map((usage) => ({
        ...rowOf(usage, holders, query.descriptions),
        bigPages: big(usage.key),
      })),
      totals,
      complete: table.complete,
      processors: table.processors,
      layout: { name: table.layout, score: table.score, slots: table.slots },
      basis: table.basis,
      overflow:
        table.overflow === undefined
          ? null
          : { nonPaged: table.overflow.nonPaged, paged: table.overflow.paged },
      leaks: leaks.map(leakOf),
      notes: [
        ...(chosen.length > 0 || query.pattern === undefined ? [] : [this.#noMatch(query.pattern, table)]),
        ...table.notes,
        ...inexactNote(counts),
        ...this.#unread(),
        ...this.#undecoded(),
        ...(query.descriptions?.notes ?? []),
        ...notes,
      ],
    };
  }

  #noMatch(pattern: string, { tags }: TagTable): string {
    const matches = parseTagPattern(pattern);
    const unused = tags.filter(({ key }) => matches(key)).length;
    if (unused > 0)
      return `nothing is allocated with ${unused === 1 ? `\`${pattern}\`` : `tags like \`${pattern}\``} now`;
    return `no tag matches \`${pattern}\`${this.otherCase(pattern)}`;
  }

  /** That there is a tag which differs in its case only, where there is one; else nothing. */
  otherCase(tag: string): string {
    const others = this.items
      .filter((usage) => sameButForCase(tag, usage.tag))
      .map((usage) => `\`${usage.tag}\``);
    return others.length === 0
      ? ""
      : `: case counts, and ${others.join(" and ")} ${others.length === 1 ? "is" : "are"} in use`;
  }

  /** A tag without a module may well have one. */
  #unread(): readonly string[] {
    const partly = this.#modules.filter((module) => module.readableBytes < module.size);
    if (partly.length === 0) return [];
    const missing = partly.reduce((sum, module) => sum + module.size - module.readableBytes, 0);
    return [
      `${grouped(missing)} bytes of ${plural(partly.length, "module")} could not be read: a tag may stand in more modules than are named`,
    ];
  }

  /** On ARM64 a tag's bytes need stand nowhere: most compilers make it of two halves. All modules of a dump are alike. */
  #undecoded(): readonly string[] {
    const [first] = this.#modules;
    if (first?.image?.machine !== "arm64") return [];
    return [
      "arm64 code makes most tags of two halves, which were not looked for: a tag may be of more modules than are named (pooltrail scan finds them)",
    ];
  }

  #holders(tags: readonly TagUsage[]): ReadonlyMap<number, readonly string[]> {
    const images = this.#modules.map((module) => imageOf(this.#space, module));
    const index = indexTags(
      images,
      tags.map((usage) => usage.key),
    );
    const names = new Map<number, readonly string[]>();
    for (const [key, places] of index) {
      names.set(
        key,
        places.map((place) => this.#modules[place]?.name ?? ""),
      );
    }
    return names;
  }
}

/** Allocations of a page and more by tag; null where their table was not found. */
function bigBytes(pages: BigPages | NoBigPages): (key: number) => TagRow["bigPages"] {
  if ("missing" in pages) return () => null;
  const usage = new Map(
    bigUsageByTag(pages).map((one) => [one.key, { allocations: one.count, bytes: one.bytes }]),
  );
  return (key) => usage.get(key) ?? { allocations: 0, bytes: 0 };
}

function rowOf(
  usage: TagUsage,
  holders: ReadonlyMap<number, readonly string[]>,
  descriptions: TagFile | undefined,
): Omit<TagRow, "bigPages"> {
  const found = descriptions?.describe(usage.key);
  return {
    tag: usage.tag,
    nonPaged: usage.nonPaged,
    paged: usage.paged,
    doubt: usage.doubt ?? null,
    known: knownRow(usage.tag),
    description: found === undefined ? null : found.description,
    binary: found?.binary ?? null,
    modules: holders.get(usage.key) ?? [],
  };
}

function knownRow(tag: string): TagRow["known"] {
  const known = knownOf(tag);
  const meaning = known === undefined ? null : meaningWords(known);
  return meaning === null ? null : { meaning, source: known?.meaning?.source ?? null };
}

/** A module's readable bytes, a piece at a time. */
function imageOf(space: AddressSpace, module: Module): IndexedImage {
  return { name: module.name, chunks: (room) => readableChunks(space, module.base, module.size, room) };
}

function leakOf({ tag, pool, score, reasons, group }: LeakCandidate): LeakRow {
  return { tag, pool, score, reasons, group: group ?? null };
}
