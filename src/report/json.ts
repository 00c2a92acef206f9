import { joined } from "../core/text.ts";
import { plain, versioned } from "./answer.ts";

/** What JSON lets stand in a string, and a terminal obeys: C1 controls, and characters that turn the direction of writing. */
const RAW = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * An answer as one JSON document, or a list of answers as one list: `schemaVersion` first, bigints as `0x` and lower-case
 * hex, `undefined` as null, so that no field is ever left out.
 */
export function renderJson(document: object): string {
  return Array.isArray(document) ? listText(document.map(versioned), "") : textOf(versioned(document), "");
}

/** Down to its lists, whose elements are written one by one: as a whole, a copy without bigints takes as much as they do. */
function textOf(value: unknown, indent: string): string {
  if (Array.isArray(value)) return listText(value, indent);
  if (typeof value !== "object" || value === null) return wholeText(value, indent);
  const inner = indent + STEP;
  return between(
    "{}",
    Object.entries(value).map(([key, held]) => `${inner}${wholeText(key, "")}: ${textOf(held, inner)}`),
    indent,
  );
}

function listText(list: readonly unknown[], indent: string): string {
  const inner = indent + STEP;
  return between("[]", elementsOf(list, inner), indent);
}

function* elementsOf(list: readonly unknown[], indent: string): Generator<string> {
  for (const element of list) yield indent + wholeText(element, indent);
}

function between(brackets: "{}" | "[]", parts: Iterable<string>, indent: string): string {
  const text = joined(parts, ",\n");
  return text === "" ? brackets : `${brackets[0]}\n${text}\n${indent}${brackets[1]}`;
}

function wholeText(value: unknown, indent: string): string {
  return withoutRaw(JSON.stringify(plain(value), null, STEP)).replaceAll("\n", `\n${indent}`);
}

const STEP = "  ";

/** JSON with nothing but itself in it for a terminal. */
export function withoutRaw(json: string): string {
  return json.replace(RAW, (character) =>
    Array.from(character.split(""), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );
}
