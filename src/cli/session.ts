import { inspect } from "node:util";
import { Script } from "node:vm";
import type { Dump } from "../api/dump.ts";
import { QuestionError } from "../api/question-error.ts";
import { hex, toVa } from "../core/address.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import { printable } from "../core/text.ts";
import { renderJson } from "../report/json.ts";
import type { View } from "../report/text.ts";
import { FileError } from "../source/file-error.ts";
import { type AnswerOptions, answerTo } from "./answers.ts";
import { parseCommandLine, UsageError } from "./arguments.ts";
import { COMMANDS, commandNamed, SESSIONS } from "./commands.ts";
import { renderHelp } from "./help.ts";
import { printed } from "./inspect.ts";
import { readTypedLine, type TypedLine } from "./windbg-lines.ts";

/** A command as a function: it gives the command's document, which shows itself as the command prints it. */
type Call = (...operands: readonly unknown[]) => object;

/** What stands for the file where a line is read as a command line. */
const DUMP = "DUMP";

/** What is predefined at the prompt and in a script, and what lines that are no JavaScript mean there. */
export class Session {
  /** `dump`, `hex`, and a function for each command, by its name and by WinDbg's. */
  readonly names: Readonly<Record<string, unknown>>;
  readonly #dump: Dump;
  readonly #style: View["style"];
  readonly #width: () => number | undefined;

  /** @param width of the terminal, which may change; undefined where answers go elsewhere */
  constructor(dump: Dump, style: View["style"], width: () => number | undefined = () => undefined) {
    this.#dump = dump;
    this.#style = style;
    this.#width = width;
    const calls = COMMANDS.filter(({ name }) => !SESSIONS.includes(name)).flatMap(
      ({ name, aliases, presets }) =>
        [name, ...aliases].map((called) => [called, this.#call(name, presets?.[called] ?? {})] as const),
    );
    this.names = { dump, hex, ...Object.fromEntries(calls) };
  }

  /**
   * What a line is that is typed as in WinDbg, or as on the command line; undefined where it is JavaScript. A command's word
   * alone is the command, as long as it still means that.
   *
   * @param value what a word means as JavaScript; undefined where it means nothing
   */
  typed(line: string, value: (word: string) => unknown): TypedLine | undefined {
    const typed = readTypedLine(line);
    if (typed === undefined) return undefined;
    const word = line.trim();
    if (/^\w+$/.test(word)) return value(word) === this.names[word] ? typed : undefined;
    // of a variable it is JavaScript's "not"
    if (/^!\w+$/.test(word))
      return typed.words.length > 0 || value(word.slice(1)) === undefined ? typed : undefined;
    return isJavaScript(line) ? undefined : typed;
  }

  /**
   * Answers a typed line.
   *
   * @throws {UsageError | QuestionError} its operands are wrong
   */
  answer({ words, told = "" }: TypedLine): unknown {
    const [command, ...operands] = words;
    return inOneLine(() => {
      if (command === undefined) return printed({}, told);
      if (command === "help") return printed({}, renderHelp(commandNamed(operands[0] ?? "")));
      if (command === "?") return this.#dump.address(operands.join(" "));
      const invocation = parseCommandLine([command, DUMP, ...operands]);
      if (invocation.kind !== "run" || SESSIONS.includes(invocation.command.name))
        throw new UsageError(`${command} is no question`);
      return this.#ask(
        invocation.command.name,
        invocation.operands,
        invocation.options,
        invocation.options.format === "json",
      );
    });
  }

  #call(command: string, preset: AnswerOptions): Call {
    return (...operands) =>
      inOneLine(() => {
        const last = operands.at(-1);
        const options = isOptions(last) ? { ...preset, ...last } : preset;
        const texts = operands.filter((operand) => !isOptions(operand)).map(operandText);
        return this.#ask(command, texts, options);
      });
  }

  #ask(command: string, operands: readonly string[], options: AnswerOptions, json = false): object {
    const answer = answerTo(this.#dump, command, operands, options);
    const view: View = { style: this.#style, pointerSize: this.#dump.pointerSize, width: this.#width() };
    return printed(answer.document, json ? renderJson(answer.document) : answer.text(view));
  }
}

/** Whether it can be compiled; it is not run. */
function isJavaScript(line: string): boolean {
  try {
    new Script(line);
    return true;
  } catch {
    return false;
  }
}

/** `poolused({ sort: "paged", top: 10 })`: an object without a class or a name is options. */
function isOptions(operand: unknown): operand is AnswerOptions {
  return (
    typeof operand === "object" &&
    operand !== null &&
    !("name" in operand) &&
    Object.keys(Object(operand)).every((key) =>
      ["sort", "top", "pooltags", "since", "force", "view", "lines"].includes(key),
    )
  );
}

/** A number has to be exact: `ln(0xfffff8047bc01172)` would ask for another address than was typed. */
function operandText(operand: unknown): string {
  if (typeof operand === "bigint" || typeof operand === "number") return hex(toVa(operand));
  if (typeof operand === "string") return operand;
  if (typeof operand === "object" && operand !== null && "name" in operand) return String(operand.name);
  throw new UsageError(`an address, a name or a module is wanted, not ${String(operand)}`);
}

/** At a prompt, what was expected to go wrong is one line; names in it may be the dump's. */
function inOneLine<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
      const text = printable(error.message);
      error.stack = text;
      Object.defineProperty(error, inspect.custom, { value: () => text, configurable: true });
    }
    throw error;
  }
}

const EXPECTED = [UsageError, QuestionError, TypeError, RangeError, MemoryError, FormatError, FileError];
