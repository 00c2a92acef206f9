import { advance } from "../core/address.ts";
import { pointerBytes } from "../core/bytes.ts";
import { MAX_WDF_BIND_PLACES } from "../core/limits.ts";
import { utf16Bytes } from "../core/text.ts";
import { findPatterns } from "../memory/search.ts";
import type { ImportTable } from "../pe/imports.ts";
import { sectionSpan } from "../pe/sections.ts";
import type { Atom } from "./abstract-value.ts";
import type { ImageCode } from "./functions.ts";
import { wdfName } from "./wdf-names.ts";

/**
 * WDF_BIND_INFO, with which a driver asks the framework's loader for its functions, as offsets.
 *
 * @see KMDF, wdfldr: Size, Component, Version (three numbers), FuncCount, FuncTable, Module
 */
interface Layout {
  readonly length: number;
  readonly component: number;
  readonly version: number;
  readonly count: number;
  readonly table: number;
}
/** By the size of pointers. */
const LAYOUTS: Readonly<Record<4 | 8, Layout>> = {
  4: { length: 0x20, component: 4, version: 8, count: 0x14, table: 0x18 },
  8: { length: 0x30, component: 8, version: 0x10, count: 0x1c, table: 0x20 },
};

/** `KmdfLibrary`, the only component with kernel-mode functions. */
const COMPONENT = utf16Bytes("KmdfLibrary\0");
const MAX_FUNCTIONS = 1024;
/** WdfDriverCreate, WdfMemoryCreate, WdfLookasideListCreate. */
const TAKE_TAGS: ReadonlySet<number> = new Set([116, 192, 198]);

/** Where a driver has the framework's functions. */
interface Bound {
  /** FuncTable. */
  readonly rva: number;
  readonly count: number;
  /** The functions' addresses stand there; else the address of a table does. */
  readonly inImage: boolean;
}

/**
 * Names the functions of the framework (KMDF) that a driver calls by their places in a table. When the driver starts,
 * the framework's loader fills either a table in the driver's own image or a pointer to one, by the version of KMDF that
 * the driver was built with. WDF_BIND_INFO tells where; the code tells which of both.
 */
export class WdfTable {
  readonly #image: ImageCode;
  /** As far as the imports tell. */
  readonly isUsed: boolean;
  /** More than `MAX_WDF_BIND_PLACES` places may tell where the table is, and it was not found at those. */
  readonly cut: boolean;
  readonly #bound: Bound | undefined;

  constructor(image: ImageCode) {
    this.#image = image;
    this.isUsed = usesFramework(image);
    const found = this.isUsed ? findBound(image) : undefined;
    this.cut = found === "limit";
    this.#bound = found === "limit" ? undefined : found;
  }

  /** The pointer that calls of a function of the framework go through, or that leads to its table; `undefined` where none is known. */
  placeOf(name: string): number | undefined {
    if (this.#bound === undefined) return undefined;
    const { rva, count, inImage } = this.#bound;
    for (let index = 0; index < count; index++)
      if (wdfName(index) === name) return inImage ? rva + index * this.#image.image.pointerSize : rva;
    return undefined;
  }

  /** The framework's function that is called through `atom`; `undefined` for all others. */
  functionOf(atom: Atom): string | undefined {
    if (!this.isUsed) return undefined;
    const { pointerSize } = this.#image.image;
    if (atom.kind === "field" && atom.of.kind === "loaded") {
      const index = atom.offset / pointerSize;
      // Where the structure cannot be read, any table may be the framework's: a tag tells, at the places that take one.
      if (this.#bound === undefined) return TAKE_TAGS.has(index) ? wdfName(index) : undefined;
      return this.#bound.inImage || atom.of.rva !== this.#bound.rva ? undefined : wdfName(index);
    }
    if (atom.kind !== "loaded" || this.#bound?.inImage !== true) return undefined;
    const index = (atom.rva - this.#bound.rva) / pointerSize;
    return index < this.#bound.count ? wdfName(index) : undefined;
  }
}

function usesFramework({ image: { imports } }: ImageCode): boolean {
  return bindsFramework(imports) || imports.slots.some(({ declared }) => declared === undefined);
}

/** What the framework is called whose functions drivers call through its table. */
export const FRAMEWORK = "WDF";

/** Whether imports declare that the framework's loader is called. */
export function bindsFramework({ slots }: ImportTable): boolean {
  return slots.some(({ declared }) => declared?.name?.startsWith("WdfVersionBind") === true);
}

function findBound(image: ImageCode): Bound | undefined | "limit" {
  let left = MAX_WDF_BIND_PLACES;
  for (const component of places(image, COMPONENT, 2)) {
    if (left-- <= 0) return "limit";
    for (const holder of places(image, pointerTo(image, component), image.image.pointerSize)) {
      if (left-- <= 0) return "limit";
      const bound = boundAt(image, holder);
      if (bound !== undefined) return bound;
    }
  }
  return undefined;
}

/** @param component where the structure's pointer to its component's name stands */
function boundAt(image: ImageCode, component: number): Bound | undefined {
  const { pointerSize } = image.image;
  const layout = LAYOUTS[pointerSize];
  const start = component - layout.component;
  if (start < 0) return undefined;
  const { bytes, holes } = image.image.readSparse(start, layout.length);
  if (bytes.length < layout.length || holes.length > 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(layout.count, true);
  if (view.getUint32(0, true) !== layout.length || view.getUint32(layout.version, true) !== 1)
    return undefined;
  if (count === 0 || count > MAX_FUNCTIONS) return undefined;
  const address =
    pointerSize === 8 ? view.getBigUint64(layout.table, true) : BigInt(view.getUint32(layout.table, true));
  const rva = image.code.offsetOf(address);
  return rva === undefined ? undefined : { rva, count, inImage: isTable(image, rva, count) };
}

/**
 * Whether code calls through the places of a table, or loads the address of one from its first: a driver calls many
 * functions of the framework, and its first one, which makes a list of children, hardly ever.
 */
function isTable({ code, image }: ImageCode, rva: number, count: number): boolean {
  let first = 0;
  let others = 0;
  const end = rva + count * image.pointerSize;
  for (const run of code.runs) {
    code.set.references.each(code, run, (_, place, kind) => {
      if (kind === "near" || place < rva || place >= end) return;
      if (place === rva) first++;
      else if ((place - rva) % image.pointerSize === 0) others++;
    });
  }
  return others > first;
}

function pointerTo({ image }: ImageCode, rva: number): Uint8Array {
  return pointerBytes(advance(image.base, rva), image.pointerSize);
}

/** Offsets at which bytes stand in the image, aligned: one more than are tried at most. */
function places({ image }: ImageCode, needle: Uint8Array, alignment: number): readonly number[] {
  const found: number[] = [];
  for (const section of image.sections) {
    const length = Math.min(sectionSpan(section), image.size - section.rva);
    if (length < needle.length || found.length > MAX_WDF_BIND_PLACES) continue;
    findPatterns(image.space, advance(image.base, section.rva), length, [needle], (at) => {
      const rva = Number(at - image.base);
      if (rva % alignment === 0) found.push(rva);
      return found.length <= MAX_WDF_BIND_PLACES;
    });
  }
  return found;
}
