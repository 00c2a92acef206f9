import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import type { Rva, Va } from "../../src/core/address.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

/** Functions at the given RVAs, int3 between them; slots at 3000. */
function graph(
  machine: "x86" | "x64",
  functions: Readonly<Record<number, string>>,
  resolve?: (at: Va) => { module: string; name: string } | undefined,
) {
  const bytes = new Uint8Array(0x200).fill(0xcc);
  const entries = Object.entries(functions).map(([at, hex]) => ({ at: Number(at), code: fromHex(hex) }));
  for (const { at, code } of entries) bytes.set(code, at - 0x1000);
  const image = codeImage({
    machine,
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x3000, bytes: new Uint8Array(0x40), executable: false },
    ],
    slots: { ObfDereferenceObject: 0x3000, SeQueryInformationToken: 0x3008 },
    exports: Object.fromEntries(entries.map(({ at }) => [`F${at.toString(16)}`, at])),
    ...(machine === "x64" ? { unwind: entries.map(({ at, code }) => [at, at + code.length] as const) } : {}),
  });
  const code = analyzeImage(image);
  return { code, calls: new CallGraph(new DataFlow(code, resolve)) };
}
const told = (edges: ReturnType<CallGraph["callersOf"]>): string[] =>
  edges.map(
    ({ at, from, form, callee }) => `${at.toString(16)} in ${from.entry.toString(16)} ${form} ${callee.name}`,
  );

describe("CallGraph.callersOf", () => {
  it("finds near calls, and jumps that leave a function, short ones too", () => {
    const { calls } = graph("x64", {
      0x1000: "c3",
      0x1010: "e8 eb ff ff ff c3",
      0x1020: "85 c9 74 dc e9 d7 ff ff ff",
      0x1030: "85 c9 0f 84 c8 ff ff ff eb f6 c3",
    });
    expect(told(calls.callersOf([0x1000]))).toEqual([
      "1010 in 1010 call F1000",
      "1022 in 1020 jump F1000",
      "1024 in 1020 jump F1000",
      "1032 in 1030 jump F1000",
    ]);
  });

  it("finds all forms of a call through an import slot", () => {
    const { calls } = graph("x64", {
      // call [slot]
      0x1000: "ff 15 02 20 00 00 c3",
      // rex.w call [slot], with the filler that the kernel may write over
      0x1010: "48 ff 15 f1 1f 00 00 0f 1f 44 00 00 c3",
      // mov r10, [slot]; call …
      0x1030: "4c 8b 15 d1 1f 00 00 e8 00 00 00 10 c3",
      // a thunk: jmp [slot]
      0x1050: "ff 25 b2 1f 00 00",
      // push rbx; mov rbx, [slot]; xor ecx, ecx; call rbx; pop rbx; ret
      0x1060: "53 48 8b 1d a0 1f 00 00 31 c9 ff d3 5b c3",
    });
    expect(told(calls.callersOf([0x3008]))).toEqual([
      "1000 in 1000 call-slot SeQueryInformationToken",
      "1010 in 1010 call-slot SeQueryInformationToken",
      "1037 in 1030 optimized SeQueryInformationToken",
      "1050 in 1050 jump-slot SeQueryInformationToken",
      "106a in 1060 register SeQueryInformationToken",
    ]);
  });

  it("does not take bytes inside other instructions for calls", () => {
    // mov eax, 0ffffe9e8h; mov rax, 0e8…: the bytes e8 with a displacement that leads to 1000, inside an immediate
    const { calls } = graph("x64", { 0x1000: "c3", 0x1010: "48 b8 e8 e9 ff ff ff 90 90 90 c3" });
    expect(calls.callersOf([0x1000])).toEqual([]);
  });

  it("names what is called by the address that it leads to, before what the image declares", () => {
    const { calls } = graph("x64", { 0x1030: "4c 8b 15 d1 1f 00 00 e8 00 00 00 10 c3" }, (at) =>
      at === 0xfffff8001000103cn ? { module: "nt", name: "SeQueryInformationTokenEx" } : undefined,
    );
    expect(calls.callersOf([0x3008])[0]?.callee).toEqual({
      slot: 0x3008,
      target: 0xfffff8001000103cn,
      module: "nt",
      name: "SeQueryInformationTokenEx",
    });
  });

  it("finds callers behind a page that is missing at the function's start", () => {
    const bytes = new Uint8Array(0x2000).fill(0x90);
    // mov ecx, 5; call [slot]; ret
    bytes.set(fromHex("b9 05 00 00 00 ff 15 02 1f 00 00 c3"), 0x10f8 - 5);
    const image = codeImage({
      parts: [
        { rva: 0x1000, bytes },
        { rva: 0x4000, bytes: new Uint8Array(0x40), executable: false },
      ],
      holes: [[0x1000, 0x2000]],
      slots: { SeQueryInformationToken: 0x4000 },
      unwind: [[0x1800, 0x2100]],
    });
    const calls = new CallGraph(new DataFlow(analyzeImage(image)));
    expect(told(calls.callersOf([0x4000]))).toEqual(["20f8 in 1800 call-slot SeQueryInformationToken"]);
  });
});

describe("CallGraph.calleesOf", () => {
  it("goes through thunks to what they stand for", () => {
    const parts = [
      { rva: 0x1000, bytes: "e8 0b 00 00 00 c3 cc cc cc cc cc cc cc cc cc cc ff 25 08 30 00 80" },
      { rva: 0x3000, bytes: new Uint8Array(0x40), executable: false },
    ];
    const slots = { SeQueryInformationToken: 0x3008 };
    const code = analyzeImage(codeImage({ machine: "x86", parts, slots, exports: { F: 0x1000 } }));
    expect(new CallGraph(new DataFlow(code)).calleesOf(code.functions.at(0))).toMatchObject([
      { at: 0x1000, form: "call", callee: { slot: 0x3008, name: "SeQueryInformationToken", thunk: 0x1010 } },
    ]);
  });

  it("gives the constant arguments of a call", () => {
    // push 0; push 0ah; push eax; call [slot]; ret
    const { calls } = graph("x86", { 0x1000: "6a 00 6a 0a 50 ff 15 08 30 00 80 c3" });
    const [edge] = calls.callersOf([0x3008]);
    expect(edge && calls.constantArguments(edge, 3)).toEqual([undefined, 10, 0]);
  });
});

describe("CallGraph.addressTaken", () => {
  it("finds an address in code that does not call it", () => {
    // 1010: lea rax, [1000]; ret
    const { calls } = graph("x64", {
      0x1000: "c3",
      0x1010: "48 8d 05 e9 ff ff ff c3",
      0x1020: "e8 db ff ff ff c3",
    });
    expect(calls.addressTaken(0x1000 as Rva)).toMatchObject([{ at: 0x1013, from: { entry: 0x1010 } }]);
  });
});
