import { assemble, call, callSlot, epilogue, je, label, PROLOGUE } from "./asm86.mjs";
import { alignUp, random } from "./bytes.mjs";

/**
 * 32-bit code of an image: functions placed by hand at fixed addresses, and made-up ones in the gaps between them.
 */
export class CodeArea {
  /** @type {[start: number, end: number][]} */ #occupied = [];

  /** @param {import("./pe.mjs").Image} image */
  constructor(image) {
    this.image = image;
  }

  /** @param {number} address @param {readonly import("./asm86.mjs").Item[]} items @returns {Map<string, number>} its labels, and "end" */
  place(address, items) {
    const { bytes, labels, relocations } = assemble(address, items);
    this.claim(address, bytes.length);
    const rva = address - Number(this.image.base);
    this.image.put(rva, bytes);
    for (const offset of relocations) this.image.relocations.add(rva + offset);
    return labels.set("end", address + bytes.length);
  }

  /** Sets the 32-bit distance of a jump whose operand stands at `address`. @param {number} address @param {number} target */
  patchDistance(address, target) {
    this.image.memory.view.setInt32(address - Number(this.image.base), (target - address - 4) | 0, true);
  }

  /** Keeps a range from being written by anything else. @param {number} address @param {number} length */
  claim(address, length) {
    const end = address + length;
    const clash = this.#occupied.find(([s, e]) => s < end && address < e);
    if (clash !== undefined)
      throw new RangeError(
        `0x${address.toString(16)}–0x${end.toString(16)} overlaps 0x${clash[0].toString(16)}–0x${clash[1].toString(16)}`,
      );
    this.#occupied.push([address, end]);
  }

  /**
   * Fills the gaps of [start, end) with small functions that call each other, and NOPs between them.
   * @param {number} start @param {number} end @param {{ seed: number, slots?: readonly { address: number, argumentBytes: number }[] }} options slots: IAT slots that they may call
   */
  fill(start, end, { seed, slots = [] }) {
    const next = random(seed);
    /** @type {number[]} */
    const callable = [];
    const taken = this.#occupied.filter(([s, e]) => s < end && start < e).sort((a, b) => a[0] - b[0]);
    let at = start;
    for (const [from, to] of [...taken, /** @type {[number, number]} */ ([end, end])]) {
      let cursor = alignUp(at, 16);
      while (true) {
        const items = madeUp(next, callable, slots);
        const { bytes } = assemble(cursor, items);
        if (cursor + bytes.length > from) break;
        this.place(cursor, items);
        callable.push(cursor);
        const after = alignUp(cursor + bytes.length + 2, 16);
        this.#pad(cursor + bytes.length, Math.min(after, from));
        cursor = after;
      }
      this.#pad(Math.min(cursor, from), from);
      this.#pad(at, Math.min(alignUp(at, 16), from));
      at = to;
    }
  }

  /** @param {number} from @param {number} to */
  #pad(from, to) {
    if (to > from) this.image.put(from - Number(this.image.base), new Uint8Array(to - from).fill(0x90));
  }
}

/** One function of two arguments. @param {(limit: number) => number} next @param {readonly number[]} callable @param {readonly { address: number, argumentBytes: number }[]} slots */
function madeUp(next, callable, slots) {
  const byte = () => ((next(24) + 1) * 4).toString(16).padStart(2, "0");
  /** @type {import("./asm86.mjs").Item[]} */
  const body = [`8b 75 08 ; mov esi, [ebp+8]`, "85 f6 ; test esi, esi", je("out")];
  for (let steps = 2 + next(7); steps > 0; steps--) {
    const choice = next(6);
    if (choice === 0)
      body.push(
        `8b 46 ${byte()} ; mov eax, [esi+..]`,
        `03 45 0c ; add eax, [ebp+0Ch]`,
        `89 45 fc ; mov [ebp-4], eax`,
      );
    else if (choice === 1)
      body.push(`8b 7e ${byte()} ; mov edi, [esi+..]`, `3b 7d 0c ; cmp edi, [ebp+0Ch]`, je("out"));
    else if (choice === 2) body.push(`83 66 ${byte()} 00 ; and dword ptr [esi+..], 0`);
    else if (choice === 3)
      body.push(
        `0f b6 4e ${byte()} ; movzx ecx, byte ptr [esi+..]`,
        "c1 e9 02 ; shr ecx, 2",
        "89 4d f8 ; mov [ebp-8], ecx",
      );
    else if (choice === 4 && callable.length > 0)
      body.push(
        "ff 75 0c ; push [ebp+0Ch]",
        "56 ; push esi",
        call(/** @type {number} */ (callable[next(callable.length)])),
      );
    else if (slots.length > 0) {
      const slot = /** @type {{ address: number, argumentBytes: number }} */ (slots[next(slots.length)]);
      for (let pushed = 0; pushed < slot.argumentBytes; pushed += 4)
        body.push(pushed === 0 ? "56 ; push esi" : "ff 75 0c ; push [ebp+0Ch]");
      body.push(callSlot(slot.address));
    }
  }
  return [...PROLOGUE, ...body, label("out"), "8b 45 fc ; mov eax, [ebp-4]", ...epilogue(8)];
}
