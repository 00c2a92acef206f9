/** Node's own search, which takes a seventh of the engine's time; browsers have none. */
const nodeSearch = globalThis.Buffer?.prototype.indexOf;

/**
 * Where a pattern first stands in some bytes, from an offset on; -1 where it does not. The pattern's first byte is
 * looked for by the engine, and so it should be a rare one.
 */
export function indexOfBytes(bytes: Uint8Array, pattern: Uint8Array, from = 0): number {
  const first = pattern[0];
  if (first === undefined) return from <= bytes.length ? from : -1;
  if (nodeSearch !== undefined) return nodeSearch.call(bytes, pattern, from);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (standsAt(bytes, at, pattern)) return at;
  }
  return -1;
}

/** Whether a pattern stands at an offset. */
export function standsAt(bytes: Uint8Array, at: number, pattern: Uint8Array): boolean {
  if (at + pattern.length > bytes.length) return false;
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false;
  return true;
}
