import { describe, expect, it } from "vitest";
import { type Callee, namesOf } from "../../src/code/callees.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { codeImage } from "../fixtures/code-image.ts";

/**
 * 32-bit code at 1000, a helper at 1080, data at 2000: "ObfDereferenceObject" as UTF-16 at 2040, "IoFreeMdl" at 2080,
 * and variables at 2100.
 */
function followed(bytes: string, helper = "c3") {
  const data = Buffer.alloc(0x200);
  data.write("ObfDereferenceObject", 0x40, "utf16le");
  data.write("IoFreeMdl", 0x80, "utf16le");
  const image = codeImage({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x1080, bytes: helper },
      { rva: 0x2000, bytes: data, executable: false },
    ],
    slots: { MmGetSystemRoutineAddress: 0x2000, RtlInitUnicodeString: 0x2004, Other: 0x2008 },
    exports: { F: 0x1000, Helper: 0x1080 },
  });
  const flows = new DataFlow(analyzeImage(image));
  const found = flows.image.functions.startingAt(0x1000);
  if (found === undefined) throw new Error("no function at 0x1000");
  const calls = flows.of(found).calls.map((site) => flows.callees.of(site));
  return { calls, variables: [...flows.lookedUp.variables] };
}

const names = (callees: readonly (readonly Callee[])[]) => callees.map((of) => of.flatMap(namesOf));

/** push TEXT; lea eax,[esp+4]; push eax; call [RtlInitUnicodeString]; lea eax,[esp]; push eax; call [MmGetSystemRoutineAddress]. */
const lookUp = (text: string) =>
  `68 ${text} 20 00 80 8d 44 24 04 50 ff 15 04 20 00 80 8d 04 24 50 ff 15 00 20 00 80`;
const DEREFERENCE = lookUp("40");
const FREE = lookUp("80");
/** sub esp,8, and add esp,8; ret. */
const [BEGIN, END] = ["83 ec 08", "83 c4 08 c3"];

const DEREFERENCES = { name: "ObfDereferenceObject", module: "ntoskrnl.exe" };

describe("what code looks up by name", () => {
  it("is the callee of a call of the answer", () => {
    // push 1; call eax
    const { calls } = followed(`${BEGIN} ${DEREFERENCE} 6a 01 ff d0 ${END}`);
    expect(calls.at(-1)).toEqual([{ target: undefined, ...DEREFERENCES, lookedUp: true }]);
  });

  it("has the name that was in the string last", () => {
    // mov [80002100],eax; …; mov [80002104],eax; call [80002100]; call [80002104]
    const { calls, variables } = followed(
      `${BEGIN} ${DEREFERENCE} a3 00 21 00 80 ${FREE} a3 04 21 00 80 ff 15 00 21 00 80 ff 15 04 21 00 80 ${END}`,
    );
    expect(variables).toEqual([
      [0x2100, DEREFERENCES],
      [0x2104, { name: "IoFreeMdl", module: "ntoskrnl.exe" }],
    ]);
    expect(names(calls).slice(-2)).toEqual([["ObfDereferenceObject"], ["IoFreeMdl"]]);
  });

  it("has no name in a variable that holds one of two, or something else", () => {
    const both = `${BEGIN} ${DEREFERENCE} a3 00 21 00 80 ${FREE} a3 00 21 00 80 ${END}`;
    expect(followed(both).variables).toEqual([]);
    // mov dword [80002100], 80001080
    const own = `${BEGIN} ${DEREFERENCE} a3 00 21 00 80 c7 05 00 21 00 80 80 10 00 80 ${END}`;
    expect(followed(own).variables).toEqual([]);
    // mov dword [80002100], 0
    const emptied = `${BEGIN} ${DEREFERENCE} a3 00 21 00 80 c7 05 00 21 00 80 00 00 00 00 ${END}`;
    expect(followed(emptied).variables).toEqual([[0x2100, DEREFERENCES]]);
  });

  it("is known where a helper looks up what it is given", () => {
    // push [esp+0ch]; lea eax,[esp+4]; push eax; call [RtlInitUnicodeString]; lea eax,[esp]; push eax; call [MmGet…]
    const given = `${BEGIN} ff 74 24 0c 8d 44 24 04 50 ff 15 04 20 00 80 8d 04 24 50 ff 15 00 20 00 80`;
    // push 80002040; call 1080; mov [80002100],eax; ret
    const asks = "68 40 20 00 80 e8 76 00 00 00 a3 00 21 00 80 c3";
    expect(followed(asks, `${given} 83 c4 08 c2 04 00`).variables).toEqual([[0x2100, DEREFERENCES]]);
    // xor eax,eax: it keeps the answer to itself
    expect(followed(asks, `${given} 31 c0 83 c4 08 c2 04 00`).variables).toEqual([]);
  });
});
