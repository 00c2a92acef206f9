import { random } from "./bytes.mjs";

/** @typedef {import("./tracker.mjs").Row} Row */

/** Tags that any machine has, by pool. */
const NON_PAGED =
  "File Irp  Mdl  Even Sema Muta Thre Proc Devi Driv Dmaa IoWI IoDn IoUs KDNF KSob Pool MmCa MmPb MmDb MmRl MmTp MmWe MmSd MmCi Vad  VadS VadF VadL AlMs AlIn AlRe AlSe WfpM WfpH Nbtl NDnd NDpp NDam Ndpb TcpE TcpI TcpR UdpA IPsk IPnc InPa InNP AfdB AfdC AfdE AfdP AfdR AfdX Usbp UsbD USHB HidC HidP StoP SCma Scs$ PcSc Pnp8 PpDn Ppcr PoPd Powr EtwB EtwD EtwG EtwR Etwr WmiR WmIG VoSm Vfs1 Vfsh Wdf8 WdFw DxgK Dxgp VidL VidM Gfnt".split(
    / +/,
  );
const PAGED =
  "IoNm ObNm ObSq ObDi ObSt Obtb ObRt Key  CM16 CM25 CM31 CMpb CMkb CMnb CMvi CMAl CIha CIcr Toke SeTl SeUs SePa SeLw SeTk SeSd Sect SeAt MmSt MmSm MmSb MmRe MmEx MmIm MmLd NtFs Ntff NtfF NtfC Ntfn NtfD NtFB NtFC NtFL NtFQ NtFS NtFU Ntfo Ntf0 Ntfi FSim FSro FSrN FSun FMfn FMsl FMic FMrl FMvo Luaf LxCo PsJb PsQb PsIn PsFn PsSr UlHT UlLP UlRP UlSC Uspi Usac Ussw Gh05 Gla1 Gla5 Gla8 Glnk Gpff Gsys Gtmp ScCi ScDc ScIo CcSc CcVp CcBc WPAD Wmit Strg Symb SmMs SmSt smBt".split(
    / +/,
  );
const SIZES = [
  0x20, 0x30, 0x40, 0x50, 0x60, 0x80, 0xa0, 0xc0, 0x100, 0x150, 0x1b0, 0x200, 0x290, 0x3c0, 0x580, 0x800,
];

/** @param {string} tag */
const padded = (tag) => tag.padEnd(4, " ").slice(0, 4);

/**
 * Some 170 tags with the numbers of a healthy machine: nearly all that was allocated was freed.
 * @param {{ seed: number, word: number, without?: readonly string[], busy?: number }} options word: 8 or 4, the size of a pointer. busy: scales the counts
 * @returns {Row[]}
 */
export function innocentTags({ seed, word, without = [], busy = 1 }) {
  const next = random(seed);
  const row = (/** @type {string} */ tag, /** @type {boolean} */ paged) => {
    const size = /** @type {number} */ (SIZES[next(SIZES.length)]) * (word === 4 ? 0.75 : 1);
    const unit = word * 2;
    const rounded = Math.ceil(size / unit) * unit;
    const live = 3 + Math.floor((next(40) * next(40) * next(9) * busy * 0x60) / rounded);
    const frees = live * (1 + next(30)) + next(50000);
    const counts = { allocs: live + frees, frees, bytes: live * rounded };
    return /** @type {Row} */ (paged ? { tag, paged: counts } : { tag, nonPaged: counts });
  };
  return [...NON_PAGED.map((t) => row(padded(t), false)), ...PAGED.map((t) => row(padded(t), true))].filter(
    (r) => !without.includes(r.tag),
  );
}

/**
 * Shares a machine's counts out over its processors: who frees is not who allocated, so that one table's differences
 * say nothing.
 * @param {readonly Row[]} rows @param {{ processors: number, seed: number, shares?: Readonly<Record<string, { allocs: readonly number[], frees: readonly number[] }>> }} options shares: of a tag, each processor's share of its paged counts, in order
 * @returns {Row[][]} by processor
 */
export function shareOut(rows, { processors, seed, shares = {} }) {
  const next = random(seed);
  /** @type {Row[][]} */
  const tables = Array.from({ length: processors }, () => []);
  const parts = (/** @type {number} */ total, /** @type {readonly number[]} */ weights) => {
    const sum = weights.reduce((a, b) => a + b, 0);
    const out = weights.map((w) => Math.floor((total * w) / sum));
    out[processors - 1] =
      /** @type {number} */ (out[processors - 1]) + total - out.reduce((a, b) => a + b, 0);
    return out;
  };
  const weights = () => Array.from({ length: processors }, () => 1 + next(20));
  for (const { tag, ...pools } of rows) {
    /** @type {Row[]} */
    const made = tables.map(() => ({ tag }));
    for (const pool of /** @type {const} */ (["nonPaged", "paged"])) {
      const counts = pools[pool];
      if (counts === undefined) continue;
      const [allocs, frees, bytes] = [counts.allocs, counts.frees, counts.bytes].map(Number);
      const a = parts(/** @type {number} */ (allocs), shares[tag]?.allocs ?? weights());
      const f = parts(/** @type {number} */ (frees), shares[tag]?.frees ?? weights());
      const live = /** @type {number} */ (allocs) - /** @type {number} */ (frees);
      const each = live === 0 ? 0x40 : /** @type {number} */ (bytes) / live;
      let left = /** @type {number} */ (bytes);
      made.forEach((row, i) => {
        const here = i === processors - 1 ? left : Math.round(((a[i] ?? 0) - (f[i] ?? 0)) * each);
        left -= here;
        row[pool] = {
          allocs: /** @type {number} */ (a[i]),
          frees: /** @type {number} */ (f[i]),
          bytes: BigInt(here),
        };
      });
    }
    made.forEach((row, i) => {
      const used = Object.values(row).some(
        (c) => typeof c === "object" && (Number(c.allocs) !== 0 || Number(c.frees) !== 0),
      );
      if (used || i === 0) /** @type {Row[]} */ (tables[i]).push(row);
    });
  }
  return tables;
}

/** What all tags hold. @param {readonly Row[]} rows @returns {{ nonPaged: number, paged: number }} bytes */
export function totalBytes(rows) {
  const sum = (/** @type {"nonPaged" | "paged"} */ pool) =>
    rows.reduce((n, r) => n + Number(r[pool]?.bytes ?? 0), 0);
  return { nonPaged: sum("nonPaged"), paged: sum("paged") };
}
