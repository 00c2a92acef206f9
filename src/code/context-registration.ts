import { advance, type Rva } from "../core/address.ts";
import type { Image } from "../pe/image.ts";

/** An entry of the array that a minifilter registers its contexts with. */
export interface ContextRegistration {
  readonly rva: Rva;
  /** FLT_CONTEXT_TYPE. */
  readonly type: number;
  /** Of one context, in bytes; `undefined` where it varies. */
  readonly size: number | undefined;
}

/** FLT_CONTEXT_REGISTRATION, as offsets. */
interface Layout {
  readonly cleanup: number;
  readonly size: number;
  readonly tag: number;
  readonly allocate: number;
  readonly free: number;
  readonly length: number;
}

/** By the size of pointers. */
const LAYOUTS: Readonly<Record<4 | 8, Layout>> = {
  4: { cleanup: 4, size: 8, tag: 0xc, allocate: 0x10, free: 0x14, length: 0x1c },
  8: { cleanup: 8, size: 0x10, tag: 0x18, allocate: 0x20, free: 0x28, length: 0x38 },
};

/** FLT_CONTEXT_END. */
const END = 0xffff;
/** Context types are single bits: volume, instance, file, stream, stream handle, transaction, section. */
const TYPES: ReadonlySet<number> = new Set([1, 2, 4, 8, 0x10, 0x20, 0x40]);
const MAX_CONTEXT_SIZE = 0xffff;
const VARIABLE_SIZE = { 4: 0xffffffffn, 8: 0xffffffffffffffffn } as const;

/**
 * The context registration whose pool tag stands at `rva`: told by its fields, and by what follows it, since only code
 * says what it is for.
 *
 * @see Windows driver documentation, "FLT_CONTEXT_REGISTRATION structure (fltkernel.h)"
 */
export function readContextRegistration(image: Image, rva: Rva): ContextRegistration | undefined {
  const layout = LAYOUTS[image.pointerSize];
  const start = rva - layout.tag;
  if (start < 0 || !importsFilterManager(image)) return undefined;
  const type = u16(image, start);
  const next = u16(image, start + layout.length);
  if (type === undefined || !TYPES.has(type) || next === undefined) return undefined;
  if (next !== END && !TYPES.has(next)) return undefined;
  const size = pointer(image, start + layout.size);
  const isVariable = size === VARIABLE_SIZE[image.pointerSize];
  if (size === undefined || (!isVariable && size > BigInt(MAX_CONTEXT_SIZE))) return undefined;
  for (const field of [layout.cleanup, layout.allocate, layout.free]) {
    const callback = pointer(image, start + field);
    if (callback === undefined) return undefined;
    const target = callback - image.base;
    if (callback !== 0n && (target < 0n || target >= BigInt(image.size))) return undefined;
  }
  return { rva: start as Rva, type, size: isVariable ? undefined : Number(size) };
}

function importsFilterManager(image: Image): boolean {
  const { slots } = image.imports;
  return slots.some(({ declared }) => declared === undefined || /^fltmgr\.sys$/i.test(declared.dll ?? ""));
}

function u16(image: Image, rva: number): number | undefined {
  const bytes = image.space.tryRead(advance(image.base, rva), 2);
  return bytes === undefined ? undefined : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

function pointer(image: Image, rva: number): bigint | undefined {
  return image.space.tryReadPointer(advance(image.base, rva));
}
