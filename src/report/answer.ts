import { hex } from "../core/address.ts";

/** The version of the documents' shapes; it changes when a field is taken away or means another thing. */
const SCHEMA_VERSION = 1;

/**
 * Gives an answer a `toJSON`, which no loop over its fields meets: `JSON.stringify` writes it as the document that `--json`
 * prints, where bigints would end it with a TypeError.
 *
 * @param document what the command gives, where the method gives something else
 */
export function answer<T extends object>(data: T, document: () => object = () => data): T {
  const value = (): unknown => jsonOf(document());
  return Object.defineProperty(data, "toJSON", { value, enumerable: false, configurable: true });
}

/** A document as JSON has it: its version, and no bigint. */
export function jsonOf(document: object): unknown {
  return plain(versioned(document));
}

export function versioned(document: object): object {
  return { schemaVersion: SCHEMA_VERSION, ...document };
}

/** Bigints as `0x` and lower-case hex, `undefined` as null, so that no field is ever left out. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return hex(value);
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]));
}
