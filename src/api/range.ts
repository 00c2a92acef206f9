import { type AddressLike, hex, type Va } from "../core/address.ts";
import { ArgumentRangeError, isArgumentError } from "../core/argument-error.ts";
import type { Workspace } from "./workspace.ts";

/** How far to look, as WinDbg takes it: a number of things, or a text such as `L20`, `20`, or the address of the last one. */
export type LengthLike = number | string;

/** What a range is of. */
interface RangeOf {
  /** In bytes. */
  readonly unit: number;
  /** More are for a program. */
  readonly most: number;
  /** In the plural. */
  readonly things: string;
}

/**
 * The start of a range, and how many things it has: `L20`, `L?20` and `20` count them, in hex as everywhere; any other
 * address behind the start is that of the last one.
 *
 * @throws {TypeError} no address or length
 * @throws {RangeError} none, or too many
 */
export function parseRange(
  opened: Workspace,
  address: AddressLike,
  length: LengthLike,
  { unit, most, things }: RangeOf,
): readonly [start: Va, count: number] {
  const start = opened.address(address);
  const [, counted] = typeof length === "string" ? (/^L\??\s*(.*)$/is.exec(length.trim()) ?? []) : [];
  const value = typeof length === "number" ? wholeNumber(length) : addressIn(opened, counted ?? length);
  const isEnd = counted === undefined && value > most && value >= start;
  const count = isEnd ? Number((BigInt(value) - start) / BigInt(unit)) + 1 : Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= most) return [start, count];
  const found = typeof length === "number" ? length : `${hex(BigInt(count))} for "${length}"`;
  throw new ArgumentRangeError(
    `LENGTH is 1 to ${hex(most)} ${things}, or the address of the last one, not ${found}`,
  );
}

/** @throws {RangeError} it has a fraction, or is none */
function wholeNumber(length: number): number {
  if (Number.isInteger(length)) return length;
  throw new ArgumentRangeError(`LENGTH is a whole number, not ${length}`);
}

function addressIn(opened: Workspace, length: string): Va {
  try {
    return opened.address(length);
  } catch (error) {
    if (isArgumentError(error)) throw new ArgumentRangeError(`LENGTH: ${error.message}`, { cause: error });
    throw error;
  }
}
