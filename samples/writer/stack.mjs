/**
 * Kernel stacks as code would leave them: return addresses at the distances that the unwind data gives.
 * @typedef {import("./load-pe.mjs").LoadedImage} LoadedImage
 * @typedef {{ image: LoadedImage, rva: number, name: string }} Frame rva: where the frame's function goes on; the
 *   innermost frame has the place at which it stands
 */

/** @param {LoadedImage} image @param {number} rva @returns {number} its offset in the file */
function fileOffset(image, rva) {
  const section = image.sections.find((s) => rva >= s.rva && rva < s.rva + s.fileSize);
  if (section === undefined) throw new RangeError(`${image.name}: no file bytes at 0x${rva.toString(16)}`);
  return section.fileOffset + rva - section.rva;
}

/**
 * The bytes that the function at `rva` keeps on the stack below its return address, from its unwind codes.
 * @param {LoadedImage} image an x64 image @param {number} rva @returns {number} bytes; 0 for a leaf function
 */
function frameSize(image, rva) {
  const file = new DataView(image.file.buffer, image.file.byteOffset, image.file.byteLength);
  const pdata = image.sections.find((s) => s.name === ".pdata");
  if (pdata === undefined) return 0;
  for (let i = 0; i < pdata.size; i += 12) {
    const at = pdata.fileOffset + i;
    if (rva < file.getUint32(at, true) || rva >= file.getUint32(at + 4, true)) continue;
    let size = 0;
    for (let info = file.getUint32(at + 8, true); ; ) {
      const unwind = fileOffset(image, info);
      const codes = file.getUint8(unwind + 2);
      for (let c = 0; c < codes; c++) {
        const code = file.getUint8(unwind + 4 + 2 * c + 1);
        const [op, value] = [code & 15, code >> 4];
        if (op === 0) size += 8;
        else if (op === 1) {
          size +=
            value === 0
              ? file.getUint16(unwind + 4 + 2 * ++c, true) * 8
              : file.getUint32(unwind + 4 + 2 * ++c, true);
          if (value !== 0) c++;
        } else if (op === 2) size += value * 8 + 8;
        else if (op === 4) c++;
      }
      if (((file.getUint8(unwind) >> 3) & 4) === 0) return size;
      info = file.getUint32(unwind + 4 + 2 * (codes + (codes & 1)) + 8, true);
    }
  }
  return 0;
}

/**
 * The words of a stack, lowest first: each function's own bytes, then the address at which its caller goes on.
 * @param {readonly Frame[]} frames innermost first @param {{ is64: boolean, filler?: (n: number) => bigint }} options filler: saved registers and locals
 * @returns {bigint[]}
 */
export function stackWords(frames, { is64, filler = () => 0n }) {
  /** @type {bigint[]} */
  const words = [];
  frames.forEach(({ image, rva }, i) => {
    if (i > 0) words.push(image.base + BigInt(rva));
    const own = is64 ? frameSize(image, rva) / 8 : 5;
    for (let k = 0; k < own; k++) words.push(filler(words.length));
  });
  return words;
}
