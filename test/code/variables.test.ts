import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import type { Image } from "../../src/pe/image.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

const BASE = { x64: 0xfffff80000000000n, x86: 0x80000000n } as const;

/** Little-endian bytes of a number, as hex. */
function le(value: bigint | number, size: number): string {
  return Array.from({ length: size }, (_, i) =>
    Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)
      .toString(16)
      .padStart(2, "0"),
  ).join(" ");
}
/** The displacement that leads from the end of an instruction to a place. */
const rel = (end: number, to: number): string => le(BigInt.asUintN(32, BigInt(to - end)), 4);

/** Functions at the given RVAs; pointers at 2000, whose section is read-only, and 3000, which is writable. */
function variables(
  machine: "x86" | "x64",
  functions: Readonly<Record<number, string>>,
  pointers: Readonly<Record<number, number>>,
  more: { layout?: "file"; relocations?: readonly number[] } = {},
) {
  const code = new Uint8Array(0x200).fill(0xcc);
  const entries = Object.entries(functions).map(([at, hex]) => ({ at: Number(at), bytes: fromHex(hex) }));
  for (const { at, bytes } of entries) code.set(bytes, at - 0x1000);
  const parts = [0x2000, 0x3000].map((rva) => ({ rva, bytes: new Uint8Array(0x40), executable: false }));
  for (const [at, to] of Object.entries(pointers)) {
    const size = machine === "x64" ? 8 : 4;
    const bytes = fromHex(le(BASE[machine] + BigInt(to), size));
    const part = parts.find(({ rva }) => Number(at) >= rva && Number(at) < rva + 0x40);
    if (part === undefined) code.set(bytes, Number(at) - 0x1000);
    else part.bytes.set(bytes, Number(at) - part.rva);
  }
  const image = codeImage({
    machine,
    parts: [{ rva: 0x1000, bytes: code }, ...parts],
    slots: { ObfDereferenceObject: 0x3030 },
    exports: Object.fromEntries(entries.map(({ at }) => [`F${at.toString(16)}`, at])),
    ...(more.relocations === undefined ? {} : { relocations: more.relocations }),
    ...(machine === "x64"
      ? { unwind: entries.map(({ at, bytes }) => [at, at + bytes.length] as const) }
      : {}),
  });
  const sections = image.sections.map((section) => ({ ...section, writable: section.rva === 0x3000 }));
  const changed = { ...image, sections, ...(more.layout === undefined ? {} : { layout: more.layout }) };
  return new CallGraph(new DataFlow(analyzeImage(changed as unknown as Image)));
}
const told = (edges: ReturnType<CallGraph["callersOf"]>): string[] =>
  edges.map(
    ({ at, from, form, callee }) =>
      `${at.toString(16)} in ${from.entry.toString(16)} ${form} ${callee.name} by ${callee.variable?.rva.toString(16)}${callee.variable?.writable ? ", writable" : ""}`,
  );

describe("calls through pointers that stand in the image", () => {
  it("are calls of the function that the pointer leads to, in 64-bit code", () => {
    const graph = variables(
      "x64",
      {
        0x1000: "c3",
        // call [2000]; ret
        0x1010: `ff 15 ${rel(0x1016, 0x2000)} c3`,
        // jmp [3008]
        0x1020: `ff 25 ${rel(0x1026, 0x3008)}`,
        // push rbx; mov rbx, [2000]; call rbx; pop rbx; ret
        0x1030: `53 48 8b 1d ${rel(0x1038, 0x2000)} ff d3 5b c3`,
        // call [3030]: an import slot
        0x1050: `ff 15 ${rel(0x1056, 0x3030)} c3`,
      },
      { 0x2000: 0x1000, 0x3008: 0x1000, 0x3030: 0x1000 },
      { layout: "file" },
    );
    expect(told(graph.callersOf([0x1000]))).toEqual([
      "1010 in 1010 call-slot F1000 by 2000",
      "1020 in 1020 jump-slot F1000 by 3008, writable",
      "1038 in 1030 register F1000 by 2000",
    ]);
  });

  it("are calls of the function that the pointer leads to, in 32-bit code", () => {
    const graph = variables(
      "x86",
      {
        0x1000: "c2 04 00",
        // call [2000]; ret
        0x1010: "ff 15 00 20 00 80 c3",
        // jmp [3008]
        0x1020: "ff 25 08 30 00 80",
        // mov eax, [2000]; call eax; ret
        0x1030: "a1 00 20 00 80 ff d0 c3",
      },
      { 0x2000: 0x1000, 0x3008: 0x1000 },
      { layout: "file" },
    );
    expect(told(graph.callersOf([0x1000]))).toEqual([
      "1010 in 1010 call-slot F1000 by 2000",
      "1020 in 1020 jump-slot F1000 by 3008, writable",
      "1035 in 1030 register F1000 by 2000",
    ]);
    const [callee] = graph.calleesOf(graph.callersOf([0x1000])[1]?.from as never);
    expect(callee?.callee).toMatchObject({ offset: 0x1000, name: "F1000", slot: 0x3008 });
  });

  it.each(["x64", "x86"] as const)(
    "are found where the linker merged the constant into the code, with relocations and without, in %s",
    (machine) => {
      const call = machine === "x64" ? `ff 15 ${rel(0x1016, 0x1100)} c3` : "ff 15 00 11 00 80 c3";
      for (const relocations of [undefined, [0x1100]]) {
        const graph = variables(
          machine,
          { 0x1000: "c3", 0x1010: call },
          { 0x1100: 0x1000 },
          relocations === undefined ? {} : { relocations },
        );
        expect(told(graph.callersOf([0x1000]))).toEqual(["1010 in 1010 call-slot F1000 by 1100"]);
      }
    },
  );

  it("end where pointers lead in a circle", () => {
    // 1000: jmp [2000], which leads to 1010: jmp [2008], which leads back
    const circle = variables(
      "x64",
      {
        0x1000: `ff 25 ${rel(0x1006, 0x2000)}`,
        0x1010: `ff 25 ${rel(0x1016, 0x2008)}`,
        0x1020: "e8 db ff ff ff c3",
      },
      { 0x2000: 0x1010, 0x2008: 0x1000 },
    );
    expect(circle.callersOf([0x1000]).map(({ at }) => at)).toEqual([0x1010, 0x1020]);
  });
});
