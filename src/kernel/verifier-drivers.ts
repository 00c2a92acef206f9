import { advance, type Va } from "../core/address.ts";
import { parseWith, toAddress } from "../core/kaitai.ts";
import { MAX_VERIFIED_DRIVERS, MAX_VERIFIER_PAGES } from "../core/limits.ts";
import type { Walk } from "../core/walk.ts";
import { VerifierDriver } from "../generated/verifier_driver.js";
import type { AddressSpace } from "../memory/address-space.ts";
import { walkList } from "./linked-list.ts";
import { readUnicode } from "./names.ts";

/** A driver that Driver Verifier checks, with the allocations that it made and has not freed. */
export interface VerifiedDriver {
  /** Of its MI_VERIFIER_DRIVER_ENTRY. */
  readonly at: Va;
  /** The file's name. */
  readonly name: string;
  readonly start: Va;
  /** Exclusive. */
  readonly end: Va;
  /** Allocations that are counted as not freed, in both pools. */
  readonly outstanding: number;
  /** Those that are listed, by tag and by who called, the most first; none where the list does not fit the count. */
  readonly tracked: readonly TrackedAllocations[];
  /** `part`: fewer are listed than are counted. `unfit`: more, so that it is no such list. */
  readonly listed: "whole" | "part" | "unfit";
}

/** Allocations with one tag that one place in a driver asked for. */
export interface TrackedAllocations {
  readonly tag: number;
  /** Behind the call. */
  readonly caller: Va;
  readonly allocations: number;
  readonly bytes: bigint;
}

type Entry = VerifierDriver.Driver;

const PAGE = 0x1000;
const DRIVER_BYTES = { 4: 0x48, 8: 0x80 } as const;
const ENTRY_BYTES = { 4: 0x10, 8: 0x20 } as const;
const MOST_NAME = 0x200;
const MOST_IMAGE = 0x1000_0000n;
const FILE_NAME = /^[^\\/:*?"<>|\p{Cc}]{1,120}\.[A-Za-z0-9]{2,4}$/u;

/**
 * The list of the drivers that are checked. No name leads to its head: it is looked for among the pointers in the kernel's
 * data, and taken where an entry has the name and the place of a loaded module.
 *
 * @param data nt's sections that it writes
 * @param isModule whether a module of that file name is loaded just there
 */
export function findVerifiedDrivers(
  space: AddressSpace,
  data: readonly { readonly start: Va; readonly length: number }[],
  isModule: (name: string, start: Va, end: Va) => boolean,
): Walk<VerifiedDriver> {
  for (const { start, length } of data) {
    for (let offset = 0; offset < length; offset += PAGE) {
      const bytes = space.tryRead(advance(start, offset), Math.min(PAGE, length - offset));
      if (bytes === undefined) continue;
      for (const [at, first] of pointersIn(bytes, space.pointerSize)) {
        const head = advance(start, offset + at);
        if (!isLinkedFrom(space, first, head)) continue;
        const found = driverAt(space, first);
        if (found === undefined || !isModule(found.name, found.start, found.end)) continue;
        return walkList(space, head, MAX_VERIFIED_DRIVERS, (link) => driverAt(space, link));
      }
    }
  }
  return { items: [] };
}

/** Pointers into kernel space that are followed by another: heads of lists. */
function* pointersIn(bytes: Uint8Array, pointerSize: 4 | 8): Generator<readonly [offset: number, to: Va]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 2 * pointerSize <= bytes.length; at += pointerSize) {
    if (pointerSize === 8 ? view.getUint16(at + 6, true) !== 0xffff : view.getUint8(at + 3) < 0x80) continue;
    const to = pointerSize === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    if (to % BigInt(pointerSize) === 0n) yield [at, to as Va];
  }
}

/** Whether the entry's Blink leads back to the head. */
function isLinkedFrom(space: AddressSpace, entry: Va, head: Va): boolean {
  return entry !== head && space.tryReadPointer(advance(entry, space.pointerSize)) === head;
}

