/**
 * Where the keys that are past `key` begin, by binary search; `count` where none is. One less is the last
 * that is at or before it.
 *
 * @param keyAt the key at an index below `count`; keys ascend
 */
export function upperBound<K extends number | bigint>(
  count: number,
  key: K,
  keyAt: (index: number) => K,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The items by their key, the keys in order of their first item. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) addTo(groups, keyOf(item), item);
  return groups;
}

/**
 * Adds all of `more` to the end of a list. `push(...more)` puts each item on the stack as an argument, which some hundred
 * thousand overflow.
 */
export function addAll<T>(list: T[], more: Iterable<T>): void {
  for (const item of more) list.push(item);
}

/** Adds an item to those of a key. */
export function addTo<K, T>(groups: Map<K, T[]>, key: K, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
