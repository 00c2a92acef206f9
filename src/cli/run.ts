import { Dump, type OpenOptions } from "../api/dump.ts";
import { PointerError } from "../api/expression.ts";
import { dumpsIn } from "../api/files-below.ts";
import { type ImageFolder, openFolder } from "../api/folder.ts";
import { isImageFile, openImageFile } from "../api/image-file.ts";
import { openDump } from "../api/open-dump.ts";
import { QuestionError } from "../api/question-error.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-word.ts";
import { printable } from "../core/text.ts";
import { renderJson } from "../report/json.ts";
import { COLOR, PLAIN } from "../report/style.ts";
import { FileError } from "../source/file-error.ts";
import { isFolder } from "../source/node-files.ts";
import { aboutText } from "./about.ts";
import { type Answer, answerTo } from "./answers.ts";
import { type Invocation, type Options, parseCommandLine, UsageError } from "./arguments.ts";
import { COMMAND_NAMES, SESSIONS } from "./commands.ts";
import { ANSWERED, MISUSED, UNREADABLE } from "./exit-codes.ts";
import { partsOf, refuseExisting, writeAnswer } from "./output.ts";
import { Progress, type Terminal } from "./progress.ts";
import { ScriptError } from "./script-error.ts";

type RunInvocation = Extract<Invocation, { kind: "run" }>;

/** What the command line reads and writes: those of the process, or a test's. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Carries out one command line, without the program's name.
 *
 * @returns the exit code; a promise of it for the REPL, which ends when the user leaves, and for a script
 */
export function run(argv: readonly string[], streams: Streams): number | Promise<number> {
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === "run") {
      if (SESSIONS.includes(invocation.command.name)) return runSession(invocation, streams);
      const { output, force, format } = invocation.options;
      if (output !== undefined) refuseExisting(output, force);
      const text = `${answerText(invocation, streams)}${format === "csv" ? "\r\n" : "\n"}`;
      if (output !== undefined) writeAnswer(output, text, force);
      else for (const part of partsOf(text)) streams.stdout.write(part);
    } else streams.stdout.write(`${aboutText(invocation)}\n`);
    return ANSWERED;
  } catch (error) {
    return report(error, streams);
  }
}

/** Says in a line or two what went wrong, and gives the exit code for it. */
function report(error: unknown, { stderr }: Streams): number {
  const say = (text: string): unknown => stderr.write(`pooltrail: ${text}\n`);
  if (error instanceof UsageError || error instanceof QuestionError) {
    const command = error.command === "growth" ? "tags" : error.command;
    const help = command === undefined ? "pooltrail --help" : `pooltrail ${command} --help`;
    say(`${printable(error.message)}\nTry: ${help}`);
    return MISUSED;
  }
  if (error instanceof MemoryError) {
    const advice = "give the driver's file with --images DIR, or take a dump that holds more";
    const what = error instanceof PointerError ? "" : "the image's headers cannot be read: ";
    say(`${what}${printable(error.message)}; ${advice}`);
    return UNREADABLE;
  }
  if (error instanceof FormatError || error instanceof FileError || error instanceof ScriptError) {
    say(printable(error.message));
    return UNREADABLE;
  }
  throw error;
}

function answerText(invocation: RunInvocation, streams: Streams): string {
  const { command, file, operands, options } = invocation;
  const style = wantsColor(options, streams) ? COLOR : PLAIN;
  // a file or a pipe has what is there in whole lines, for grep
  const width =
    streams.stdout.isTTY === true && options.output === undefined ? streams.stdout.columns : undefined;
  const show = (answer: Answer, pointerSize: 4 | 8): string => {
    switch (options.format) {
      case "json":
        return renderJson(answer.document);
      case "html":
        return answer.html({ pointerSize, title: file.replace(/^.*[\\/]/, ""), command: spoken(invocation) });
      case "md":
        return answer.markdown({ pointerSize });
      case "csv":
        return answer.csv({ pointerSize });
      case "text":
        return answer.text({ style, pointerSize, width });
    }
  };

  if (command.input === "image" && !isFolder(file) && isImageFile(file)) {
    const most = command.name === "calls" || command.name === "code" ? 1 : 0;
    if (operands.length > most)
      throw new UsageError(`${file} is one image and takes no MODULE`, command.name);
    using image = openImageFile(file);
    return show(answerTo(image, command.name, operands, options), image.image.pointerSize);
  }
  const progress = new Progress(streams.stderr, options.quiet);
  using opened = openOrSay(invocation);
  try {
    const work = { onProgress: progress.tell };
    return show(answerTo(opened, command.name, operands, options, work), opened.pointerSize);
  } finally {
    progress.clear();
  }
}

/** The command line that gives the same in a terminal. */
function spoken({ command, file, operands }: RunInvocation): string {
  const words = [command.name, file, ...operands].map((word) =>
    /^[\w./\\:!*?+-]+$/.test(word) ? word : `"${word}"`,
  );
  return `pooltrail ${words.join(" ")}`;
}

/** What keeps the dump open for more than one question. */
async function runSession(invocation: RunInvocation, streams: Streams): Promise<number> {
  const { command, file, operands, options } = invocation;
  try {
    using opened = openOrSay(invocation);
    if (!(opened instanceof Dump)) throw needsDump(file, command.name);
    const style = wantsColor(options, streams) ? COLOR : PLAIN;
    // Node's REPL takes as long to load as a small answer takes to find.
    if (command.name === "repl") {
      const { historyFile, startRepl } = await import("./repl.ts");
      const { stdin: input, stdout: output, environment } = streams;
      await startRepl(opened, { style, input, output, historyFile: historyFile(environment) });
    } else {
      const [{ Session }, { runScript, valueText }] = await Promise.all([
        import("./session.ts"),
        import("./script.ts"),
      ]);
      await runScript(new Session(opened, style), { file: operands[0], lines: options.eval }, (value) => {
        if (value !== undefined)
          streams.stdout.write(`${valueText(value, options.format === "json", style.colored)}\n`);
      });
    }
    return ANSWERED;
  } catch (error) {
    return report(error, streams);
  }
}

/**
 * Opens what the command line names.
 *
 * @throws {UsageError} the first word is no command, and there is no such file either
 */
function openOrSay({ implied, command, file, operands, options }: RunInvocation): Dump | ImageFolder {
  try {
    if (!isFolder(file)) return openDump(file, openOptions(options));
    if (command.input === "dump") throw needsDump(file, command.name);
    return openFolder(file);
  } catch (error) {
    const missing = error instanceof FileError && error.problem === "missing" && error.path === file;
    if (missing && implied && operands.length > 0) {
      throw new UsageError(`"${file}" is neither a command nor a file${didYouMean(file, COMMAND_NAMES)}`);
    }
    throw error;
  }
}

/** Said before anything below the folder is looked at. */
function needsDump(folder: string, command: string): FileError {
  const [dump] = dumpsIn(folder);
  const advice = dump === undefined ? "" : `: name ${dump} in it`;
  return new FileError(folder, "directory", `this is a directory; ${command} needs a dump${advice}`);
}

function openOptions({ images, systemHive }: Options): OpenOptions {
  return { images, ...(systemHive === undefined ? {} : { systemHive }) };
}

/** Colours go to a terminal only, and not where the user, or the environment, wants none. */
function wantsColor(options: Options, streams: Streams): boolean {
  return (
    options.color &&
    options.format === "text" &&
    options.output === undefined &&
    streams.stdout.isTTY === true &&
    !streams.environment.NO_COLOR
  );
}
