import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dwordValue, hiveBytes, textValue } from "../../samples/writer/hive.mjs";
import { FormatError } from "../../src/core/errors.ts";
import type { HiveKey } from "../../src/registry/hive.ts";
import { readServices } from "../../src/registry/services.ts";
import { open, systemHive, systemTree } from "../fixtures/hives.ts";
import { stepsOf } from "../fixtures/steps.ts";

const BINS = 0x1000;

/** The file offset of the first cell whose content starts so, behind `from`. */
function cellOf(bytes: Uint8Array, signature: string, from = BINS): number {
  const at = Buffer.from(bytes).indexOf(signature, from, "latin1");
  if (at < 0) throw new Error(`no ${signature}`);
  return at;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A hive with one list of lists, and what stands where in it. */
function listed() {
  const keys = Array.from({ length: 6 }, (_, i) => ({ name: `key${i}` }));
  const bytes = hiveBytes({ name: "ROOT", values: [textValue("text", "words")], keys }, { perList: 3 });
  return {
    bytes,
    data: view(bytes),
    root: cellOf(bytes, "nk"),
    lists: cellOf(bytes, "ri"),
    list: cellOf(bytes, "lh"),
  };
}

const offsetOf = (at: number) => at - BINS - 4;
const keysOf = (bytes: Uint8Array) => [...open(bytes).root.subkeys()];

describe("a file that is no hive", () => {
  it.each([
    ["an empty file", new Uint8Array(0), { field: "header of a registry hive", found: "the end at 0x0" }],
    [
      "a dump",
      new Uint8Array(Buffer.alloc(0x2000, "PAGEDU64")),
      { found: '"PAGE"', expected: "a registry hive (regf)" },
    ],
    [
      "a hive of 600 bytes",
      systemHive().subarray(0, 600),
      { field: "first bin of the hive", found: "the end at 0x1000" },
    ],
  ])("is refused: %s", (_, bytes, problem) => {
    expect(() => open(bytes)).toThrow(expect.objectContaining({ file: "SYSTEM", ...problem }));
  });

  it("is refused where it is a hive's log, and says so", () => {
    const bytes = systemHive();
    view(bytes).setUint32(28, 6, true);
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({ offset: 28, found: expect.stringContaining("transaction log") }),
    );
  });

  it("is refused where its version is another", () => {
    const bytes = systemHive();
    view(bytes).setUint32(24, 1, true);
    expect(() => open(bytes)).toThrow(expect.objectContaining({ expected: "1.3 to 1.6", found: "1.1" }));
  });

  it("is refused where its first bin is none", () => {
    const bytes = systemHive();
    bytes[BINS] = 0;
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({ offset: BINS, field: "first bin of the hive" }),
    );
  });
});

describe("a hive whose cells lead astray", () => {
  it("refuses a list of lists that holds itself", () => {
    const { bytes, data, lists } = listed();
    data.setUint32(lists + 4, offsetOf(lists), true);
    expect(() => keysOf(bytes)).toThrow(
      expect.objectContaining({ file: "SYSTEM", offset: lists, expected: "li, lf or lh", found: "ri" }),
    );
  });

  it("refuses a list that names a key twice", () => {
    const { bytes, data, list } = listed();
    data.setUint32(list + 4 + 8, data.getUint32(list + 4, true), true);
    expect(() => keysOf(bytes)).toThrow(
      expect.objectContaining({ field: "list of subkeys", expected: "each key once" }),
    );
  });

  it("refuses a list of lists that names a list twice", () => {
    const { bytes, data, lists } = listed();
    data.setUint32(lists + 8, data.getUint32(lists + 4, true), true);
    expect(() => keysOf(bytes)).toThrow(expect.objectContaining({ expected: "each key once" }));
  });

  it("gives a key that is its own subkey, one level at a time", () => {
    const { bytes, data, list, root } = listed();
    data.setUint32(list + 4, offsetOf(root), true);
    let key: HiveKey = open(bytes).root;
    for (let depth = 0; depth < 100; depth++) key = key.subkeys().next().value!;
    expect(key.name).toBe("ROOT");
  });

  it.each([
    ["behind the last bin", 0x7fff_fff8, { found: expect.stringContaining("the end of the bins") }],
    ["between cells", 4, { expected: "a cell at a multiple of 8 bytes" }],
    ["in a bin's header", 8, { field: "list of subkeys" }],
  ])("refuses a list %s", (_, offset, problem) => {
    const { bytes, data, root } = listed();
    data.setUint32(root + 28, offset, true);
    expect(() => keysOf(bytes)).toThrow(expect.objectContaining({ file: "SYSTEM", ...problem }));
  });

  it.each([
    ["is free", 0x58, "a cell in use"],
    ["has no bytes", 0, "a cell in use"],
    ["has 2 GB", -0x8000_0000, "a cell of at most"],
    ["has almost 2 GB", -0x7fff_fff8, "a cell of at most"],
    ["has four bytes", -4, "a cell in use"],
  ])("refuses a key whose cell %s", (_, size, expected) => {
    const { bytes, data, root } = listed();
    data.setInt32(root - 4, size, true);
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({
        offset: root - 4,
        field: "key",
        expected: expect.stringContaining(expected),
      }),
    );
  });

  it("refuses a root that is no key", () => {
    const { bytes, data, list } = listed();
    data.setUint32(36, offsetOf(list), true);
    expect(() => open(bytes)).toThrow(expect.objectContaining({ offset: list, field: "key", found: "6c68" }));
  });
});

