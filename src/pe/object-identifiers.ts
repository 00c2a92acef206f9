/** Tags of ASN.1's identifiers. */
const OBJECT_IDENTIFIER = 6;
const RELATIVE_IDENTIFIER = 13;
const CONSTRUCTED = 0x20;
const CLASS_BITS = 0xc0;
/** Of an element's first byte: its number stands behind it. */
const LONG_TAG = 0x1f;
/** Of a length: its bytes stand behind it; without any, the element ends where its content does. */
const LONG_LENGTH = 0x80;

/** Bytes of all object identifiers in a message of BER. Whoever decodes it makes an object of each number in them. */
export function identifierBytes(message: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < message.length; ) {
    const { tag, constructed, start, length } = elementAt(message, at);
    const isIdentifier = tag === OBJECT_IDENTIFIER || tag === RELATIVE_IDENTIFIER;
    if (isIdentifier) total += Math.min(length, message.length - start);
    // what is in a constructed element comes next, and then what is behind it
    at = constructed && !isIdentifier ? start : start + length;
  }
  return total;
}

/** @returns `tag`: 0 for one that is not ASN.1's own */
function elementAt(
  bytes: Uint8Array,
  at: number,
): { readonly tag: number; readonly constructed: boolean; readonly start: number; readonly length: number } {
  const first = bytes[at] ?? 0;
  let next = at + 1;
  let tag = first & LONG_TAG;
  if (tag === LONG_TAG) {
    tag = 0;
    let byte: number;
    do {
      byte = bytes[next++] ?? 0;
      tag = tag * 0x80 + (byte & 0x7f);
    } while (byte >= 0x80);
  }
  const said = bytes[next++] ?? 0;
  let length = said & 0x7f;
  if (said >= LONG_LENGTH) {
    const end = next + length;
    length = 0;
    while (next < end) length = length * 0x100 + (bytes[next++] ?? 0);
  }
  return {
    tag: (first & CLASS_BITS) === 0 ? tag : 0,
    constructed: (first & CONSTRUCTED) !== 0,
    start: next,
    length,
  };
}
