import type { GivenFiles } from "./messages.ts";

/** Files looked at below folders that are dropped; more are for the command line. */
const MOST_FILES = 20_000;

export const NO_FILES: GivenFiles = { dump: [], drivers: [], hive: undefined, tags: undefined };

/** Files that were there, with those that come: another dump takes the place of the first, drivers join. */
export function withMore(given: GivenFiles, more: readonly File[]): GivenFiles {
  const of = (kind: Kind): readonly File[] => more.filter(({ name }) => kindOf(name) === kind);
  const dump = of("dump");
  return {
    dump: dump.length === 0 ? given.dump : dump,
    drivers: [...given.drivers, ...of("driver")],
    hive: of("hive").at(-1) ?? given.hive,
    tags: of("tags").at(-1) ?? given.tags,
  };
}

type Kind = "dump" | "driver" | "hive" | "tags";

/** What a file is taken for, by its name: what it holds is seen when it is opened. */
function kindOf(name: string): Kind {
  if (/^hiberfil\.sys$/i.test(name)) return "dump";
  if (/\.(?:sys|exe|dll)$/i.test(name)) return "driver";
  if (/^system$|\.hive?$/i.test(name)) return "hive";
  return /\.txt$/i.test(name) ? "tags" : "dump";
}

/** The files that are dropped, those of folders among them. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly File[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...transfer.files];
  const files: File[] = [];
  // of folders only what is known to be of use
  for (const entry of entries) await gather(entry, files, () => true);
  return files;
}

async function gather(
  entry: FileSystemEntry,
  into: File[],
  wanted: (name: string) => boolean,
): Promise<void> {
  if (into.length >= MOST_FILES) return;
  if (isFile(entry)) {
    if (wanted(entry.name)) into.push(await new Promise<File>((done, fail) => entry.file(done, fail)));
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    // it gives some at a time, and none at the end
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
      if (some.length === 0) return;
      for (const one of some) await gather(one, into, isDriver);
    }
  }
}

/** What of a folder is taken: a whole folder of anything else is none of the page's business. */
export function isDriver(name: string): boolean {
  return kindOf(name) === "driver";
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
