import { Area, hex } from "./bytes.mjs";

/**
 * A tiny 32-bit assembler: a list of items at a fixed address.
 * An item is a line of hex bytes with its mnemonic as a comment (`"8b ff ; mov edi, edi"`), raw bytes,
 * or one of the objects that the functions below make.
 * @typedef {string | number} Target a label, or an address
 * @typedef {string | Uint8Array | { label: string } | { fillTo: number } | { op: string, target: Target, width: 1 | 4, relative: boolean }} Item
 */

/** @param {string} name @returns {Item} */
export const label = (name) => ({ label: name });
/** Harmless instructions up to an address. @param {number} address @returns {Item} */
export const fillTo = (address) => ({ fillTo: address });
const relative = (/** @type {string} */ op, /** @type {1 | 4} */ width) => (/** @type {Target} */ target) =>
  /** @type {Item} */ ({ op, target, width, relative: true });
export const call = relative("e8", 4);
export const jmp = relative("e9", 4);
export const je = relative("0f 84", 4);
export const jne = relative("0f 85", 4);
export const jl = relative("0f 8c", 4);
export const jmpShort = relative("eb", 1);
export const jeShort = relative("74", 1);
export const jneShort = relative("75", 1);
/** An instruction that ends in the 32-bit address of its operand; the place is relocated. @param {string} op @param {Target} target @returns {Item} */
export const absolute = (op, target) => ({ op, target, width: 4, relative: false });
/** `call dword ptr [slot]` @param {Target} slot */
export const callSlot = (slot) => absolute("ff 15", slot);

/** Loads and tests that any code in an EBP frame may hold; each a whole instruction. */
const HARMLESS = [
  "8b 45 08",
  "0f b7 c8",
  "8b 4d 0c",
  "85 c9",
  "8b d1",
  "83 e2 07",
  "03 c2",
  "89 45 ec",
  "85 c0",
  "8b 55 ec",
].map(hex);

/** @param {number} length bytes @returns {Uint8Array} */
function harmless(length) {
  const out = new Uint8Array(length).fill(0x90);
  for (let at = 0, i = 0; at < length; i++) {
    const next = /** @type {Uint8Array} */ (HARMLESS[i % HARMLESS.length]);
    if (at + next.length > length) break;
    out.set(next, at);
    at += next.length;
  }
  return out;
}

/**
 * @param {number} base address of the first byte @param {readonly Item[]} items
 * @returns {{ bytes: Uint8Array, labels: Map<string, number>, relocations: number[] }} relocations: offsets of absolute operands
 */
export function assemble(base, items) {
  /** @type {Map<string, number>} */
  const labels = new Map();
  let at = base;
  const parts = items.map((item) => {
    /** @type {Uint8Array} */
    let bytes = new Uint8Array(0);
    if (typeof item === "string") bytes = hex(item);
    else if (item instanceof Uint8Array) bytes = item;
    else if ("label" in item) labels.set(item.label, at);
    else if ("fillTo" in item) {
      if (item.fillTo < at)
        throw new RangeError(`0x${at.toString(16)} is past 0x${item.fillTo.toString(16)}`);
      bytes = harmless(item.fillTo - at);
    } else bytes = new Uint8Array(hex(item.op).length + item.width);
    const part = { item, at, bytes };
    at += bytes.length;
    return part;
  });
  const area = new Area(at - base);
  /** @type {number[]} */
  const relocations = [];
  for (const { item, at: start, bytes } of parts) {
    area.put(start - base, bytes);
    if (typeof item === "string" || item instanceof Uint8Array || !("op" in item)) continue;
    const op = hex(item.op);
    area.put(start - base, op);
    const target = typeof item.target === "number" ? item.target : labels.get(item.target);
    if (target === undefined) throw new RangeError(`no label ${item.target}`);
    const operand = start - base + op.length;
    if (!item.relative) {
      area.u32(operand, target);
      relocations.push(operand);
      continue;
    }
    const distance = target - (base + operand + item.width);
    if (item.width === 1) {
      if (distance < -128 || distance > 127)
        throw new RangeError(
          `0x${target.toString(16)} is too far from 0x${start.toString(16)} for a short jump`,
        );
      area.view.setInt8(operand, distance);
    } else area.view.setInt32(operand, distance | 0, true);
  }
  return { bytes: area.bytes, labels, relocations };
}

/** Prologue of a function with a frame, room for 18h bytes of locals, and the three saved registers. */
export const PROLOGUE = [
  "8b ff ; mov edi, edi",
  "55 ; push ebp",
  "8b ec ; mov ebp, esp",
  "83 ec 18 ; sub esp, 18h",
  "53 ; push ebx",
  "56 ; push esi",
  "57 ; push edi",
];
/** Its end. @param {number} argumentBytes @returns {Item[]} */
export const epilogue = (argumentBytes) => [
  "5f ; pop edi",
  "5e ; pop esi",
  "5b ; pop ebx",
  "c9 ; leave",
  `c2 ${argumentBytes.toString(16).padStart(2, "0")} 00 ; ret`,
];
