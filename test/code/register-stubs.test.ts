import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";

/** The calls that lead through the import slot at 0x2000, by place and name. */
function callsOf(bytes: string, machine: "x64" | "x86"): (readonly [number, string | undefined])[] {
  const image = codeImage({
    machine,
    base: machine === "x64" ? 0xfffff80000000000n : 0x80000000n,
    size: 0x3000,
    parts: [{ rva: 0x1000, bytes }],
    slots: { Acquire: 0x2000 },
    exports: { Function: 0x1000 },
  });
  const graph = new CallGraph(new DataFlow(analyzeImage(image)));
  return graph.callersOf([0x2000]).map(({ at, callee }) => [at, callee.name]);
}

// assembled with GNU as 2.40, as gcc's -mindirect-branch=thunk has it
describe("calls through a stub that jumps to a register", () => {
  it("are told by what is in the register: a retpoline of 64-bit code", () => {
    // sub rsp,28; mov rax,[Acquire]; 100b: call 1020; add rsp,28; ret
    const caller = "48 83 ec 28 48 8b 05 f5 0f 00 00 e8 10 00 00 00 48 83 c4 28 c3";
    // 1020: call 102c; 1025: pause; lfence; jmp 1025; 102c: mov [rsp],rax; ret
    const stub = "e8 07 00 00 00 f3 90 0f ae e8 eb f9 48 89 04 24 c3";
    expect(callsOf(`${caller} ${"cc ".repeat(11)} ${stub}`, "x64")).toEqual([[0x100b, "Acquire"]]);
    // mov [rsp],rcx: another register
    expect(callsOf(`${caller} ${"cc ".repeat(11)} ${stub.replace("48 89 04", "48 89 0c")}`, "x64")).toEqual(
      [],
    );
  });

  it("are told by what is in the register: a retpoline of 32-bit code", () => {
    // mov eax,[Acquire]; push 0; 1007: call 1010; ret; 1010: call 101c; pause; lfence; jmp; mov [esp],eax; ret
    const bytes =
      "a1 00 20 00 80 6a 00 e8 04 00 00 00 c3 cc cc cc e8 07 00 00 00 f3 90 0f ae e8 eb f9 89 04 24 c3";
    expect(callsOf(bytes, "x86")).toEqual([[0x1007, "Acquire"]]);
  });

  it("are told by what is in the register: a bare jump", () => {
    // sub rsp,28; mov rax,[Acquire]; 100b: call 1020; add rsp,28; ret; 1020: jmp rax
    const caller = "48 83 ec 28 48 8b 05 f5 0f 00 00 e8 10 00 00 00 48 83 c4 28 c3";
    expect(callsOf(`${caller} ${"cc ".repeat(11)} ff e0`, "x64")).toEqual([[0x100b, "Acquire"]]);
  });
});
