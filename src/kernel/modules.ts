import { advance, type Va } from "../core/address.ts";
import { MemoryError } from "../core/errors.ts";
import { parseWith, toAddress } from "../core/kaitai.ts";
import { MAX_FILE_NAME, MAX_IMAGE_SIZE, MAX_IMAGES_BYTES, MAX_MODULES } from "../core/limits.ts";
import { fileName } from "../core/text.ts";
import type { TriageDriver, TriageList } from "../dump/triage-drivers.ts";
import { ModuleEntry as Layout } from "../generated/module_entry.js";
import type { AddressSpace } from "../memory/address-space.ts";
import { type ListWalk, walkList } from "./linked-list.ts";
import { cutFileName, moduleNames, readUnicode } from "./names.ts";

/** A loaded module, as the kernel's list has it. */
export interface ModuleEntry {
  /** As WinDbg's `lm` shows it: `nt`, `hal`, `ABCMiniFilter`. */
  readonly name: string;
  /** `ntoskrnl.exe`; `undefined` where it cannot be read. */
  readonly imageName: string | undefined;
  /** `\SystemRoot\system32\ntoskrnl.exe`; `undefined` where it cannot be read. */
  readonly path: string | undefined;
  readonly base: Va;
  /** Exclusive. */
  readonly end: Va;
  /** In bytes. */
  readonly size: number;
  readonly entryPoint: Va;
  /** TimeDateStamp of the image; lists before Windows 10 do not keep it. */
  readonly timestamp: number | undefined;
  readonly checksum: number | undefined;
}

/** The loaded modules, in load order. */
export type ModuleWalk = ListWalk<ModuleEntry>;

type Unnamed = Omit<ModuleEntry, "name">;

/** The entry's size without TimeDateStamp, and with it. */
const ENTRY_SIZE = { 4: [0x44, 0x5c], 8: [0x7c, 0xa0] } as const;
/** The first build whose lists keep TimeDateStamp. */
const WINDOWS_10 = 10240;
const PAGE_MASK = 0xfffn;

/**
 * Reads PsLoadedModuleList.
 *
 * @param build of Windows: it decides whether entries have time stamps
 * @param kernelBase where nt stands, when that is known; else its file name tells
 */
export function readModules(
  space: AddressSpace,
  head: Va,
  { build, kernelBase }: { readonly build: number | undefined; readonly kernelBase: Va | undefined },
): ModuleWalk {
  const withTimestamp = build !== undefined && build >= WINDOWS_10;
  const walk = walkList(space, head, MAX_MODULES, (link) => readEntry(space, link, withTimestamp));
  return namedWalk(walk, kernelBase);
}

/** The first entry of PsLoadedModuleList, which is nt's; `undefined` where it cannot be read. */
export function firstModule(
  space: AddressSpace,
  head: Va,
): { readonly base: Va; readonly size: number } | undefined {
  const link = space.tryReadPointer(head);
  if (link === undefined || link === head) return undefined;
  try {
    return readEntry(space, link, false);
  } catch (error) {
    if (error instanceof MemoryError) return undefined;
    throw error;
  }
}

/** The modules of a triage dump, which keeps a list of its own. Entries that can be no image are left out. */
export function triageModules(
  { items, claimed }: TriageList<TriageDriver>,
  { pointerSize, kernelBase }: { readonly pointerSize: 4 | 8; readonly kernelBase: Va | undefined },
): ModuleWalk {
  const drivers = items
    .filter(({ base, size }) => canHoldImage(base, size, pointerSize))
    .map((driver) => ({
      ...driver,
      imageName: driver.path === undefined ? undefined : cutFileName(fileName(driver.path)),
      end: advance(driver.base, driver.size),
    }));
  const walk = { items: drivers, recovered: 0 };
  if (drivers.length === claimed) return namedWalk(walk, kernelBase);
  return namedWalk({ ...walk, stopped: items.length === MAX_MODULES ? "limit" : "broken" }, kernelBase);
}

/**
 * The modules with their names. Those whose images would not fit beside the ones before them, as where thousands claim
 * a gigabyte each, are left out.
 */
function namedWalk(walk: ListWalk<Unnamed>, kernelBase: Va | undefined): ModuleWalk {
  let left = MAX_IMAGES_BYTES;
  const modules = walk.items.filter(({ size }) => {
    const fits = size <= left;
    if (fits) left -= size;
    return fits;
  });
  const names = moduleNames(modules, kernelBase);
  const items = modules.map((module, i) => ({ name: names[i] as string, ...module }));
  return modules.length === walk.items.length ? { ...walk, items } : { ...walk, items, stopped: "limit" };
}

/**
 * Reads one entry.
 *
 * @returns `undefined` for bytes that are none
 * @throws {MemoryError}
 */
function readEntry(space: AddressSpace, at: Va, withTimestamp: boolean): Unnamed | undefined {
  const { pointerSize } = space;
  const [short, long] = ENTRY_SIZE[pointerSize];
  const bytes = (withTimestamp ? space.tryRead(at, long) : undefined) ?? space.read(at, short);
  const raw = pointerSize === 4 ? parseWith(Layout.Entry32, bytes) : parseWith(Layout.Entry64, bytes);
  const base = toAddress(raw.dllBase);
  const size = raw.sizeOfImage;
  if (!canHoldImage(base, size, pointerSize)) return undefined;
  const path = readUnicode(space, text(raw.fullDllName));
  const imageName =
    readUnicode(space, text(raw.baseDllName), MAX_FILE_NAME * 2) ??
    (path === undefined ? undefined : cutFileName(fileName(path)));
  return {
    imageName,
    path,
    base,
    end: advance(base, size),
    size,
    entryPoint: toAddress(raw.entryPoint),
    timestamp: raw.timeDateStamp,
    checksum: raw.checkSum,
  };
}

/** An image stands at the start of a page, and ends before the address space does. */
function canHoldImage(base: Va, size: number, pointerSize: 4 | 8): boolean {
  const room = (1n << BigInt(pointerSize * 8)) - base;
  return base !== 0n && (base & PAGE_MASK) === 0n && size > 0 && size <= MAX_IMAGE_SIZE && room > size;
}

function text({ length, buffer }: Layout.UnicodeString32 | Layout.UnicodeString64): {
  length: number;
  buffer: Va;
} {
  return { length, buffer: toAddress(buffer) };
}
