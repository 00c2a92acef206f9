import { BitSet } from "../core/bit-set.ts";
import { U32List } from "../core/u32-list.ts";
import type { ReferenceKind } from "../isa/instruction-set.ts";
import { type Atom, imageAddress, type Value } from "./abstract-value.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import type { CodePointers } from "./seeds.ts";

/** Bytes that read as a call or jump to a place, or as a load of it; to be confirmed. */
export interface Hit {
  /** Where the bytes that were looked for begin: the opcode, perhaps behind a prefix. */
  readonly at: number;
  readonly place: number;
  readonly kind: ReferenceKind;
}

const KINDS: readonly ReferenceKind[] = ["near", "slot", "load", "optimized"];

/**
 * What all of an image's code reads as calling, jumping to or loading inside the image. Of calls and jumps only those to where
 * functions start: next to all others lead to places inside of their own.
 */
export class XrefList {
  /** Each kind by itself, in the order of `KINDS`. */
  readonly #kinds: readonly {
    readonly kind: ReferenceKind;
    readonly ats: Uint32Array;
    readonly places: Uint32Array;
  }[];

  constructor({ code, functions, image: { size } }: ImageCode) {
    const starts = new BitSet(size);
    for (const entry of functions.entries) starts.add(entry);
    const lists = KINDS.map((kind) => ({ kind, ats: new U32List(), places: new U32List() }));
    for (const run of code.runs) {
      code.set.references.each(code, run, (at, place, kind) => {
        if (place < 0 || place >= size || (kind === "near" && !starts.has(place))) return;
        const list = lists[KINDS.indexOf(kind)];
        list?.ats.push(at);
        list?.places.push(place);
      });
    }
    this.#kinds = lists.map(({ kind, ats, places }) => ({
      kind,
      ats: ats.toArray(),
      places: places.toArray(),
    }));
  }

  to(wanted: BitSet): readonly Hit[] {
    const hits: Hit[] = [];
    for (const { kind, ats, places } of this.#kinds)
      places.forEach((place, i) => {
        if (wanted.has(place)) hits.push({ at: ats[i] as number, place, kind });
      });
    return hits.sort((a, b) => a.at - b.at);
  }
}

/**
 * The functions whose code names any of these places of the image: by its bytes, so that one may be there that only
 * seems to.
 */
export function functionsNaming(image: ImageCode, places: readonly number[]): readonly CodeFunction[] {
  const found = new Map<number, CodeFunction>();
  for (const at of placesNaming(image, places)) {
    for (const owner of image.functions.owning(at)) found.set(owner.entry, owner);
  }
  return [...found.values()];
}

/** Where bytes of code read as the address of any of these places; none where that is not looked for. */
export function placesNaming({ code }: ImageCode, places: readonly number[]): readonly number[] {
  const found: number[] = [];
  code.set.references.naming?.(code, new Set(places), (at) => found.push(at));
  return found;
}

/** The place in the image that a value is the address of. */
export function placeNamed({ code }: ImageCode, atom: Atom): number | undefined {
  if (atom.kind === "address") return atom.rva;
  return atom.kind === "constant" ? code.placeOfNumber(atom.value) : undefined;
}

/** A value with the addresses that code writes as numbers told as such. */
export function placed(image: ImageCode, value: Value): Value {
  if (!image.code.set.numbersAreAddresses) return value;
  return value.flatMap((atom) => {
    const rva = atom.kind === "constant" ? placeNamed(image, atom) : undefined;
    return rva === undefined || rva === 0 ? [atom] : imageAddress(rva);
  });
}

const known = new WeakMap<ImageCode, BitSet>();

/**
 * The functions of an image, by entry, whose addresses stand in its data or are taken by its code: whoever is given one
 * may call it. By the bytes, so that one may be among them that only seems to be; one that is not is called by its callers
 * alone. All of them, where it is not looked for what code takes. The work is done once.
 */
export function addressedFunctions(image: ImageCode): BitSet {
  const done = known.get(image);
  if (done !== undefined) return done;
  const { code, functions, seeds } = image;
  const entries = new BitSet(code.image.size);
  for (const entry of functions.entries) entries.add(entry);
  const { taken } = code.set.references;
  const found = taken === undefined ? entries : new BitSet(code.image.size);
  for (const target of seeds.pointers.targets) if (entries.has(target)) found.add(target);
  for (const run of code.runs) taken?.(code, run, entries, found);
  known.set(image, found);
  return found;
}

/** Those of some places of an image whose addresses its code takes; all of them, where it is not looked for that. */
export function placesTaken({ code }: ImageCode, places: readonly number[]): BitSet {
  const wanted = new BitSet(code.image.size);
  for (const place of places) if (place >= 0 && place < code.image.size) wanted.add(place);
  const { taken } = code.set.references;
  if (taken === undefined) return wanted;
  const found = new BitSet(code.image.size);
  for (const run of code.runs) taken(code, run, wanted, found);
  return found;
}

const knownPointers = new WeakMap<ImageCode, readonly CodePointers[]>();

/** The places of an image that hold the address of any of the functions in `wanted`. */
export function placesHolding(image: ImageCode, wanted: BitSet): readonly number[] {
  let lists = knownPointers.get(image);
  if (lists === undefined) {
    lists = [image.seeds.pointers, pointersInCode(image)];
    knownPointers.set(image, lists);
  }
  const found: number[] = [];
  for (const { places, targets } of lists) {
    for (let i = 0; i < targets.length; i++) {
      if (wanted.has(targets[i] ?? 0)) found.push(places[i] ?? 0);
    }
  }
  return found;
}

/**
 * Constants that the linker merged into executable sections, where no relocations are left to name them: aligned words
 * that read as the address of code. Some are parts of instructions; nothing calls through those.
 */
function pointersInCode({ code, image, seeds }: ImageCode): CodePointers {
  const places = new U32List();
  const targets = new U32List();
  const { pointerSize } = image;
  const high = Number(image.base >> 32n);
  for (const { bytes, start } of seeds.relocated === undefined ? code.runs : []) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = -start & (pointerSize - 1); at + pointerSize <= bytes.length; at += pointerSize) {
      if (pointerSize === 8 && view.getUint32(at + 4, true) !== high) continue;
      const target = view.getUint32(at, true) - code.base32;
      if (target <= 0 || target >= image.size || !code.isCode(target)) continue;
      places.push(start + at);
      targets.push(target);
    }
  }
  return { places: places.toArray(), targets: targets.toArray() };
}
