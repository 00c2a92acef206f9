/** The body is encrypted. A dump that was decrypted has the bit cleared, and the next one set. */
export const ENCRYPTED_DUMP_DATA = 0x100;

/** The dump was taken of a machine that went on. */
export const LIVE_DUMP = 0x10;

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
