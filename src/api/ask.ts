import type { AddressLike } from "../core/address.ts";
import { ArgumentRangeError, ArgumentTypeError, isArgumentError } from "../core/argument-error.ts";
import { FormatError } from "../core/errors.ts";
import { parseTag, parseTagPattern } from "../pool/tag.ts";
import { answer } from "../report/answer.ts";
import type { Documents } from "../report/blocks.ts";
import { growthDocument } from "../report/growth-document.ts";
import { readDocument } from "../report/read-document.ts";
import { inputOf, type Trail } from "../report/trail-document.ts";
import { FileError } from "../source/file-error.ts";
import type { ListingOptions } from "../trail/listing/code-listing.ts";
import { Dump } from "./dump.ts";
import type { ImageFolder } from "./folder.ts";
import { ImageFile } from "./image-file.ts";
import { described } from "./input.ts";
import { Module } from "./module.ts";
import type { HandleQuery } from "./objects.ts";
import { checkOperands } from "./operands.ts";
import { QuestionError } from "./question-error.ts";
import { type LengthLike, parseRange } from "./range.ts";
import type { TagQuery } from "./tags.ts";
import type { ModuleLike, WorkOptions } from "./workspace.ts";

/** What a question is put to: a dump, a folder of PE files, or one of them. */
export type Opened = Dump | ImageFolder | ImageFile;

/** nt where it is left out; of a single PE file it says nothing. */
export interface OfModule {
  readonly module?: ModuleLike;
}

/** What each command has to be told. */
export interface Operands {
  readonly trace: {
    /** Those that look like leaks where there are none. */
    readonly tags?: readonly string[];
  };
  readonly info: object;
  readonly modules: {
    /** Of names: `*` is any run of characters, `?` any one; all where it is left out. */
    readonly pattern?: string | undefined;
  };
  readonly memory: object;
  readonly tags: TagQuery;
  /** What grew since an older dump of the same machine. */
  readonly growth: {
    readonly older: Dump;
    /** Also where the dumps are of two machines. */
    readonly force?: boolean | undefined;
  } & Pick<TagQuery, "pattern" | "top">;
  readonly scan: { readonly tag: string };
  readonly near: { readonly addresses: readonly AddressLike[] };
  readonly pointers: { readonly address: AddressLike };
  readonly pool: { readonly address: AddressLike };
  readonly headers: OfModule;
  readonly imports: OfModule & {
    /** In pointers, up to 65,536: then `module` is an address, and what stands there is shown, whatever it is. */
    readonly length?: LengthLike | undefined;
  };
  readonly exports: OfModule;
  readonly functions: OfModule;
  /** function: a name that the module exports or imports, or an address. */
  readonly calls: OfModule & { readonly function: AddressLike };
  readonly code: { readonly address: AddressLike } & ListingOptions;
  readonly read: {
    readonly address: AddressLike;
    /** In bytes, 1 to 1 MB; 128 where left out. */
    readonly length?: LengthLike | undefined;
  };
  readonly processes: object;
  readonly handles: {
    /** A process, by its id or its image's name, or a tag; all where it is left out. */
    readonly of?: string | undefined;
  };
}

/** The commands, and `growth`, which is `tags --since`. */
export type Asked = keyof Operands;

/** A question: a command's name, with what the command has to be told. */
export type Question<C extends Asked = Asked> = { [K in C]: { readonly command: K } & Operands[K] }[C];

/**
 * Answers one question: what the command line, the REPL, a worker and a server all call.
 *
 * @throws {QuestionError} it names a module, an address or a tag that there is not
 * @throws {FileError} the command needs a dump, and this is a folder
 * @throws {FormatError | MemoryError} what the answer stands on cannot be read
 */
export function ask<C extends Asked>(
  opened: Opened,
  question: Question<C>,
  work: WorkOptions = {},
): Documents[C] {
  // names that every object has are no questions
  if (!Object.hasOwn(ANSWERS, question?.command)) {
    const known = Object.keys(ANSWERS).join(", ");
    throw new ArgumentTypeError(`there is no question ${described(question?.command)}; there are ${known}`);
  }
  const answerTo: Answers[C] = ANSWERS[question.command];
  asked(question.command, () => checkOperands(question));
  return answer(answerTo(opened, question, work));
}

