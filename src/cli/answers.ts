import { Dump, openDump } from "../api/dump.ts";
import type { ImageFolder } from "../api/folder.ts";
import type { ImageFile } from "../api/image-file.ts";
import type { Module } from "../api/module.ts";
import type { TagQuery } from "../api/tags.ts";
import type { WorkOptions } from "../api/workspace.ts";
import { FormatError } from "../core/errors.ts";
import { parseTagFile, type TagFile } from "../pool/pooltags.ts";
import { parseTag, parseTagPattern } from "../pool/tag.ts";
import type { TagOrder } from "../pool/tag-table.ts";
import { readDocument } from "../report/read-document.ts";
import { renderCode } from "../report/text/code.ts";
import { renderCalls, renderFunctions } from "../report/text/functions.ts";
import { renderGrowth } from "../report/text/growth.ts";
import { renderHeaders } from "../report/text/headers.ts";
import { renderExports, renderImports } from "../report/text/imports.ts";
import { renderInfo } from "../report/text/info.ts";
import { renderMemory } from "../report/text/memory.ts";
import { renderModules } from "../report/text/modules.ts";
import { renderNear } from "../report/text/near.ts";
import { renderPointers } from "../report/text/pointers.ts";
import { renderRead } from "../report/text/read.ts";
import { renderScan } from "../report/text/scan.ts";
import { renderTags } from "../report/text/tags.ts";
import { renderTrails } from "../report/text/trace.ts";
import type { View } from "../report/text/view.ts";
import { FileError, openFile } from "../source/file-source.ts";
import type { CodeView } from "../trail/code-lines.ts";
import type { ListingOptions } from "../trail/code-listing.ts";
import { UsageError } from "./arguments.ts";

/** What the command line can say beyond operands. */
export interface AnswerOptions {
  readonly sort?: TagOrder | undefined;
  readonly top?: number | undefined;
  /** An older dump of the same machine. */
  readonly since?: string | undefined;
  /** Which instructions are listed, and how many. */
  readonly view?: CodeView | undefined;
  readonly lines?: number | undefined;
  /** A file in pooltag.txt's format. */
  readonly pooltags?: string | undefined;
}

/** An answer: its plain data, and how it reads. */
export interface Answer {
  readonly document: object;
  text(view: View): string;
}

function answer<T extends object>(document: T, render: (document: T, view: View) => string): Answer {
  return { document, text: (view) => render(document, view) };
}

/**
 * Answers one command from a dump, or from a folder of PE files.
 *
 * @throws {UsageError} an operand that is no tag, address or module of it, or a command that needs a dump
 */
export function answerFrom(
  opened: Dump | ImageFolder,
  command: string,
  operands: readonly string[],
  options: AnswerOptions = {},
  work: WorkOptions = {},
): Answer {
  const [first = "", second] = operands;
  const dump = (): Dump => {
    if (opened instanceof Dump) return opened;
    throw new FileError(opened.folder, "directory", `this is a directory; ${command} needs a dump`);
  };
  const module = (): Module =>
    first === "" ? kernelOf(opened, command) : asked(command, () => opened.module(first));
  switch (command) {
    case "trace":
      return traceAnswer(opened, operands, work);
    case "info":
      return answer(dump().info(), renderInfo);
    case "modules":
      return answer(opened.modules.list(opened.notes), renderModules);
    case "memory":
      return answer(dump().memory(), renderMemory);
    case "tags":
      if (options.since !== undefined) return growthAnswer(dump(), options.since, first, options, work);
      if (first !== "") asked(command, () => parseTagPattern(first));
      return answer(dump().tags(work).document(tagQuery(first, options), opened.notes), renderTags);
    case "scan":
      return answer(
        opened.scan(
          asked(command, () => parseTag(first).text),
          work,
        ),
        renderScan,
      );
    case "near": {
      const addresses = operands.map((text) => asked(command, () => opened.address(text)));
      return answer({ symbols: addresses.map((address) => opened.near(address)) }, renderNear);
    }
    case "pointers":
      return answer(
        opened.pointers(
          asked(command, () => opened.address(first)),
          work,
        ),
        renderPointers,
      );
    case "headers":
      return answer(opened.headers(module()), renderHeaders);
    case "imports":
      return answer(opened.imports(module()), renderImports);
    case "exports":
      return answer(opened.exports(module()), renderExports);
    case "functions":
      return answer(opened.functions(module()), renderFunctions);
    case "calls": {
      if (second === undefined) throw new UsageError("calls needs MODULE and ADDRESS", command);
      return answer(
        asked(command, () => opened.calls(module(), second)),
        renderCalls,
      );
    }
    case "code":
      return answer(
        opened.code(
          asked(command, () => opened.address(first)),
          listingOf(options),
        ),
        renderCode,
      );
    case "read": {
      const length = second === undefined ? DEFAULT_LENGTH : lengthOf(second, command);
      const address = asked(command, () => opened.address(first));
      return answer(readDocument(opened.read(address, length), opened.placeOf(address)), renderRead);
    }
    default:
      throw new UsageError(`there is no command "${command}"`);
  }
}

