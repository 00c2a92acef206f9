import { FormatError } from "../core/errors.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_RESOURCE_ENTRIES, MAX_RESOURCE_ENTRIES_TOTAL } from "../core/limits.ts";
import { PeResources } from "../generated/pe_resources.js";
import type { DataDirectory } from "./headers.ts";
import { type RvaReader, type TableStop, toTableStop } from "./rva-reader.ts";

/** Where the bytes of one resource stand. */
export interface ResourceData {
  readonly rva: number;
  /** In bytes. */
  readonly size: number;
}

/** The resources that a search met before its cap, and why it met no more. */
export interface FoundResources {
  readonly items: readonly ResourceData[];
  /** Absent: the whole of what was looked for was seen. */
  readonly stopped?: TableStop;
}

const DIRECTORY_SIZE = 16;
const ENTRY_SIZE = 8;
const DATA_ENTRY_SIZE = 16;
/** Of an entry's first word: it is the offset of a name. Of its second: it leads to a directory. */
const HIGH_BIT = 0x8000_0000;

interface Entry {
  /** `undefined`: the entry has a name instead. */
  readonly id: number | undefined;
  readonly offset: number;
  readonly isDirectory: boolean;
}

/**
 * Finds the resources of one type under any name and in any language, at most `limit`. The tree has
 * three levels: type, name, language; deeper ones are not followed, so that none can be endless.
 *
 * @see Microsoft PE Format, "The .rsrc Section"
 */
export function findResources(
  reader: RvaReader,
  directory: DataDirectory,
  type: number,
  limit: number,
): FoundResources {
  const items: ResourceData[] = [];
  let stopped: TableStop | undefined;
  let left = MAX_RESOURCE_ENTRIES_TOTAL;
  const entriesAt = (offset: number): readonly Entry[] => {
    const entries = entriesOf(reader, directory.rva, offset);
    left -= entries.length + 1;
    if (left >= 0) return entries;
    throw new FormatError({
      file: reader.label,
      offset: directory.rva + offset,
      field: "the entries of all resource directories",
      expected: `at most ${MAX_RESOURCE_ENTRIES_TOTAL}`,
      found: "more",
    });
  };
  const attempt = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      stopped ??= toTableStop(error);
    }
  };

  attempt(() => {
    for (const ofType of entriesAt(0)) {
      if (ofType.id !== type || !ofType.isDirectory) continue;
      for (const ofName of entriesAt(ofType.offset)) {
        if (!ofName.isDirectory) continue;
        attempt(() => {
          for (const leaf of entriesAt(ofName.offset)) {
            if (leaf.isDirectory) continue;
            if (items.length >= limit) {
              stopped ??= "limit";
              return;
            }
            const bytes = reader.bytes(directory.rva + leaf.offset, DATA_ENTRY_SIZE);
            const { rva, size } = readStruct(PeResources.DataEntry, bytes, "resource data entry");
            items.push({ rva, size });
          }
        });
        if (stopped !== undefined) return;
      }
    }
  });
  return stopped === undefined ? { items } : { items, stopped };
}

function entriesOf(reader: RvaReader, start: number, offset: number): readonly Entry[] {
  const bytes = reader.bytes(start + offset, DIRECTORY_SIZE);
  const { namedCount, idCount } = readStruct(PeResources.Directory, bytes, "resource directory");
  const count = namedCount + idCount;
  if (count > MAX_RESOURCE_ENTRIES) {
    bytes.fail(12, "entries of a resource directory", `at most ${MAX_RESOURCE_ENTRIES}`, String(count));
  }
  const entries = reader.bytes(start + offset + DIRECTORY_SIZE, count * ENTRY_SIZE);
  return Array.from({ length: count }, (_, index) => {
    const name = entries.u32(index * ENTRY_SIZE, "resource name");
    const target = entries.u32(index * ENTRY_SIZE + 4, "resource offset");
    return {
      id: name >= HIGH_BIT ? undefined : name,
      offset: target % HIGH_BIT,
      isDirectory: target >= HIGH_BIT,
    };
  });
}
