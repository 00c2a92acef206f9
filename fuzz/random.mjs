/**
 * Numbers that depend on a seed alone, so that each input can be made again.
 *
 * @typedef {{ below(limit: number): number, of<T>(list: readonly T[]): T, chance(share: number): boolean }} Random
 */

/** @param {string} text @returns {number} 32 bits of it (FNV-1a) */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** @param {string} seed @returns {Random} (mulberry32) */
export function randomOf(seed) {
  let state = hashOf(seed);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (/** @type {number} */ limit) => Math.floor(next() * limit);
  return {
    below,
    chance: (share) => next() < share,
    of(list) {
      if (list.length === 0) throw new RangeError("nothing to choose from");
      return /** @type {any} */ (list[below(list.length)]);
    },
  };
}
