import { homedir } from "node:os";
import { join } from "node:path";
import type { AsyncCompleter } from "node:readline";
import { type REPLServer, start } from "node:repl";
import type { Dump } from "../api/dump.ts";
import { printable } from "../core/text.ts";
import type { Style } from "../report/style.ts";
import { completionsOf } from "./completion.ts";
import { inspectHex } from "./inspect.ts";
import { REPL_HELP } from "./repl-help.ts";
import { Session } from "./session.ts";

interface ReplStreams {
  readonly style: Style;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Where the history is kept between sessions; none is kept without it. */
  readonly historyFile: string | undefined;
}

/** Runs Node's REPL with `dump` open; ends when the user leaves. */
export function startRepl(dump: Dump, streams: ReplStreams): Promise<void> {
  const { style, input, output } = streams;
  output.write(
    `${printable(dump.file)} is open as \`dump\`. Type what you would in WinDbg (lm, !poolused /t10 4, ln 8096c909),\n` +
      "or JavaScript (lm().modules.length). Tab completes names, .help shows more.\n",
  );
  const repl = start({
    prompt: "pooltrail> ",
    input,
    output,
    // Node's preview has its own idea of a bigint, and asks while one types.
    preview: false,
    writer: (value) => inspectHex(value, style.colored, widthOf(output)),
  });
  const session = new Session(dump, style, () => widthOf(output));
  Object.assign(repl.context, session.names);
  Object.defineProperty(repl.context, "last", { get: () => repl.last, configurable: true });
  takeTypedLines(repl, session, output);
  completeNames(repl, dump);
  repl.defineCommand("help", {
    help: "How to ask, by example",
    action() {
      output.write(REPL_HELP);
      this.displayPrompt();
    },
  });
  if (streams.historyFile !== undefined) {
    repl.setupHistory(streams.historyFile, (error) => {
      if (error !== null) output.write(`the history is not kept: ${error.message}\n`);
    });
  }
  return new Promise((resolve) => repl.on("exit", () => resolve()));
}

/** Puts what is typed as in WinDbg before Node's own evaluation, which takes the rest. */
function takeTypedLines(repl: REPLServer, session: Session, output: NodeJS.WritableStream): void {
  const javaScript = repl.eval;
  const evaluate: REPLServer["eval"] = (line, context, file, done) => {
    const value = (word: string): unknown => {
      let found: unknown;
      // Node reports an error of its own accord, and so there must be none
      const code = `typeof ${word} === "undefined" ? undefined : ${word}`;
      javaScript.call(repl, code, context, file, (_, result) => {
        found = result;
      });
      return found;
    };
    try {
      const typed = session.typed(line, value);
      if (typed === undefined) return javaScript.call(repl, line, context, file, done);
      if (typed.told !== undefined && typed.words.length > 0) output.write(`note: ${typed.told}\n`);
      done(null, session.answer(typed));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), undefined);
    }
  };
  Object.assign(repl, { eval: evaluate });
}

/** Completes what the dump has; Node completes the rest. */
function completeNames(repl: REPLServer, dump: Dump): void {
  const javaScript = repl.completer;
  const completer: AsyncCompleter = (line, done) => {
    const found = completionsOf(dump, line);
    if (found !== undefined && found[0].length > 0) done(null, found);
    else Reflect.apply(javaScript, repl, [line, done]);
  };
  Object.assign(repl, { completer });
}

/** Of a terminal, in characters. */
function widthOf(output: NodeJS.WritableStream): number | undefined {
  return "columns" in output && typeof output.columns === "number" ? output.columns : undefined;
}

/** `~/.pooltrail_history`, or what POOLTRAIL_HISTORY says; empty: none. */
export function historyFile(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const chosen = environment.POOLTRAIL_HISTORY;
  if (chosen === "") return undefined;
  return chosen ?? join(homedir(), ".pooltrail_history");
}
