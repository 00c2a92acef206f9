import type { Va } from "../core/address.ts";
import type { Occasion } from "../kernel/stop.ts";
import type { Growth, TagGrowth } from "../pool/growth.ts";
import type { MemoryLine } from "../pool/memory-lines.ts";
import type { PoolCounts, PoolTotals } from "../pool/tag-table.ts";
import type { FunctionPlace } from "../trail/function-place.ts";
import type { ToolKind } from "../trail/known/tools.ts";
import type { CodeView } from "../trail/listing/lines.ts";
import type { ValueMark } from "../trail/listing/value-marks.ts";
import type { Pointers } from "../trail/module-search.ts";
import type { Gap } from "./gap.ts";

/**
 * The plain data of every answer, one interface a command. In JSON an address is a string, a size
 * or a count a number, and what is not known is `null`; see DESIGN and `schema/`.
 */

export interface RegisterSet {
  /** `header`: the CONTEXT in the dump header; `processor N`: as the processor N saved it. */
  readonly which: string;
  readonly registers: Readonly<Record<string, bigint>>;
}

export interface InfoDocument {
  readonly file: string;
  /** In bytes. */
  readonly fileSize: number;
  readonly machine: string;
  /** How its page tables are read: `x86`, `x86-pae`, `x64`, `x64-la57`, `arm64`; null without pages. */
  readonly paging: string | null;
  readonly build: number | null;
  readonly buildLab: string | null;
  readonly dumpType: string;
  /** `kernel`, `debugger`, or null when the dump does not say who wrote it. */
  readonly writer: string | null;
  readonly processors: number | null;
  readonly directoryTableBase: bigint | null;
  readonly psLoadedModuleList: Va | null;
  readonly kdDebuggerDataBlock: Va | null;
  /** How the KDBG block was found; null when it was not. */
  readonly kdDebuggerDataBasis: string | null;
  readonly kernelBase: Va | null;
  /** ISO 8601, UTC. */
  readonly systemTime: string | null;
  /** In seconds. */
  readonly upTime: number | null;
  /** Null where the header has none. */
  readonly bugcheck: {
    readonly code: number;
    readonly name: string | null;
    readonly parameters: readonly bigint[];
  } | null;
  /** On what occasion the dump was taken; null where nothing tells. */
  readonly occasion: Occasion | null;
  /** The exception that the header has; null where it has none. */
  readonly exception: {
    readonly code: number;
    /** Of the NTSTATUS. */
    readonly name: string | null;
    readonly flags: number;
    readonly address: Va;
    readonly parameters: readonly bigint[];
  } | null;
  /** The instruction that the machine ended at; null where nothing says, and of a machine that went on. */
  readonly stoppedAt: {
    readonly address: Va;
    /** Null where no loaded module holds it; so is the offset from its base. */
    readonly module: string | null;
    readonly offset: number | null;
    /** What names it: the bugcheck's parameters, the exception, or the registers. */
    readonly basis: "bugcheck" | "exception" | "registers";
  } | null;
  /** What ran on the processor that stopped; null where it cannot be told. */
  readonly current: {
    readonly processor: number | null;
    /** Its ETHREAD, and the EPROCESS that it ran in. */
    readonly thread: Va;
    readonly process: Va | null;
    /** As the list of processes has them; null where the process is not there. */
    readonly pid: number | null;
    readonly imageName: string | null;
  } | null;
  readonly contexts: readonly RegisterSet[];
  /** Physical pages; null for a triage dump, which has none. */
  readonly pages: { readonly present: number; readonly missing: number } | null;
  readonly attributes: number | null;
  readonly modules: number;
  /** Where the dump says what it says of the machine, by the names of `dump.facts`: `header`, `triage`. */
  readonly sources: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

export interface ModuleRow {
  /** As WinDbg's `lm` shows it. */
  readonly name: string;
  readonly imageName: string | null;
  readonly path: string | null;
  readonly base: Va;
  readonly end: Va;
  readonly size: number;
  /** Seconds since 1970, or a hash in reproducible builds. */
  readonly timestamp: number | null;
  readonly checksum: number | null;
  readonly publisher: string | null;
  readonly thirdParty: boolean | null;
  /** On what `publisher` and `thirdParty` stand. */
  readonly publisherBasis: string | null;
  /** The tool whose driver it is; null for all others. */
  readonly tool: ToolRow | null;
  readonly readableBytes: number;
}

/** A tool that looks into the machine, or breaks it for practice. */
export interface ToolRow {
  readonly name: string;
  readonly kind: ToolKind;
  /** Its company says so as well, and not its file's name alone. */
  readonly confirmed: boolean;
}

export interface ModulesDocument {
  readonly modules: readonly ModuleRow[];
  readonly unloaded: readonly { readonly name: string; readonly base: Va; readonly end: Va }[];
  /** Why the list of modules ended early; null when it came to its end. */
  readonly stopped: Gap | null;
  readonly unloadedStopped: Gap | null;
  readonly notes: readonly string[];
}

export interface NearSymbol {
  readonly name: string;
  readonly address: Va;
}

export interface NearRow {
  readonly address: Va;
  readonly module: string | null;
  /** From the module's base. */
  readonly rva: number | null;
  readonly below: (NearSymbol & { readonly offset: number }) | null;
  readonly above: NearSymbol | null;
  /** The nearest at or below it in the symbol table of the module's file; null where none is given, or it has none. */
  readonly symbol: (NearSymbol & { readonly offset: number }) | null;
  readonly function: FunctionPlace | null;
  /** What could not be looked at; empty when nothing is in doubt. */
  readonly notes: readonly string[];
}

export interface NearDocument {
  readonly symbols: readonly NearRow[];
}

export type PointersDocument = Pointers;

export interface ImportRow {
  readonly slot: Va;
  /** Null of memory that is no import slot; so is `kind`. */
  readonly rva: number | null;
  readonly kind: "iat" | "delay-iat" | null;
  /** What the slot holds; null where it cannot be read, and in a file. */
  readonly target: Va | null;
  readonly resolved: {
    readonly module: string;
    readonly name: string | null;
    readonly offset: number;
  } | null;
  readonly declared: {
    readonly dll: string | null;
    readonly name: string | null;
    readonly ordinal: number | null;
  } | null;
  /** A delayed import that was never used: the slot still points into the image itself. */
  readonly pending: boolean;
  /** True where both are known and name different functions. */
  readonly disagree: boolean;
}

export interface ImportsDocument {
  /** Null of a stretch of memory, which need not be a module's. */
  readonly module: string | null;
  readonly imports: readonly ImportRow[];
  readonly notes: readonly string[];
}

export interface ExportsDocument {
  readonly module: string;
  readonly exports: readonly {
    readonly name: string | null;
    readonly ordinal: number;
    /** Null for a forwarder. */
    readonly address: Va | null;
    readonly rva: number;
    /** `dll.name` as the image spells it. */
    readonly forwarder: string | null;
    /** Where the forwarder leads in this dump. */
    readonly forwardedTo: {
      readonly module: string;
      readonly name: string | null;
      readonly address: Va;
    } | null;
  }[];
  readonly notes: readonly string[];
}

export interface HeadersDocument {
  readonly module: string;
  readonly base: Va;
  readonly machine: string;
  /** The fields of the file and optional header, in the order of `!dh -f`. */
  readonly header: Readonly<Record<string, number | bigint>>;
  readonly directories: readonly { readonly name: string; readonly rva: number; readonly size: number }[];
  readonly sections: readonly {
    readonly name: string;
    readonly rva: number;
    readonly virtualSize: number;
    readonly fileOffset: number;
    readonly fileSize: number;
    readonly characteristics: number;
    readonly readable: number;
  }[];
  /** `signature`: the GUID, or in old images the time stamp. */
  readonly pdb: { readonly signature: string; readonly age: number; readonly path: string } | null;
  readonly version: Readonly<Record<string, string>> | null;
  readonly notes: readonly string[];
}

/** Something that an instruction refers to. */
export interface CodeReferral {
  /**
   * What stands at `address`: `function`, `code` inside one, `import-slot`, `data`, a `pointer` to the function of that
   * name or to what is `looked-up` by it, `text`, a `tag`; `callee`: where a call through a register, a variable or a
   * thunk leads.
   */
  readonly kind:
    | "function"
    | "code"
    | "import-slot"
    | "data"
    | "callee"
    | "pointer"
    | "looked-up"
    | "text"
    | "tag";
  readonly address: Va | null;
  readonly name: string | null;
  /** The characters of a text, or the four of a tag; null of others, and of a text that cannot be read. */
  readonly text: string | null;
  /** Of a text. */
  readonly encoding: "ascii" | "utf-16" | null;
  /** Why a text cannot be read. */
  readonly fault: Gap | null;
}

export interface CodeLine {
  readonly address: Va;
  /** In bytes. */
  readonly length: number;
  /**
   * `hole`: cannot be read; `cut`: part of an instruction that a hole cuts off; `bad`: no instruction; `padding`: equal
   * bytes between functions; `table`: what a jump goes through.
   */
  readonly kind: "instruction" | "hole" | "cut" | "bad" | "padding" | "table";
  /** Two digits a byte; `??` of a hole, however long. */
  readonly bytes: string;
  /** The instruction with names in it; null of what is none. */
  readonly text: string | null;
  readonly refers: readonly CodeReferral[];
  /** The address that was asked for is in it. */
  readonly here: boolean;
  /** What is known of it besides, in words: `marks`. */
  readonly note: string | null;
  /** What happens here to what the function's calls acquire; `A` stands for what the first of them does. */
  readonly marks: readonly ValueMark[];
  /** Why a hole cannot be read. */
  readonly fault: Gap | null;
}

export interface CodeDocument {
  readonly address: Va;
  readonly module: string | null;
  readonly view: CodeView;
  readonly pieces: readonly {
    /** Of the function, or the module and an offset; null in no module. */
    readonly name: string | null;
    readonly function: FunctionPlace | null;
    readonly lines: readonly CodeLine[];
  }[];
  readonly notes: readonly string[];
}

export interface ReadDocument {
  readonly address: Va;
  /** Null where no module holds the address; so are `rva` and `below`. */
  readonly module: string | null;
  readonly rva: number | null;
  /** The exported name at or below the address. */
  readonly below: (NearSymbol & { readonly offset: number }) | null;
  readonly length: number;
  /** Two digits a byte, `??` where it cannot be read. */
  readonly bytes: string;
  readonly holes: readonly { readonly address: Va; readonly length: number; readonly fault: Gap }[];
  /** How many of the bytes a file given by the user filled in. */
  readonly fromFile: number;
}

/** One tag of the tag tables. */
export interface TagRow {
  readonly tag: string;
  readonly nonPaged: PoolCounts;
  readonly paged: PoolCounts;
  /** Why the figures may be wrong; null where there is no doubt. */
  readonly doubt: string | null;
  /** What it is the tag of, as far as that is public, and where it is said; null where nothing public says. */
  readonly known: { readonly meaning: string; readonly source: string | null } | null;
  /** From the tag file that the user gave. */
  readonly description: string | null;
  readonly binary: string | null;
  /** Whose images contain the tag, in what of them could be read. */
  readonly modules: readonly string[];
  /** Its allocations of a page and more, as asked for; null where their table was not found. */
  readonly bigPages: { readonly allocations: number; readonly bytes: number } | null;
}

/** A tag that looks like a leak. */
export interface LeakRow {
  readonly tag: string;
  readonly pool: "nonPaged" | "paged";
  /** 0 to 100; only the order means something. */
  readonly score: number;
  readonly reasons: readonly string[];
  /** Tags whose counts go together, and the one that never frees; null where it stands alone. */
  readonly group: { readonly tags: readonly string[]; readonly source: string | null } | null;
}

export interface TagsDocument {
  readonly tags: readonly TagRow[];
  /** Of all tags that match, also those that `--top` leaves out; null where no table was found. */
  readonly totals: { readonly nonPaged: PoolTotals; readonly paged: PoolTotals } | null;
  /** Every table of every processor was read whole, and nothing contradicts the figures. */
  readonly complete: boolean;
  readonly processors: { readonly read: number; readonly of: number | null };
  /** How the tables are laid out, and the share of keys that stand where their hash puts them. */
  readonly layout: { readonly name: string; readonly score: number; readonly slots: number } | null;
  readonly basis: readonly string[];
  /** What found no slot of its own in a full table; null where there is none. */
  readonly overflow: { readonly nonPaged: PoolCounts; readonly paged: PoolCounts } | null;
  /** Tags that look like leaks, the likeliest first. */
  readonly leaks: readonly LeakRow[];
  readonly notes: readonly string[];
}

/** `tags --since`. */
export interface GrowthDocument extends Omit<Growth, "tags" | "otherMachine"> {
  /** The older dump's file. */
  readonly since: string;
  readonly tags: readonly Omit<TagGrowth, "key">[];
}

/** A block of a pool. */
export interface PoolBlockRow {
  /** Of its header; of an allocation of a page and more, which has none, of its contents. */
  readonly address: Va;
  /** With its header. */
  readonly bytes: number;
  readonly tag: string;
  /** Null of a free block, and where its table does not say. */
  readonly pool: "nonPaged" | "paged" | null;
  readonly free: boolean;
  readonly protected: boolean;
  /** It is charged to a process. */
  readonly quota: boolean;
}

export interface PoolDocument {
  readonly address: Va;
  /** The loaded module that holds the address; null where none does. */
  readonly module: string | null;
  /** The block that the address lies in; null where none is known, and `missing` says why. */
  readonly block: PoolBlockRow | null;
  /** From the block's address, in bytes. */
  readonly offset: number | null;
  /** On what it stands: `big-pages`, the blocks of the `page`, the `heap`'s own division, or nothing but a `header`. */
  readonly basis: "big-pages" | "page" | "heap" | "header" | null;
  /** What the tag is of, where that is public. */
  readonly meaning: string | null;
  /** The blocks of the same page where they follow one another; else the one block. */
  readonly page: readonly PoolBlockRow[];
  readonly missing: "triage" | "not-in-dump" | "no-block" | null;
  readonly notes: readonly string[];
}

export interface MemoryDocument {
  /** In pages of 4 KB; null where the dump does not say, and `reasons` why. */
  readonly pages: Readonly<Record<MemoryLine, number | null>>;
  /** `PagedPool N Usage`, in pages. */
  readonly pagedPools: readonly (number | null)[];
  /** For each of `pagedPools` where it comes from, or why it is not known. */
  readonly pagedPoolSources: readonly string[];
  /** Which variable or block each figure comes from. */
  readonly sources: Readonly<Partial<Record<MemoryLine, string>>>;
  readonly reasons: Readonly<Partial<Record<MemoryLine, string>>>;
  readonly notes: readonly string[];
}
