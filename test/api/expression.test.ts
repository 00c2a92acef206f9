import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NameSpace, PointerError, parseAddress } from "../../src/api/expression.ts";
import { va } from "../../src/core/address.ts";
import { MemoryError } from "../../src/core/errors.ts";

const BASE = va(0x80800000n);
/** By `module!name`. */
const SYMBOLS: Readonly<Record<string, bigint>> = {
  "nt!SeX": 0x8096c8ccn,
  "nt!DriverEntry": 0x80801000n,
  "hal!DriverEntry": 0x80a5e000n,
  "hal!DllInitialize": 0x80a5f000n,
  "my-filter 2.sys!DllInitialize": 0xb0001000n,
  "hal!HalX": 0x80a60000n,
  "nt!?At@@YAXXZ": 0x80802000n,
};
const BASES: Readonly<Record<string, bigint>> = {
  nt: BASE,
  "ntoskrnl.exe": BASE,
  hal: 0x80a5d000n,
  add: 0xb1000000n,
  "my-filter 2.sys": 0xb0000000n,
  my: 0xb2000000n,
};
const NAMES: NameSpace = {
  pointerSize: 4,
  moduleNames: Object.keys(BASES),
  moduleBase: (name) => {
    const base = BASES[name.toLowerCase()];
    return base === undefined ? undefined : va(base);
  },
  symbolAddress: (module, name) => {
    const found = SYMBOLS[`${module.toLowerCase()}!${name}`];
    return found === undefined ? undefined : va(found);
  },
  symbolNames: (module) => (module === "nt" ? ["SeX", "SeAccessCheck"] : []),
  // memory in which each pointer is the address that it stands at and 1000h more
  pointerAt: (address) => {
    if (address >= 0xf0000000n) throw new MemoryError({ kind: "paged-out", va: address, level: "PTE" }, 0);
    return va(address + 0x1000n);
  },
};

