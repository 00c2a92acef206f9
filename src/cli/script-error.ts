import { basename } from "node:path";
import { inspect } from "node:util";
import { printable } from "../core/text.ts";

/** A script that threw something: where, and what. */
export class ScriptError extends Error {
  constructor(name: string, cause: unknown) {
    super(`${name}: ${printable(cause instanceof Error ? whereAndWhat(cause, name) : inspect(cause))}`, {
      cause,
    });
  }
}

/** `line 3: TypeError: ...`, as far as it is known. */
function whereAndWhat(error: Error, name: string): string {
  const lines = error.stack?.split("\n") ?? [];
  const at = lines.map((line) => line.split(basename(name))[1]).find((rest) => rest !== undefined);
  const [, line] = /^:(\d+)/.exec(at ?? "") ?? [];
  return `${line === undefined ? "" : `line ${line}: `}${error.name}: ${error.message}`;
}
