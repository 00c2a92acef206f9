/**
 * Whether a name fits a pattern in which `*` is any run of characters and `?` any one; upper and lower case are the same.
 * A star is tried from where it stands on, and given up for the next one: that takes no longer than name times pattern.
 */
export function fits(name: string, pattern: string): boolean {
  const text = name.toLowerCase();
  const wanted = pattern.toLowerCase();
  let [at, part] = [0, 0];
  let star: { readonly part: number; at: number } | undefined;
  while (at < text.length) {
    if (wanted[part] === "*") {
      star = { part, at };
      part++;
    } else if (part < wanted.length && (wanted[part] === "?" || wanted[part] === text[at])) {
      at++;
      part++;
    } else if (star === undefined) {
      return false;
    } else {
      star.at++;
      at = star.at;
      part = star.part + 1;
    }
  }
  while (wanted[part] === "*") part++;
  return part === wanted.length;
}
