import { Dump, type OpenOptions, openDump } from "../api/dump.ts";
import { type ImageFolder, openFolder } from "../api/folder.ts";
import { isFolder, isImageFile, openImageFile } from "../api/image-file.ts";
import { renderJson } from "../report/json.ts";
import { COLOR, PLAIN } from "../report/style.ts";
import { FileError } from "../source/file-source.ts";
import { type Answer, answerFrom, answerFromImage } from "./answers.ts";
import { type Invocation, type Options, UsageError } from "./arguments.ts";
import { Progress } from "./progress.ts";

type RunInvocation = Extract<Invocation, { kind: "run" }>;

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Carries out one command.
 *
 * @returns what stdout is to show; undefined where the command has shown it itself
 * @throws {UsageError} an operand that is no tag, address or module of this dump
 * @throws {FormatError | FileError} the file is not what the command reads
 */
export async function run(invocation: RunInvocation, streams: Streams): Promise<string | undefined> {
  const { command, file, operands, options } = invocation;
  const style = wantsColor(options, streams) ? COLOR : PLAIN;
  const show = (answer: Answer, pointerSize: 4 | 8): string =>
    options.json ? renderJson(answer.document) : answer.text({ style, pointerSize });

  if (command.takesImage && !isFolder(file) && isImageFile(file)) {
    const most = command.name === "calls" || command.name === "code" ? 1 : 0;
    if (operands.length > most)
      throw new UsageError(`${file} is one image and takes no MODULE`, command.name);
    using image = openImageFile(file);
    return show(answerFromImage(image, command.name, operands, options), image.image.pointerSize);
  }
  const progress = new Progress(streams.stderr, options.quiet);
  using opened = openOrSay(invocation);
  if (command.name === "repl") {
    // Node's REPL takes as long to load as a small answer takes to find.
    const { historyFile, startRepl } = await import("./repl.ts");
    if (!(opened instanceof Dump))
      throw new UsageError("repl needs a dump, and this is a folder", command.name);
    await startRepl(opened, {
      style,
      input: streams.stdin,
      output: streams.stdout,
      historyFile: historyFile(streams.environment),
    });
    return undefined;
  }
  try {
    return show(
      answerFrom(opened, command.name, operands, options, { onProgress: progress.tell }),
      opened.pointerSize,
    );
  } finally {
    progress.clear();
  }
}

/**
 * Opens what the command line names.
 *
 * @throws {UsageError} the first word is no command, and there is no such file either
 */
function openOrSay({ implied, file, operands, options }: RunInvocation): Dump | ImageFolder {
  try {
    return open(file, options);
  } catch (error) {
    const missing = error instanceof FileError && error.problem === "missing" && error.path === file;
    if (missing && implied && operands.length > 0) {
      throw new UsageError(`"${file}" is neither a command nor a file`);
    }
    throw error;
  }
}

/** A folder of PE files may stand where a dump does. */
function open(path: string, options: Options): Dump | ImageFolder {
  return isFolder(path) ? openFolder(path) : openDump(path, openOptions(options));
}

function openOptions({ images, systemHive }: Options): OpenOptions {
  return { images, ...(systemHive === undefined ? {} : { systemHive }) };
}

/** Colours go to a terminal only, and not where the user, or the environment, wants none. */
function wantsColor(options: Options, streams: Streams): boolean {
  return options.color && !options.json && streams.stdout.isTTY === true && !streams.environment.NO_COLOR;
}
