import { Area, concat } from "./bytes.mjs";
import { runsOf } from "./dump.mjs";
import { packHuffman, packPlain } from "./xpress.mjs";

/**
 * @typedef {"8.1" | "10" | "11" | "8.1-x86" | "10-x86"} HibernationForm
 * @typedef {"plain" | "huffman" | "stored" | "mixed"} Packing mixed: each set by another
 */

const PAGE_SIZE = 0x1000;
const SET_PAGES = 16;

/**
 * PO_MEMORY_IMAGE by Windows: its size, and where its fields stand. From facts/hiberfil.md.
 * @type {Record<HibernationForm, { bits: 32 | 64, size: number, boot: number, kernel: number, kernelPages: number, highest: number, fastStart?: number }>}
 */
const FORMS = {
  8.1: { bits: 64, size: 0x360, boot: 0x60, kernel: 0x68, kernelPages: 0x1c8, highest: 0x330 },
  10: {
    bits: 64,
    size: 0x3e0,
    boot: 0x68,
    kernel: 0x70,
    kernelPages: 0x230,
    highest: 0x398,
    fastStart: 0x364,
  },
  11: { bits: 64, size: 0x448, boot: 0x68, kernel: 0x70, kernelPages: 0x230, highest: 0x400 },
  "8.1-x86": { bits: 32, size: 0x2c8, boot: 0x50, kernel: 0x54, kernelPages: 0x1b0, highest: 0x2b0 },
  "10-x86": { bits: 32, size: 0x340, boot: 0x50, kernel: 0x54, kernelPages: 0x210, highest: 0x310 },
};

/** @param {readonly (readonly [pfn: number, bytes: Uint8Array])[]} pages @param {32 | 64} bits @param {(set: number) => Exclude<Packing, "mixed">} packing */
function chainOf(pages, bits, packing) {
  /** @type {Uint8Array[]} */
  const sets = [];
  for (let at = 0; at < pages.length; at += SET_PAGES) {
    const those = pages.slice(at, at + SET_PAGES);
    const runs = runsOf(those.map(([pfn]) => pfn));
    const plain = concat(...those.map(([, bytes]) => bytes));
    const how = packing(sets.length);
    const packed = how === "stored" ? plain : how === "plain" ? packPlain(plain) : packHuffman(plain);
    const data = packed.length < plain.length ? packed : plain;
    const width = bits / 8;
    const head = new Area(4 + runs.length * width);
    head.u32(0, (runs.length | (data.length << 8) | ((how === "huffman" ? 2 : 0) << 30)) >>> 0);
    for (const [i, [pfn, count]] of runs.entries()) {
      const value = BigInt(pfn) * 16n + BigInt(count - 1);
      if (bits === 64) head.u64(4 + i * 8, value);
      else head.u32(4 + i * 4, Number(value));
    }
    sets.push(concat(head.bytes, data));
  }
  return concat(...sets, new Uint8Array(4));
}

/** @param {Uint8Array} bytes */
const pagesOf = (bytes) => Math.ceil(bytes.length / PAGE_SIZE);

/**
 * Writes the machine's memory as Windows 8 and later hibernate it. The boot set has some of the kernel's pages too, as
 * they were before the kernel's last changes.
 * @param {import("./machine.mjs").Machine} machine
 * @param {{ form: HibernationForm, packing?: Packing, systemTime?: bigint, signature?: string, fastStart?: boolean, lengthSelf?: number }} options
 *   lengthSelf: another than that of the form
 */
export function writeHibernation(
  machine,
  { form, packing = "huffman", systemTime = 0n, signature = "HIBR", fastStart = false, lengthSelf },
) {
  const at = FORMS[form];
  const all = [...machine.pages()];
  const stale = new Uint8Array(PAGE_SIZE).fill(0xbb);
  const early = all.filter((_, i) => i % 5 === 0 && i < 200);
  const alone = early.filter((_, i) => i % 4 === 0);
  const inKernel = all.filter((page) => !alone.includes(page));
  const inBoot = early.map(([pfn, bytes], i) => {
    /** @type {[number, Uint8Array]} */
    const page = [pfn, i % 4 === 0 ? bytes : stale];
    return page;
  });
  const turns = /** @type {const} */ (["huffman", "plain", "stored"]);
  const how = (/** @type {number} */ set) => (packing === "mixed" ? (turns[set % 3] ?? "plain") : packing);
  const boot = chainOf(inBoot, at.bits, how);
  const kernel = chainOf(inKernel, at.bits, how);
  const bootPage = 3;
  const kernelPage = bootPage + pagesOf(boot) + 1;
  const file = new Area((kernelPage + pagesOf(kernel) + 4) * PAGE_SIZE);
  const page = (/** @type {number} */ offset, /** @type {number} */ value) =>
    at.bits === 64 ? file.u64(offset, value) : file.u32(offset, value);
  file.ascii(0, signature).u32(0xc, lengthSelf ?? at.size);
  file.u32(at.bits === 64 ? 0x18 : 0x14, PAGE_SIZE).u64(at.bits === 64 ? 0x20 : 0x18, systemTime);
  file.u64(at.bits === 64 ? 0x58 : 0x48, inBoot.length);
  page(at.boot, bootPage);
  page(at.kernel, kernelPage);
  file.u64(at.kernelPages, inKernel.length);
  page(at.highest, machine.physicalPages - 1);
  if (at.fastStart !== undefined) file.u8(at.fastStart, fastStart ? 1 : 0);
  file.put(bootPage * PAGE_SIZE, boot).put(kernelPage * PAGE_SIZE, kernel);
  return file.bytes;
}