describe("a hive with counts and sizes that no hive has", () => {
  it("refuses a key's name that is longer than any (MAX_HIVE_KEY_NAME_BYTES)", () => {
    const { bytes, data, root } = listed();
    data.setUint16(root + 72, 511, true);
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({ offset: root + 72, expected: "at most 510 bytes", found: "511 bytes" }),
    );
  });

  it("refuses a key's name that reaches past its cell", () => {
    const { bytes, data, root } = listed();
    data.setUint16(root + 72, 400, true);
    expect(() => open(bytes)).toThrow(
      expect.objectContaining({ offset: root + 76, field: "name of a key", expected: "400 bytes" }),
    );
  });

  it("refuses a value's name that is longer than any (MAX_HIVE_VALUE_NAME_BYTES)", () => {
    const { bytes, data } = listed();
    data.setUint16(cellOf(bytes, "vk") + 2, 32_767, true);
    expect(() => open(bytes).root.value("text")).toThrow(
      expect.objectContaining({
        field: "length of a value's name",
        expected: "at most 32766",
        found: "32767",
      }),
    );
  });

  it("refuses more values than any key has (MAX_HIVE_VALUES)", () => {
    const { bytes, data, root } = listed();
    data.setUint32(root + 36, 16_385, true);
    expect(() => open(bytes).root.value("text")).toThrow(
      expect.objectContaining({ field: "number of values", expected: "at most 16384", found: "16385" }),
    );
  });

  it("refuses more values than their list has room for", () => {
    const { bytes, data, root } = listed();
    data.setUint32(root + 36, 100, true);
    expect(() => open(bytes).root.value("text")).toThrow(
      expect.objectContaining({ field: "list of values", expected: "400 bytes" }),
    );
  });

  it("refuses more subkeys than their list has room for", () => {
    const { bytes, data, list } = listed();
    data.setUint16(list + 2, 0xffff, true);
    expect(() => keysOf(bytes)).toThrow(
      expect.objectContaining({ offset: list + 4, expected: `${0xffff * 8} bytes` }),
    );
  });

  it("refuses a key with more than 65,536 subkeys (MAX_HIVE_SUBKEYS)", () => {
    const keys = Array.from({ length: 65_537 }, (_, i) => ({ name: `${i}` }));
    const key = open(hiveBytes({ name: "ROOT", keys })).root;
    expect(() => key.subkeyOffsets()).toThrow(expect.objectContaining({ expected: "at most 65536" }));
  }, 60_000);

  it.each([
    ["2 GB", 0x7fff_ffff, "size of a value's data"],
    ["5 bytes inside the value", 0x8000_0005, "size of data inside its value"],
    ["more than its cell", 2000, "data of a value"],
    ["segments that are none", 0x1_0000, "large data of a value"],
  ])("refuses data of %s", (_, size, field) => {
    const { bytes, data } = listed();
    data.setUint32(cellOf(bytes, "vk") + 4, size, true);
    expect(() => open(bytes).root.value("text")?.bytes(0x10_0000)).toThrow(
      expect.objectContaining({ field }),
    );
  });

  it("is not read any further than the largest hive's services go (MAX_HIVE_READ)", () => {
    const data = new Uint8Array(0x10_0000);
    const { root } = open(
      hiveBytes({ name: "ROOT", values: [{ name: "big", type: 3, data }] }, { minor: 3 }),
    );
    const big = root.value("big");
    for (let i = 0; i < 31; i++) expect(big?.bytes(data.length)).toHaveLength(data.length);
    expect(() => big?.bytes(data.length)).toThrow(
      expect.objectContaining({
        field: "all cells of the hive",
        expected: "at most 33554432 bytes that are read",
        found: "more: they share names or lists",
      }),
    );
  });

  it("refuses large data with too few segments", () => {
    const bytes = hiveBytes({
      name: "ROOT",
      values: [{ name: "big", type: 3, data: new Uint8Array(40_000) }],
    });
    view(bytes).setUint16(cellOf(bytes, "db") + 2, 2, true);
    expect(() => open(bytes).root.value("big")?.bytes(0x10_0000)).toThrow(
      expect.objectContaining({ field: "number of segments", expected: "3 for 40000 bytes", found: "2" }),
    );
  });
});

