import type Long from "long";
import { ArgumentRangeError, ArgumentTypeError } from "./argument-error.ts";

declare const brand: unique symbol;

/** A virtual address, 0 to 2^64 - 1. A 32-bit address has no sign extension. */
export type Va = bigint & { readonly [brand]: "Va" };
/** A physical address in bytes. */
export type Pa = number & { readonly [brand]: "Pa" };
/** An offset in bytes from the base of an image in memory. */
export type Rva = number & { readonly [brand]: "Rva" };

/** What every public door takes where an address is wanted. */
export type AddressLike = bigint | number | string | Long;

const VA_END = 1n << 64n;

/**
 * Makes a `Va` of a bigint.
 *
 * @throws {RangeError} negative, or over 64 bits
 */
export function va(value: bigint): Va {
  if (value < 0n || value >= VA_END) throw new RangeError(`an address has 64 bits, found ${value}`);
  return value as Va;
}

/**
 * Makes a `Pa` of a number of bytes.
 *
 * @throws {RangeError} negative, or not a safe integer
 */
export function pa(value: number): Pa {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a physical address: ${value}`);
  return value as Pa;
}

/**
 * Makes an `Rva` of a number of bytes.
 *
 * @throws {RangeError} not an integer of 32 bits
 */
export function rva(value: number): Rva {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new RangeError(`not an RVA: ${value}`);
  return value as Rva;
}

/** The address `by` bytes further; wraps at 64 bits as the processor does. */
export function advance(from: Va, by: number | bigint): Va {
  return BigInt.asUintN(64, from + BigInt(by)) as Va;
}

/**
 * Reads an address in any form that WinDbg prints or takes: `8096c909`, `fffff804'7ba00000`,
 * ``fffff804`7ba00000``, `0x8096c909`. A string without `0x` is hexadecimal too.
 *
 * @throws {TypeError} not one of the forms
 * @throws {RangeError} a number that is negative, fractional, or past 2^53, where doubles skip addresses
 */
export function toVa(address: AddressLike): Va {
  if (typeof address === "bigint") {
    if (address >= 0n && address < VA_END) return address as Va;
    throw new ArgumentRangeError(`an address has 64 bits, found ${address}`);
  }
  if (typeof address === "number") {
    if (Number.isSafeInteger(address) && address >= 0) return BigInt(address) as Va;
    throw new ArgumentRangeError(
      `${address} is not an exact address: use a bigint or a string for 64-bit addresses`,
    );
  }
  if (typeof address === "string") {
    const digits = /^(?:0x)?([0-9a-f]{1,16})n?$/i.exec(
      address.trim().replace(/[`'](?=[0-9a-f]{8}n?$)/i, ""),
    )?.[1];
    if (digits === undefined) {
      throw new ArgumentTypeError(
        `"${address}" is not an address; write hex such as 8096c909 or fffff804'7ba00000`,
      );
    }
    return BigInt(`0x${digits}`) as Va;
  }
  if (typeof address === "object" && address !== null && typeof address.getHighBitsUnsigned === "function") {
    return ((BigInt(address.getHighBitsUnsigned()) << 32n) | BigInt(address.getLowBitsUnsigned())) as Va;
  }
  throw new ArgumentTypeError(`not an address: ${String(address)}`);
}

/** Bytes of a page on every machine that is read. */
export const PAGE_SIZE = 0x1000;

/** `0x` and lower-case hex without padding, as in every JSON document. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** As WinDbg prints it: `8096c909`, or `fffff804'7ba00000` in a 64-bit dump. */
export function windbgHex(address: bigint, pointerSize: 4 | 8): string {
  const digits = address.toString(16).padStart(pointerSize * 2, "0");
  return pointerSize === 4 ? digits : `${digits.slice(0, -8)}\`${digits.slice(-8)}`;
}
