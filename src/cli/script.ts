import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";
import { QuestionError } from "../api/question-error.ts";
import { hex } from "../core/address.ts";
import { FormatError } from "../core/errors.ts";
import { printableLines } from "../core/text.ts";
import { withoutRaw } from "../report/json.ts";
import { FileError } from "../source/file-error.ts";
import { isFolder } from "../source/node-files.ts";
import { UsageError } from "./arguments.ts";
import { inspectHex } from "./inspect.ts";
import { ScriptError } from "./script-error.ts";
import type { Session } from "./session.ts";

/** What is carried out: a module's file, or lines as at the REPL's prompt. */
export interface ScriptInput {
  readonly file: string | undefined;
  readonly lines: readonly string[];
}

/**
 * Carries out a script. `dump`, `hex` and a function for each command are global to it, as at the prompt.
 *
 * @param write takes what each line means, and what a module gives as its default: its value, or what its function returns
 * @throws {FileError} there is no such file
 * @throws {ScriptError} the script threw
 */
export async function runScript(
  session: Session,
  { file, lines }: ScriptInput,
  write: (value: unknown) => void,
): Promise<void> {
  if (file === undefined && lines.length === 0)
    throw new UsageError("eval needs FILE.mjs or -e CODE", "eval");
  Object.assign(globalThis, session.names);
  for (const line of lines) write(await during("-e", () => lineValue(session, line)));
  if (file === undefined) return;
  const path = resolve(file);
  if (!existsSync(path)) throw new FileError(file, "missing", "there is no such file");
  if (isFolder(path)) throw new FileError(file, "directory", "this is a directory; name the script in it");
  await during(file, async () => {
    const module: { readonly default?: unknown } = await import(pathToFileURL(path).href);
    const given = module.default;
    write(typeof given === "function" ? await given(session.names.dump) : given);
  });
}

/** What a line means: a command as it is typed, or the last value of JavaScript. */
function lineValue(session: Session, line: string): unknown {
  const typed = session.typed(line, (word) => session.names[word]);
  return typed === undefined
    ? new Script(line, { filename: "-e" }).runInThisContext()
    : session.answer(typed);
}

/** A value as a script prints it: text as it is, an answer as its command prints it, else as the REPL does. */
export function valueText(value: unknown, json: boolean, colors: boolean): string {
  if (json) {
    const plain = (_: string, held: unknown): unknown => (typeof held === "bigint" ? hex(held) : held);
    return withoutRaw(JSON.stringify(value, plain, 2) ?? "null");
  }
  return typeof value === "string" ? printableLines(value) : inspectHex(value, colors);
}

async function during<T>(name: string, work: () => T): Promise<Awaited<T>> {
  try {
    return await work();
  } catch (error) {
    if (EXPECTED.some((kind) => error instanceof kind)) throw error;
    throw new ScriptError(name, error);
  }
}

/** What every command may end with; it says enough by itself. */
const EXPECTED = [UsageError, QuestionError, FileError, FormatError];
