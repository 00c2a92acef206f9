import { STRING_INITIALISERS } from "../../code/looked-up.ts";
import type { FieldOffset } from "./pair.ts";
import { STRING_BUFFER } from "./releases.ts";

/** A documented function that writes one argument into the structure that another one points to. */
export interface Put {
  readonly what: number;
  readonly into: number;
  readonly offset: FieldOffset;
}

const BUFFER: Put = { what: 2, into: 1, offset: STRING_BUFFER };

const BITMAP: Put = { what: 2, into: 1, offset: { 4: 4, 8: 8 } };

/** By the functions' pages in wdm.h, ntddk.h, ntifs.h and ndis.h, and the structures' of UNICODE_STRING, RTL_BITMAP and SECURITY_DESCRIPTOR. */
const PUTS: ReadonlyMap<string, Put> = new Map<string, Put>([
  ...[...STRING_INITIALISERS].map((name) => [name, BUFFER] as const),
  ["RtlInitializeBitMap", BITMAP],
  ["RtlInitializeBitMapEx", BITMAP],
  ["RtlSetOwnerSecurityDescriptor", { what: 2, into: 1, offset: { 4: 4, 8: 8 } }],
  ["RtlSetGroupSecurityDescriptor", { what: 2, into: 1, offset: { 4: 8, 8: 0x10 } }],
  ["RtlSetSaclSecurityDescriptor", { what: 3, into: 1, offset: { 4: 0xc, 8: 0x18 } }],
  ["RtlSetDaclSecurityDescriptor", { what: 3, into: 1, offset: { 4: 0x10, 8: 0x20 } }],
]);

export function putNamed(name: string): Put | undefined {
  return PUTS.get(name);
}
