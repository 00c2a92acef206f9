import { jsonOf } from "./answer.ts";

/** What JSON lets stand in a string, and a terminal obeys: C1 controls, and characters that turn the direction of writing. */
const RAW = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * An answer as one JSON document, or a list of answers as one list: `schemaVersion` first, bigints as `0x` and lower-case
 * hex, `undefined` as null, so that no field is ever left out.
 */
export function renderJson(document: object): string {
  const text = JSON.stringify(Array.isArray(document) ? document.map(jsonOf) : jsonOf(document), null, 2);
  return withoutRaw(text);
}

/** JSON with nothing but itself in it for a terminal. */
export function withoutRaw(json: string): string {
  return json.replace(RAW, (character) =>
    Array.from(character.split(""), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );
}
