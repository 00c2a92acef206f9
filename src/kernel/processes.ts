import { advance, type Va } from "../core/address.ts";
import { indexOfBytes } from "../core/byte-search.ts";
import { MAX_PROCESSES } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { type ListWalk, walkList } from "./linked-list.ts";

/** An active process. */
export interface ProcessEntry {
  /** Its EPROCESS. */
  readonly address: Va;
  readonly pid: number;
  /** The first fifteen characters of its file's name; `undefined` where they cannot be read. */
  readonly imageName: string | undefined;
  /** As the process holds it: the low bits are not an address. */
  readonly directoryTableBase: bigint;
}

/** Where EPROCESS has its fields, in bytes. They move with every Windows, and are taken from the System process. */
export interface ProcessLayout {
  readonly directoryTableBase: number;
  readonly pid: number;
  readonly links: number;
  /** `undefined` where the name was not found in the System process. */
  readonly imageName: number | undefined;
}

/** KPROCESS.DirectoryTableBase, in every Windows since XP. */
const DIRECTORY_TABLE_BASE = { 4: 0x18, 8: 0x28 } as const;
/** ActiveProcessLinks stands at 0x448 at the most so far. */
const MAX_LINKS_OFFSET = 0x600;
/** The name follows the links by 0x188 at the most so far. */
const MAX_NAME_DISTANCE = 0x400;
const PROCESS_OBJECT = 3;
const SYSTEM_PID = 4n;
const NAME_BYTES = 15;
const SYSTEM_NAME: Uint8Array = Uint8Array.from("System\0\0\0\0\0\0\0\0\0", (character) =>
  character.charCodeAt(0),
);

/**
 * Finds the layout of EPROCESS in the System process, which is first in the list: its id of 4 stands
 * before the links, and its start is where a process object and a root of page tables are.
 *
 * @param head PsActiveProcessHead
 * @param isRoot whether a value can be a process's directory table base
 * @returns `undefined` where no start fits
 */
export function findProcessLayout(
  space: AddressSpace,
  head: Va,
  isRoot: (directoryTableBase: bigint) => boolean,
): ProcessLayout | undefined {
  const { pointerSize } = space;
  const links = space.tryReadPointer(head);
  if (links === undefined || links === head) return undefined;
  if (space.tryReadPointer(advance(links, -pointerSize)) !== SYSTEM_PID) return undefined;
  const directoryTableBase = DIRECTORY_TABLE_BASE[pointerSize];
  for (let offset = directoryTableBase + 2 * pointerSize; offset <= MAX_LINKS_OFFSET; offset += pointerSize) {
    const start = advance(links, -offset);
    const root = space.tryReadPointer(advance(start, directoryTableBase));
    if (root === undefined || space.tryRead(start, 1)?.[0] !== PROCESS_OBJECT || !isRoot(root)) continue;
    const name = nameDistance(space, links);
    return {
      directoryTableBase,
      pid: offset - pointerSize,
      links: offset,
      imageName: name === undefined ? undefined : offset + name,
    };
  }
  return undefined;
}

/**
 * Reads the list of active processes.
 *
 * @param head PsActiveProcessHead
 */
export function readProcesses(space: AddressSpace, head: Va, layout: ProcessLayout): ListWalk<ProcessEntry> {
  return walkList(space, head, MAX_PROCESSES, (link) =>
    readProcess(space, advance(link, -layout.links), layout),
  );
}

/**
 * Reads what the list knows of a process.
 *
 * @returns `undefined` where its id cannot be one
 * @throws {MemoryError}
 */
export function readProcess(
  space: AddressSpace,
  address: Va,
  layout: ProcessLayout,
): ProcessEntry | undefined {
  const directoryTableBase = space.readPointer(advance(address, layout.directoryTableBase));
  const pid = space.readPointer(advance(address, layout.pid));
  // an id is a handle value; what is larger is no process
  if (pid > 0xffffffffn || pid % 4n !== 0n) return undefined;
  return {
    address,
    pid: Number(pid),
    imageName: nameOf(space, address, layout.imageName),
    directoryTableBase,
  };
}

function nameOf(space: AddressSpace, address: Va, offset: number | undefined): string | undefined {
  const bytes = offset === undefined ? undefined : space.tryRead(advance(address, offset), NAME_BYTES);
  const name = bytes === undefined ? "" : asciiZ(bytes);
  return name === "" ? undefined : name;
}

/** How far behind System's links its name stands. */
function nameDistance(space: AddressSpace, links: Va): number | undefined {
  const { bytes } = space.readSparse(links, MAX_NAME_DISTANCE);
  const at = indexOfBytes(bytes, SYSTEM_NAME);
  return at === -1 ? undefined : at;
}
