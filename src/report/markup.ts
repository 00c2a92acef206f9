import { printable } from "../core/text.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What a dump says can be anything: nothing of it is markup, and nothing turns the direction of the text. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** A tag as the report's sentences have it, in grave accents: all four characters, spaces too. */
export const TAG_IN_TEXT: RegExp = /(^|[\s(])`([^`]{4,16})`(?!\w)/;

/** As `escaped`, with tags set off. */
export function worded(text: string): string {
  return text
    .split(TAG_IN_TEXT)
    .map((part, i) => (i % 3 === 2 ? `<code class="tag">${escaped(part)}</code>` : escaped(part)))
    .join("");
}
