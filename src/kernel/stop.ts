import type { Va } from "../core/address.ts";
import { LIVE_DUMP } from "../dump/attributes.ts";
import type { Registers } from "../dump/context.ts";
import type { Bugcheck } from "../dump/facts.ts";
import type { DumpHeader, Exception } from "../dump/header.ts";

/**
 * On what occasion a dump was taken: the machine crashed; somebody asked for it and the machine stopped; it was
 * taken of a machine that went on.
 */
export type Occasion = "crash" | "on-request" | "live";

const LIVE_SYSTEM_DUMP = 0x161;
/**
 * @see Microsoft, "Bug Check Code Reference": MANUALLY_INITIATED_CRASH, MANUALLY_INITIATED_POWER_BUTTON_HOLD,
 * MANUALLY_INITIATED_CRASH1
 */
const ON_REQUEST: ReadonlySet<number> = new Set([0xe2, 0x1c8, 0xdeaddead]);
/** Set where the dump could hold only a part of memory. */
const MINIDUMP_VARIANT = 0x1000_0000;

/** A bugcheck's code without the bit that only tells of the dump. */
export function plainCode({ code }: Bugcheck): number {
  return code >= MINIDUMP_VARIANT && code < 2 * MINIDUMP_VARIANT ? code - MINIDUMP_VARIANT : code;
}

/**
 * On what occasion the dump was taken; `undefined` where nothing tells: tools that copy memory write no bugcheck.
 *
 * @param attributes bits of the header's DUMP_ATTRIBUTES
 */
export function occasionOf(
  bugcheck: Bugcheck | undefined,
  attributes: DumpHeader["attributes"],
): Occasion | undefined {
  if (attributes !== undefined && (attributes & LIVE_DUMP) !== 0) return "live";
  if (bugcheck === undefined || bugcheck.code === 0) return undefined;
  const code = plainCode(bugcheck);
  if (code === LIVE_SYSTEM_DUMP) return "live";
  return ON_REQUEST.has(code) ? "on-request" : "crash";
}

/** The instruction at which the machine crashed, and what says so. */
export interface CrashPlace {
  readonly address: Va;
  readonly basis: "bugcheck" | "exception" | "registers";
}

/**
 * Which parameter of a bugcheck is the address of the instruction, counted from 1.
 *
 * @see Microsoft, "Bug Check Code Reference", the page of each code
 */
const INSTRUCTION: ReadonlyMap<number, number> = new Map([
  [0xa, 4],
  [0x1e, 2],
  [0x3b, 2],
  [0x50, 3],
  [0x7e, 2],
  [0x8e, 2],
  [0xc5, 4],
  [0xcc, 3],
  [0xcd, 3],
  [0xce, 3],
  [0xd0, 4],
  [0xd1, 4],
  [0xd5, 3],
]);
/** STATUS_BREAKPOINT: what a dump's exception says where there was none. */
const BREAKPOINT = 0x8000_0003;

/**
 * Where the machine crashed: by the bugcheck's own parameters, else by the exception, else by the registers.
 *
 * @param registers those that the dump has of the processor that stopped
 */
export function crashPlace(
  bugcheck: Bugcheck | undefined,
  exception: Exception | undefined,
  registers: Registers | undefined,
): CrashPlace | undefined {
  const parameter = bugcheck === undefined ? undefined : INSTRUCTION.get(plainCode(bugcheck));
  const named = parameter === undefined ? undefined : bugcheck?.parameters[parameter - 1];
  if (named !== undefined && named !== 0n) return { address: named as Va, basis: "bugcheck" };
  if (exception !== undefined && exception.code !== BREAKPOINT && exception.address !== 0n)
    return { address: exception.address, basis: "exception" };
  const at = registers?.rip ?? registers?.eip ?? registers?.pc;
  return at === undefined || at === 0n ? undefined : { address: at as Va, basis: "registers" };
}

/**
 * NTSTATUS values that crashes come with, by name.
 *
 * @see Microsoft, [MS-ERREF], "NTSTATUS Values"
 */
const STATUS: ReadonlyMap<number, string> = new Map([
  [0x8000_0003, "STATUS_BREAKPOINT"],
  [0x8000_0004, "STATUS_SINGLE_STEP"],
  [0xc000_0005, "STATUS_ACCESS_VIOLATION"],
  [0xc000_0006, "STATUS_IN_PAGE_ERROR"],
  [0xc000_0017, "STATUS_NO_MEMORY"],
  [0xc000_001d, "STATUS_ILLEGAL_INSTRUCTION"],
  [0xc000_0025, "STATUS_NONCONTINUABLE_EXCEPTION"],
  [0xc000_0044, "STATUS_QUOTA_EXCEEDED"],
  [0xc000_0094, "STATUS_INTEGER_DIVIDE_BY_ZERO"],
  [0xc000_0096, "STATUS_PRIVILEGED_INSTRUCTION"],
  [0xc000_009a, "STATUS_INSUFFICIENT_RESOURCES"],
  [0xc000_00a1, "STATUS_WORKING_SET_QUOTA"],
  [0xc000_00fd, "STATUS_STACK_OVERFLOW"],
  [0xc000_012d, "STATUS_COMMITMENT_LIMIT"],
  [0xc000_0409, "STATUS_STACK_BUFFER_OVERRUN"],
]);

/** `STATUS_ACCESS_VIOLATION` for 0xc0000005; `undefined` for another value. */
export function statusName(status: number): string | undefined {
  return STATUS.get(status >>> 0);
}
