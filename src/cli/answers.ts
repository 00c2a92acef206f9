import { type Asked, ask, type Opened, type Question } from "../api/ask.ts";
import { ImageFile } from "../api/image-file.ts";
import { readTagFile } from "../api/input.ts";
import { openDump } from "../api/open-dump.ts";
import type { WorkOptions } from "../api/workspace.ts";
import type { TagOrder } from "../pool/tag-table.ts";
import type { Documents } from "../report/blocks.ts";
import { renderCsv } from "../report/csv.ts";
import { type PageView, renderHtml } from "../report/html.ts";
import { renderMarkdown } from "../report/markdown.ts";
import type { View } from "../report/text.ts";
import { renderText } from "../report/text.ts";
import type { CodeView } from "../trail/listing/lines.ts";
import { UsageError } from "./arguments.ts";

/** What the command line can say beyond operands. */
export interface AnswerOptions {
  readonly sort?: TagOrder | undefined;
  readonly top?: number | undefined;
  /** An older dump of the same machine. */
  readonly since?: string | undefined;
  /** Compare dumps of two machines all the same. */
  readonly force?: boolean | undefined;
  /** Which instructions are listed, and how many. */
  readonly view?: CodeView | undefined;
  readonly lines?: number | undefined;
  /** A file in pooltag.txt's format. */
  readonly pooltags?: string | undefined;
}

/** An answer: its plain data, of several tags a list, and how it reads. */
export interface Answer {
  readonly document: object;
  text(view: View): string;
  html(page: PageView): string;
  markdown(view: { readonly pointerSize: 4 | 8 }): string;
  csv(view: { readonly pointerSize: 4 | 8 }): string;
}

/** An answer in every form that it can be shown in. */
function shown<C extends keyof Documents>(
  command: C,
  answered: Documents[C],
  document: object = answered,
): Answer {
  return {
    document,
    text: (view) => renderText(command, answered, view),
    html: (page) => renderHtml(command, answered, page),
    markdown: (view) => renderMarkdown(command, answered, view),
    csv: (view) => renderCsv(command, answered, view),
  };
}

/**
 * Answers a command with the operands that a person wrote.
 *
 * @throws {UsageError} the command is none, or its operands are
 * @throws {QuestionError} an operand that is no tag, address or module of what was opened
 */
export function answerTo(
  opened: Opened,
  command: string,
  operands: readonly string[] = [],
  options: AnswerOptions = {},
  work: WorkOptions = {},
): Answer {
  const put = <C extends Asked>(question: Question<C>): Answer => {
    const name: C = question.command;
    return shown(name, ask(opened, question, work));
  };
  const [first = "", second] = operands;
  const module = first === "" ? {} : { module: first };
  const { sort, top, since, force, view, lines, pooltags } = options;
  const pattern = first === "" ? undefined : first;
  switch (command) {
    case "trace": {
      const trails = ask(opened, { command, tags: operands }, work);
      const { more, input, ...named } = trails;
      // one document for each tag that was asked for, and for their causes
      const document =
        operands.length > 1 ? [named, ...more].map((one) => ({ ...one, more: [], input })) : trails;
      return shown(command, trails, document);
    }
    case "modules":
      return put({ command, pattern });
    case "info":
    case "memory":
    case "processes":
      return put({ command });
    case "tags": {
      if (pattern !== undefined) refuseFlags(pattern);
      const descriptions = pooltags === undefined ? undefined : readTagFile(pooltags);
      if (since === undefined) return put({ command, pattern, sort, top, descriptions });
      using older = openDump(since);
      return put({ command: "growth", older, force, pattern, top });
    }
    case "handles":
      return put({ command, of: pattern });
    case "scan":
      return put({ command, tag: first });
    case "near":
      return put({ command, addresses: operands });
    case "pointers":
    case "pool":
      return put({ command, address: first });
    case "imports":
      return put({ command, ...module, length: second });
    case "headers":
    case "exports":
    case "functions":
      return put({ command, ...module });
    case "calls":
      if (opened instanceof ImageFile) return put({ command, function: first });
      if (second === undefined) throw new UsageError("calls needs MODULE and ADDRESS", command);
      return put({ command, ...module, function: second });
    case "code":
      return put({ command, address: first, view, lines });
    case "read":
      return put({ command, address: first, length: second });
    default:
      throw new UsageError(`there is no command "${command}"`);
  }
}

/** What `!poolused` takes where a pattern stands here. */
const FLAGS: Readonly<Record<string, string>> = { "2": "--sort nonpaged", "4": "--sort paged" };

/** @throws {UsageError} it is an option of WinDbg's `!poolused`, which would match no tag */
function refuseFlags(pattern: string): void {
  const [, top] = /^\/t(\d+)$/.exec(pattern) ?? [];
  const own = top === undefined ? FLAGS[pattern] : `--top ${top}`;
  if (own !== undefined) throw new UsageError(`WinDbg's ${pattern} is ${own} here`, "tags");
}
