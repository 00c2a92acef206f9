import { parseArgs } from "node:util";
import { didYouMean } from "../core/nearest-word.ts";
import { TAG_ORDERS, type TagOrder } from "../pool/tag-table.ts";
import type { CodeView } from "../trail/listing/lines.ts";
import { COMMAND_NAMES, type Command, commandNamed } from "./commands.ts";
import { byHabit } from "./windbg-lines.ts";

/** The command line was not understood: exit code 2. */
export class UsageError extends Error {
  readonly #command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.#command = command;
  }

  /** Whose help to point to. */
  get command(): string | undefined {
    return this.#command;
  }
}

/** What the user asked for. */
export type Invocation =
  | { readonly kind: "version" }
  | { readonly kind: "help"; readonly command?: Command }
  | { readonly kind: "completion"; readonly shell: Shell }
  | {
      readonly kind: "run";
      /** No command was named, and so it is trace. */
      readonly implied: boolean;
      readonly command: Command;
      readonly file: string;
      readonly operands: readonly string[];
      readonly options: Options;
    };

export interface Options {
  /** `--json` is one of them, and so is `--html`. */
  readonly format: Format;
  /** Where the answer is written; to stdout where it is left out. */
  readonly output: string | undefined;
  readonly quiet: boolean;
  readonly color: boolean;
  /** Folders with PE files that fill in what the dump lacks. */
  readonly images: readonly string[];
  readonly systemHive: string | undefined;
  readonly pooltags: string | undefined;
  readonly since: string | undefined;
  readonly force: boolean;
  readonly sort: TagOrder | undefined;
  readonly top: number | undefined;
  readonly view: CodeView | undefined;
  readonly lines: number | undefined;
  /** What eval is to carry out, in order. */
  readonly eval: readonly string[];
}

export const FORMATS = ["text", "json", "html", "md", "csv"] as const;
export type Format = (typeof FORMATS)[number];

/** Shells whose completion is written. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/** Every option, in the order of the help text. */
export const OPTIONS = {
  json: { type: "boolean", help: "one JSON document on stdout, and nothing else there" },
  format: {
    type: "string",
    value: "FORMAT",
    help: "text, json, html (one page that needs nothing else), md (for a ticket), csv (its tables)",
  },
  output: {
    type: "string",
    value: "FILE",
    help: "write the answer there; never over what is there, but for --force",
  },
  html: { type: "string", value: "FILE", help: "the same as --format html --output FILE" },
  images: {
    type: "string",
    multiple: true,
    value: "DIR",
    help: "PE files to fill in what the dump lacks; matched by more than their name; repeatable",
  },
  "system-hive": {
    type: "string",
    value: "FILE",
    help: "a copy of the machine's SYSTEM hive: says which drivers start at boot",
  },
  pooltags: { type: "string", value: "FILE", help: "a pooltag.txt, for what the tags mean" },
  sort: {
    type: "string",
    value: "ORDER",
    help: "tags: by paged or nonpaged bytes, by bytes of both, by count, or by tag",
    of: "tags",
  },
  top: { type: "string", value: "N", help: "tags: the first N of that order; without one, the largest" },
  view: {
    type: "string",
    value: "PART",
    help: "code: around, from, before or function; u, ub and uf mean the last three",
  },
  lines: {
    type: "string",
    value: "N",
    help: "code: so many instructions, 16 when left out; of around on both sides",
  },
  since: { type: "string", value: "OLDER", help: "tags: what grew since an older dump of the same machine" },
  eval: {
    type: "string",
    short: "e",
    multiple: true,
    value: "CODE",
    help: "eval: a line as at the REPL's prompt; repeatable",
  },
  force: {
    type: "boolean",
    help: "write over the --output file; tags --since: also where the dumps are of two machines",
  },
  quiet: { type: "boolean", help: "no progress, no notes on stderr" },
  "no-color": { type: "boolean", help: "plain text, also on a terminal; NO_COLOR does the same" },
  help: { type: "boolean", short: "h", help: "this text; behind a command, that command's" },
  version: { type: "boolean", help: "the version" },
} as const;

/** Options that only some commands take. */
const OWN_OPTIONS = ["sort", "top", "since", "view", "lines", "eval", "system-hive"] as const;

/** Whether a command takes an option. */
export function takesOption(command: Command, option: string): boolean {
  return !OWN_OPTIONS.some((own) => own === option) || command.options.includes(option);
}

