import { Area, alignUp, ascii, concat } from "./bytes.mjs";
import { runsOf } from "./dump.mjs";
import { packPlain } from "./xpress.mjs";

const PAGE_SIZE = 0x1000;
const BLOCK_PAGES = 16;
const FIRST_TABLE = 6;

/** PO_MEMORY_IMAGE and its tables in Windows 7. From facts/hiberfil.md. */
const FORMS = {
  64: { size: 0x128, pageSize: 0x18, time: 0x20, firstTable: 0x60, count: 8, entries: 0x10, entry: 0x10 },
  32: { size: 0xe0, pageSize: 0x14, time: 0x18, firstTable: 0x4c, count: 4, entries: 8, entry: 8 },
};

/** @param {Uint8Array} plain whole pages @param {boolean} stored */
function blockOf(plain, stored) {
  const packed = stored ? plain : packPlain(plain);
  const data = packed.length < plain.length ? packed : plain;
  const block = new Area(0x20 + alignUp(data.length, 8));
  block.put(0, concat(Uint8Array.of(0x81, 0x81), ascii("xpress")));
  // 8 bits of pages, 2 of nothing, 22 of size
  block.u32(8, ((plain.length / PAGE_SIZE - 1) | ((data.length - 1) << 10)) >>> 0);
  return block.put(0x20, data).bytes;
}

/**
 * Writes the machine's memory as Windows 7 hibernates it: tables of ranges of pages, and behind each the packed pages.
 * @param {import("./machine.mjs").Machine} machine
 * @param {{ systemTime?: bigint, context?: Uint8Array, idt?: bigint, syscall?: bigint, single?: boolean, signature?: string }} [options]
 *   context, idt, syscall: of the processor. single: a range for each page, which takes more than one table
 */
export function writeHibernation7(
  machine,
  {
    systemTime = 0n,
    context = new Uint8Array(0),
    idt = 0n,
    syscall = 0n,
    single = false,
    signature = "HIBR",
  } = {},
) {
  const at = FORMS[machine.is64 ? 64 : 32];
  const room = Math.floor((PAGE_SIZE - at.entries) / at.entry);
  const pages = machine.pages();
  /** @type {[number, number][]} */
  const ranges = single ? [...pages.keys()].map((pfn) => [pfn, 1]) : runsOf(pages.keys());
  const word = (
    /** @type {Area} */ area,
    /** @type {number} */ offset,
    /** @type {number | bigint} */ value,
  ) => (machine.is64 ? area.u64(offset, value) : area.u32(offset, Number(value)));
  /** @type {Uint8Array[]} */
  const parts = [];
  let page = FIRST_TABLE;
  for (let first = 0; first < ranges.length; first += room) {
    const those = ranges.slice(first, first + room);
    const numbers = those.flatMap(([pfn, count]) => Array.from({ length: count }, (_, i) => pfn + i));
    /** @type {Uint8Array[]} */
    const blocks = [];
    for (let i = 0; i < numbers.length; i += BLOCK_PAGES) {
      const content = numbers
        .slice(i, i + BLOCK_PAGES)
        .map((pfn) => /** @type {Uint8Array} */ (pages.get(pfn)));
      blocks.push(blockOf(concat(...content), i % (4 * BLOCK_PAGES) === 0));
    }
    const body = concat(...blocks);
    const whole = concat(body, new Uint8Array(alignUp(body.length, PAGE_SIZE) - body.length));
    page += 1 + whole.length / PAGE_SIZE;
    const table = new Area(PAGE_SIZE);
    word(table, 0, first + room < ranges.length ? page : 0);
    table.u32(at.count, those.length);
    for (const [i, [pfn, count]] of those.entries()) {
      word(table, at.entries + i * at.entry, pfn);
      word(table, at.entries + i * at.entry + at.entry / 2, pfn + count);
    }
    parts.push(table.bytes, whole);
  }
  const head = new Area(FIRST_TABLE * PAGE_SIZE);
  head.ascii(0, signature).u32(0xc, at.size).u32(at.pageSize, PAGE_SIZE).u64(at.time, systemTime);
  word(head, at.firstTable, FIRST_TABLE);
  const special = PAGE_SIZE + (machine.is64 ? 0 : 0x2cc);
  head.put(PAGE_SIZE + (machine.is64 ? 0xe0 : 0), context.subarray(0, machine.is64 ? 0x4d0 : 0x2cc));
  for (const [i, value] of [
    0x80050031n,
    0n,
    machine.directoryTableBase,
    machine.is64 ? 0x6f8n : 0x6f9n,
  ].entries())
    word(head, special + i * machine.pointerSize, value);
  word(head, special + (machine.is64 ? 0x68 : 0x34), idt);
  if (machine.is64) head.u64(special + 0xc0, syscall);
  return concat(head.bytes, ...parts, new Uint8Array(4 * PAGE_SIZE));
}