describe("parseAddress", () => {
  it.each([
    ["8096c909", 0x8096c909n],
    ["0x8096C909", 0x8096c909n],
    ["8096c909n", 0x8096c909n],
    ["00000000`8096c909", 0x8096c909n],
    ["00000000'8096c909", 0x8096c909n],
    ["nt", 0x80800000n],
    ["NT", 0x80800000n],
    ["ntoskrnl.exe+1", 0x80800001n],
    ["nt+16c909", 0x8096c909n],
    ["nt!SeX", 0x8096c8ccn],
    ["nt!SeX+0x3d", 0x8096c909n],
    ["nt!SeX + 3d", 0x8096c909n],
    ["nt!SeX-c", 0x8096c8c0n],
    ["nt!?At@@YAXXZ+4", 0x80802004n],
    // numbers are hexadecimal, behind 0n decimal
    ["10+10", 0x20n],
    ["0n10+10", 0x1an],
    ["nt+0n16", 0x80800010n],
    // from left to right, and parentheses first
    ["8096c909-9-900", 0x8096c000n],
    ["8096c909-(9-8)", 0x8096c908n],
    ["  ( ( nt ) + 4 )  ", 0x80800004n],
    ["-(1-5)", 4n],
    // memory: the pointer there
    ["poi(80800000)", 0x80801000n],
    ["poi(nt!SeX+4)+10", 0x8096d8e0n],
    ["POI (poi(nt))-poi(nt)", 0x1000n],
    ["poi(ffffffff80800000)", 0x80801000n],
    // an address wins over a module of that name, as in WinDbg
    ["add", 0xaddn],
    ["add!No+1", undefined],
    // a name alone: the kernel's, else that of the only module which has it
    ["SeX+1", 0x8096c8cdn],
    ["DriverEntry", 0x80801000n],
    ["HalX", 0x80a60000n],
    // a file's name may have a sign or a space in it
    ["my-filter 2.sys+10", 0xb0000010n],
    ["My-Filter 2.sys!DllInitialize", 0xb0001000n],
    ["my-10", 0xb1fffff0n],
    ["ffffffff8096c909", 0x8096c909n],
  ])("reads %s", (text, address) => {
    if (address === undefined) expect(() => parseAddress(text, NAMES)).toThrow(TypeError);
    else expect(parseAddress(text, NAMES)).toBe(address);
  });

  it.each([
    ["zz!SeX", 'there is no module "zz" here'],
    ["hall!HalX", 'there is no module "hall" here; did you mean hal?'],
    ["nt!SeAccesCheck", 'nt exports no "SeAccesCheck" that can be read; did you mean SeAccessCheck?'],
    ["nt!sex", 'nt exports no "sex" that can be read; did you mean SeX?'],
    ["nt!Zz", 'nt exports no "Zz" that can be read'],
    ["ntoskrnl+1", '"ntoskrnl" is neither an address nor a module; did you mean ntoskrnl.exe?'],
    ["SeAccesCheck", '"SeAccesCheck" is neither an address nor a module; did you mean SeAccessCheck?'],
    ["whatever", '"whatever" is neither an address nor a module; write hex (8096c909'],
    ["DllInitialize", '2 modules export "DllInitialize": write hal!DllInitialize or my-filter 2.sys!DllInit'],
  ])("says of %s what is not known, and what was meant", (text, message) => {
    expect(() => parseAddress(text, NAMES)).toThrow(TypeError);
    expect(() => parseAddress(text, NAMES)).toThrow(message);
  });

  it.each(["", "nt+", "nt!", "(nt", "nt)", "nt 10", "poi nt", "poi()", "+", "nt*2", "8096c909!"])(
    "takes %j for no expression",
    (text) => {
      expect(() => parseAddress(text, NAMES)).toThrow(TypeError);
    },
  );

  it("says where it no longer understood", () => {
    expect(() => parseAddress("(nt+10", NAMES)).toThrow(
      '"(nt+10": a closing parenthesis should stand before the end',
    );
    expect(() => parseAddress("nt 10", NAMES)).toThrow('"nt 10": + or - should stand before "10"');
  });

  it("says which pointer cannot be read, and why", () => {
    const read = () => parseAddress("nt+poi( f0000000 + 4 )", NAMES);
    expect(read).toThrow(PointerError);
    expect(read).toThrow(
      expect.objectContaining({ fault: { kind: "paged-out", va: 0xf0000004n, level: "PTE" } }),
    );
    expect(read).toThrow("poi( f0000000 + 4 ) cannot be read: 0xf0000004 is paged out");
  });

  it("refuses an address that a 32-bit machine does not have", () => {
    expect(() => parseAddress(0xfffff8047ba00000n, NAMES)).toThrow(RangeError);
    expect(() => parseAddress("ffffffff+10", NAMES)).toThrow(RangeError);
    expect(parseAddress(0xfffff8047ba00000n, { ...NAMES, pointerSize: 8 })).toBe(0xfffff8047ba00000n);
  });

  // a double has lost the last bits: 0xfffff8047bc01172 would be answered for 0xfffff8047bc01000
  it("refuses a number that is no longer exact, and digits over 64 bits", () => {
    const wide = { ...NAMES, pointerSize: 8 } as const;
    expect(() => parseAddress(Number(0xfffff8047bc01172n), wide)).toThrow(RangeError);
    expect(() => parseAddress("1fffff8047bc01172", wide)).toThrow(RangeError);
    expect(() => parseAddress("0n18446744073709551616", wide)).toThrow(RangeError);
    expect(parseAddress("0n18446744073709551615", wide)).toBe(0xffff_ffff_ffff_ffffn);
  });

  it("takes expressions up to their limit, however deep (MAX_EXPRESSION)", () => {
    const deep = (depth: number): string => `${"(".repeat(depth)}n${")".repeat(depth - 1)}`;
    const text = `${"-".repeat(1023)}4`;
    expect(parseAddress(text, NAMES)).toBe(0xfffffffcn);
    expect(() => parseAddress(`-${text}`, NAMES)).toThrow(
      "an expression has at most 1024 characters, found 1025",
    );
    expect(() => parseAddress(deep(512), NAMES)).toThrow(TypeError);
  });
});

describe("parseAddress of anything", () => {
  const piece = fc.constantFrom(
    "nt",
    "!",
    "SeX",
    "+",
    "-",
    "(",
    ")",
    "poi(",
    " ",
    "10",
    "0n9",
    "`",
    "f0000000",
    "zz",
  );
  it("gives an address of the machine, or one of the errors that it says", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (text) => {
          try {
            const address = parseAddress(text, NAMES);
            return address >= 0n && address <= 0xffffffffn;
          } catch (error) {
            return [TypeError, RangeError, PointerError].some((kind) => error instanceof kind);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("means by a sum what a sum means", () => {
    const number = fc.bigInt({ min: 0n, max: 0xffffn });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("+", "-"), number, fc.boolean()), { maxLength: 20 }),
        (terms) => {
          const text = terms.map(
            ([sign, value, decimal]) => `${sign}${decimal ? `0n${value}` : value.toString(16)}`,
          );
          const sum = terms.reduce(
            (all, [sign, value]) => (sign === "+" ? all + value : all - value),
            0x80000000n,
          );
          return parseAddress(`80000000${text.join("")}`, NAMES) === sum;
        },
      ),
    );
  });
});
