import { MAX_ALTERNATIVES, MAX_STACK_PLACES } from "../core/limits.ts";

/** One thing that a register or a place on the stack may hold. Equal atoms have equal keys. */
export type Atom =
  /** A number that stands in the code; `origin` is the RVA of its bytes, where they stand there as they are. */
  | {
      readonly kind: "constant";
      readonly key: string;
      readonly value: number;
      readonly origin: number | undefined;
    }
  /** What a register held when the function was entered. */
  | { readonly kind: "register"; readonly key: string; readonly register: number }
  /** What stood on the stack when the function was entered, so many bytes above the return address's own place. */
  | { readonly kind: "argument"; readonly key: string; readonly offset: number }
  /** An address on the stack, relative to the return address's place. */
  | { readonly kind: "stack"; readonly key: string; readonly offset: number }
  /** The address of a place in the image. */
  | { readonly kind: "address"; readonly key: string; readonly rva: number }
  /** What stands at a place in the image: an import's address, or a global variable. */
  | { readonly kind: "loaded"; readonly key: string; readonly rva: number }
  /** What a pointer with an offset points to. */
  | { readonly kind: "field"; readonly key: string; readonly of: Atom; readonly offset: number }
  /** A pointer, moved by so many bytes. */
  | { readonly kind: "offset"; readonly key: string; readonly of: Atom; readonly offset: number }
  /** The low one or two bytes of something. */
  | { readonly kind: "part"; readonly key: string; readonly of: Atom; readonly size: number }
  /** What a call gave. */
  | { readonly kind: "result"; readonly key: string; readonly call: number }
  /** What a call left where one of its arguments points to: on the stack, so many bytes above the return address's place. */
  | { readonly kind: "left"; readonly key: string; readonly call: number; readonly on?: number }
  /**
   * Nobody knows what. Two of them are never the same thing, but how one was come by may be known: loaded from `behind`
   * bytes behind some pointer, and moved by `moved` bytes.
   */
  | {
      readonly kind: "unknown";
      readonly key: string;
      readonly behind?: number | undefined;
      readonly moved?: number | undefined;
      /** It is one of these numbers, before it is moved. */
      readonly oneOf?: readonly number[];
      /** It is this, moved by what nobody knows: a place in a block, or a number. */
      readonly from?: Atom;
      /** Of one way through a function: what the value is called there, without what it was moved by. */
      readonly computed?: Computed | undefined;
    };

/** A value by the instruction that computed it last. */
export interface Computed {
  readonly at: number;
  /** No other's is a beginning of it. */
  readonly key: string;
}

/** All that a place may hold; one of them `unknown` when there may be more. */
export type Value = readonly Atom[];

const unknown: Atom = { kind: "unknown", key: "?" };
export const UNKNOWN: Value = [unknown];

export function constant(value: number, origin?: number): Value {
  return [{ kind: "constant", key: `${value}@${origin ?? ""}`, value, origin }];
}
function entryRegister(register: number): Value {
  return [{ kind: "register", key: `r${register}`, register }];
}
function argument(offset: number): Value {
  return [{ kind: "argument", key: `a${offset}`, offset }];
}
export function stackAddress(offset: number): Value {
  return [{ kind: "stack", key: `s${offset}`, offset }];
}
export function imageAddress(rva: number): Value {
  return [{ kind: "address", key: `&${rva}`, rva }];
}
export function loaded(rva: number): Value {
  return [{ kind: "loaded", key: `*${rva}`, rva }];
}
export function resultOf(call: number): Value {
  return [{ kind: "result", key: `=${call}`, call }];
}
/** What a call left behind an argument that it was given. */
export function leftBy(call: number, argument: number): Value {
  return [{ kind: "left", key: `!${call}:${argument}`, call }];
}
/** What a call left at a place on the stack. */
export function leftOnStack(call: number, on: number): Value {
  return [{ kind: "left", key: `!${call}:s${on}`, call, on }];
}
/** One of a few numbers: a bit of something, or the outcome of a comparison. */
export function oneOf(numbers: readonly number[]): Value {
  return [{ kind: "unknown", key: `?=${numbers.join()}`, oneOf: numbers }];
}
/** What stands so many bytes behind a pointer that is not known. */
export function behindUnknown(offset: number): Value {
  return [{ kind: "unknown", key: `?+${offset}`, behind: offset }];
}
/** A pointer that is not known, moved by so many bytes; `behind` where it was loaded from. */
export function movedUnknown(offset: number, behind?: number): Value {
  return [{ kind: "unknown", key: `?+${behind}#${offset}`, behind, moved: offset }];
}
/**
 * What nobody knows, told apart from all else that nobody knows, for as long as the instruction does not run again.
 *
 * @param place where it is, since an instruction may compute several
 */