/**
 * Reads a command line; `pooltrail DUMP` is `pooltrail trace DUMP`.
 *
 * @throws {UsageError}
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const { values, positionals } = withHabits(parse(argv.filter((word) => !isFlagOf(argv[0], word))));
  if (values.version === true) return { kind: "version" };
  const [first, ...others] = positionals;
  if (first === "help") return help(others[0]);
  if (first === "completion") return completion(others);
  const named = first === undefined ? undefined : commandNamed(first);
  if (values.help === true) return named === undefined ? { kind: "help" } : { kind: "help", command: named };
  if (first === undefined) return { kind: "help" };
  const command = named ?? commandNamed("trace");
  if (command === undefined) throw new Error("the command trace is missing");
  for (const option of OWN_OPTIONS) {
    if (values[option] !== undefined && !command.options.includes(option)) {
      throw new UsageError(`${command.name} has no option --${option}`, command.name);
    }
  }
  const [file, ...operands] = named === undefined ? positionals : others;
  if (file === undefined) throw new UsageError(`${command.name} needs a dump to read`, command.name);
  const [least, most] = command.arity;
  if (operands.length < least)
    throw new UsageError(`${command.name} needs ${command.operands}`, command.name);
  if (operands.length > most) {
    const extra = operands.slice(most).join(" ");
    const hint = named === undefined ? `; "${first}" is no command` : "";
    throw new UsageError(`${command.name} has no use for "${extra}"${hint}`, command.name);
  }
  return {
    kind: "run",
    implied: named === undefined,
    command,
    file,
    operands,
    options: {
      ...outputOf(values),
      quiet: values.quiet === true,
      color: values["no-color"] !== true,
      images: values.images ?? [],
      systemHive: values["system-hive"],
      pooltags: values.pooltags,
      since: values.since,
      force: values.force === true,
      sort: orderOf(values.sort),
      top: countOf(values.top, "--top", "tags"),
      view: viewOf(values.view) ?? command.presets?.[first]?.view,
      lines: countOf(values.lines, "--lines", "code"),
      eval: values.eval ?? [],
    },
  };
}

/** @throws {UsageError} no format, or more than one */
function outputOf(values: {
  readonly json?: boolean | undefined;
  readonly format?: string | undefined;
  readonly html?: string | undefined;
  readonly output?: string | undefined;
}): Pick<Options, "format" | "output"> {
  const { json, format: named, html, output } = values;
  const format = FORMATS.find((candidate) => candidate === named);
  if (named !== undefined && format === undefined)
    throw new UsageError(`--format takes ${FORMATS.join(", ")}, not "${named}"`);
  const asked: readonly Format[] = [
    ...(json === true ? (["json"] as const) : []),
    ...(format === undefined ? [] : [format]),
    ...(html === undefined ? [] : (["html"] as const)),
  ];
  if (new Set(asked).size > 1) throw new UsageError(`one format at a time, not ${asked.join(" and ")}`);
  if (html !== undefined && output !== undefined)
    throw new UsageError("--html FILE says where already: leave --output out");
  return { format: asked[0] ?? "text", output: html ?? output };
}

function orderOf(text: string | undefined): TagOrder | undefined {
  const order = TAG_ORDERS.find((candidate) => candidate === text);
  if (text === undefined || order !== undefined) return order;
  throw new UsageError(`--sort takes ${TAG_ORDERS.join(", ")}, not "${text}"`, "tags");
}

export const VIEWS: readonly CodeView[] = ["around", "from", "before", "function"];

function viewOf(text: string | undefined): CodeView | undefined {
  const view = VIEWS.find((candidate) => candidate === text);
  if (text === undefined || view !== undefined) return view;
  throw new UsageError(`--view takes ${VIEWS.join(", ")}, not "${text}"`, "code");
}

function countOf(text: string | undefined, option: string, command: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a number from 1 on, not "${text}"`, command);
}

function help(name: string | undefined): Invocation {
  if (name === undefined) return { kind: "help" };
  const command = commandNamed(name);
  if (command === undefined)
    throw new UsageError(`there is no command "${name}"${didYouMean(name, COMMAND_NAMES)}`);
  return { kind: "help", command };
}

function completion([shell, ...more]: readonly string[]): Invocation {
  const known = SHELLS.find((candidate) => candidate === shell);
  if (known !== undefined && more.length === 0) return { kind: "completion", shell: known };
  throw new UsageError(`completion takes ${SHELLS.join(", ")}`);
}

/** `!dh ADDRESS -f`: which part of the headers is shown; all of them are here. */
function isFlagOf(command: string | undefined, word: string): boolean {
  return (command === "dh" || command === "!dh") && /^-[fsiea]$/.test(word);
}

/** WinDbg's names take WinDbg's operands, where they mean the same: `lm DUMP m ABC*`, `poolused DUMP /t10 4`. */
function withHabits({ values, positionals }: Parsed): Parsed {
  const [word = "", file, ...operands] = positionals;
  // of these the command line has its own meaning, and scripts rely on it
  const typed = file === undefined || word === "s" || word === "dps" ? undefined : byHabit(word, operands);
  if (typed === undefined || typed.told !== undefined || file === undefined) return { values, positionals };
  const [command = word, ...words] = typed.words;
  const meant = parse([command, file, ...words]);
  return { values: { ...meant.values, ...values }, positionals: meant.positionals };
}

type Parsed = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(error.message.split(/\. |\.?\n/)[0] ?? error.message);
    throw error;
  }
}
