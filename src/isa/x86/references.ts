import type { BitSet } from "../../core/bit-set.ts";
import { type CodeBytes, type CodeRun, wordAt } from "../instruction.ts";
import type { References } from "../instruction-set.ts";

export function referencesOf(bits: 32 | 64): References {
  return {
    each: (code, run, found) => eachReference(bits, code, run, found),
    near: eachNear,
    naming: (code, places, found) => eachNaming(bits, code, places, found),
    taken: bits === 64 ? takenByLea : takenByNumber,
  };
}

function eachReference(
  bits: 32 | 64,
  { base32 }: CodeBytes,
  { bytes, start }: CodeRun,
  found: Parameters<References["each"]>[2],
): void {
  const wide = bits === 64;
  const placeAt = (at: number): number =>
    wide ? start + at + 4 + wordAt(bytes, at) : (wordAt(bytes, at) - base32) | 0;
  const last = bytes.length - 4;
  for (let i = 0; i < last; i++) {
    const lead = LEADS[bytes[i] as number] as number;
    if (lead === 0) continue;
    if (lead === NEAR) found(start + i, start + i + 5 + wordAt(bytes, i + 1), "near");
    else if (lead === SHORT)
      found(start + i, start + i + 2 + (((bytes[i + 1] as number) << 24) >> 24), "near");
    else if (lead === MOVE_TO_A) {
      if (!wide) found(start + i, placeAt(i + 1), "load");
    } else if (i + 1 < last) {
      const second = bytes[i + 1] as number;
      if (lead === TWO_BYTES) {
        if ((second & 0xf0) === 0x80) found(start + i, start + i + 6 + wordAt(bytes, i + 2), "near");
      } else if (lead === GROUP_5) {
        // call [place] and jmp [place]
        if (second === 0x15 || second === 0x25) found(start + i, placeAt(i + 2), "slot");
      } else if ((second & 0xc7) === 0x05) {
        const optimized = wide && bytes[i - 1] === 0x4c && second === 0x15 && bytes[i + 6] === 0xe8;
        found(start + i, placeAt(i + 2), optimized ? "optimized" : "load");
      }
    }
  }
}

const NEAR = 1;
const SHORT = 2;
const TWO_BYTES = 3;
const GROUP_5 = 4;
const MOVE = 5;
const MOVE_TO_A = 6;
/** What begins with a byte: most begin nothing that is looked for. */
const LEADS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0xe8 || byte === 0xe9) return NEAR;
  if (byte === 0xeb || (byte & 0xf0) === 0x70) return SHORT;
  if (byte === 0x0f) return TWO_BYTES;
  if (byte === 0xff) return GROUP_5;
  if (byte === 0x8b) return MOVE;
  return byte === 0xa1 ? MOVE_TO_A : 0;
});

function eachNear(code: CodeBytes, found: Parameters<References["near"]>[1]): void {
  const low = code.sections[0]?.start ?? 0;
  const high = code.sections.at(-1)?.end ?? 0;
  const oneSection = code.sections.length === 1;
  for (const { bytes, start } of code.runs) {
    const last = bytes.length - 5;
    for (let i = 0; i <= last; i++) {
      const lead = LEADS[bytes[i] as number] as number;
      if (lead !== NEAR && lead !== TWO_BYTES) continue;
      const isBranch = lead === TWO_BYTES;
      if (isBranch && (i === last || ((bytes[i + 1] as number) & 0xf0) !== 0x80)) continue;
      const displacement = isBranch ? i + 2 : i + 1;
      const target = start + displacement + 4 + wordAt(bytes, displacement);
      if (target < low || target >= high || !(oneSection || code.isCode(target))) continue;
      found(start + i, target, isBranch ? "branch" : bytes[i] === 0xe8 ? "call" : "jump");
    }
  }
}

/** A displacement counts from the end of the instruction, behind an immediate of up to four bytes. */
function eachNaming(
  bits: 32 | 64,
  { base32, runs }: CodeBytes,
  places: ReadonlySet<number>,
  found: (at: number) => void,
): void {
  const reach = bits === 64 ? 4 : 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const place of places) {
    low = Math.min(low, place - reach);
    high = Math.max(high, place);
  }
  for (const { bytes, start } of runs) {
    for (let i = 0; i <= bytes.length - 4; i++) {
      const place = bits === 64 ? start + i + 4 + wordAt(bytes, i) : (wordAt(bytes, i) - base32) | 0;
      if (place < low || place > high) continue;
      let away = 0;
      while (away <= reach && !places.has(place + away)) away++;
      if (away <= reach) found(start + i);
    }
  }
}

/** `lea reg, [rip+displacement]`. */
function takenByLea(_: CodeBytes, { bytes, start }: CodeRun, wanted: BitSet, found: BitSet): void {
  const last = bytes.length - 6;
  for (let at = bytes.indexOf(0x8d); at >= 0 && at <= last; at = bytes.indexOf(0x8d, at + 1)) {
    if (((bytes[at + 1] as number) & 0xc7) !== 0x05) continue;
    const target = start + at + 6 + wordAt(bytes, at + 2);
    if (target >= 0 && wanted.has(target)) found.add(target);
  }
}

/** Addresses that stand in the code as they are. */
function takenByNumber({ base32 }: CodeBytes, { bytes }: CodeRun, wanted: BitSet, found: BitSet): void {
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const target = (wordAt(bytes, at) - base32) | 0;
    if (target > 0 && target < wanted.size && wanted.has(target)) found.add(target);
  }
}
