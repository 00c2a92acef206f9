import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { type Atom, imageAddress, type Value } from "./values.ts";

/**
 * The functions whose code names a place of the image: by its bytes, so that one may be there that only seems to.
 */
export function functionsNaming(image: ImageCode, rva: number): readonly CodeFunction[] {
  const found = new Map<number, CodeFunction>();
  for (const at of placesNaming(image, rva)) {
    for (const owner of image.functions.owning(at)) found.set(owner.entry, owner);
  }
  return [...found.values()];
}

/** Where four bytes of code read as the address of a place: RIP-relative, or in 32-bit code absolute. */
export function placesNaming({ code }: ImageCode, rva: number): readonly number[] {
  const places: number[] = [];
  for (const { start, bytes } of code.runs) {
    const last = bytes.length - 4;
    if (!code.wide) {
      const address = (rva + code.base32) | 0;
      for (let i = 0; i <= last; i++) if (wordAt(bytes, i) === address) places.push(start + i);
      continue;
    }
    for (let i = 0; i <= last; i++) {
      // The displacement counts from the end of the instruction, behind an immediate of up to four bytes.
      const away = rva - (start + i + 4) - wordAt(bytes, i);
      if (away >= 0 && away <= 4) places.push(start + i);
    }
  }
  return places;
}

/** The place in the image that a value is the address of: 32-bit code names places by numbers. */
export function placeNamed({ code }: ImageCode, atom: Atom): number | undefined {
  if (atom.kind === "address") return atom.rva;
  if (atom.kind !== "constant" || code.wide) return undefined;
  return code.offsetOf(BigInt(atom.value >>> 0));
}

/** A value with the addresses that 32-bit code writes as numbers told as such. */
export function placed(image: ImageCode, value: Value): Value {
  if (image.code.wide) return value;
  return value.flatMap((atom) => {
    const rva = atom.kind === "constant" ? placeNamed(image, atom) : undefined;
    return rva === undefined || rva === 0 ? [atom] : imageAddress(rva);
  });
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
