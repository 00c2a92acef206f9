import { Bytes } from "../core/bytes.ts";
import { isKdbgHead, KDBG_TAG } from "./kdbg.ts";

/** Fields of KDBG that the dump tells elsewhere. */
export interface KnownFields {
  readonly kernBase: bigint;
  readonly psLoadedModuleList: bigint;
  readonly psActiveProcessHead: bigint | undefined;
}

const OFFSETS = { kernBase: 0x18, psLoadedModuleList: 0x48, psActiveProcessHead: 0x50 } as const;

/**
 * Decodes a block that a running 64-bit kernel keeps encoded, without its keys.
 *
 * Each quadword is XORed with one key, rotated by that key's low byte, XORed with an address, byte-swapped
 * and XORed with another key. XOR passes through rotation and byte swap, so all keys together are one
 * unknown quadword, and a rotation out of 64: a known field gives the first for each of the second,
 * and the other known fields and the tag say which is right.
 *
 * @param known without it a field that is 0 in all Windows since 10 gives the keys, and the tag says which rotation is right
 * @returns the decoded bytes, or `undefined` where no key fits: this is no encoded block
 */
export function decodeKdbg(encoded: Uint8Array, known: KnownFields | undefined): Uint8Array | undefined {
  if (known === undefined) return decodeByZeros(encoded);
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const quad = (offset: number): bigint => view.getBigUint64(offset, true);
  for (let rotation = 0; rotation < 64; rotation++) {
    const key = mix(quad(OFFSETS.kernBase), rotation) ^ known.kernBase;
    const fits = (name: keyof KnownFields): boolean =>
      known[name] === undefined || (mix(quad(OFFSETS[name]), rotation) ^ key) === known[name];
    if (!fits("psLoadedModuleList") || !fits("psActiveProcessHead")) continue;
    const decoded = new Uint8Array(encoded.length & ~7);
    const out = new DataView(decoded.buffer);
    for (let at = 0; at < decoded.length; at += 8) out.setBigUint64(at, mix(quad(at), rotation) ^ key, true);
    if (isKdbgHead(new Bytes(decoded, "KDBG"))) return decoded;
  }
  return undefined;
}

/** The first two fields that are 0, and the others. */
const ZERO = 0x68;
const SECOND_ZERO = 0x70;
const ZEROS: readonly number[] = [
  0xa8, 0xb0, 0xb8, 0xc8, 0xd0, 0xd8, 0xe0, 0xe8, 0xf0, 0xf8, 0x100, 0x108, 0x110, 0x118, 0x120, 0x128, 0x130,
  0x148, 0x150, 0x158, 0x160, 0x168, 0x178, 0x180, 0x188, 0x190, 0x198, 0x1a0, 0x1a8, 0x1b0, 0x1c0, 0x258,
  0x260, 0x278, 0x280,
];
/** A block of a newer Windows may fill one or another of them. */
const FEWEST_ZEROS = 32;
const LAST_ZERO = 0x288;

/**
 * Where an encoded block of Windows 10 or 11 stands among other bytes. Equal values are encoded alike wherever they stand,
 * and 37 of the fields are 0.
 *
 * @returns the offset, a multiple of 8; `undefined` where none stands there
 */
export function locateEncodedKdbg(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + LAST_ZERO <= bytes.length; at += 8) {
    const low = view.getUint32(at + ZERO, true);
    const high = view.getUint32(at + ZERO + 4, true);
    if (
      low === view.getUint32(at + SECOND_ZERO, true) &&
      high === view.getUint32(at + SECOND_ZERO + 4, true)
    ) {
      if ((low === 0 && high === 0) || !holdsZeros(view, at, low, high)) continue;
      if (decodeByZeros(bytes.subarray(at, at + LAST_ZERO)) !== undefined) return at;
    }
  }
  return undefined;
}

function holdsZeros(view: DataView, at: number, low: number, high: number): boolean {
  const same = ZEROS.filter(
    (offset) => view.getUint32(at + offset, true) === low && view.getUint32(at + offset + 4, true) === high,
  );
  return same.length >= FEWEST_ZEROS;
}

function decodeByZeros(encoded: Uint8Array): Uint8Array | undefined {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const zero = view.getBigUint64(ZERO, true);
  const tag = view.getBigUint64(KDBG_TAG, true);
  const decoded = new Uint8Array(encoded.length & ~7);
  const out = new DataView(decoded.buffer);
  for (let rotation = 0; rotation < 64; rotation++) {
    out.setBigUint64(KDBG_TAG, mix(tag ^ zero, rotation), true);
    if (!isKdbgHead(new Bytes(decoded, "KDBG"))) continue;
    for (let at = 0; at < decoded.length; at += 8)
      out.setBigUint64(at, mix(view.getBigUint64(at, true) ^ zero, rotation), true);
    return decoded;
  }
  return undefined;
}

/** Rotated left, then byte-swapped. */
function mix(value: bigint, rotation: number): bigint {
  const left = BigInt.asUintN(64, value << BigInt(rotation)) | (value >> BigInt(64 - rotation));
  return byteSwap(left);
}

function byteSwap(value: bigint): bigint {
  let swapped = 0n;
  for (let byte = 0n; byte < 64n; byte += 8n) swapped = (swapped << 8n) | ((value >> byte) & 0xffn);
  return swapped;
}
