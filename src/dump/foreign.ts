import { hexDigits } from "../core/bytes.ts";

/** One kind of file that is not a kernel dump: how it starts, and what to say of it. */
interface Foreign {
  readonly starts: string | readonly number[];
  /** Where the signature stands; at the start when absent. */
  readonly at?: number;
  readonly says: string;
}

const UNPACK = "unpack it first";
const CRASH_DUMP = "pooltrail reads crash dumps (MEMORY.DMP, Minidump\\*.dmp)";

const FOREIGN: readonly Foreign[] = [
  {
    starts: "MDMP",
    says: `MDMP, a user-mode minidump of one process; ${CRASH_DUMP}, which hold the kernel`,
  },
  {
    starts: "USERDU",
    says: "a user-mode dump of one process in an old format; pooltrail reads kernel dumps",
  },
  { starts: [0x1f, 0x8b], says: `a gzip file; ${UNPACK}` },
  {
    starts: "PK\u0003\u0004",
    says: `a zip archive; ${UNPACK}, and open the dump in it (an AFF4 image is one, too: export its memory as raw)`,
  },
  { starts: "PK\u0005\u0006", says: "an empty zip archive" },
  { starts: "MSCF", says: `a cabinet (.cab); ${UNPACK}, with expand.exe or cabextract` },
  { starts: "SZDD", says: `a file compressed with compress.exe; ${UNPACK}, with expand.exe` },
  { starts: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], says: `a 7z archive; ${UNPACK}` },
  { starts: [0xfd, 0x37, 0x7a, 0x58, 0x5a], says: `an xz file; ${UNPACK}` },
  { starts: [0x28, 0xb5, 0x2f, 0xfd], says: `a zstd file; ${UNPACK}` },
  { starts: "BZh", says: `a bzip2 file; ${UNPACK}` },
  { starts: "Rar!", says: `a rar archive; ${UNPACK}` },
  // LZNT1: a chunk's length, a byte that says eight literals follow, and the dump's own start
  { starts: "PAGEDU", at: 3, says: `a dump compressed with LZNT1; ${UNPACK}` },
  {
    starts: [0x7f, 0x45, 0x4c, 0x46],
    says: "an ELF file that is no core; pooltrail reads the cores that virtual machines write (QEMU's dump-guest-memory, VirtualBox's dumpvmcore)",
  },
  {
    starts: "QEVM",
    says: "a QEMU machine saved for migration (savevm); write a core of the running machine with dump-guest-memory",
  },
  ...["LibvirtQemudSave", "LibvirtQemudPart"].map((starts) => ({
    starts,
    says: "a machine saved by libvirt (virsh save); write a core with virsh dump --memory-only",
  })),
  {
    starts: "\u007fVirtualBox SavedState",
    says: "a VirtualBox saved state (.sav); start the machine and write a core with VBoxManage debugvm NAME dumpvmcore",
  },
  {
    starts: "EVF\u0009\r\n\u00ff\u0000",
    says: "an EWF image (.E01); export the memory in it as raw with ewfexport",
  },
  {
    starts: "EVF2\r\n\u0081\u0000",
    says: "an EWF image (.Ex01); export the memory in it as raw with ewfexport",
  },
  ...[0xbed0bed0, 0xbed2bed0].map((magic) => ({
    starts: [magic & 0xff, (magic >>> 8) & 0xff, (magic >>> 16) & 0xff, magic >>> 24],
    says: "a VMware state in a form of the 1990s; convert it to a Windows dump first, with VMware's vmss2core -W",
  })),
  { starts: "KDMV", says: `a VMware disk (.vmdk); ${CRASH_DUMP}` },
  { starts: "vhdxfile", says: `a virtual disk (.vhdx); ${CRASH_DUMP}` },
  { starts: "MZ", says: "a PE image; pooltrail headers, imports and exports read those" },
  { starts: [0xff, 0xfe], says: "text in UTF-16, and no dump" },
  { starts: [0xef, 0xbb, 0xbf], says: "text in UTF-8, and no dump" },
];

/**
 * What a file is that is no kernel dump, and what to do, for the end of a sentence.
 *
 * @param head the file's first bytes; a few hundred are enough
 */
export function whatElse(head: Uint8Array): string {
  if (head.length === 0) return "an empty file; copy the dump again";
  const known = FOREIGN.find((foreign) => startsWith(head, foreign));
  if (known !== undefined) return known.says;
  const sample = head.subarray(0, 0x200);
  if (sample.every((byte) => byte === 0)) {
    return `zeros, as raw memory or an unfinished copy starts; ${CRASH_DUMP}`;
  }
  if (sample.every(isText)) return `text, and no dump; ${CRASH_DUMP}`;
  const start = hexDigits(sample.subarray(0, 8));
  return `${start}, which is no format known here, and too few bytes to be a machine's memory; ${CRASH_DUMP}`;
}

/** Whether a file is known to be something else than memory. */
export function isSomethingElse(head: Uint8Array): boolean {
  return FOREIGN.some((foreign) => startsWith(head, foreign)) || head.subarray(0, 0x200).every(isText);
}

function startsWith(head: Uint8Array, { starts, at = 0 }: Foreign): boolean {
  const expected = typeof starts === "string" ? Array.from(starts, (letter) => letter.charCodeAt(0)) : starts;
  return expected.every((byte, i) => head[at + i] === byte);
}

/** Of ASCII text: printable, or white space. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}