export function computedAt(atom: Atom & { readonly kind: "unknown" }, at: number, place: string): Value {
  const key = `${COMPUTED}${at}.${place};`;
  return [{ ...atom, key, computed: { at, key } }];
}

/** How the keys of such values begin. */
export const COMPUTED = "?@";

/** A number that was added to what is not known, and the key of that; `undefined` where nothing was. */
export function sumOf(atom: Atom): { readonly of: Atom; readonly added: number } | undefined {
  if (atom.kind === "offset") return { of: atom.of, added: atom.offset };
  if (atom.kind !== "unknown" || atom.computed === undefined || atom.moved === undefined) return undefined;
  return { of: { ...atom, key: atom.computed.key, moved: undefined }, added: atom.moved };
}

/** So many pointers are followed one behind the other: from a request to its file, to what that keeps, and into it. */
const MOST_POINTERS = 4;

function pointersTo(atom: Atom): number {
  if (atom.kind === "offset") return pointersTo(atom.of);
  return atom.kind === "field" ? 1 + pointersTo(atom.of) : 0;
}

/** What `of` points to, at an offset. */
export function fieldOf(of: Atom, offset: number): Value {
  if (of.kind === "offset") return fieldOf(of.of, of.offset + offset);
  if (of.kind === "part" || of.kind === "constant") return UNKNOWN;
  if (of.kind === "unknown") return behindUnknown((of.moved ?? 0) + offset);
  if (pointersTo(of) >= MOST_POINTERS) return behindUnknown(offset);
  return [{ kind: "field", key: `${of.key}+${offset}`, of, offset }];
}

/** A pointer moved by some bytes; of what is no pointer nobody knows what it gives. */
export function movedBy(of: Atom, offset: number): Value {
  switch (of.kind) {
    case "offset":
      return movedBy(of.of, of.offset + offset);
    case "stack":
      return stackAddress(of.offset + offset);
    case "address":
      return imageAddress(of.rva + offset);
    case "unknown":
      if (offset === 0) return [of];
      if (of.computed !== undefined) {
        const moved = (of.moved ?? 0) + offset;
        return [{ ...of, key: `${of.computed.key}#${moved}`, moved }];
      }
      if (of.oneOf !== undefined) return oneOf(of.oneOf.map((number) => number + offset));
      return of.moved === undefined ? movedUnknown(offset, of.behind) : UNKNOWN;
    case "constant":
    case "part":
      return UNKNOWN;
    default:
      return offset === 0 ? [of] : [{ kind: "offset", key: `${of.key}#${offset}`, of, offset }];
  }
}

/** A sum of which nobody knows more than one part. */
export function movedFrom(a: Value, b: Value): Value {
  const [of, ...others] = a;
  const [by] = b;
  if (of === undefined || others.length > 0 || !GIVEN.has(of.kind)) return UNKNOWN;
  return by?.kind === "unknown" ? [{ kind: "unknown", key: `?~${of.key}`, from: of }] : UNKNOWN;
}

const GIVEN: ReadonlySet<Atom["kind"]> = new Set([
  "result",
  "left",
  "field",
  "offset",
  "register",
  "argument",
]);

