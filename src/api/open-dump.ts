import { ArgumentTypeError } from "../core/argument-error.ts";
import { type FileInput, isUrl } from "../source/given.ts";
import { GivenFiles, Siblings } from "../source/siblings.ts";
import type { ByteSource } from "../source/source.ts";
import { Dump, type OpenOptions } from "./dump.ts";
import { described, openInput, pathOf } from "./input.ts";

/**
 * Opens a kernel dump or another image of a machine's memory. What is not asked for is not read.
 *
 * @param input of several files that belong together, such as a `.vmem` and its `.vmss`, all, the one to open first; those
 * beside a path are found by themselves
 * @throws {FormatError} it is none, or there is no Windows kernel in it; the message says what it is and what to do
 * @throws {FileError} a path leads to no readable file
 * @throws {TypeError} what was given is nothing that is taken; the message says what is
 */
export function openDump(input: FileInput | readonly FileInput[], options: OpenOptions = {}): Dump {
  const [first, ...others] = isList(input) ? input : [input];
  if (isList(input) && input.length === 0)
    throw new ArgumentTypeError("a list of files that is empty leads to no dump");
  checkOptions(options);
  const opened: Disposable[] = [];
  const open = (one: FileInput | undefined): ByteSource => {
    const source = openInput(one, "a dump");
    if (source !== one) opened.push(source);
    return source;
  };
  try {
    const main = open(first);
    const given = others.map(open);
    const own = opened.slice(main === first ? 0 : 1);
    const path = isUrl(first) ? pathOf(first, "a dump") : first;
    const beside = typeof path === "string" && given.length === 0 ? new Siblings(path) : undefined;
    if (beside !== undefined) opened.push(beside);
    return new Dump(main, options, beside ?? new GivenFiles(given, own));
  } catch (error) {
    for (const one of opened) one[Symbol.dispose]();
    throw error;
  }
}

function isList(input: FileInput | readonly FileInput[]): input is readonly FileInput[] {
  return Array.isArray(input);
}

/** @throws {TypeError} what programs without types get wrong */
function checkOptions(options: OpenOptions): void {
  if (typeof options !== "object" || options === null)
    throw new ArgumentTypeError(`options are an object, not ${described(options)}`);
  if (options.images !== undefined && !Array.isArray(options.images))
    throw new ArgumentTypeError(`images is a list of folders, not ${described(options.images)}`);
}
