import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";

const BASE = { x64: 0xfffff80000000000n, x86: 0x80000000n } as const;
/** GuardCFCheckFunctionPointer and GuardCFDispatchFunctionPointer in IMAGE_LOAD_CONFIG_DIRECTORY. */
const GUARDS = { x64: [0x70, 0x78], x86: [0x48, 0x4c] } as const;

/**
 * Calls through the variable at 2000, with the first two arguments where they are constants. The load configuration
 * names 2010 as the pointer to the check, and 2018 as the one that dispatches.
 */
function callsOf(machine: "x64" | "x86", bytes: string): string[] {
  const config = Buffer.alloc(0x140);
  config.writeUInt32LE(config.length, 0);
  GUARDS[machine].forEach((at, i) => {
    const address = BASE[machine] + 0x2010n + BigInt(8 * i);
    if (machine === "x64") config.writeBigUInt64LE(address, at);
    else config.writeUInt32LE(Number(address), at);
  });
  const image = codeImage({
    machine,
    base: BASE[machine],
    size: 0x4000,
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: new Uint8Array(0x40), executable: false },
      { rva: 0x3000, bytes: config, executable: false },
    ],
    loadConfiguration: 0x3000,
    exports: { Function: 0x1000 },
  });
  const graph = new CallGraph(new DataFlow(analyzeImage(image)));
  return graph
    .callersOf([0x2000])
    .map((edge) => `${edge.at.toString(16)} ${edge.form} ${graph.constantArguments(edge, 2).join(" ")}`);
}

// as MSVC's /guard:cf lays them out, by hand
describe("calls that Control Flow Guard checks", () => {
  it("are calls of what rax holds, where the guard dispatches", () => {
    // sub rsp,28; mov edx,1; xor ecx,ecx; mov rax,[2000]; 1012: call [2018]; add rsp,28; ret
    const bytes = "48 83 ec 28 ba 01 00 00 00 31 c9 48 8b 05 ee 0f 00 00 ff 15 00 10 00 00 48 83 c4 28 c3";
    expect(callsOf("x64", bytes)).toEqual(["1012 register 0 1"]);
  });

  it("are calls of what rax holds, where the linker's thunk leads to the guard", () => {
    // the same with 1012: call 1020; 1020: jmp [2018]
    const bytes =
      "48 83 ec 28 ba 01 00 00 00 31 c9 48 8b 05 ee 0f 00 00 e8 09 00 00 00 48 83 c4 28 c3 cc cc cc cc ff 25 f2 0f 00 00";
    expect(callsOf("x64", bytes)).toEqual(["1012 register 0 1"]);
    // jmp [2020] instead, which is no guard's pointer
    expect(callsOf("x64", bytes.replace("ff 25 f2", "ff 25 fa"))).toEqual([]);
  });

  it("are calls of the register that was checked before, with what was pushed before the check", () => {
    // push esi; mov esi,[2000]; push 1; push 0; mov ecx,esi; call [2010]; 1013: call esi; pop esi; ret
    const bytes = "56 8b 35 00 20 00 80 6a 01 6a 00 8b ce ff 15 10 20 00 80 ff d6 5e c3";
    expect(callsOf("x86", bytes)).toEqual(["1013 register 0 1"]);
  });

  it("are calls of ecx, which the check keeps", () => {
    // push 1; push 0; mov ecx,[2000]; call [2010]; 1010: call ecx; ret
    expect(callsOf("x86", "6a 01 6a 00 8b 0d 00 20 00 80 ff 15 10 20 00 80 ff d1 c3")).toEqual([
      "1010 register 0 1",
    ]);
  });
});
