import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Va } from "../../src/core/address.ts";
import type { HeldFunction } from "../../src/trail/holders.ts";
import { lookupsOf, NamedFunctions } from "../../src/trail/lookups.ts";
import type { TrailModule, TrailTarget } from "../../src/trail/target.ts";
import { codeImage } from "../fixtures/code-image.ts";

const FUNCTION = { module: "nt", name: "NtOpenThing", address: 0x90001000n as Va };

/** What code looks up that gives MmGetSystemRoutineAddress a counted string of "ZwOpenThing", and keeps the answer. */
function lookedUp(functions: readonly HeldFunction[]) {
  const name = "ZwOpenThing";
  const data = Buffer.alloc(0x100);
  data.write(name, 0x40, "utf16le");
  data.writeUInt16LE(name.length * 2, 0xc0);
  data.writeUInt16LE(name.length * 2 + 2, 0xc2);
  data.writeUInt32LE(0x80002040, 0xc4);
  const image = codeImage({
    machine: "x86",
    parts: [
      // push 800020c0; 1005: call [2000]; mov [80002020], eax; ret
      { rva: 0x1000, bytes: "68 c0 20 00 80 ff 15 00 20 00 80 a3 20 20 00 80 c3" },
      { rva: 0x2000, bytes: data, executable: false },
    ],
    slots: { MmGetSystemRoutineAddress: 0x2000 },
    exports: { F: 0x1000 },
  });
  const analyzed = analyzeImage(image);
  const flows = new DataFlow(analyzed);
  const decoded = { image: analyzed, flows, uses: new TagUses(flows), graph: new CallGraph(flows) };
  const { base, size, imports, space } = image;
  const module = { name: "looker", base, end: base + BigInt(size), size, image, imports } as TrailModule;
  return lookupsOf({ space } as TrailTarget, module, () => decoded, new NamedFunctions(functions));
}

describe("what a module looks up at run time", () => {
  it("is the function that has the name, whichever of its names that is", () => {
    const function_ = { ...FUNCTION, names: ["NtOpenThing", "ZwOpenThing"] };
    expect(lookedUp([function_])).toEqual([
      {
        function: function_,
        pointer: 0x2020,
        calls: [],
        clue: {
          kind: "looks-up-at-run-time",
          function: { module: "nt", name: "ZwOpenThing", address: FUNCTION.address },
          text: 0x80002040n,
          encoding: "utf-16",
          call: { at: 0x80001005n, routine: "MmGetSystemRoutineAddress" },
          keptIn: 0x80002020n,
        },
      },
    ]);
  });

  it("is the function that goes by the name before one that has it as well", () => {
    const other = { ...FUNCTION, names: ["NtOpenThing", "ZwOpenThing"] };
    const function_ = { module: "nt", name: "ZwOpenThing", address: 0x90002000n as Va };
    expect(lookedUp([other, function_]).map((lookup) => lookup.function)).toEqual([function_]);
  });

  it("is nothing that has other names", () => {
    expect(lookedUp([FUNCTION])).toEqual([]);
  });
});
