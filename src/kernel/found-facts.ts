import { advance, type Va } from "../core/address.ts";
import { MAX_KERNEL_DATA } from "../core/limits.ts";
import { fact, type MachineFacts } from "../dump/facts.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Image } from "../pe/image.ts";
import { locateEncodedKdbg } from "./encoded-kdbg.ts";
import type { KernelSearch } from "./find-nt.ts";

/** Where LDR_DATA_TABLE_ENTRY has DllBase. */
const DLL_BASE = { 4: 0x18, 8: 0x30 } as const;
/** KUSER_SHARED_DATA as the kernel sees it, and its fields. */
const SHARED_DATA = { 4: 0xffdf_0000n, 8: 0xffff_f780_0000_0000n } as const;
const SHARED_SIZE = 0x278;
const INTERRUPT_TIME = 0x8;
const SYSTEM_TIME = 0x14;
const BUILD_NUMBER = 0x260;
const MAJOR_VERSION = 0x26c;
const MINOR_VERSION = 0x270;
/** Since Windows 10 the shared data has the number of the build. */
const WITH_BUILD = 10;
/** Builds of the versions before, each without its service packs. */
const BUILDS: ReadonlyMap<string, number> = new Map([
  ["5.1", 2600],
  ["5.2", 3790],
  ["6.0", 6000],
  ["6.1", 7600],
  ["6.2", 9200],
  ["6.3", 9600],
]);
/** The number's upper bits say whether the build is a checked one. */
const BUILD_BITS = 0xffff;

/**
 * What the kernel's own memory says of the machine, where the container says nothing: the list of modules by its shape, the
 * encoded KDBG by its content, the build and the times by the page that all processes share.
 *
 * @param nt the kernel's image
 * @param search counts down; where nothing is left of it, there is no list
 */
export function foundFacts(
  space: AddressSpace,
  nt: Image,
  given: MachineFacts,
  search: KernelSearch,
): Partial<MachineFacts> {
  const shared = space.tryRead(space.narrow(SHARED_DATA[space.pointerSize]), SHARED_SIZE);
  const view = shared && new DataView(shared.buffer, shared.byteOffset, shared.length);
  const time = (at: number): bigint | undefined => {
    const value = view === undefined ? 0n : view.getBigUint64(at, true);
    return value === 0n ? undefined : value;
  };
  const found = readData(space, nt, search);
  return {
    build: given.build ?? fact(buildOf(space, nt, view), "memory"),
    moduleList: given.moduleList ?? fact(found.moduleList, "memory"),
    kdbg: given.kdbg ?? fact(found.encodedKdbg, "memory"),
    taken: given.taken ?? fact(time(SYSTEM_TIME), "memory"),
    upTime: given.upTime ?? fact(time(INTERRUPT_TIME), "memory"),
  };
}

/** The number that nt exports first; then that of its file, where its version is the one that Windows says it is. */
function buildOf(space: AddressSpace, nt: Image, shared: DataView | undefined): number | undefined {
  const major = shared?.getUint32(MAJOR_VERSION, true) ?? 0;
  if (shared !== undefined && major >= WITH_BUILD) {
    const build = shared.getUint32(BUILD_NUMBER, true) & BUILD_BITS;
    if (build !== 0) return build;
  }
  const exported = nt.exports.byName("NtBuildNumber");
  const value = exported === undefined ? undefined : space.tryReadU32(nt.addressOf(exported.rva));
  if (value !== undefined && (value & BUILD_BITS) !== 0) return value & BUILD_BITS;
  const said = major === 0 ? undefined : `${major}.${shared?.getUint32(MINOR_VERSION, true) ?? 0}`;
  const { version } = nt;
  const text = "value" in version ? (version.value.fixedFileVersion ?? "") : "";
  const [, ofFile, build] = /^(\d+\.\d+)\.(\d+)/.exec(text) ?? [];
  if (build !== undefined && (said === undefined || said === ofFile)) return Number(build);
  return said === undefined ? undefined : BUILDS.get(said);
}

/** What a pointer counts for beside the word that it is: what it leads to is looked at. */
const POINTER = 3;

/** One pass over what nt writes. */
function readData(
  space: AddressSpace,
  nt: Image,
  search: KernelSearch,
): { readonly moduleList: Va | undefined; readonly encodedKdbg: Va | undefined } {
  const { pointerSize } = space;
  let moduleList: Va | undefined;
  let encodedKdbg: Va | undefined;
  let left = MAX_KERNEL_DATA;
  for (const { rva, virtualSize, writable } of nt.sections) {
    if (!writable || search.words <= 0) continue;
    const start = nt.addressOf(rva);
    const { bytes } = space.readSparse(start, Math.min(virtualSize, left));
    left -= bytes.length;
    search.words -= bytes.length / pointerSize;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (at: number): bigint =>
      pointerSize === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    for (let at = 0; at + 2 * pointerSize <= bytes.length && moduleList === undefined; at += pointerSize) {
      const flink = word(at);
      if (flink < nt.base >> 1n || flink === 0n) continue;
      search.words -= POINTER;
      if (search.words <= 0) break;
      const head = advance(start, at);
      if (isModuleList(space, head, flink as Va, word(at + pointerSize) as Va, nt.base)) moduleList = head;
    }
    const encoded = pointerSize === 8 && encodedKdbg === undefined ? locateEncodedKdbg(bytes) : undefined;
    if (encoded !== undefined) encodedKdbg = advance(start, encoded);
  }
  return { moduleList, encodedKdbg };
}

/** Whether the first entry is nt's, and both ends lead back to the head. */
function isModuleList(space: AddressSpace, head: Va, first: Va, last: Va, nt: Va): boolean {
  const { pointerSize } = space;
  return (
    space.tryReadPointer(advance(first, pointerSize)) === head &&
    space.tryReadPointer(last) === head &&
    space.tryReadPointer(advance(first, DLL_BASE[pointerSize])) === nt
  );
}
