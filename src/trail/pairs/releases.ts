import type { Release } from "./pair.ts";
import { by } from "./rows.ts";

/** The UNICODE_STRING's or ANSI_STRING's buffer. */
export const STRING_BUFFER = { 4: 4, 8: 8 } as const;

const POOL_FREES = ["ExFreePool", "ExFreePoolWithTag", "ExFreePool2"] as const;

/** Plain frees of pool memory; the tag that two of them name need not be the one that was allocated with. */
export const FREE: readonly Release[] = by(1, ...POOL_FREES);
/** The same, of a string's buffer. */
export const FREE_BUFFER: readonly Release[] = POOL_FREES.map((name) => ({
  name,
  argument: 1,
  takes: { field: STRING_BUFFER },
}));

/** ObDereferenceObject is exported, too, though headers since Windows XP make it ObfDereferenceObject. */
export const DEREFERENCE: readonly Release[] = by(
  1,
  "ObfDereferenceObject",
  "ObDereferenceObject",
  "ObfDereferenceObjectWithTag",
  "ObDereferenceObjectWithTag",
  "ObDereferenceObjectDeferDelete",
  "ObDereferenceObjectDeferDeleteWithTag",
);

/** DUPLICATE_CLOSE_SOURCE. */
const CLOSE_SOURCE = [{ argument: 7, is: { bits: 1 } }] as const;
export const CLOSE: readonly Release[] = [
  // FltClose is for what FltCreateFile and its like give, and closes any handle.
  ...by(1, "ZwClose", "NtClose", "ObCloseHandle", "FltClose"),
  { name: "ZwDuplicateObject", argument: 2, when: CLOSE_SOURCE },
  { name: "NtDuplicateObject", argument: 2, when: CLOSE_SOURCE },
];

/** NDIS has its own names for the I/O manager's function, which takes an MDL of any origin. */
export const FREE_MDL: readonly Release[] = by(1, "IoFreeMdl", "NdisFreeMdl", "NdisFreeBuffer");