describe("any bytes", () => {
  /** Everything that a hive can be asked, to some depth; only a FormatError may come out. */
  function walk(bytes: Uint8Array): void {
    let left = 2000;
    const visit = (key: HiveKey, depth: number): void => {
      for (const value of key.values()) {
        if (left-- < 0) return;
        value.bytes(0x10_0000);
      }
      for (const child of key.subkeys()) if (left-- > 0 && depth < 8) visit(child, depth + 1);
    };
    for (const attempt of [() => visit(open(bytes).root, 0), () => readServices(open(bytes))]) {
      try {
        attempt();
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        expect(error.file).toBe("SYSTEM");
      }
    }
  }

  it("in place of a hive's give a result or a typed error", () => {
    const whole = systemHive();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x1800), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff))), {
          minLength: 1,
          maxLength: 20,
        }),
        (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at + (at > 0x30 ? 0xff0 : 0)] = value;
          walk(bytes);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("of a hive cut anywhere give a result or a typed error", () => {
    const whole = systemHive();
    for (let length = 0; length < whole.length; length += 61) walk(whole.slice(0, length));
  });

  it("of 8,000 services that share one list of 16,384 values end soon, and it is said (MAX_SERVICE_VALUES)", () => {
    const values = Array.from({ length: 16_384 }, (_, i) => dwordValue(i === 0 ? "Type" : `v${i}`, 1));
    const services = Array.from({ length: 8000 }, (_, i) => ({
      name: `s${i}`,
      values: i === 0 ? values : [dwordValue("Type", 1)],
    }));
    const bytes = hiveBytes(systemTree(services));
    const data = view(bytes);
    const first = cellOf(bytes, "s0") - 76;
    for (
      let at = cellOf(bytes, "nk", first + 1);
      at > 0;
      at = Buffer.from(bytes.buffer).indexOf("nk", at + 2)
    ) {
      if (bytes[at + 76] !== "s".charCodeAt(0)) continue;
      data.setUint32(at + 36, 16_384, true);
      data.setUint32(at + 40, data.getUint32(first + 40, true), true);
    }
    const hive = open(bytes);
    let notes: readonly string[] = [];
    const steps = stepsOf(() => {
      notes = readServices(hive).notes;
    });
    expect(notes).toEqual([
      "the hive's services are more, or have more values, than those of any machine: only 8 were read",
    ]);
    expect(steps).toBeLessThan(14_000_000);
  }, 60_000);

  it("of services whose values all share one name of 16,000 characters are not read to the end, and it is said", () => {
    const values = Array.from({ length: 16_384 }, (_, i) =>
      dwordValue(i === 0 ? "n".repeat(16_000) : `v${i}`, i),
    );
    const services = Array.from({ length: 200 }, (_, i) => ({
      name: `s${String(i).padStart(3, "0")}`,
      values: i === 0 ? values : [dwordValue("Type", 1)],
    }));
    const bytes = hiveBytes(systemTree(services));
    const data = view(bytes);
    const first = cellOf(bytes, "s000") - 76;
    const list = BINS + data.getUint32(first + 40, true) + 4;
    for (let i = 1; i < values.length; i++) data.setUint32(list + i * 4, data.getUint32(list, true), true);
    const { notes } = readServices(open(bytes));
    expect(notes).toContainEqual(
      expect.stringContaining("all cells of the hive should be at most 33554432 bytes"),
    );
    const steps = stepsOf(() => readServices(open(bytes)));
    expect(steps).toBeLessThan(1_000_000);
  });
});
