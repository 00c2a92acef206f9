import { Bytes } from "../core/bytes.ts";
import { isKdbgHead } from "./kdbg.ts";

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
 * @returns the decoded bytes, or `undefined` where no key fits: this is no encoded block
 */
export function decodeKdbg(encoded: Uint8Array, known: KnownFields): Uint8Array | undefined {
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