/** The trails of tags, and behind them those of the tags that are said to be their cause. */
function withCauses(tags: readonly string[], trace: (tag: string) => Trail): readonly Trail[] {
  const trails = tags.map(trace);
  const causes = trails.flatMap(({ lockstep }) => lockstep?.leader ?? []);
  return [...trails, ...[...new Set(causes)].filter((tag) => !tags.includes(tag)).map(trace)];
}

type Answers = {
  readonly [C in Asked]: (opened: Opened, question: Question<C>, work: WorkOptions) => Documents[C];
};

const ANSWERS: Answers = {
  trace: (opened, { tags = [] }, work) => {
    const from = severalIn(opened, "trace");
    if (tags.length === 0 && !(from instanceof Dump))
      throw new QuestionError("a folder has no usage by tag: name a TAG", "trace");
    const named = tags.map((tag) => asked("trace", () => parseTag(tag).text));
    const trails =
      from instanceof Dump && named.length === 0
        ? from.traces(work)
        : withCauses(named, (tag) => from.trace(tag, work));
    const [first, ...more] = trails;
    if (first === undefined) throw new Error("a trace gave no trail");
    return { ...first, more, input: from instanceof Dump ? inputOf(from.info()) : null };
  },
  info: (opened) => dumpIn(opened, "info").info(),
  modules: (opened, { pattern }) => {
    const from = severalIn(opened, "modules");
    return from.modules.list(from.notes, pattern);
  },
  memory: (opened) => dumpIn(opened, "memory").memory(),
  tags: (opened, query) => {
    const dump = dumpIn(opened, "tags");
    const { pattern } = query;
    if (pattern !== undefined) asked("tags", () => parseTagPattern(pattern));
    return dump.tags().document(query);
  },
  growth: (opened, { older, force, pattern, top }) => {
    const dump = dumpIn(opened, "growth");
    const matches = pattern === undefined ? () => true : asked("growth", () => parseTagPattern(pattern));
    const growth = dump.since(older);
    const { otherMachine } = growth;
    if (otherMachine !== undefined && force !== true)
      throw new QuestionError(`${older.file}: ${otherMachine}; --force compares them all the same`, "growth");
    const tags = growth.tags.filter(({ key }) => matches(key)).slice(0, top ?? growth.tags.length);
    return growthDocument(older.file, { ...growth, tags });
  },
  scan: (opened, { tag }, work) => {
    const from = severalIn(opened, "scan");
    const { text } = asked("scan", () => parseTag(tag));
    const found = from.scan(text, work);
    const other = from instanceof Dump && found.references.length === 0 ? from.otherCase(text) : "";
    return other === "" ? found : { ...found, notes: [...found.notes, `\`${text}\` stands nowhere${other}`] };
  },
  near: (opened, { addresses }) => {
    const from = severalIn(opened, "near");
    const found = addresses.map((address) => asked("near", () => from.address(address)));
    return { symbols: found.map((address) => from.near(address)) };
  },
  pointers: (opened, { address }, work) => {
    const from = severalIn(opened, "pointers");
    return from.pointers(
      asked("pointers", () => from.address(address)),
      work,
    );
  },
  pool: (opened, { address }) => {
    const dump = dumpIn(opened, "pool");
    return dump.pool(asked("pool", () => dump.address(address)));
  },
  headers: (opened, { module }) =>
    opened instanceof ImageFile ? opened.headers() : opened.headers(moduleIn(opened, module, "headers")),
  imports: (opened, { module, length }) => {
    if (opened instanceof ImageFile) return opened.imports();
    if (module === undefined || module instanceof Module || (length === undefined && isOf(opened, module)))
      return opened.imports(moduleIn(opened, module, "imports"));
    const range = { unit: opened.pointerSize, most: MOST_POINTERS, things: "pointers" };
    return opened.slots(
      ...asked("imports", () => parseRange(opened, module, length ?? DEFAULT_POINTERS, range)),
    );
  },
  exports: (opened, { module }) =>
    opened instanceof ImageFile ? opened.exports() : opened.exports(moduleIn(opened, module, "exports")),
  functions: (opened, { module }) =>
    opened instanceof ImageFile
      ? opened.functions()
      : opened.functions(moduleIn(opened, module, "functions")),
  calls: (opened, { module, function: wanted }) =>
    opened instanceof ImageFile
      ? asked("calls", () => opened.calls(wanted))
      : asked("calls", () => opened.calls(moduleIn(opened, module, "calls"), wanted)),
  code: (opened, { address, ...options }) =>
    opened.code(
      asked("code", () => opened.address(address)),
      options,
    ),
  read: (opened, { address, length = DEFAULT_LENGTH }) => {
    const from = severalIn(opened, "read");
    const range = { unit: 1, most: MOST_BYTES, things: "bytes" };
    const [at, bytes] = asked("read", () => parseRange(from, address, length, range));
    return readDocument(from.read(at, bytes), from.placeOf(at));
  },
  processes: (opened) => dumpIn(opened, "processes").processes(),
  handles: (opened, { of }) => {
    const dump = dumpIn(opened, "handles");
    return dump.handles(of === undefined ? {} : asked("handles", () => handleQuery(dump, of)));
  },
};

