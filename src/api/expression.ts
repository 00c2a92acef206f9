import { type AddressLike, advance, hex, toVa, type Va } from "../core/address.ts";
import { ArgumentRangeError, ArgumentTypeError } from "../core/argument-error.ts";
import { MemoryError } from "../core/errors.ts";
import { MAX_EXPRESSION } from "../core/limits.ts";
import { didYouMean } from "../core/nearest-word.ts";

/** What an expression needs to know of what was opened. */
export interface NameSpace {
  readonly pointerSize: 4 | 8;
  /** What modules go by, the one that names without a module mean first. */
  readonly moduleNames: readonly string[];
  /** The base of a module by its name, in any case of letters; undefined where there is none of that name. */
  moduleBase(name: string): Va | undefined;
  /** Where a name of a module stands, forwarders followed; undefined where there is none. */
  symbolAddress(module: string, name: string): Va | undefined;
  /** What a wrong name of a module may have meant. */
  symbolNames(module: string): Iterable<string>;
  /**
   * The pointer that stands at an address.
   *
   * @throws {MemoryError} it cannot be read
   */
  pointerAt(address: Va): Va;
}

/** What an expression's `poi` has to read, and memory does not have. */
export class PointerError extends MemoryError {
  constructor(expression: string, { fault, bytesRead, message }: MemoryError) {
    super(fault, bytesRead);
    this.message = `${expression} cannot be read: ${message}`;
  }
}

/**
 * Reads an address as a person writes one for WinDbg: `8096c909`, ``fffff804`7ba00000``, `nt!Name+0x3d`, `nt+1000`,
 * `Name`, `poi(nt!PsLoadedModuleList)+18`. Numbers are hexadecimal, but for those behind `0n`.
 *
 * @throws {TypeError} no expression, or one with a name that there is not
 * @throws {RangeError} beyond the machine's width
 * @throws {PointerError} what stands in `poi()` leads to memory that cannot be read
 */
export function parseAddress(expression: AddressLike, names: NameSpace): Va {
  if (typeof expression !== "string") return narrow(toVa(expression), names);
  return narrow(new Expression(expression, names).value(), names);
}

/** 32-bit machines also write their addresses sign-extended. */
function narrow(address: Va, { pointerSize }: Pick<NameSpace, "pointerSize">): Va {
  if (pointerSize === 8) return address;
  if (address >> 31n === 0x1ffffffffn) return toVa(BigInt.asUintN(32, address));
  if (address > 0xffffffffn)
    throw new ArgumentRangeError(`${hex(address)} is no address of a 32-bit machine`);
  return address;
}

