import { type AddressLike, advance, toVa, type Va } from "../core/address.ts";

/** What an expression needs to know of the dump. */
export interface NameSpace {
  /** The base of a module by its name; undefined where there is none of that name. */
  moduleBase(name: string): Va | undefined;
  /** The address of an export, forwarders followed; undefined where there is none. */
  exportAddress(module: string, name: string): Va | undefined;
  readonly pointerSize: 4 | 8;
}

/**
 * Reads an address as a person writes one: hex in WinDbg's forms, `nt!Name`, `nt+0x1234`,
 * `nt!Name+0x3d`, `8096c909+10`. Numbers in a string are hexadecimal, as in a debugger.
 *
 * @throws {TypeError} no address and no name of this dump
 * @throws {RangeError} beyond the machine's width
 */
export function parseAddress(expression: AddressLike, names: NameSpace): Va {
  const address = typeof expression === "string" ? parseText(expression.trim(), names) : toVa(expression);
  if (names.pointerSize === 8) return address;
  if (address >> 31n === 0x1ffffffffn) return BigInt.asUintN(32, address) as Va;
  if (address > 0xffffffffn)
    throw new RangeError(`0x${address.toString(16)} is no address of a 32-bit machine`);
  return address;
}

function parseText(text: string, names: NameSpace): Va {
  const sum = /^(.+?)\s*([+-])\s*(?:0x)?([0-9a-f`']+)$/i.exec(text);
  if (sum !== null && !looksLikeAddress(text)) {
    const offset = toVa(`0x${(sum[3] ?? "").replace(/[`']/g, "")}`);
    return advance(parseTerm((sum[1] ?? "").trim(), names), sum[2] === "-" ? -offset : offset);
  }
  return parseTerm(text, names);
}

function parseTerm(text: string, names: NameSpace): Va {
  if (looksLikeAddress(text)) return toVa(text);
  const bang = text.indexOf("!");
  if (bang > 0) {
    const module = text.slice(0, bang);
    const name = text.slice(bang + 1);
    const found = names.exportAddress(module, name);
    if (found !== undefined) return found;
    if (names.moduleBase(module) === undefined)
      throw new TypeError(`there is no module "${module}" in this dump`);
    throw new TypeError(`${module} exports no "${name}" that can be read`);
  }
  const base = names.moduleBase(text);
  if (base !== undefined) return base;
  throw new TypeError(
    `"${text}" is neither an address nor a module; write hex (8096c909, fffff804'7ba00000) or nt!Name+0x3d`,
  );
}

/** `add` and `bad` are hex too: an address wins over a module of that name, as in WinDbg. */
function looksLikeAddress(text: string): boolean {
  return /^(?:0x)?[0-9a-f]{1,8}(?:[`']?[0-9a-f]{8})?$/i.test(text);
}