/**
 * A number is a process's id, a name that some process has is its; else it is a tag.
 *
 * @throws {RangeError} it is none of them
 */
function handleQuery(dump: Dump, of: string): HandleQuery {
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(of)) {
    const id = Number(of);
    if (id > 0xffff_ffff) throw new ArgumentRangeError(`${of} is no process ID: one has at most 32 bits`);
    return { process: id };
  }
  const name = of.toLowerCase();
  if (dump.kernel.processes.items.some(({ imageName }) => imageName?.toLowerCase() === name))
    return { process: of };
  if (of.length > 4 && !of.includes("\\"))
    throw new ArgumentRangeError(`there is no process ${of}, and a tag has at most four characters`);
  return { tag: parseTag(of) };
}

const DEFAULT_LENGTH = 128;
/** More is for a program, and for `Dump.read`. */
const MOST_BYTES = 0x10_0000;
const DEFAULT_POINTERS = 16;
/** As many as a person may look through. */
const MOST_POINTERS = 0x1_0000;

/** Whether a name or an address means a module. */
function isOf(opened: Dump | ImageFolder, module: AddressLike): boolean {
  if (typeof module === "string" && opened.modules.named(module) !== undefined) return true;
  return opened.modules.at(asked("imports", () => opened.address(module))) !== undefined;
}

function severalIn(opened: Opened, command: Asked): Dump | ImageFolder {
  if (!(opened instanceof ImageFile)) return opened;
  throw new QuestionError(`${command} needs a dump`, command);
}

function dumpIn(opened: Opened, command: Asked): Dump {
  const from = severalIn(opened, command);
  if (from instanceof Dump) return from;
  const name = command === "growth" ? "tags" : command;
  throw new FileError(from.folder, "directory", `this is a directory; ${name} needs a dump`);
}

/** The module that is named, or nt. */
function moduleIn(opened: Dump | ImageFolder, module: ModuleLike | undefined, command: Asked): Module {
  if (module !== undefined) return asked(command, () => opened.module(module));
  const kernel = opened.modules.kernel;
  if (kernel !== undefined) return kernel;
  if (!(opened instanceof Dump))
    throw new QuestionError("there is no kernel in this folder: name a MODULE", command);
  throw new FormatError({
    file: opened.file,
    offset: 0,
    field: "the module list",
    expected: "one with nt in it",
    found: opened.modules.gaps[0] ?? "others only: name a MODULE",
  });
}

/** What `take` makes of an operand; a wrong one makes a wrong question. */
function asked<T>(command: Asked, take: () => T): T {
  try {
    return take();
  } catch (error) {
    if (isArgumentError(error)) throw new QuestionError(error.message, command);
    throw error;
  }
}
