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
    const byte = bytes[i] as number;
    if (byte === 0xe8 || byte === 0xe9) found(start + i, start + i + 5 + wordAt(bytes, i + 1), "near");
    else if (byte === 0xeb || (byte & 0xf0) === 0x70) {
      found(start + i, start + i + 2 + (((bytes[i + 1] as number) << 24) >> 24), "near");
    } else if (byte === 0x0f && i + 1 < last && ((bytes[i + 1] as number) & 0xf0) === 0x80) {
      found(start + i, start + i + 6 + wordAt(bytes, i + 2), "near");
    } else if (byte === 0xff && i + 1 < last && ((bytes[i + 1] as number) | 0x30) === 0x35) {
      const reg = ((bytes[i + 1] as number) >> 3) & 7;
      if (reg === 2 || reg === 4) found(start + i, placeAt(i + 2), "slot");
    } else if (byte === 0x8b && i + 1 < last && ((bytes[i + 1] as number) & 0xc7) === 0x05) {
      const optimized = wide && bytes[i - 1] === 0x4c && bytes[i + 1] === 0x15 && bytes[i + 6] === 0xe8;
      found(start + i, placeAt(i + 2), optimized ? "optimized" : "load");
    } else if (byte === 0xa1 && !wide) found(start + i, placeAt(i + 1), "load");
  }
}

const CALL = 1;
const JUMP = 2;
const BRANCH = 3;
/** What a byte in front of a displacement of 32 bits can mean; of a branch it is the second byte. */
const USES = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0xe8) return CALL;
  if (byte === 0xe9) return JUMP;
  return (byte & 0xf0) === 0x80 ? BRANCH : 0;
});
const KINDS = ["call", "call", "jump", "branch"] as const;

function eachNear(code: CodeBytes, found: Parameters<References["near"]>[1]): void {
  const low = code.sections[0]?.start ?? 0;
  const high = code.sections.at(-1)?.end ?? 0;
  const oneSection = code.sections.length === 1;
  for (const { bytes, start } of code.runs) {
    const last = bytes.length - 5;
    for (let i = 0; i <= last; i++) {
      const use = USES[bytes[i] as number] as number;
      if (use === 0 || (use === BRANCH && (i === 0 || bytes[i - 1] !== 0x0f))) continue;
      const target = start + i + 5 + wordAt(bytes, i + 1);
      if (target < low || target >= high || !(oneSection || code.isCode(target))) continue;
      found(start + (use === BRANCH ? i - 1 : i), target, KINDS[use] ?? "call");
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