/** The low bytes of a value, each alternative by itself. */
export function partOf(value: Value, size: number): Value {
  return value.flatMap((of): Value => {
    if (
      of.kind === "unknown" &&
      of.oneOf !== undefined &&
      numbersOf(of).every((one) => one >>> (8 * size) === 0)
    )
      return [of];
    if (of.kind === "unknown" && of.computed === undefined) return UNKNOWN;
    if (of.kind === "part" && of.size <= size) return [of];
    const whole = of.kind === "part" ? of.of : of;
    return [{ kind: "part", key: `${whole.key}:${size}`, of: whole, size }];
  });
}

/** The number that an atom is, or its low bytes are, without a sign. */
export function numberOf(atom: Atom): number | undefined {
  if (atom.kind === "constant") return atom.value;
  if (atom.kind !== "part" || atom.of.kind !== "constant") return undefined;
  return atom.of.value & (atom.size === 1 ? 0xff : 0xffff);
}

/** The one number that a value is, or the bytes of it that count; `undefined` when it may be another. */
export function knownNumber(value: Value): number | undefined {
  const [first, ...others] = value;
  const number = first === undefined ? undefined : numberOf(first);
  return number !== undefined && others.every((other) => numberOf(other) === number) ? number : undefined;
}

/** The few numbers of which a value is one; `undefined` where it may be any. */
export function fewNumbers(value: Value): readonly number[] | undefined {
  const numbers = value.map((atom) => numbersOf(atom));
  return numbers.every((some) => some.length > 0) ? numbers.flat() : undefined;
}

function numbersOf(atom: Atom): readonly number[] {
  if (atom.kind === "unknown") return (atom.oneOf ?? []).map((number) => number + (atom.moved ?? 0));
  const number = numberOf(atom);
  return number === undefined ? [] : [number];
}

/** Either of two values. Of two that nobody knows, nobody knows either how they were come by. */
export function either(a: Value, b: Value): Value {
  if (a === b) return a;
  const missing = b.filter((atom) => !a.some(({ key }) => key === atom.key));
  if (missing.length === 0) return a;
  if (a.some(isUnknown) && missing.some(isUnknown)) {
    const known = missing.filter((atom) => !isUnknown(atom));
    const plain = a.includes(unknown) ? a : a.map((atom) => (isUnknown(atom) ? unknown : atom));
    return known.length === 0 ? plain : either(plain, known);
  }
  const all = [...a, ...missing];
  return all.length <= MAX_ALTERNATIVES ? all : [...all.slice(0, MAX_ALTERNATIVES - 1), unknown];
}

function isUnknown({ kind }: Atom): boolean {
  return kind === "unknown";
}

/** The one number that a value is; `undefined` when it may be another. */
export function onlyNumber(value: Value): number | undefined {
  const [first, ...others] = value;
  if (first?.kind !== "constant") return undefined;
  return others.every((other) => other.kind === "constant" && other.value === first.value)
    ? first.value
    : undefined;
}

/** Whether a value may be the number whose bytes stand at `origin`. */
export function comesFrom(value: Value, origin: number): boolean {
  return value.some((atom) => atom.kind === "constant" && atom.origin === origin);
}

/** What is known at one point of a function. */
export class MachineState {
  /** General-purpose registers by number, but for the stack pointer. */
  readonly registers: Value[];
  /** What is known of vector registers by number: their words, from the lowest on. */
  readonly vectors: Map<number, readonly Value[]> = new Map();
  /** By offset from the return address's place. */
  #stack: Map<number, Value>;
  /** Another state has the same map: it is copied when one of them changes. */
  #shared = false;
  /** Not all that was put on the stack is known. */
  #full = false;
  /** Where the stack pointer is, relative to the return address's place. */
  sp: number;
  /** Where it was after the last call: what was pushed since is the next call's. */
  argumentsFrom: number;