/** Answers one command from a single PE file. */
export function answerFromImage(
  file: ImageFile,
  command: string,
  operands: readonly string[] = [],
  options: AnswerOptions = {},
): Answer {
  switch (command) {
    case "functions":
      return answer(file.functions(), renderFunctions);
    case "calls":
      return answer(
        asked(command, () => file.calls(operands[0] ?? "")),
        renderCalls,
      );
    case "code":
      return answer(
        file.code(
          asked(command, () => file.address(operands[0] ?? "")),
          listingOf(options),
        ),
        renderCode,
      );
    case "headers":
      return answer(file.headers(), renderHeaders);
    case "imports":
      return answer(file.imports(), renderImports);
    case "exports":
      return answer(file.exports(), renderExports);
    default:
      throw new UsageError(`${command} needs a dump`, command);
  }
}

function listingOf({ view, lines }: AnswerOptions): ListingOptions {
  return { view, lines };
}

/** nt, which is meant where no MODULE is named. */
function kernelOf(opened: Dump | ImageFolder, command: string): Module {
  const kernel = opened.modules.kernel;
  if (kernel !== undefined) return kernel;
  if (!(opened instanceof Dump))
    throw new UsageError("there is no kernel in this folder: name a MODULE", command);
  throw new FormatError({
    file: opened.file,
    offset: 0,
    field: "the module list",
    expected: "one with nt in it",
    found: opened.modules.gaps[0] ?? "others only: name a MODULE",
  });
}

function traceAnswer(opened: Dump | ImageFolder, operands: readonly string[], work: WorkOptions): Answer {
  if (operands.length === 0 && !(opened instanceof Dump))
    throw new UsageError("a folder has no usage by tag: name a TAG", "trace");
  const trails =
    operands.length === 0 && opened instanceof Dump
      ? opened.traces(work)
      : operands.map((tag) =>
          opened.trace(
            asked("trace", () => parseTag(tag).text),
            work,
          ),
        );
  const info = opened instanceof Dump ? opened.info() : null;
  const [main, ...more] = trails;
  return answer({ ...main, more }, (_, view) => renderTrails(trails, info, view));
}

function growthAnswer(
  dump: Dump,
  path: string,
  pattern: string,
  options: AnswerOptions,
  work: WorkOptions,
): Answer {
  const matches = pattern === "" ? () => true : asked("tags", () => parseTagPattern(pattern));
  using older = openDump(path);
  const { tags, ...growth } = dump.since(older, work);
  const shown = tags.filter(({ key }) => matches(key)).slice(0, options.top ?? tags.length);
  const rows = shown.map(({ key: _, ...row }) => row);
  return answer({ since: older.file, tags: rows, ...growth }, renderGrowth);
}

function tagQuery(pattern: string, options: AnswerOptions): TagQuery {
  return {
    ...(pattern === "" ? {} : { pattern }),
    ...(options.sort === undefined ? {} : { sort: options.sort }),
    ...(options.top === undefined ? {} : { top: options.top }),
    ...(options.pooltags === undefined ? {} : { descriptions: readTagFile(options.pooltags) }),
  };
}

/** The file is in the code page of whoever edited it; its tags are ASCII. */
function readTagFile(path: string): TagFile {
  using source = openFile(path);
  const bytes = new Uint8Array(Math.min(source.size, MOST_BYTES));
  return parseTagFile(new TextDecoder("windows-1252").decode(bytes.subarray(0, source.read(0, bytes))));
}

const DEFAULT_LENGTH = 128;
/** More is for a program, and for the library. */
const MOST_BYTES = 0x100_0000;

function lengthOf(text: string, command: string): number {
  const length = /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (length >= 1 && length <= MOST_BYTES) return length;
  throw new UsageError(`LENGTH is 1 to ${MOST_BYTES} bytes, decimal or 0x hex, not "${text}"`, command);
}

/** What `take` makes of an operand; a wrong one becomes wrong usage. */
function asked<T>(command: string, take: () => T): T {
  try {
    return take();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new UsageError(error.message, command);
    throw error;
  }
}
