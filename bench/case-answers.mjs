/**
 * Small sets of images about which a right answer is known: what each case's README says under "Right". The images are
 * built by the case's own script, from sources that stand beside the project (`POOLTRAIL_CASES`, or
 * `../shared/data/cases`); where they are absent, tests and benchmark say so.
 *
 * `culprit` is the module that must be named, null where nobody may be; left out where the case does not decide it.
 * `first` is the first suspect, of whom the case does not say whether it can be named: it calls at its start only.
 * `innocent` may never be named. `lowest` is the least confidence that is right for the culprit.
 *
 * @typedef {"low" | "medium" | "high"} Confidence
 * @typedef {{
 *   case: string, sources: readonly string[], tag: string, culprit?: string | null, first?: string, lowest?: Confidence,
 *   innocent?: readonly string[], apis?: readonly string[], noApis?: readonly string[], use?: readonly (readonly [module: string, use: readonly string[], count: number])[],
 * }} CaseAnswer sources: assembly files, in the folder of the case. use: in that module the tag stands that often, with one of these uses
 */

const BUS = ["nt.s", "abcbus.s", "xyzav.s"];

/** @type {readonly CaseAnswer[]} */
export const CASE_ANSWERS = [
  {
    case: "indirect-balanced-library",
    sources: ["nt.s", "abclib.s", "user1.s"],
    tag: "Irp ",
    culprit: null,
    innocent: ["user1", "abclib", "nt"],
  },
  // Whether irpleak leaks, its README leaves open: its Done frees an IRP that it is handed.
  {
    case: "irp-pointer-variable",
    sources: ["nt.s", "abclib.s", "irpleak.s"],
    tag: "Irp ",
    innocent: ["abclib", "nt"],
    apis: ["IoAllocateIrp"],
  },
  { case: "key-nt-accused", sources: ["nt.s", "hal.s"], tag: "Key ", innocent: ["nt"] },
  {
    case: "key-nt-accused",
    sources: ["nt.s", "balanced/hal.s"],
    tag: "Key ",
    culprit: null,
    innocent: ["nt", "hal"],
  },
  {
    case: "lookup-cfg",
    sources: ["nt.s", "lookcfg.s"],
    tag: "Se  ",
    culprit: "lookcfg",
    apis: ["SeQueryInformationToken"],
  },
  { case: "lookup-cfg", sources: ["nt.s", "lookplain.s"], tag: "Se  ", culprit: "lookplain" },
  {
    case: "minifilter-excused",
    sources: ["nt.s", "fltmgr.s", "leakflt.s"],
    tag: "Se  ",
    culprit: "leakflt",
    lowest: "high",
    innocent: ["fltmgr", "nt"],
  },
  {
    case: "minifilter-excused",
    sources: ["nt.s", "fltmgr.s", "leakdrv.s"],
    tag: "Se  ",
    culprit: "leakdrv",
    lowest: "high",
    innocent: ["fltmgr", "nt"],
  },
  {
    case: "ndis-timer-tag",
    sources: ["nictimer.s"],
    tag: "RMTN",
    use: [["nictimer", ["lookaside", "allocate"], 1]],
  },
  {
    case: "order-of-calls",
    sources: ["nt.s", "early.s"],
    tag: "Se  ",
    culprit: "early",
    lowest: "high",
    apis: ["SeQueryInformationToken"],
    noApis: ["PsTerminateSystemThread"],
  },
  {
    case: "order-of-calls",
    sources: ["nt.s", "late.s"],
    tag: "Se  ",
    culprit: "late",
    lowest: "high",
    apis: ["SeQueryInformationToken"],
    noApis: ["PsTerminateSystemThread"],
  },
  ...["Toke", "Thre", "Sect", "Even", "Strg"].map((tag) => ({
    case: "pairs-missing",
    sources: ["nt.s", "opener.s"],
    tag,
    culprit: "opener",
    innocent: ["nt"],
  })),
  {
    case: "release-on-one-path",
    sources: ["nt.s", "fltmgr.s", "spoolflt.s", "goodflt.s"],
    tag: "FMfn",
    culprit: "spoolflt",
    innocent: ["goodflt", "fltmgr", "nt"],
  },
  {
    case: "strg",
    sources: ["nt.s", "strleak.s", "strfine.s"],
    tag: "Strg",
    first: "strleak",
    innocent: ["strfine", "nt"],
    apis: ["RtlCreateUnicodeString", "RtlAnsiStringToUnicodeString"],
  },
  {
    case: "tag-in-global",
    sources: ["nt.s", "mapdrv.s"],
    tag: "MmSt",
    first: "mapdrv",
    innocent: ["nt"],
    apis: ["MmMapSection"],
    use: [["nt", ["allocate"], 1]],
  },
  {
    case: "tag-in-global",
    sources: ["nt.s", "gtag.s"],
    tag: "GlTg",
    first: "gtag",
    use: [["gtag", ["allocate"], 1]],
  },
  { case: "toke-bus-driver", sources: BUS, tag: "Toke", culprit: "xyzav", innocent: ["abcbus", "nt"] },
  {
    case: "toke-bus-driver",
    sources: ["nt-thread.s", "abcbus.s", "zdk.s"],
    tag: "Thre",
    culprit: "zdk",
    innocent: ["abcbus", "nt"],
  },
  {
    case: "wfp-chain",
    sources: ["nt.s", "netio.s", "fwpkclnt.s", "proxyleak.s", "proxyfine.s"],
    tag: "Fecf",
    culprit: "proxyleak",
    innocent: ["proxyfine", "fwpkclnt", "netio", "nt"],
  },
];