  constructor(registers: Value[], stack: Map<number, Value>, sp: number, argumentsFrom: number) {
    this.registers = registers;
    this.#stack = stack;
    this.sp = sp;
    this.argumentsFrom = argumentsFrom;
  }

  get stack(): ReadonlyMap<number, Value> {
    return this.#stack;
  }

  /** Of more than `MAX_STACK_PLACES` places nothing is kept. */
  put(offset: number, value: Value): void {
    if (this.#stack.size >= MAX_STACK_PLACES && !this.#stack.has(offset)) this.#full = true;
    else this.#own().set(offset, value);
  }

  forget(offset: number): void {
    if (this.#stack.has(offset)) this.#own().delete(offset);
  }

  #own(): Map<number, Value> {
    if (this.#shared) this.#stack = new Map(this.#stack);
    this.#shared = false;
    return this.#stack;
  }

  /** As a function is entered. */
  static atEntry(): MachineState {
    return new MachineState(
      Array.from({ length: 16 }, (_, register) => entryRegister(register)),
      new Map(),
      0,
      0,
    );
  }

  /** As code is entered of which nothing is known. */
  static unknown(): MachineState {
    return new MachineState(
      Array.from({ length: 16 }, () => UNKNOWN),
      new Map(),
      DETACHED,
      DETACHED,
    );
  }

  /**
   * Bytes on top of the stack that a 32-bit call may be given, at most so many: what was pushed for it; where nothing
   * was, what stands there, since GCC moves arguments there. A callee takes no more of them than it has.
   */
  argumentBytes(most: number): number {
    if (this.argumentsFrom > this.sp) return Math.min(this.argumentsFrom - this.sp, most);
    let bytes = 0;
    while (bytes < most && this.stack.has(this.sp + bytes)) bytes += 4;
    return bytes;
  }

  copy(): MachineState {
    const copy = new MachineState([...this.registers], this.#stack, this.sp, this.argumentsFrom);
    copy.#full = this.#full;
    for (const [vector, words] of this.vectors) copy.vectors.set(vector, words);
    copy.#shared = true;
    this.#shared = true;
    return copy;
  }

  /** What stands on the stack; above the return address, what the caller put there. */
  stackAt(offset: number): Value {
    return this.#stack.get(offset) ?? (offset > 0 && !this.#full ? argument(offset) : UNKNOWN);
  }

  /**
   * Takes over what another way to the same point brings. The stack pointers of both are the same in code that
   * compilers write; where they seem not to be, the first stands.
   *
   * @returns whether anything changed
   */
  join(other: MachineState): boolean {
    let changed = other.#full && !this.#full;
    this.#full ||= other.#full;
    for (const [register, value] of this.registers.entries()) {
      const joined = either(value, other.registers[register] ?? UNKNOWN);
      if (joined === value) continue;
      this.registers[register] = joined;
      changed = true;
    }
    for (const [vector, words] of this.vectors) {
      if (isSame(words, other.vectors.get(vector))) continue;
      this.vectors.delete(vector);
      changed = true;
    }
    if (this.#stack === other.#stack) return changed;
    for (const [offset, value] of this.#stack) {
      const joined = either(value, other.stackAt(offset));
      if (joined === value) continue;
      this.put(offset, joined);
      changed = true;
    }
    for (const [offset, value] of other.stack) {
      if (this.#stack.has(offset)) continue;
      const own = this.stackAt(offset);
      const joined = either(own, value);
      if (joined === own) continue;
      this.put(offset, joined);
      changed = true;
    }
    return changed;
  }
}

function isSame(words: readonly Value[], others: readonly Value[] | undefined): boolean {
  return (
    words === others ||
    (words.length === others?.length &&
      words.every(
        (value, i) => value.length === 1 && others[i]?.length === 1 && value[0]?.key === others[i]?.[0]?.key,
      ))
  );
}

/** A stack of its own, far from that of the function's entry. */
const DETACHED = -0x100_0000;
