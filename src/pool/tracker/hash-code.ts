import { advance, type Va } from "../../core/address.ts";
import { wordBytes } from "../../core/bytes.ts";
import { MAX_HASH_SITES } from "../../core/limits.ts";
import { findPatterns } from "../../memory/search.ts";
import type { NtImage, PoolKernel } from "../pool-kernel.ts";
import { HASH_FACTOR, TRACKER_LAYOUTS } from "./layout.ts";

/** What the kernel's own code says of the tag table, read around each place where it hashes a tag. */
export interface HashCode {
  /** Where the multiplier stands as an immediate. */
  readonly sites: readonly Va[];
  /** There are more sites than were looked at. */
  readonly more: boolean;
  /** Arrays in nt's data that are indexed there by a scaled register, the most used first. */
  readonly arrays: readonly Va[];
  /** Variables in nt's data that are read there, the most used first. */
  readonly variables: readonly Va[];
  /** Strides of a tag table that are multiplied with there, the most used first. */
  readonly strides: readonly number[];
  /** Values of those variables that can be a table's mask, 2^n - 1. */
  readonly masks: readonly number[];
}

/** Bytes around the multiplier in which the compilers keep the loads of mask, table and stride. */
const BEFORE = 0x60;
const AFTER = 0x80;

/**
 * Reads what x86 and x64 kernels do with a tag's hash: mask, array of tables by processor, stride. Only
 * operands that name nt's own data are taken; whoever uses them checks what stands there.
 */
export function readHashCode(kernel: PoolKernel): HashCode {
  const { space, nt } = kernel;
  const arrays = new Votes<bigint>();
  const variables = new Votes<bigint>();
  const strides = new Votes<number>();
  const sites: Va[] = [];
  let more = false;
  if (nt === undefined) return { sites, more, arrays: [], variables: [], strides: [], masks: [] };
  const factor = wordBytes(HASH_FACTOR);
  for (const { start, length } of nt.code) {
    findPatterns(space, start, length, [factor], (at) => {
      more = sites.length >= MAX_HASH_SITES;
      if (!more) sites.push(at);
      return !more;
    });
    if (more) break;
  }
  for (const site of sites) {
    const start = advance(site, -BEFORE);
    const { bytes } = space.readSparse(start, BEFORE + AFTER);
    const seen = operandsIn(bytes, start, nt, space.pointerSize);
    for (const array of seen.arrays) arrays.add(array);
    for (const variable of seen.variables) variables.add(variable);
    for (const stride of seen.strides) strides.add(stride);
  }
  const used = variables.ranked() as Va[];
  const masks = used.flatMap((variable) => space.tryReadU32(variable) ?? []).filter(isMask);
  return { sites, more, arrays: arrays.ranked() as Va[], variables: used, strides: strides.ranked(), masks };
}

function isMask(value: number): boolean {
  return value > 0 && value + 1 < 2 ** 31 && (value & (value + 1)) === 0;
}

/** Counts each thing once a site. */
class Votes<T> {
  readonly #counts = new Map<T, number>();

  add(thing: T): void {
    this.#counts.set(thing, (this.#counts.get(thing) ?? 0) + 1);
  }

  ranked(): T[] {
    return [...this.#counts].sort((a, b) => b[1] - a[1]).map(([thing]) => thing);
  }
}

/**
 * The operands that could stand at any offset of the bytes: where an instruction begins is not known,
 * and need not be, for a displacement that names nt's data by chance is refused by what stands there.
 */
function operandsIn(
  bytes: Uint8Array,
  start: Va,
  nt: NtImage,
  pointerSize: 4 | 8,
): { arrays: Set<bigint>; variables: Set<bigint>; strides: Set<number> } {
  const arrays = new Set<bigint>();
  const variables = new Set<bigint>();
  const strides = new Set<number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isData = (at: bigint): boolean => {
    if (at % BigInt(pointerSize) !== 0n) return false;
    return nt.writable.some((range) => at >= range.start && at < range.start + BigInt(range.length));
  };
  for (let at = 2; at + 4 <= bytes.length; at++) {
    const modrm = bytes[at - 2] ?? 0;
    const sib = bytes[at - 1] ?? 0;
    const value = BigInt(view.getUint32(at, true));
    const absolute = pointerSize === 4 ? value : nt.base + value;
    const indexed =
      pointerSize === 4
        ? (modrm & 0xc7) === 0x04 && (sib & 0xc7) === 0x85
        : (modrm & 0xc7) === 0x84 && (sib & 0xc0) === 0xc0;
    if (indexed && isData(absolute)) arrays.add(absolute);
    const direct = pointerSize === 4 ? value : advance(start, at + 4 + Number(BigInt.asIntN(32, value)));
    if (isData(direct)) variables.add(direct);
    // imul reg, reg, imm8
    if (bytes[at - 2] === 0x6b && sib >= 0xc0) {
      const stride = bytes[at] ?? 0;
      if (TRACKER_LAYOUTS.some((layout) => layout.stride === stride)) strides.add(stride);
    }
  }
  return { arrays, variables, strides };
}
