import { random } from "../writer/bytes.mjs";

/**
 * The article's `!poolused /t10 4`, and the rows that it does not show, so that its TOTAL line comes out.
 * @typedef {{ tag: string, nonPaged: readonly [outstanding: number, bytes: number], paged: readonly [number, number] }} Total
 */

/** The 16 rows, in the article's order. @type {readonly Total[]} */
const SHOWN = [
  { tag: "Se  ", nonPaged: [0, 0], paged: [172204, 232720312] },
  { tag: "MmSt", nonPaged: [0, 0], paged: [15231, 31835696] },
  { tag: "Ntff", nonPaged: [9, 1872], paged: [10434, 8514144] },
  { tag: "WD  ", nonPaged: [384, 1251376], paged: [27, 5591040] },
  { tag: "UlHT", nonPaged: [0, 0], paged: [1, 4198400] },
  { tag: "NtfF", nonPaged: [0, 0], paged: [3259, 3050424] },
  { tag: "Toke", nonPaged: [0, 0], paged: [966, 3034216] },
  { tag: "NtFs", nonPaged: [13717, 551176], paged: [19678, 1758008] },
  { tag: "IoNm", nonPaged: [0, 0], paged: [12034, 1737360] },
  { tag: "FSim", nonPaged: [0, 0], paged: [11336, 1451008] },
  { tag: "CM16", nonPaged: [0, 0], paged: [293, 1437696] },
  { tag: "Wmit", nonPaged: [6, 11392], paged: [23, 1376912] },
  { tag: "NtFU", nonPaged: [0, 0], paged: [8719, 1237232] },
  { tag: "Obtb", nonPaged: [0, 0], paged: [397, 995600] },
  { tag: "Key ", nonPaged: [0, 0], paged: [7245, 753432] },
  { tag: "MmSm", nonPaged: [0, 0], paged: [11393, 729152] },
];

/** The article's last line. */
const TOTAL = {
  nonPaged: /** @type {const} */ ([192495, 33751032]),
  paged: /** @type {const} */ ([347461, 310172416]),
};

/** Tags that a kernel seeds before any other, then others that such a machine has. */
const NONPAGED_TAGS = `Io   Hal  MdlP Pool ObSt|Irp  NDdb IrpL IoOp Mdl  File Thre Proc Even Sema Muta Vad  VadS VadF Devi Driv Ddk  DDK
  Wait Port LpcM Mm   MmCa MmCm MmDb MmDT MmPg Cc   CcSc CcVa CcWk CcBc Ntf0 NtfC NtfI NtfV Ntfr Nb03 Nb08 NbtD TCPc TCPA TCPt TCPT TCht AfdC AfdE AfdB AfdP AfdA
  NDpp NDpb NDam NDan NDST PcNw Usbd USBH HidC Ppio Pcta PciB Scsi Ps   PsEx KAPC KSem Ke   Keth DCmn Dpwr WmiP WmiR WmiD Wmip Dfs  Mup  MupX RxIr RxVn RxNr RxCx
  LSwi LSwn LSwr LStd LScn smS1 smXc SmMs SmCm SmOe SmEx Srv0 NpFr NpFs NpFw NpFc MsFc Fats FatF FatI FatN FatV FatB FMfn FMfc FMsl FMis FMvo FMcn FMos
  UlRe UlCo UlBf UlCE IPCs IPSc IpFw IpIo Gre0 Gtmp TSwd TSic KsoO Ksbo VoSb VoSx VoSm FtC  ScDi ScCl ScLA ScNp AcpD AcpM AcpI AcpO AcpR Tdx0 Tdx1 Rasn RaWn`;
const PAGED_TAGS = `CM   CM25 CM29 CM31 CMVa CMNb CMDa CMVI CMDc CMAl CMVw ObDi ObNm ObSc ObSq ObHd Sect Symt Dire SymL Gla1 Gla4 Gla5 Gcac Gpff Gfnt Ttfd Ttmp Usac Uscu Usqm Ussm Uspi
  PsIn PsJb PsQb PsTf Atom AtmA AtmT LpcP LpcZ EtwG MmSe MmIn MmLd MmRg MmSy NtFd NtFA NtFI NtFL NtFQ NtFR NtFX Ntf1 Ntf9 NtfD NtfE NtfQ NtfS SeAc SeAp SeHn SeOp SePr
  SeSb SeSd SeTI SeUs TokD RxFc RxNt RxSh SmFc SmSr LSac LSbf LScd LSfn LSsd LSsf UlCC UlUC UlRB DfsC DfsF FIcs FOCX FSrd FSro FMsc FMnc PfFN PfTe VWin Wl2n`;
