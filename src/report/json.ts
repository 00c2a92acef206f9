import { jsonOf } from "./answer.ts";

/**
 * An answer as one JSON document, or a list of answers as one list: `schemaVersion` first, bigints as `0x` and lower-case
 * hex, `undefined` as null, so that no field is ever left out.
 */
export function renderJson(document: object): string {
  return JSON.stringify(Array.isArray(document) ? document.map(jsonOf) : jsonOf(document), null, 2);
}
