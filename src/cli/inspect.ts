import { inspect, types } from "node:util";
import { Dump } from "../api/dump.ts";
import { hex } from "../core/address.ts";
import { printable, printableLines } from "../core/text.ts";
import { answer } from "../report/answer.ts";
import { valueTable } from "./value-table.ts";

/** Deep enough for any answer, shallow enough for a screen. */
const DEPTH = 4;
const MOST_ITEMS = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what begins a colour
const COLORS = /(\u001b\[\d+m)/;
/** Where no terminal says it. */
const WIDTH = 120;

/** A bigint as the REPL shows it. */
class Hex {
  readonly text: string;

  constructor(value: bigint) {
    this.text = hex(value);
  }

  [inspect.custom](_depth: number, options: { stylize(text: string, style: "bigint"): string }): string {
    return options.stylize(this.text, "bigint");
  }
}

/**
 * As Node's own `inspect`, but with bigints, which are addresses here, in hex, and lists of things of one kind as tables.
 *
 * @param width that tables have, in characters
 */
export function inspectHex(value: unknown, colors: boolean, width: number = WIDTH): string {
  if (typeof value === "bigint") return hex(value);
  if (value instanceof Dump) return summary(value);
  const table = valueTable(value, width);
  if (table !== undefined) return table;
  const text = inspect(withHex(value, DEPTH, new Set()), {
    colors,
    depth: DEPTH,
    maxArrayLength: MOST_ITEMS,
  });
  // Node escapes controls in strings, and the escapes that are left are its colours
  return text
    .split(COLORS)
    .map((part, i) => (i % 2 === 0 ? printableLines(part) : part))
    .join("");
}

/** A dump at the prompt is one thing, not all that it holds. */
function summary(dump: Dump): string {
  return `Dump ${printable(dump.file)}: ${dump.modules.items.length} modules; info() says what it is, dump.<Tab> what it can`;
}

/** Bytes as a debugger prints them. */
class HexBytes {
  readonly text: string;

  constructor(bytes: Uint8Array) {
    const shown = [...bytes.subarray(0, MOST_ITEMS)].map((byte) => byte.toString(16).padStart(2, "0"));
    this.text = `${bytes.length} bytes: ${shown.join(" ")}${bytes.length > MOST_ITEMS ? " ..." : ""}`;
  }

  [inspect.custom](): string {
    return this.text;
  }
}

/** Copies what an object holds with its bigints wrapped; what shows itself in its own way stays as it is. */
function withHex(value: unknown, depth: number, above: Set<unknown>): unknown {
  if (typeof value === "bigint") return new Hex(value);
  if (value instanceof Uint8Array) return new HexBytes(value);
  if (typeof value !== "object" || value === null || depth < 0 || above.has(value) || showsItself(value))
    return value;
  above.add(value);
  const copy: object = Array.isArray(value)
    ? value.slice(0, MOST_ITEMS + 1).map((item: unknown) => withHex(item, depth - 1, above))
    : Object.assign(
        Object.create(Object.getPrototypeOf(value)),
        Object.fromEntries(
          Object.entries(value).map(([name, item]) => [name, withHex(item, depth - 1, above)]),
        ),
      );
  above.delete(value);
  return copy;
}

/** Not `instanceof`: what is made at the prompt belongs to another realm. */
const OWN_WAYS: readonly ((value: object) => boolean)[] = [
  types.isNativeError,
  types.isMap,
  types.isSet,
  types.isDate,
  types.isRegExp,
  types.isPromise,
];

function showsItself(value: object): boolean {
  if (inspect.custom in value || ArrayBuffer.isView(value)) return true;
  return OWN_WAYS.some((is) => is(value));
}

/** A document that the REPL shows as the command prints it, and that is data to everything else. */
export function printed<T extends object>(document: T, text: string): object {
  const copy = Array.isArray(document)
    ? document.map((one: object) => answer({ ...one }))
    : answer({ ...document });
  return Object.defineProperty(copy, inspect.custom, { value: () => text, enumerable: false });
}
