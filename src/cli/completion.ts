import type { Dump } from "../api/dump.ts";
import { printable } from "../core/text.ts";
import { COMMAND_NAMES, commandNamed } from "./commands.ts";

/** What could stand where a line ends, and what of it is there already. */
export type Completions = [candidates: string[], typed: string];

/** A word, a space and operands; or a call's open quote: `ln("nt!Se`. */
const OPERAND = /^\s*(!?[a-z][\w-]*(?=\s)|\?)\s*(.*)$/i;
const QUOTED = /(\w+)\s*\((?:[^"'`()]|"[^"]*"|'[^']*'|`[^`]*`)*["'`]([^"'`]*)$/;
/** What an operand's last name may start behind. */
const NAME = /[^\s"'(+-]*$/;
/** A start of so many letters is wanted before the kernel's names are listed without its own. */
const LEAST = 2;

/** Commands whose operand is a tag, or a module. Every other takes an address. */
const TAKES_TAG: readonly string[] = ["trace", "tags", "scan", "handles"];
const TAKES_MODULE: readonly string[] = ["modules", "headers", "imports", "exports", "functions", "calls"];

/**
 * What a line may go on with: a command, a tag in use, a module, a name that one exports.
 *
 * @returns undefined where the line is JavaScript's
 */
export function completionsOf(dump: Dump, line: string): Completions | undefined {
  const [, word, operands = ""] = OPERAND.exec(line) ?? QUOTED.exec(line) ?? [];
  if (word === undefined) return commandsFor(line.trimStart());
  const quoted = QUOTED.test(line);
  const command = commandNamed(word.toLowerCase()) ?? commandNamed(word.toLowerCase().replace(/^!/, ""));
  // dump.module("...") and others of the library take names, too
  if (command === undefined && !quoted && !/^(?:lm|d[a-z]|s-|\?)/i.test(word)) return undefined;
  const [typed = ""] = NAME.exec(operands) ?? [];
  const takes = command?.name ?? (/^lm/i.test(word) ? "modules" : "");
  if (TAKES_TAG.includes(takes)) {
    const processes = takes === "handles" ? processesOf(dump) : [];
    return starting(typed, [...processes, ...tagsOf(dump)]);
  }
  if (typed.includes("!")) return exportsFor(dump, typed);
  const modules = dump.modules.items.map(({ name }) => name);
  const kernel = typed.length >= LEAST && !TAKES_MODULE.includes(takes) ? kernelNames(dump) : [];
  const [matching] = starting(typed, modules, true);
  return [[...matching, ...starting(typed, kernel)[0]], typed];
}

/** A first word that is not ended, as long as nothing but a command starts so: Node's own are listed otherwise. */
function commandsFor(word: string): Completions | undefined {
  if (!/^![a-z]*$/i.test(word)) return undefined;
  const banged = COMMAND_NAMES.map((name) => `!${name.replace(/^!/, "")}`);
  return starting(word, [...new Set(banged)]);
}

function tagsOf(dump: Dump): readonly string[] {
  return dump.tags().items.map(({ tag }) => tag.trimEnd());
}

function processesOf(dump: Dump): readonly string[] {
  return [...new Set(dump.kernel.processes.items.flatMap(({ imageName }) => imageName ?? []))];
}

/** `nt!Se` goes on with each export that starts so. */
function exportsFor(dump: Dump, typed: string): Completions {
  const [module = "", name = ""] = typed.split("!");
  const image = dump.modules.named(module)?.image;
  const names = (image?.exports.items ?? []).flatMap((one) => one.name ?? []);
  const [matching] = starting(name, names);
  return [matching.map((one) => `${module}!${one}`), typed];
}

function kernelNames(dump: Dump): readonly string[] {
  return (dump.modules.kernel?.image?.exports.items ?? []).flatMap(({ name }) => name ?? []);
}

/** A name of the dump that would drive the terminal is no candidate: readline prints them as they are. */
function starting(typed: string, words: readonly string[], anyCase = false): Completions {
  const wanted = anyCase ? typed.toLowerCase() : typed;
  const plain = words.filter((word) => printable(word) === word);
  const found = plain.filter((word) => (anyCase ? word.toLowerCase() : word).startsWith(wanted));
  return [found, typed];
}
