import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { TagUses } from "../../src/code/uses.ts";
import { wdfName } from "../../src/code/wdf-names.ts";
import type { Rva } from "../../src/core/address.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const COMPONENT = 0x3000;
const BIND_INFO = 0x3100;
/** FuncTable: a table in the image, or a pointer to one. */
const TABLE = 0x4000;
const PARTS = {
  x64: { base: 0xfffff80000000000n, pointer: 8 },
  x86: { base: 0x80000000n, pointer: 4 },
} as const;

/**
 * A KMDF driver with one function at 1000. The structure is laid out as in real drivers of KMDF 1.9, read with a hex
 * editor: size, component, version 1.9.7600, 396 functions, table, module.
 *
 * @param othersBefore the component's name stands so often in front of the one that the structure points to
 */
function driver(machine: "x64" | "x86", code: string, bound = true, othersBefore = 0) {
  const { base, pointer } = PARTS[machine];
  const text = new Uint8Array(0x100).fill(0xcc);
  text.set(fromHex(code));
  const data = Buffer.alloc(0x200);
  data.write("KmdfLibrary\0", COMPONENT - 0x3000, "utf16le");
  let at = BIND_INFO - 0x3000;
  const put = (value: bigint, size: number): void => {
    for (let i = 0; i < size; i++) data[at++] = Number((value >> BigInt(8 * i)) & 0xffn);
  };
  put(pointer === 8 ? 0x30n : 0x20n, pointer);
  put(base + BigInt(COMPONENT), pointer);
  for (const value of [1n, 9n, 7600n, 396n]) put(value, 4);
  put(base + BigInt(TABLE), pointer);
  const image = codeImage({
    machine,
    parts: [
      { rva: 0x1000, bytes: text },
      { rva: 0x2000, bytes: Buffer.from("KmdfLibrary\0".repeat(othersBefore), "utf16le"), executable: false },
      { rva: 0x3000, bytes: bound ? data : new Uint8Array(0x200), executable: false },
      { rva: TABLE, bytes: new Uint8Array(0xc60), executable: false },
    ],
    slots: { WdfVersionBind: 0x3180 },
    exports: { F: 0x1000 },
    ...(machine === "x64" ? { unwind: [[0x1000, 0x1000 + fromHex(code).length]] as const } : {}),
  });
  return new DataFlow(analyzeImage(image));
}
function called(flows: DataFlow): (string | undefined)[] {
  const found = flows.image.functions.startingAt(0x1000);
  return found === undefined
    ? []
    : flows.of(found).calls.flatMap((site) => flows.callees.of(site).map(({ name }) => name));
}
const rel = (end: number, to: number): string => Buffer.from(Uint32Array.of(to - end).buffer).toString("hex");

describe("wdfName", () => {
  it("knows the places that have stood in headers of KMDF since 1.0, and the last of 1.15", () => {
    const places = { 0: "ChildListCreate", 75: "DeviceCreate", 116: "DriverCreate", 192: "MemoryCreate" };
    const more = {
      198: "LookasideListCreate",
      208: "ObjectDelete",
      247: "RequestCreate",
      263: "RequestComplete",
    };
    for (const [index, name] of Object.entries({ ...places, ...more, 443: "DeviceOpenDevicemapKey" }))
      expect(wdfName(Number(index))).toBe(`Wdf${name}`);
    expect(wdfName(444)).toBeUndefined();
  });
});

describe("calls of the framework", () => {
  it("are named where the table stands in the image, in 64-bit code", () => {
    // sub rsp, 28h; call [TABLE + 192 * 8]; mov rax, [TABLE + 208 * 8]; call rax; add rsp, 28h; ret
    const code = `48 83 ec 28 ff 15 ${rel(0x100a, TABLE + 192 * 8)} 48 8b 05 ${rel(0x1011, TABLE + 208 * 8)} ff d0 48 83 c4 28 c3`;
    const flows = driver("x64", code);
    expect(called(flows)).toEqual(["WdfMemoryCreate", "WdfObjectDelete"]);
    expect(flows.callees.frameworkPlace("WdfObjectDelete")).toBe(TABLE + 208 * 8);
    expect(flows.callees.frameworkPlace("ExFreePool")).toBeUndefined();
  });

  it("are named where the table stands in the image, in 32-bit code, and take tags", () => {
    // push 0; push 0; push 40h; push 'Se  '; push 200h; push 0; push 0; call [TABLE + 192 * 4]; ret
    const slot = Buffer.from(Uint32Array.of(0x80000000 + TABLE + 192 * 4).buffer).toString("hex");
    const flows = driver(
      "x86",
      `6a 00 6a 00 6a 40 68 53 65 20 20 68 00 02 00 00 6a 00 6a 00 ff 15 ${slot} c3`,
    );
    expect(called(flows)).toEqual(["WdfMemoryCreate"]);
    expect(new TagUses(flows).at(0x1007 as Rva)).toMatchObject({
      use: "allocate",
      size: 0x40,
      poolType: 0x200,
      call: { name: "WdfMemoryCreate" },
    });
  });

  it("are named where a pointer to the table stands in the image, and no other table is taken for it", () => {
    // mov rax, [TABLE]; call [rax + 208 * 8]; mov rax, [4008]; call [rax + 208 * 8]; ret
    const code = `48 8b 05 ${rel(0x1007, TABLE)} ff 90 80 06 00 00 48 8b 05 ${rel(0x1014, TABLE + 0xc00)} ff 90 80 06 00 00 48 8b 05 ${rel(0x1021, TABLE)} c3`;
    const flows = driver("x64", code);
    expect(called(flows)).toEqual(["WdfObjectDelete"]);
    expect(flows.callees.frameworkPlace("WdfObjectDelete")).toBe(TABLE);
  });

  it("are named only where they take a tag, when the structure that names the table cannot be read", () => {
    const code = `48 8b 05 ${rel(0x1007, TABLE)} ff 90 80 06 00 00 48 8b 05 ${rel(0x1014, TABLE)} ff 90 00 06 00 00 c3`;
    expect(called(driver("x64", code, false))).toEqual(["WdfMemoryCreate"]);
  });

  it("are not named where the component's name stands too often for its structure to be looked for (MAX_WDF_BIND_PLACES)", () => {
    // call [TABLE + 208 * 8]; ret
    const code = `ff 15 ${rel(0x1006, TABLE + 208 * 8)} c3`;
    const found = driver("x64", code, true, 14);
    expect(called(found)).toEqual(["WdfObjectDelete"]);
    expect(found.callees.frameworkCut).toBe(false);
    const cut = driver("x64", code, true, 15);
    expect(called(cut)).not.toContain("WdfObjectDelete");
    expect(cut.callees.frameworkCut).toBe(true);
  });
});
