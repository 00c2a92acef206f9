import type { Va } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { parseWith, toBigInt, type U64Halves } from "../core/kaitai.ts";
import { Kdbg as Layout } from "../generated/kdbg.js";
import type { U64 } from "../generated/u64.js";

type Raw = Omit<Layout, "list" | "ownerTag" | "size" | "paeEnabled">;

/**
 * The fields of KDDEBUGGER_DATA64 under their Windows names. A 64-bit field is nearly always the address of
 * a variable, not its value. `undefined`: this Windows does not fill it in, or its block is too short
 * for it; since Windows 10 that holds for most of the memory manager's.
 */
export type KdbgFields = {
  readonly [Name in keyof Raw]: (Raw[Name] extends U64 ? Va : number) | undefined;
} & {
  /** Of 32-bit kernels; `undefined` in others. */
  readonly paeEnabled: boolean | undefined;
};

/** Bytes that a block has at least: those up to OwnerTag and Size, and KernBase. */
export const KDBG_HEAD = 0x20;
/** The longest block whose fields are known, in bytes. */
export const KDBG_KNOWN_SIZE = 0x3a8;
/** Where OwnerTag stands, `KDBG`. */
export const KDBG_TAG = 0x10;
/** OwnerTag's bytes. */
export const KDBG_OWNER_TAG: Uint8Array = Uint8Array.of(0x4b, 0x44, 0x42, 0x47);
/** XP's is the shortest block, 0x290; the newest Windows' has 0x3a0. */
const SIZES = { least: 0x200, most: 0x800 } as const;

/**
 * Whether the head of a block is plain: it says `KDBG` and gives a size that can be.
 *
 * @param head `KDBG_HEAD` bytes
 */
export function isKdbgHead(head: Bytes): boolean {
  if (head.u32(KDBG_TAG, "OwnerTag") !== 0x4742444b) return false;
  const size = head.u32(KDBG_TAG + 4, "Size");
  return size >= SIZES.least && size <= SIZES.most;
}

/**
 * Reads a block.
 *
 * @param block from its start, as far as it is there: what lies past its end or its Size is absent
 * @throws {FormatError} it is shorter than its head, or its OwnerTag is another
 */
export function parseKdbg(block: Bytes, pointerSize: 4 | 8): KdbgFields {
  const size = Math.min(block.u32(KDBG_TAG + 4, "Size"), block.length, KDBG_KNOWN_SIZE);
  const whole = new Uint8Array(KDBG_KNOWN_SIZE);
  whole.set(block.array.subarray(0, Math.max(size, KDBG_HEAD)));
  const { paeEnabled, ...raw } = parseWith(Layout, whole);
  const fields: Record<string, Va | number | boolean | undefined> = {
    paeEnabled: pointerSize === 4 ? (paeEnabled & 1) === 1 : undefined,
  };
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === "number") fields[name] = value === 0 ? undefined : value;
    else if (isHalves(value)) fields[name] = address(value, pointerSize);
  }
  return fields as KdbgFields;
}

function isHalves(value: unknown): value is U64Halves {
  return typeof value === "object" && value !== null && "low" in value && "high" in value;
}

/** 32-bit kernels hold addresses sign-extended. */
function address(value: U64Halves, pointerSize: 4 | 8): Va | undefined {
  const narrow = pointerSize === 4 ? BigInt(value.low) : toBigInt(value);
  return narrow === 0n ? undefined : (narrow as Va);
}
