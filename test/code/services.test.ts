import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { serviceCalls } from "../../src/code/services.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const NAMES = ["Close", "CreateKey", "OpenKey", "ReadFile", "SetValueKey"];
/** The services' numbers; the table stands at 3010. */
const NUMBERS = [3, 7, 1, 5, 0];
const TABLE = 0x3010;
const stubAt = (index: number): number => 0x1000 + index * 0x20;
const serviceAt = (index: number): number => 0x1100 + index * 0x10;

const number = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString("hex");

/** A stub as kernels have it, up to its jump to the service's dispatcher at 1200. */
function stub(machine: "x86" | "x64", at: number, service: number): string {
  // mov eax, N; lea edx, [esp+4]; pushfd; push 8; call 1200; ret 8
  if (machine === "x86") {
    const call = number(0x1200 - (at + 17));
    return `b8 ${number(service)} 8d 54 24 04 9c 6a 08 e8 ${call} c2 08 00`;
  }
  // mov rax, rsp; cli; sub rsp, 10h; push rax; pushfq; push 10h; mov eax, N; jmp 1200
  return `48 8b c4 fa 48 83 ec 10 50 9c 6a 10 b8 ${number(service)} e9 ${number(0x1200 - (at + 22))}`;
}

/** @param entry the entry of the table for a service that stands at `rva` */
function kernel(machine: "x86" | "x64", width: 4 | 8, entry: (rva: number) => bigint, exported = NAMES) {
  const code = new Uint8Array(0x400).fill(0xcc);
  const table = new DataView(new ArrayBuffer(0x100));
  const exports: Record<string, number> = { KiServiceInternal: 0x1200 };
  NAMES.forEach((name, i) => {
    code.set(fromHex(stub(machine, stubAt(i), NUMBERS[i] ?? 0)), stubAt(i) - 0x1000);
    code.set(fromHex("31 c0 c3"), serviceAt(i) - 0x1000);
    exports[`Zw${name}`] = stubAt(i);
    if (exported.includes(name)) exports[`Nt${name}`] = serviceAt(i);
    const at = TABLE - 0x3000 + (NUMBERS[i] ?? 0) * width;
    const value = entry(serviceAt(i));
    table.setUint32(at, Number(value & 0xffffffffn), true);
    if (width === 8) table.setUint32(at + 4, Number(value >> 32n), true);
  });
  code.set(fromHex("c3"), 0x200);
  const image = codeImage({
    machine,
    parts: [
      { rva: 0x1000, bytes: code },
      { rva: 0x3000, bytes: new Uint8Array(table.buffer), executable: false },
    ],
    exports,
    ...(machine === "x64"
      ? {
          unwind: [
            ...NAMES.map((_, i) => [stubAt(i), stubAt(i) + 22] as const),
            ...NAMES.map((_, i) => [serviceAt(i), serviceAt(i) + 3] as const),
          ],
        }
      : {}),
  });
  return analyzeImage(image);
}

const FORMS = [
  ["addresses, in 32 bits", "x86", 4, (rva: number) => 0x80000000n + BigInt(rva)],
  ["addresses, in 64 bits", "x64", 8, (rva: number) => 0xfffff80000000000n + BigInt(rva)],
  ["RVAs, as in files of Windows 10", "x64", 4, (rva: number) => BigInt(rva)],
  [
    "distances from the table, times 16, with a number of arguments",
    "x64",
    4,
    (rva: number) => BigInt.asUintN(32, BigInt((rva - TABLE) * 16 + 2)),
  ],
] as const;

describe("serviceCalls", () => {
  it.each(FORMS)("leads from a stub to its service through a table of %s", (_, machine, width, entry) => {
    const image = kernel(machine, width, entry, ["Close", "OpenKey", "ReadFile", "SetValueKey"]);
    // NtCreateKey is not exported here: the table alone tells.
    const services = serviceCalls(image);
    expect(services.stubAt(stubAt(1))).toMatchObject({ entry: stubAt(1), service: serviceAt(1) });
    const graph = new CallGraph(new DataFlow(image));
    const edges = graph.callersOf([serviceAt(1)]);
    expect(edges.map(({ from, form, callee }) => [from.entry, form, callee.offset])).toEqual([
      [stubAt(1), "service", serviceAt(1)],
    ]);
    const from = edges[0]?.from;
    expect(from && graph.calleesOf(from).map(({ form, callee }) => [form, callee.offset])).toContainEqual([
      "service",
      serviceAt(1),
    ]);
  });

  it("takes no table for one in which the numbers do not agree with the names", () => {
    let turn = 0;
    const mixed = kernel("x64", 8, () => 0xfffff80000000000n + BigInt(serviceAt((turn++ + 2) % 5)));
    expect(serviceCalls(mixed).stubAt(stubAt(0))).toBeUndefined();
  });

  it("is empty for an image without stubs", () => {
    const image = codeImage({ parts: [{ rva: 0x1000, bytes: "c3" }], exports: { ZwNothing: 0x1000 } });
    expect(serviceCalls(analyzeImage(image)).stubAt(0x1000)).toBeUndefined();
  });
});