const THIRD_PARTY_TAGS = `ABCm ABCc ABCs ABCq XVhd XVhb XVhq xyz0 xyzT eeCx eeCb eeCq ABCD ABDx LmnA LmnQ DynL QaB1 QaB2 Zt01 Zt02 Zt03 Zt04 Vq10 Vq11 Vq12 Bk01 Bk02 Bk03 Sv01 Sv02 Hp01 Hp02 Hp03`;
/** @param {string} list tags in fields of five columns, a line's own blanks apart */
const tagsOf = (list) =>
  list.split("\n").flatMap((line) =>
    line
      .trimStart()
      .split(/[ |]/)
      .reduce((/** @type {string[]} */ out, word) => {
        if (word !== "") out.push(word.padEnd(4, " ").slice(0, 4));
        return out;
      }, []),
  );

/**
 * Shares out what is left of a total over tags, so that the sum is exact.
 * @param {readonly string[]} tags @param {number} count allocations @param {number} bytes a multiple of 8 @param {number} seed
 * @returns {Map<string, [number, number]>}
 */
function shareOut(tags, count, bytes, seed) {
  const next = random(seed);
  const weights = tags.map(() => 1 / (3 + next(60)));
  const spread = tags.map((_, i) => /** @type {number} */ (weights[i]) * (0.6 + next(80) / 100));
  const sum = weights.reduce((a, b) => a + b, 0);
  const spreadSum = spread.reduce((a, b) => a + b, 0);
  /** @type {Map<string, [number, number]>} */
  const shares = new Map();
  let countLeft = count;
  let bytesLeft = bytes;
  tags.forEach((tag, i) => {
    const last = i === tags.length - 1;
    const n = last ? countLeft : Math.floor((count * /** @type {number} */ (weights[i])) / sum);
    const b = last ? bytesLeft : Math.floor((bytes * /** @type {number} */ (spread[i])) / spreadSum / 8) * 8;
    if (n <= 0 || b < 16 * n) throw new RangeError(`${tag}: ${n} allocations of ${b} bytes`);
    countLeft -= n;
    bytesLeft -= b;
    shares.set(tag, [n, b]);
  });
  return shares;
}

/**
 * All rows. @param {{ processes: number, threads: number }} live objects that the dump holds: their tags count just these
 * @returns {Total[]}
 */
export function allRows({ processes, threads }) {
  const shown = new Set(SHOWN.map((row) => row.tag));
  const unique = (/** @type {string[]} */ tags) => [...new Set(tags)].filter((tag) => !shown.has(tag));
  /** @type {Map<string, [number, number]>} */
  const live = new Map([
    ["Proc", [processes, processes * 0x2a0]],
    ["Thre", [threads, threads * 0x280]],
  ]);
  const nonPagedTags = unique([...tagsOf(NONPAGED_TAGS), ...tagsOf(THIRD_PARTY_TAGS)]).filter(
    (tag) => !live.has(tag),
  );
  const pagedTags = unique([
    ...tagsOf(PAGED_TAGS),
    ...tagsOf(THIRD_PARTY_TAGS).filter((_, i) => i % 3 === 0),
  ]);
  const left = (/** @type {"nonPaged" | "paged"} */ pool, /** @type {0 | 1} */ which) =>
    TOTAL[pool][which] - SHOWN.reduce((n, row) => n + row[pool][which], 0);
  const liveSum = (/** @type {0 | 1} */ which) => [...live.values()].reduce((n, pair) => n + pair[which], 0);
  const nonPaged = shareOut(
    nonPagedTags,
    left("nonPaged", 0) - liveSum(0),
    left("nonPaged", 1) - liveSum(1),
    314,
  );
  const paged = shareOut(pagedTags, left("paged", 0), left("paged", 1), 159);
  for (const [tag, pair] of live) nonPaged.set(tag, pair);
  const order = unique([...tagsOf(NONPAGED_TAGS), ...tagsOf(PAGED_TAGS), ...tagsOf(THIRD_PARTY_TAGS)]);
  const rows = [
    ...SHOWN,
    ...order.map((tag) => ({
      tag,
      nonPaged: nonPaged.get(tag) ?? /** @type {[number, number]} */ ([0, 0]),
      paged: paged.get(tag) ?? /** @type {[number, number]} */ ([0, 0]),
    })),
  ];
  for (const row of rows.slice(SHOWN.length))
    if (row.paged[1] >= 729152) throw new RangeError(`${row.tag} would be among the first 16`);
  return rows;
}

