import type { Acquirer, Condition } from "./pair.ts";
import { by, byAddress, group, inside, isSet, onto, out, type Row } from "./rows.ts";

const RELEASE = by(1, "FltReleaseContext");

/**
 * The context that was there comes out of a Set with "keep if it exists" as of a replacing one, so a failing status
 * does not say that none came: NULL does.
 */
const old = (name: string, count: number): Row => [
  name,
  count,
  out(count),
  "fltkernel.h",
  "",
  { fails: "null", when: [isSet(count)] },
];

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
    old("FltSetFileContext", 5),
    old("FltSetInstanceContext", 4),
    old("FltSetStreamContext", 5),
    old("FltSetStreamHandleContext", 5),
    old("FltSetTransactionContext", 5),
    old("FltSetVolumeContext", 4),
    old("FltDeleteFileContext", 3),
    old("FltDeleteInstanceContext", 2),
    old("FltDeleteStreamContext", 3),
    old("FltDeleteStreamHandleContext", 3),
    old("FltDeleteTransactionContext", 3),
    old("FltDeleteVolumeContext", 3),
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
