import { homedir } from "node:os";
import { join } from "node:path";
import { start } from "node:repl";
import { QuestionError } from "../api/ask.ts";
import type { Dump } from "../api/dump.ts";
import { hex } from "../core/address.ts";
import { printable } from "../core/text.ts";
import type { Style } from "../report/style.ts";
import { type AnswerOptions, answerTo } from "./answers.ts";
import { UsageError } from "./arguments.ts";
import { COMMANDS } from "./commands.ts";
import { inspectHex, printed } from "./inspect.ts";

interface ReplStreams {
  readonly style: Style;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Where the history is kept between sessions; none is kept without it. */
  readonly historyFile: string | undefined;
}

/** By name and by WinDbg's name, the command that each function prints as, and what an alias asks for. */
const CALLS: ReadonlyMap<string, { readonly command: string; readonly preset: AnswerOptions }> = new Map(
  COMMANDS.filter(({ name }) => name !== "repl").flatMap(({ name, aliases, presets }) =>
    [name, ...aliases].map((called) => [called, { command: name, preset: presets?.[called] ?? {} }] as const),
  ),
);

/** Runs Node's REPL with `dump` open; ends when the user leaves. */
export function startRepl(dump: Dump, streams: ReplStreams): Promise<void> {
  const { style, input, output } = streams;
  const view = { style, pointerSize: dump.pointerSize };
  // !pool is no name of a function; pool is
  const callable = COMMANDS.flatMap(({ aliases }) => aliases).filter((name) => /^\w+$/.test(name));
  const names = callable.map((name) => `${name}()`);
  output.write(
    `${printable(dump.file)} is open as \`dump\`. ${names.join(", ")} print as the commands do;\n` +
      "dump is the library's object: try dump.modules.items, or dump.<Tab>.\n",
  );
  const repl = start({
    prompt: "pooltrail> ",
    input,
    output,
    // Node's preview has its own idea of a bigint, and asks while one types.
    preview: false,
    writer: (value) => inspectHex(value, style.colored),
  });
  const calls = [...CALLS].map(([name, { command, preset }]) => {
    const call = (...operands: readonly unknown[]): object =>
      withoutStack(() => {
        const last = operands.at(-1);
        const options = isOptions(last) ? { ...preset, ...last } : preset;
        const texts = operands.filter((operand) => !isOptions(operand)).map(operandText);
        const answer = answerTo(dump, command, texts, options);
        return printed(answer.document, answer.text(view));
      });
    return [name, call] as const;
  });
  Object.assign(repl.context, { dump, hex }, Object.fromEntries(calls));
  if (streams.historyFile !== undefined) {
    repl.setupHistory(streams.historyFile, (error) => {
      if (error !== null) output.write(`the history is not kept: ${error.message}\n`);
    });
  }
  return new Promise((resolve) => repl.on("exit", () => resolve()));
}

/** `~/.pooltrail_history`, or what POOLTRAIL_HISTORY says; empty: none. */
export function historyFile(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const chosen = environment.POOLTRAIL_HISTORY;
  if (chosen === "") return undefined;
  return chosen ?? join(homedir(), ".pooltrail_history");
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

function operandText(operand: unknown): string {
  if (typeof operand === "bigint" || typeof operand === "number") return hex(operand);
  if (typeof operand === "string") return operand;
  if (typeof operand === "object" && operand !== null && "name" in operand) return String(operand.name);
  throw new UsageError(`an address, a name or a module is wanted, not ${String(operand)}`);
}

/** At a prompt, wrong usage is one line: where in pooltrail it was noticed helps nobody. */
function withoutStack<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UsageError || error instanceof QuestionError) error.stack = error.message;
    throw error;
  }
}
