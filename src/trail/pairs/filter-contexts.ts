import type { Acquirer, Condition } from "./pair.ts";
import { by, byAddress, group, inside, isSet, isZero, onto, out, type Row } from "./rows.ts";

const RELEASE = by(1, "FltReleaseContext");

/** The context that was there comes out where it was taken away. */
const taken = (name: string, count: number): Row => [
  name,
  count,
  out(count),
  "fltkernel.h",
  "",
  { when: [isSet(count)] },
];

/** STATUS_FLT_CONTEXT_ALREADY_DEFINED. */
const ALREADY_DEFINED = 0xc01c0002;

/**
 * The context that was there comes out where another replaces it, and may be none then; where it is to be kept if it is
 * there (FLT_SET_CONTEXT_KEEP_IF_EXISTS), it comes out only with an error that says so.
 */
const set = (name: string, count: number): readonly Row[] => {
  const operation = count - 2;
  const row = (more: NonNullable<Row[5]>): Row => [name, count, out(count), "fltkernel.h", "", more];
  return [
    row({ fails: "null", when: [isSet(count), isZero(operation)] }),
    row({ fails: { only: ALREADY_DEFINED }, when: [isSet(count), isSet(operation)] }),
  ];
};

/**
 * Contexts of minifilters, counted by reference; their tag is the driver's own, out of its registration. Setting
 * one adds a reference of the filter manager's and leaves the caller's, who gets it from FltAllocateContext or a
 * Get and must release it either way.
 *
 * @see Windows driver documentation, "Releasing Contexts"
 */
export const FILTER_CONTEXTS: readonly Acquirer[] = [
  ...group({ fails: "status", releases: RELEASE, what: "reference" }, [
    ["FltAllocateContext", 5, out(5), "fltkernel.h", "", { what: "memory" }],
    ["FltReferenceContext", 1, onto(1), "fltkernel.h", "", { fails: "never" }],
    ["FltGetFileContext", 3, out(3), "fltkernel.h"],
    ["FltGetInstanceContext", 2, out(2), "fltkernel.h"],
    ["FltGetSectionContext", 3, out(3), "fltkernel.h"],
    ["FltGetStreamContext", 3, out(3), "fltkernel.h"],
    ["FltGetStreamHandleContext", 3, out(3), "fltkernel.h"],
    ["FltGetTransactionContext", 3, out(3), "fltkernel.h"],
    ["FltGetVolumeContext", 3, out(3), "fltkernel.h"],
    ...set("FltSetFileContext", 5),
    ...set("FltSetInstanceContext", 4),
    ...set("FltSetStreamContext", 5),
    ...set("FltSetStreamHandleContext", 5),
    ...set("FltSetTransactionContext", 5),
    ...set("FltSetVolumeContext", 4),
    taken("FltDeleteFileContext", 3),
    taken("FltDeleteInstanceContext", 2),
    taken("FltDeleteStreamContext", 3),
    taken("FltDeleteStreamHandleContext", 3),
    taken("FltDeleteTransactionContext", 3),
    taken("FltDeleteVolumeContext", 3),
  ]),
  // The caller's structure holds one of each kind that was wanted and is there.
  ...group({ fails: "never", releases: byAddress(1, "FltReleaseContexts"), what: "reference" }, [
    ["FltGetContexts", 3, inside(3), "fltkernel.h"],
  ]),
  ...group({ fails: "status", releases: byAddress(2, "FltReleaseContextsEx"), what: "reference" }, [
    ["FltGetContextsEx", 4, inside(4), "fltkernel.h"],
  ]),
  // A section holds its context: closing it drops what FltCreateSectionForDataScan added.
  ...group({ fails: "status", releases: by(1, "FltCloseSectionForDataScan"), what: "registration" }, [
    ["FltCreateSectionForDataScan", 12, onto(3), "fltkernel.h"],
  ]),
];

/** By FLT_CONTEXT_TYPE. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x01, "Volume"],
  [0x02, "Instance"],
  [0x04, "File"],
  [0x08, "Stream"],
  [0x10, "StreamHandle"],
  [0x20, "Transaction"],
  [0x40, "Section"],
]);

/** What gives contexts of some types to whoever registered them. */
export function contextAcquirers(types: ReadonlySet<number>): readonly Acquirer[] {
  const others = [...KINDS].filter(([type]) => !types.has(type));
  const isOfOther = ({ name }: Acquirer) =>
    others.some(([, kind]) => name.endsWith(`${kind}Context`) || name.endsWith(`${kind}ForDataScan`));
  const ofThese: Condition = { argument: 2, is: { noneOf: others.map(([type]) => type) } };
  return FILTER_CONTEXTS.filter((row) => !isOfOther(row)).map((row) =>
    row.name === "FltAllocateContext" ? { ...row, when: [ofThese] } : row,
  );
}
