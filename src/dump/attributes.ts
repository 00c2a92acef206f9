const ATTRIBUTE_NAMES: readonly string[] = [
  "hibernation crash",
  "dump device powered off",
  "not enough room in the dump file",
  "triage dump written by the kernel",
  "live dump",
  "generated offline",
  "filter dump",
  "early boot crash",
  "encrypted",
  "decrypted",
];

/** The body is encrypted. A dump that was decrypted has the bit cleared, and the next one set. */
export const ENCRYPTED_DUMP_DATA = 0x100;

/** What the bits of `DumpHeader.attributes` mean, for those that are documented. */
export function attributeNames(attributes: number): readonly string[] {
  return ATTRIBUTE_NAMES.filter((_, bit) => ((attributes >>> bit) & 1) === 1);
}

const KERNEL_WROTE = 0b11000;

/**
 * Who wrote the dump: the kernel itself, or a debugger, from memory or from a larger dump.
 *
 * @returns `undefined` where the header does not tell
 */
export function writerOf(
  attributes: number | undefined,
  writerStatus: number | undefined,
): "kernel" | "debugger" | undefined {
  if (writerStatus === 0) return "debugger";
  return attributes !== undefined && (attributes & KERNEL_WROTE) !== 0 ? "kernel" : undefined;
}
