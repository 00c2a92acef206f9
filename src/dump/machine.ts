import { hex } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";

/** The processors whose dumps are read. */
export type Machine = "x86" | "x64" | "arm64";

const MACHINES: ReadonlyMap<number, { machine: Machine; bits: 32 | 64 }> = new Map([
  [0x14c, { machine: "x86", bits: 32 }],
  [0x8664, { machine: "x64", bits: 64 }],
  [0xaa64, { machine: "arm64", bits: 64 }],
]);

/** Of machines that Windows ran on, and whose dumps are not read. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x200, "Itanium"],
  [0x1c0, "ARM"],
  [0x1c2, "ARM"],
  [0x1c4, "32-bit ARM"],
  [0x184, "Alpha"],
  [0x284, "64-bit Alpha"],
  [0x166, "MIPS"],
  [0x1f0, "PowerPC"],
]);

/** The machine of IMAGE_FILE_HEADER's number; `undefined`: not one that is read. */
export function machineByNumber(type: number): Machine | undefined {
  return MACHINES.get(type)?.machine;
}

/**
 * The machine of the number in a dump's header, which is as in IMAGE_FILE_HEADER.
 *
 * @throws {FormatError} not one that is read, or not of this header's size
 */
export function machineOf(type: number, bits: 32 | 64, header: Bytes, at: number): Machine {
  const known = MACHINES.get(type);
  if (known !== undefined && known.bits === bits) return known.machine;
  const expected = bits === 32 ? "x86 (0x14c)" : "x64 (0x8664) or ARM64 (0xaa64)";
  const name = known?.machine ?? OTHERS.get(type);
  const found =
    name === undefined
      ? `${hex(type)}, which is no machine that Windows writes dumps of`
      : `${name} (${hex(type)}); pooltrail reads dumps of x86, x64 and ARM64 machines only`;
  header.fail(at, `the machine of a ${bits}-bit dump`, expected, found);
}
