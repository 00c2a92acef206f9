import { ArgumentRangeError, ArgumentTypeError } from "../core/argument-error.ts";
import { TAG_ORDERS } from "../pool/tag-table.ts";
import { described } from "./input.ts";

/** What each operand has to be, by its name; addresses, modules and lengths are looked at where they are read. */
const KINDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ...["pattern", "tag", "of"].map((name) => [name, isText] as const),
  ["tags", (value: unknown): boolean => Array.isArray(value) && Array.from(value).every(isText)] as const,
  ["addresses", (value: unknown): boolean => Array.isArray(value)] as const,
  ["sort", (value: unknown): boolean => TAG_ORDERS.some((order) => order === value)] as const,
  ["descriptions", (value: unknown): boolean => value instanceof Object && "describe" in value] as const,
]);
const WORDS: ReadonlyMap<string, string> = new Map([
  ["tags", "a list of texts"],
  ["addresses", "a list"],
  ["sort", `one of ${TAG_ORDERS.join(", ")}`],
  ["descriptions", "a tag file that was read"],
]);

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/**
 * Looks at what a program gives as operands, which may have come to it as JSON. One that is undefined is left out.
 *
 * @throws {TypeError} one is of another type
 * @throws {RangeError} `top` is no number of tags
 */
export function checkOperands(question: object): void {
  for (const [name, value] of Object.entries(question)) {
    if (value === undefined && name !== "addresses") continue;
    if (KINDS.get(name)?.(value) === false)
      throw new ArgumentTypeError(`${name} is ${WORDS.get(name) ?? "a text"}, not ${described(value)}`);
    if (name === "top" && (!Number.isSafeInteger(value) || Number(value) < 0))
      throw new ArgumentRangeError(`top is a number of tags, not ${described(value)}`);
  }
}
