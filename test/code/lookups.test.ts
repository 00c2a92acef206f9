import { describe, expect, it, vi } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { findRuntimeLookups } from "../../src/code/lookups.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { sampleImages } from "../fixtures/sample-images.ts";

const NAME = "SeQueryInformationToken";
const BASE = 0x80000000;

/** 32-bit code at 1000, data at 2000: the name as UTF-16 at 2040 and as ANSI at 2080, a UNICODE_STRING at 20c0. */
function lookups(code: string) {
  const data = Buffer.alloc(0x100);
  data.write(NAME, 0x40, "utf16le");
  data.write(NAME, 0x80, "latin1");
  data.writeUInt16LE(NAME.length * 2, 0xc0);
  data.writeUInt16LE(NAME.length * 2 + 2, 0xc2);
  data.writeUInt32LE(BASE + 0x2040, 0xc4);
  const image = codeImage({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes: code },
      { rva: 0x2000, bytes: data, executable: false },
    ],
    slots: { MmGetSystemRoutineAddress: 0x2000, RtlInitUnicodeString: 0x2004, FltGetRoutineAddress: 0x2008 },
    exports: { F: 0x1000 },
  });
  return findRuntimeLookups(new DataFlow(analyzeImage(image)), new Set([NAME]));
}

describe("findRuntimeLookups", () => {
  it("says where a name only stands", () => {
    expect(lookups("c3")).toEqual([
      { name: NAME, encoding: "utf-16", string: 0x2040 },
      { name: NAME, encoding: "ansi", string: 0x2080 },
    ]);
  });

  it("finds the call that gets a ready counted string", () => {
    // push 800020c0; call [MmGetSystemRoutineAddress]; mov [80002020], eax; ret
    expect(lookups("68 c0 20 00 80 ff 15 00 20 00 80 a3 20 20 00 80 c3")[0]).toMatchObject({
      encoding: "utf-16",
      call: { at: 0x1005, routine: "MmGetSystemRoutineAddress", function: { entry: 0x1000 } },
      pointer: 0x2020,
    });
  });

  it("finds the calls of what was looked up, where it is kept in no variable", () => {
    // push 800020c0; call [MmGetSystemRoutineAddress]; push 1; call eax; ret
    const [first] = lookups("68 c0 20 00 80 ff 15 00 20 00 80 6a 01 ff d0 c3");
    expect(first).toMatchObject({ call: { at: 0x1005 }, uses: [0x100d] });
    expect(first).not.toHaveProperty("pointer");
  });

  it("finds the call that gets a string which the code sets up itself", () => {
    // sub esp, 8; mov dword [esp], 30002eh; mov dword [esp+4], 80002040; push esp; call [MmGetSystemRoutineAddress]; …
    expect(
      lookups(
        "83 ec 08 c7 04 24 2e 00 30 00 c7 44 24 04 40 20 00 80 8d 04 24 50 ff 15 00 20 00 80 83 c4 08 c3",
      )[0],
    ).toMatchObject({ call: { at: 0x1016, routine: "MmGetSystemRoutineAddress" } });
  });

  it("finds the filter manager's look-up by an ANSI name", () => {
    // push 80002080; call [FltGetRoutineAddress]; ret
    expect(lookups("68 80 20 00 80 ff 15 08 20 00 80 c3")[1]).toMatchObject({
      encoding: "ansi",
      call: { at: 0x1005, routine: "FltGetRoutineAddress" },
    });
  });

  it("does not find the name inside a longer one", () => {
    const data = Buffer.alloc(0x60);
    data.write(`My${NAME}`, 0x10, "latin1");
    data.write(`${NAME}Ex`, 0x30, "latin1");
    const image = codeImage({
      parts: [
        { rva: 0x1000, bytes: "c3" },
        { rva: 0x2000, bytes: data, executable: false },
      ],
    });
    expect(findRuntimeLookups(new DataFlow(analyzeImage(image)), new Set([NAME]))).toEqual([]);
  });

  const resolving = sampleImages().filter(({ truth }) => truth.image === "tailspin.sys");
  it.skipIf(resolving.length === 0).each(resolving)(
    "tells what $name looks up, and not what it imports",
    ({ open, truth }) => {
      const found = findRuntimeLookups(
        new DataFlow(analyzeImage(open())),
        new Set([NAME, "ExAllocatePoolWithTag"]),
      );
      const call = truth.importCalls.find(({ name }) => name === "MmGetSystemRoutineAddress");
      expect(found).toMatchObject([{ name: NAME, encoding: "utf-16", call: { at: Number(call?.at) } }]);
      expect(found).toHaveLength(1);
    },
  );

  it("goes through the code once, however many texts there are", () => {
    // 40 texts, each pushed for FltGetRoutineAddress
    const data = Buffer.alloc(40 * 0x20);
    let code = "";
    for (let i = 0; i < 40; i++) {
      data.write(NAME, i * 0x20, "latin1");
      const address = Buffer.from(Uint32Array.of(BASE + 0x2000 + i * 0x20).buffer).toString("hex");
      code += `68${address}ff1508300080`;
    }
    const image = codeImage({
      machine: "x86",
      parts: [
        { rva: 0x1000, bytes: `${code}c3` },
        { rva: 0x2000, bytes: data, executable: false },
      ],
      slots: { FltGetRoutineAddress: 0x3008 },
      exports: { F: 0x1000 },
    });
    const analyzed = analyzeImage(image);
    const search = vi.spyOn(analyzed.code.set.references, "naming");
    const found = findRuntimeLookups(new DataFlow(analyzed), new Set([NAME]));
    expect(found.map(({ string, call }) => [string, call?.at])).toEqual(
      Array.from({ length: 40 }, (_, i) => [0x2000 + i * 0x20, 0x1005 + i * 11]),
    );
    // and once for who calls the routines
    expect(search).toHaveBeenCalledTimes(2);
    search.mockRestore();
  });
});
