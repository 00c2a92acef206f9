import { hex } from "../core/address.ts";

/** The version of the documents' shapes; it changes when a field is taken away or means another thing. */
const SCHEMA_VERSION = 1;

/**
 * An answer as one JSON document, or a list of answers as one list: `schemaVersion` first, bigints as `0x` and lower-case hex,
 * `undefined` as null, so that no field is ever left out.
 */
export function renderJson(document: object): string {
  return JSON.stringify(Array.isArray(document) ? document.map(versioned) : versioned(document), replace, 2);
}

function versioned(document: object): object {
  return { schemaVersion: SCHEMA_VERSION, ...document };
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return hex(value);
  return value === undefined ? null : value;
}