/** The entry of a driver; `undefined` where what stands there is none. */
export function driverAt(space: AddressSpace, at: Va): VerifiedDriver | undefined {
  const { pointerSize } = space;
  const bytes = space.tryRead(at, DRIVER_BYTES[pointerSize]);
  if (bytes === undefined) return undefined;
  const entry = parseWith(VerifierDriver.Driver, bytes, pointerSize * 8);
  const { nameLength, nameMaximum } = entry;
  const [start, end] = [toAddress(entry.startAddress), toAddress(entry.endAddress)];
  if (nameLength === 0 || nameLength % 2 !== 0 || nameLength > nameMaximum || nameLength > MOST_NAME)
    return undefined;
  if (start >= end || end - start > MOST_IMAGE || start % BigInt(PAGE) !== 0n) return undefined;
  if (entry.currentPaged > entry.peakPaged || entry.currentNonPaged > entry.peakNonPaged) return undefined;
  const name = readUnicode(space, { length: nameLength, buffer: toAddress(entry.nameBuffer) });
  if (name === undefined || !FILE_NAME.test(name)) return undefined;
  const outstanding = entry.currentPaged + entry.currentNonPaged;
  const found = trackedBy(space, at, entry, { start, end });
  const listed = found.seen === outstanding ? "whole" : found.seen < outstanding ? "part" : "unfit";
  return { at, name, start, end, outstanding, tracked: listed === "unfit" ? [] : found.tracked, listed };
}

/** Reads the pages of entries, each of which names the driver that it belongs to. */
function trackedBy(
  space: AddressSpace,
  driver: Va,
  entry: Entry,
  image: { readonly start: Va; readonly end: Va },
): { readonly tracked: readonly TrackedAllocations[]; readonly seen: number } {
  const { pointerSize } = space;
  const size = ENTRY_BYTES[pointerSize];
  const groups = new Map<string, { tag: number; caller: Va; allocations: number; bytes: bigint }>();
  const pages = new Set<bigint>();
  let seen = 0;
  for (let page = firstPage(entry, pointerSize); page !== 0n && !pages.has(page); ) {
    if (pages.size >= MAX_VERIFIER_PAGES || page % BigInt(PAGE) !== 0n) break;
    pages.add(page);
    const bytes = space.tryRead(page, PAGE);
    if (bytes === undefined) break;
    const header = parseWith(VerifierDriver.PageHeader, bytes.subarray(0, size), pointerSize * 8);
    if (toAddress(header.verifierEntry) !== driver) break;
    const signature = toAddress(header.signature);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let offset = size; offset < PAGE; offset += size) {
      // places that were never used; there are millions of them
      if (view.getUint32(offset, true) === 0 && view.getUint32(offset + 4, true) === 0) continue;
      const row = parseWith(VerifierDriver.Entry, bytes.subarray(offset, offset + size), pointerSize * 8);
      const [address, caller] = [toAddress(row.virtualAddress), toAddress(row.callingAddress)];
      if (address === 0n || caller < image.start || caller >= image.end) continue;
      if (isEntryPage(space, address & -BigInt(PAGE), signature)) continue;
      seen++;
      const tag = row.tag.low;
      const group = groups.get(`${tag}:${caller}`) ?? { tag, caller, allocations: 0, bytes: 0n };
      group.allocations++;
      group.bytes += toAddress(row.numberOfBytes);
      groups.set(`${tag}:${caller}`, group);
    }
    page = toAddress(header.nextPage);
  }
  return { tracked: [...groups.values()].sort((a, b) => b.allocations - a.allocations), seen };
}

/** Whether a page holds entries: what is free leads to another entry, where the address was of what it kept. */
function isEntryPage(space: AddressSpace, page: bigint, signature: bigint): boolean {
  return space.tryReadPointer(advance(page as Va, 2 * space.pointerSize)) === signature;
}

/** The first page of the SLIST. On 64 bits its second word holds the pointer, whose low four bits are the list's own. */
function firstPage({ poolPageHeaders: [first, second] }: Entry, pointerSize: 4 | 8): Va {
  if (pointerSize === 4) return first === undefined ? (0n as Va) : toAddress(first);
  return second === undefined ? (0n as Va) : ((toAddress(second) & ~0xfn) as Va);
}
