import { type Rva, rva, type Va } from "../core/address.ts";
import { MAX_SIGHTINGS, MAX_UNREAD_PARTS } from "../core/limits.ts";
import { grouped } from "../core/text.ts";
import { findPatterns } from "../memory/search.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** How much of an image could be read: what was not read cannot be ruled out. */
export interface Coverage {
  readonly module: string;
  /** In bytes, from the dump or from a file given for it. */
  readonly readable: number;
  /** SizeOfImage in bytes. */
  readonly size: number;
  /** Those of `readable` that a PE file given by the user filled in. */
  readonly fromFile: number;
  /** What cannot be read, by offset, merged; of more than 256 parts the last one reaches to the end of the last. */
  readonly unread: readonly { readonly rva: Rva; readonly length: number }[];
}

/** How a search of all modules is watched. */
export interface SearchLimits {
  /** Told the module that is looked at next, and how many of how many are done. */
  readonly onProgress?: ((module: string, done: number, of: number) => void) | undefined;
  /** Ends the search before the next module. The search is synchronous: only `onProgress` can abort it meanwhile. */
  readonly signal?: Abortable | undefined;
}

/** An AbortSignal, as far as it is looked at. */
export interface Abortable {
  throwIfAborted(): void;
}

/** Between modules: tells how far the search is, and ends it where it is to end. */
export function tellProgress(
  { onProgress, signal }: SearchLimits,
  module: string,
  done: number,
  of: number,
): void {
  onProgress?.(module, done, of);
  signal?.throwIfAborted();
}

/** What a search of every module found, and how much it could look at. */
export interface Sightings<T> {
  readonly found: readonly T[];
  readonly coverage: readonly Coverage[];
  /** That there are more places than are told of. */
  readonly notes: readonly string[];
}

/** Looks for byte patterns in every module, in the order of the module list. */
export function searchModules<T>(
  target: TrailTarget,
  needles: readonly Uint8Array[],
  limits: SearchLimits,
  make: (module: TrailModule, address: Va, needle: number) => T | undefined,
): Sightings<T> {
  const found: T[] = [];
  const coverage: Coverage[] = [];
  let more = 0;
  target.modules.forEach((module, i) => {
    tellProgress(limits, module.name, i, target.modules.length);
    const searched = findPatterns(target.space, module.base, module.size, needles, (at, needle) => {
      if (found.length === MAX_SIGHTINGS) more++;
      else {
        const item = make(module, at, needle);
        if (item !== undefined) found.push(item);
      }
    });
    coverage.push(coverageOf(target, module, searched.readable));
  });
  const places = grouped(found.length + more);
  const notes =
    more === 0
      ? []
      : [`it stands at ${places} places, of which the first ${grouped(MAX_SIGHTINGS)} are told of`];
  return { found, coverage, notes };
}

/** The coverage of a module of which `readable` bytes could be read. */
export function coverageOf(target: TrailTarget, module: TrailModule, readable: number): Coverage {
  const unread = readable === module.size ? [] : unreadOf(target, module);
  return { module: module.name, readable, size: module.size, fromFile: fromFile(target, module), unread };
}

/** Parts of one image that cannot be read. */
function unreadOf({ space }: TrailTarget, { base, size }: TrailModule): Coverage["unread"] {
  const parts: { rva: Rva; length: number }[] = [];
  for (const { start, length, content } of space.spans(base, size)) {
    if (typeof content === "string") continue;
    const at = Number(start - base);
    const last = parts.at(-1);
    if (last !== undefined && (last.rva + last.length === at || parts.length === MAX_UNREAD_PARTS))
      last.length = at + length - last.rva;
    else parts.push({ rva: rva(at), length });
  }
  return parts;
}

function fromFile(target: TrailTarget, module: TrailModule): number {
  if (target.space.mapping.mayFill !== true) return 0;
  let bytes = 0;
  for (const span of target.space.spans(module.base, module.size)) {
    if (span.content === "file") bytes += span.length;
  }
  return bytes;
}

/** Sixteen bytes from `address` on as a hex dump shows them, and as text. */
export function bytesAt(target: TrailTarget, address: Va, length = 16): { bytes: string; text: string } {
  const { bytes, holes } = target.space.readSparse(address, length);
  const missing = new Set<number>();
  for (const hole of holes) for (let i = 0; i < hole.length; i++) missing.add(hole.offset + i);
  const digits: string[] = [];
  let text = "";
  bytes.forEach((byte, i) => {
    digits.push(missing.has(i) ? "??" : byte.toString(16).padStart(2, "0"));
    text += missing.has(i) ? "?" : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  });
  return { bytes: digits.join(" "), text };
}

/** `value` as `size` little-endian bytes. */
export function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** Whether `file` gives any byte: the origin of the byte at `address`. */
export function originAt(target: TrailTarget, address: Va): "dump" | "file" {
  const [span] = target.space.spans(address, 1);
  return span?.content === "file" ? "file" : "dump";
}

/** A place in a module that holds an address. */
export interface Pointer {
  readonly address: Va;
  readonly module: string;
  readonly rva: Rva;
  readonly section: string | null;
  /** Which kind of import slot it is; null where it is none. */
  readonly slot: "iat" | "delay-iat" | null;
  /** Sixteen bytes from there, as in a hex dump. */
  readonly bytes: string;
}

export interface Pointers {
  readonly target: Va;
  readonly pointers: readonly Pointer[];
  readonly coverage: readonly Coverage[];
  readonly notes: readonly string[];
}

/** Finds who holds an address: in every module, at any alignment. */
export function findPointers(target: TrailTarget, address: Va, limits: SearchLimits = {}): Pointers {
  const needle = littleEndian(address, target.space.pointerSize);
  const slots = new Map<TrailModule, ReadonlyMap<number, Pointer["slot"]>>();
  const slotsOf = (module: TrailModule): ReadonlyMap<number, Pointer["slot"]> => {
    const known = slots.get(module);
    if (known !== undefined) return known;
    const kinds = new Map(module.imports.slots.map(({ rva, kind }) => [rva, kind]));
    slots.set(module, kinds);
    return kinds;
  };
  const { found, coverage, notes } = searchModules(target, [needle], limits, (module, at): Pointer => {
    const offset = rva(Number(at - module.base));
    return {
      address: at,
      module: module.name,
      rva: offset,
      section: module.image?.sectionAt(offset)?.name ?? null,
      slot: slotsOf(module).get(offset) ?? null,
      bytes: bytesAt(target, at).bytes,
    };
  });
  return { target: address, pointers: found, coverage, notes };
}
