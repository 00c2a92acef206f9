import { type Rva, rva, type Va } from "../core/address.ts";
import { findPatterns } from "../memory/find.ts";
import type { Coverage } from "./coverage.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** A place where a tag's four bytes stand, before anything is said of what they are for. */
export interface Sighting {
  readonly module: TrailModule;
  readonly address: Va;
  readonly rva: Rva;
  /** The tag stands there with its protected bit, 0x80000000. */
  readonly protected: boolean;
}

export interface SearchLimits {
  readonly signal?: AbortSignal | undefined;
  /** Told the module that is looked at next, and how many of how many are done. */
  readonly onProgress?: ((module: string, done: number, of: number) => void) | undefined;
}

/** What a search of every module found, and how much it could look at. */
export interface Sightings<T> {
  readonly found: readonly T[];
  readonly coverage: readonly Coverage[];
}

/**
 * Finds a tag in every module, at any alignment, with and without its protected bit.
 *
 * @param key the tag as a little-endian u32
 */
export function findTag(target: TrailTarget, key: number, limits: SearchLimits = {}): Sightings<Sighting> {
  const plain = littleEndian(BigInt(key & 0x7fffffff), 4);
  const marked = littleEndian(BigInt((key | 0x80000000) >>> 0), 4);
  return searchModules(target, [plain, marked], limits, (module, address, needle) => ({
    module,
    address,
    rva: rva(Number(address - module.base)),
    protected: needle === 1,
  }));
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
  const options = limits.signal === undefined ? {} : { signal: limits.signal };
  target.modules.forEach((module, i) => {
    limits.onProgress?.(module.name, i, target.modules.length);
    const searched = findPatterns(
      target.space,
      module.base,
      module.size,
      needles,
      (at, needle) => {
        const item = make(module, at, needle);
        if (item !== undefined) found.push(item);
      },
      options,
    );
    coverage.push(coverageOf(target, module, searched.readable));
  });
  return { found, coverage };
}

/** The coverage of a module of which `readable` bytes could be read. */
export function coverageOf(target: TrailTarget, module: TrailModule, readable: number): Coverage {
  return { module: module.name, readable, size: module.size, fromFile: fromFile(target, module) };
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
