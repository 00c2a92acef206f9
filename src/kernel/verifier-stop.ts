import { advance, type Va } from "../core/address.ts";
import type { Bugcheck } from "../dump/facts.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { readUnicode } from "./names.ts";
import { plainCode } from "./stop.ts";
import { driverAt, type TrackedAllocations } from "./verifier-drivers.ts";

/** A driver that was unloaded and had not freed all that it had allocated: Driver Verifier stopped the machine for it. */
export interface Unfreed {
  /** The file's name, as the bugcheck has it; `undefined` where it cannot be read. */
  readonly name: string | undefined;
  /** Allocations of both pools that it left; `undefined` where the number cannot be one. */
  readonly allocations: number | undefined;
  /** Where the bugcheck says that the name stands. */
  readonly nameAt: Va;
  /** What it left, by tag and by who called, as Driver Verifier lists it; none where its record cannot be read. */
  readonly tracked: readonly TrackedAllocations[];
}

const DRIVER_VERIFIER_DETECTED_VIOLATION = 0xc4;
const UNLOADED_WITHOUT_FREEING = 0x62n;
/** A tracked allocation takes more than so many bytes of memory: there are never more of them than this. */
const MOST_ALLOCATIONS = 0xffff_ffffn;
const FILE_NAME = /^[^\\/:*?"<>|\p{Cc}]{1,120}\.[A-Za-z0-9]{2,4}$/u;
const LONGEST = 0x200;

/**
 * What the bugcheck 0xc4 says of a driver that did not free: its parameters are the name, Driver Verifier's own record of
 * the driver, and the number of allocations. Its name is a counted string, which a file's name has to stand in.
 *
 * @returns `undefined` for another bugcheck
 * @see Microsoft, "Bug Check 0xC4: DRIVER_VERIFIER_DETECTED_VIOLATION", parameter 1 of 0x62
 */
export function readUnfreed(space: AddressSpace, bugcheck: Bugcheck | undefined): Unfreed | undefined {
  if (bugcheck === undefined || plainCode(bugcheck) !== DRIVER_VERIFIER_DETECTED_VIOLATION) return undefined;
  const [violation, nameAt, record, count] = bugcheck.parameters;
  if (violation !== UNLOADED_WITHOUT_FREEING) return undefined;
  return {
    name: countedName(space, nameAt as Va) ?? plainText(space, nameAt as Va),
    allocations: count > 0n && count <= MOST_ALLOCATIONS ? Number(count) : undefined,
    nameAt: nameAt as Va,
    tracked: driverAt(space, record as Va)?.tracked ?? [],
  };
}

/** UNICODE_STRING. */
function countedName(space: AddressSpace, at: Va): string | undefined {
  const head = space.tryRead(at, 4);
  const buffer = space.tryReadPointer(advance(at, space.pointerSize));
  if (head === undefined || buffer === undefined) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, 4);
  const [length, most] = [view.getUint16(0, true), view.getUint16(2, true)];
  if (length === 0 || length % 2 !== 0 || length > most || length > LONGEST) return undefined;
  return fileNameIn(readUnicode(space, { length, buffer }));
}

/** The characters themselves, up to a zero. */
function plainText(space: AddressSpace, at: Va): string | undefined {
  const { bytes, holes } = space.readSparse(at, LONGEST);
  const text = new TextDecoder("utf-16le").decode(bytes.subarray(0, (holes[0]?.offset ?? LONGEST) & ~1));
  const end = text.indexOf("\0");
  return end === -1 ? undefined : fileNameIn(text.slice(0, end));
}

function fileNameIn(text: string | undefined): string | undefined {
  const name = text?.slice(text.lastIndexOf("\\") + 1);
  return name !== undefined && FILE_NAME.test(name) ? name : undefined;
}