/** Frees for each allocation that is outstanding; the leak's tag frees much less than its neighbours. @param {string} tag @param {(limit: number) => number} next */
const churn = (tag, next) => (tag === "Se  " ? 2 : tag === "UlHT" ? 0 : 20 + next(900));

/**
 * Splits the totals over processors as work does: memory allocated on one is freed on another, so that no
 * processor's own difference means anything.
 * @param {readonly Total[]} rows @param {number} processors
 * @returns {import("../writer/tracker.mjs").Row[][]} by processor
 */
export function splitOverProcessors(rows, processors) {
  const next = random(2013);
  /** @type {import("../writer/tracker.mjs").Row[][]} */
  const tables = Array.from({ length: processors }, () => []);
  for (const { tag, nonPaged, paged } of rows) {
    const split = (/** @type {readonly [number, number]} */ [outstanding, bytes]) => {
      if (outstanding === 0) return undefined;
      const frees =
        Math.min(outstanding * churn(tag, next), 400_000_000) + next(1000) * (tag === "UlHT" ? 0 : 1);
      const each = bytes / outstanding;
      const allocShare = [0.13, 0.41, 0.27, 0.19];
      const freeShare = [0.37, 0.18, 0.2, 0.25];
      let allocsLeft = frees + outstanding;
      let freesLeft = frees;
      let bytesLeft = bytes;
      return tables.map((_, cpu) => {
        const last = cpu === processors - 1;
        const allocs = last
          ? allocsLeft
          : Math.floor((frees + outstanding) * /** @type {number} */ (allocShare[cpu]));
        const freed = last ? freesLeft : Math.floor(frees * /** @type {number} */ (freeShare[cpu]));
        const net = last ? bytesLeft : Math.round(((allocs - freed) * each) / 8) * 8;
        allocsLeft -= allocs;
        freesLeft -= freed;
        bytesLeft -= net;
        return { allocs, frees: freed, bytes: net };
      });
    };
    const bothPools = [split(nonPaged), split(paged)];
    tables.forEach((table, cpu) => {
      const [np, p] = [bothPools[0]?.[cpu], bothPools[1]?.[cpu]];
      const touched = [np, p].some((c) => c !== undefined && (c.allocs !== 0 || c.frees !== 0));
      if (cpu === 0 || touched) table.push({ tag, ...(np && { nonPaged: np }), ...(p && { paged: p }) });
    });
  }
  return tables;
}

/** Allocations of a page and more that the article's rows can be made of: tag, pages of each. @returns {{ tag: string, pages: number }[]} */
export function bigAllocations() {
  const entry = (/** @type {string} */ tag, /** @type {number} */ pages, /** @type {number} */ count) =>
    Array.from({ length: count }, () => ({ tag, pages }));
  // UlHT 1 × 4,198,400; WD 27 allocations in 1,365 pages; CM16 293 in 351 pages: each row's bytes to the digit
  return [
    ...entry("UlHT", 1025, 1),
    ...entry("WD  ", 51, 15),
    ...entry("WD  ", 50, 12),
    ...entry("CM16", 1, 264),
    ...entry("CM16", 3, 29),
    ...entry("MmSt", 2, 40),
    ...entry("Se  ", 1, 18),
    ...entry("Se  ", 2, 5),
    ...entry("Obtb", 1, 60),
  ];
}
