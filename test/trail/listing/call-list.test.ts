import { describe, expect, it } from "vitest";
import { CallGraph } from "../../../src/code/call-graph.ts";
import { DataFlow } from "../../../src/code/data-flow.ts";
import { analyzeImage } from "../../../src/code/functions.ts";
import { TagUses } from "../../../src/code/uses.ts";
import { rva } from "../../../src/core/address.ts";
import type { Image } from "../../../src/pe/image.ts";
import { functionAtAddress, functionNamed, listCalls } from "../../../src/trail/listing/call-list.ts";
import type { TrailModule } from "../../../src/trail/target.ts";
import { codeImage } from "../../fixtures/code-image.ts";
import { laidOut } from "../../fixtures/functions-of.ts";

const NAME = "SeQueryInformationToken";
const BASE = 0x80000000;

/** What the layers below tell of a module. */
function decode(image: Image) {
  const analyzed = analyzeImage(image);
  const flows = new DataFlow(analyzed);
  const { base, size, imports } = image;
  return {
    decoded: { image: analyzed, flows, uses: new TagUses(flows), graph: new CallGraph(flows) },
    module: { name: "looker", base, end: base + BigInt(size), size, image, imports } as TrailModule,
  };
}

/** 32-bit code; a UNICODE_STRING of the name at 20c0, which MmGetSystemRoutineAddress (2000) is given. */
function calls(code: Readonly<Record<number, string>>) {
  const data = Buffer.alloc(0x100);
  data.write(NAME, 0x40, "utf16le");
  data.writeUInt16LE(NAME.length * 2, 0xc0);
  data.writeUInt16LE(NAME.length * 2 + 2, 0xc2);
  data.writeUInt32LE(BASE + 0x2040, 0xc4);
  const image = codeImage({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes: laidOut(0x80, code) },
      { rva: 0x2000, bytes: data, executable: false },
    ],
    slots: { MmGetSystemRoutineAddress: 0x2000 },
    exports: { F: 0x1000, G: 0x1040 },
  });
  const { decoded, module } = decode(image);
  const found = functionNamed(module, decoded, NAME);
  return found === undefined
    ? undefined
    : listCalls(module, decoded, found).callers.map(
        ({ address, form }) => `${(address - image.base).toString(16)} ${form}`,
      );
}

describe("callers of a function that is only looked up by its name", () => {
  it("are those through the variable that keeps the answer", () => {
    const code = {
      // push 800020c0; call [2000]; mov [80002020], eax; ret
      0: "68 c0 20 00 80 ff 15 00 20 00 80 a3 20 20 00 80 c3",
      // push 1; call [80002020]; mov eax, [80002020]; ret
      0x40: "6a 01 ff 15 20 20 00 80 a1 20 20 00 80 c3",
    };
    expect(calls(code)).toEqual(["1042 call-slot"]);
  });

  it("are those of the answer itself", () => {
    // push 800020c0; call [2000]; push 1; call eax; ret
    expect(calls({ 0: "68 c0 20 00 80 ff 15 00 20 00 80 6a 01 ff d0 c3", 0x40: "c3" })).toEqual([
      "100d register",
    ]);
  });

  it("are none where the name only stands there", () => {
    expect(calls({ 0: "c3", 0x40: "c3" })).toBeUndefined();
  });
});

describe("listCalls", () => {
  it("says that the framework's functions may have no names (MAX_WDF_BIND_PLACES)", () => {
    const notesWith = (names: number): readonly string[] => {
      const bytes = Buffer.from("KmdfLibrary\0".repeat(names), "utf16le");
      const image = codeImage({
        machine: "x86",
        parts: [
          { rva: 0x1000, bytes: "c3" },
          { rva: 0x2000, bytes, executable: false },
        ],
        slots: { WdfVersionBind: 0x2000 },
        exports: { F: 0x1000 },
      });
      const { decoded, module } = decode(image);
      return listCalls(module, decoded, functionAtAddress(module, image.addressOf(rva(0x1000)))).notes;
    };
    expect(notesWith(16)).toEqual([]);
    expect(notesWith(17)).toEqual(["the search for the table of KMDF's functions was ended at its limit"]);
  });
});
