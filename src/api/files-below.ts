import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { MAX_IMAGE_FILES } from "../core/limits.ts";
import { plural } from "../report/words.ts";
import { FileError } from "../source/file-source.ts";

/** The PE files of a folder. */
export interface FilesBelow {
  readonly files: readonly FoundFile[];
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
}

export interface FoundFile {
  readonly path: string;
  /** Where the file stands that a link leads to; `path` for what is no link. */
  readonly target: string;
}

/**
 * The PE files below a folder, by their extension. Links to files are followed, as symbol stores hold them; links to
 * folders are not, since they can lead anywhere, and back.
 *
 * @throws {FileError} a folder cannot be listed
 */
export function filesBelow(folder: string): FilesBelow {
  const pending = [folder];
  const files: FoundFile[] = [];
  let count = 0;
  let folderLinks = 0;
  let broken = 0;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of list(at)) {
      if (++count > MAX_IMAGE_FILES) {
        return { files, notes: [...notesOf(folderLinks, broken), tooMany(folder)] };
      }
      const path = join(at, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() && isImageName(entry.name)) files.push({ path, target: path });
      else if (entry.isSymbolicLink()) {
        const end = endOf(path);
        if (end?.isDirectory()) folderLinks++;
        else if (!isImageName(entry.name)) continue;
        else if (end?.isFile()) files.push({ path, target: realpathSync(path) });
        else broken++;
      }
    }
  }
  return { files, notes: notesOf(folderLinks, broken) };
}

/** Without links to files that are there themselves, or that another link leads to. */
export function eachOnce(files: readonly FoundFile[]): readonly string[] {
  const links = files.filter(({ path, target }) => path !== target);
  const own = files.filter(({ path, target }) => path === target).map(({ path }) => path);
  if (links.length === 0) return own;
  const seen = new Set(own.map((path) => realpathSync(path)));
  const further = links.filter(({ target }) => {
    const isNew = !seen.has(target);
    seen.add(target);
    return isNew;
  });
  return [...own, ...further.map(({ path }) => path)];
}

function isImageName(name: string): boolean {
  return /\.(?:sys|exe|dll)$/i.test(name);
}

/** What a link leads to; `undefined`: to nothing, or into a circle. */
function endOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function notesOf(folderLinks: number, broken: number): readonly string[] {
  return [
    ...(folderLinks === 0 ? [] : [`${plural(folderLinks, "link")} to folders not followed`]),
    ...(broken === 0 ? [] : [`${plural(broken, "link")} to no file not followed`]),
  ];
}

function tooMany(folder: string): string {
  return `only the first ${plural(MAX_IMAGE_FILES, "file")} and folders below ${folder} were looked at`;
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new FileError(folder, "unreadable", "the folder cannot be listed", { cause });
  }
}