/** A number ends here, and is no start of a name. */
const NUMBER = /(?:0n(\d+)|(?:0x)?([0-9a-f]+(?:[`'][0-9a-f]{8})?)n?)(?![^\s()+-])/iy;
const SPACE = /\s*/y;
const POI = /poi\s*(?=\()/iy;
const MODULE = /[^\s()+\-!]+/y;
const SYMBOL = /[^\s()+-]+/y;
/** What may stand behind a module's name. */
const BEHIND_NAME = /^(?:$|[\s()+\-!])/;

const ZERO: Va = toVa(0n);

/** One expression, read from left to right: sums of numbers, names, `poi(...)` and parentheses. */
class Expression {
  readonly #text: string;
  readonly #names: NameSpace;
  #at = 0;

  constructor(text: string, names: NameSpace) {
    if (text.length > MAX_EXPRESSION)
      throw new ArgumentTypeError(
        `an expression has at most ${MAX_EXPRESSION} characters, found ${text.length}`,
      );
    this.#text = text;
    this.#names = names;
  }

  value(): Va {
    const value = this.#sum();
    if (this.#at < this.#text.length) throw this.#unexpected("+ or -");
    return value;
  }

  #sum(): Va {
    let sum = this.#operand();
    for (;;) {
      if (this.#takes("+")) sum = advance(sum, this.#operand());
      else if (this.#takes("-")) sum = advance(sum, -this.#operand());
      else return sum;
    }
  }

  /** Each kind of word is tried in this order: `add` is a number before it is a module, as in WinDbg. */
  #operand(): Va {
    if (this.#takes("-")) return advance(ZERO, -this.#operand());
    if (this.#takes("(")) return this.#closed();
    const number = this.#match(NUMBER);
    if (number !== undefined) return numberOf(number);
    const start = this.#at;
    if (this.#match(POI) === undefined) return this.#named();
    this.#at++;
    const place = narrow(this.#closed(), this.#names);
    try {
      return this.#names.pointerAt(place);
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      throw new PointerError(this.#text.slice(start, this.#at).trim(), error);
    }
  }

  #closed(): Va {
    const value = this.#sum();
    if (!this.#takes(")")) throw this.#unexpected("a closing parenthesis");
    return value;
  }

  #named(): Va {
    this.#match(SPACE);
    const module = this.#knownModule() ?? this.#match(MODULE)?.[0];
    if (module === undefined) throw this.#unexpected("an address or a name");
    if (this.#text[this.#at] !== "!") return this.#alone(module);
    this.#at++;
    const symbol = this.#match(SYMBOL)?.[0];
    if (symbol === undefined) throw this.#unexpected("a name");
    return this.#symbol(module, symbol);
  }

  #symbol(module: string, symbol: string): Va {
    const names = this.#names;
    const found = names.symbolAddress(module, symbol);
    if (found !== undefined) return found;
    if (names.moduleBase(module) === undefined)
      throw new ArgumentTypeError(
        `there is no module "${module}" here${didYouMean(module, names.moduleNames)}`,
      );
    const meant = didYouMean(symbol, names.symbolNames(module));
    throw new ArgumentTypeError(`${module} exports no "${symbol}" that can be read${meant}`);
  }

  /** A module by itself, else a name that one module has; of the kernel's and others', the kernel's. */
  #alone(word: string): Va {
    const names = this.#names;
    const base = names.moduleBase(word);
    if (base !== undefined) return base;
    const [kernel] = names.moduleNames;
    const own = kernel === undefined ? undefined : names.symbolAddress(kernel, word);
    if (own !== undefined) return own;
    const found = new Map<Va, string>();
    for (const module of names.moduleNames) {
      const address = names.symbolAddress(module, word);
      if (address !== undefined && !found.has(address)) found.set(address, module);
    }
    const [one, ...others] = found;
    if (one === undefined) throw this.#unknown(word);
    if (others.length === 0) return one[0];
    const all = [...found.values()].slice(0, 3).map((module) => `${module}!${word}`);
    throw new ArgumentTypeError(`${found.size} modules export "${word}": write ${all.join(" or ")}`);
  }

  #unknown(word: string): TypeError {
    const names = this.#names;
    const [kernel] = names.moduleNames;
    const symbols = kernel === undefined ? [] : names.symbolNames(kernel);
    const meant = didYouMean(word, [...names.moduleNames, ...symbols]);
    return new ArgumentTypeError(
      `"${word}" is neither an address nor a module${
        meant === "" ? "; write hex (8096c909, fffff804'7ba00000) or nt!Name+0x3d" : meant
      }`,
    );
  }

  /** The longest name of a module that stands here: names of files may have a sign or a space in them. */
  #knownModule(): string | undefined {
    const rest = this.#text.slice(this.#at);
    const lower = rest.toLowerCase();
    const length = this.#names.moduleNames.reduce(
      (most, name) =>
        name.length > most &&
        lower.startsWith(name.toLowerCase()) &&
        BEHIND_NAME.test(rest.slice(name.length))
          ? name.length
          : most,
      0,
    );
    if (length === 0) return undefined;
    this.#at += length;
    return rest.slice(0, length);
  }

  #takes(sign: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    this.#match(SPACE);
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #unexpected(wanted: string): TypeError {
    const found = this.#at < this.#text.length ? `"${this.#text.slice(this.#at)}"` : "the end";
    return new ArgumentTypeError(`"${this.#text}": ${wanted} should stand before ${found}`);
  }
}

function numberOf([text, decimal, digits]: RegExpExecArray): Va {
  const value = BigInt(decimal ?? `0x${(digits ?? "").replace(/[`']/, "")}`);
  if (value >> 64n === 0n) return toVa(value);
  throw new ArgumentRangeError(`${text} has more than the 64 bits of an address`);
}
