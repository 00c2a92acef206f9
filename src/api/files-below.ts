import { MAX_IMAGE_FILES } from "../core/limits.ts";
import { plural } from "../report/words.ts";
import { FileError } from "../source/file-error.ts";
import { endOfLink, entriesOf, type FolderEntry } from "../source/node-files.ts";

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
 * @param list what stands in a folder
 * @throws {FileError} the folder itself cannot be listed; of those below it `notes` say so
 */
export function filesBelow(folder: string, list: Listing = entriesOf): FilesBelow {
  const pending = [folder];
  const files: FoundFile[] = [];
  const passed: Passed = { folderLinks: 0, broken: 0, unread: [], dumps: dumpsIn(folder) };
  let count = 0;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const { name, path, kind } of listBelow(folder, at, list, passed)) {
      if (++count > MAX_IMAGE_FILES) return { files, notes: [...notesOf(passed), tooMany(folder)] };
      if (kind === "folder") pending.push(path);
      else if (kind === "file" && isImageName(name)) files.push({ path, target: path });
      else if (kind === "link") {
        const end = endOfLink(path);
        if (end?.kind === "folder") passed.folderLinks++;
        else if (!isImageName(name)) continue;
        else if (end?.kind === "file") files.push({ path, target: end.path });
        else passed.broken++;
      }
    }
  }
  return { files, notes: notesOf(passed) };
}

type Listing = (folder: string) => readonly FolderEntry[];

/** What was not looked at. */
interface Passed {
  folderLinks: number;
  broken: number;
  readonly unread: string[];
  readonly dumps: readonly string[];
}

/** Files of a folder that are dumps or other images of memory by their names. */
export function dumpsIn(folder: string): readonly string[] {
  return entriesOf(folder)
    .map(({ name }) => name)
    .filter((name) => /\.(?:dmp|vmem|vmss|vmsn|lime|raw)$|^hiberfil\.sys$/i.test(name));
}

function listBelow(top: string, folder: string, list: Listing, { unread }: Passed): readonly FolderEntry[] {
  try {
    return list(folder);
  } catch (error) {
    if (folder === top || !(error instanceof FileError)) throw error;
    unread.push(folder);
    return [];
  }
}

/** Without links to files that are there themselves, or that another link leads to. */
export function eachOnce(files: readonly FoundFile[]): readonly string[] {
  const links = files.filter(({ path, target }) => path !== target);
  const own = files.filter(({ path, target }) => path === target).map(({ path }) => path);
  if (links.length === 0) return own;
  const seen = new Set(own.map((path) => endOfLink(path)?.path ?? path));
  const further = links.filter(({ target }) => {
    const isNew = !seen.has(target);
    seen.add(target);
    return isNew;
  });
  return [...own, ...further.map(({ path }) => path)];
}

function isImageName(name: string): boolean {
  return /\.(?:sys|exe|dll)$/i.test(name) && !/^hiberfil\.sys$/i.test(name);
}

/** Folders that are named in a note. */
const MOST_NAMED = 3;

function notesOf({ folderLinks, broken, unread, dumps }: Passed): readonly string[] {
  const [dump] = dumps;
  const named = unread.slice(0, MOST_NAMED).join(", ");
  const further = unread.length > MOST_NAMED ? ` and ${unread.length - MOST_NAMED} more` : "";
  return [
    ...(dump === undefined ? [] : [`${dump} in this folder is a dump: to look into it, name it itself`]),
    ...(unread.length === 0
      ? []
      : [`${plural(unread.length, "folder")} could not be listed: ${named}${further}`]),
    ...(folderLinks === 0 ? [] : [`${plural(folderLinks, "link")} to folders not followed`]),
    ...(broken === 0 ? [] : [`${plural(broken, "link")} to no file not followed`]),
  ];
}

function tooMany(folder: string): string {
  return `only the first ${plural(MAX_IMAGE_FILES, "file")} and folders below ${folder} were looked at`;
}
