import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { Ownership } from "../../src/code/ownership.ts";
import { type Va, va } from "../../src/core/address.ts";
import { ModuleMap } from "../../src/core/module-map.ts";
import type { Image } from "../../src/pe/image.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { findApis } from "../../src/trail/apis.ts";
import { findHolders } from "../../src/trail/holders.ts";
import { knowledgeOf } from "../../src/trail/knowledge.ts";
import { ModuleCodes } from "../../src/trail/module-codes.ts";
import { scanTag } from "../../src/trail/scan.ts";
import type { TrailModule, TrailTarget } from "../../src/trail/target.ts";
import { abiOf } from "../../src/trail/target.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

function moduleOf(name: string, image: Image): TrailModule {
  return {
    name,
    imageName: null,
    path: null,
    base: image.base,
    end: va(image.base + BigInt(image.size)),
    size: image.size,
    image,
    imageProblem: undefined,
    imports: image.imports,
    publisher: { company: null, thirdParty: null, basis: null },
  };
}
function targetOf(module: TrailModule): TrailTarget {
  if (module.image === undefined) throw new Error("no image");
  return {
    space: module.image.space,
    modules: [module],
    moduleAt: (at) => new ModuleMap([module], (one) => one).at(at),
    resolve: () => undefined,
    build: 3790,
  };
}

/** Calls from one place to another, with a return behind it. */
const call = (at: number, to: number): string =>
  `e8 ${Buffer.from(Int32Array.of(to - (at + 5)).buffer).toString("hex")} c3`;

/** A kernel whose ExAllocatePoolWithTag stands at 1000; functions at the given RVAs. */
function kernel(
  functions: Readonly<Record<number, string>>,
  exports: Readonly<Record<string, number>>,
  data: Uint8Array = new Uint8Array(0x40),
): Image {
  const bytes = new Uint8Array(0x1800).fill(0xcc);
  bytes.set(fromHex("c2 0c 00"));
  for (const [at, hex] of Object.entries(functions)) bytes.set(fromHex(hex), Number(at) - 0x1000);
  return codeImage({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x3000, bytes: data, executable: false },
    ],
    exports: { ExAllocatePoolWithTag: 0x1000, ...exports },
  });
}
function apisOf(image: Image, tag = "Se") {
  const target = targetOf(moduleOf("nt", image));
  const codes = new ModuleCodes(target);
  const { references } = scanTag(target, parseTag(tag), {}, codes);
  const found = findApis(target, codes, references, new Ownership(knowledgeOf(codes, abiOf(target))));
  return { apis: found.apis.map(({ api }) => api), notes: found.notes };
}

/** push 'Se  '; push 40h; push 1; call 1000; ret */
const allocate = (at: number): string => `68 53 65 20 20 6a 40 6a 01 ${call(at + 9, 0x1000)}`;

describe("findApis", () => {
  it("gives one API for one function, with all its names, a documented one first", () => {
    const { apis } = apisOf(
      kernel({ 0x1020: allocate(0x1020) }, { AaInternal: 0x1020, SeQueryInformationToken: 0x1020 }),
    );
    expect(apis).toMatchObject([
      { name: "SeQueryInformationToken", names: ["SeQueryInformationToken", "AaInternal"], documented: true },
    ]);
  });

  it("tells which allocations an API leads to, so that those of one place can be seen as one", () => {
    const image = kernel(
      {
        0x1020: allocate(0x1020),
        0x1040: call(0x1040, 0x1020),
        0x1060: call(0x1060, 0x1020),
        0x1080: allocate(0x1080),
      },
      { FirstUser: 0x1040, SecondUser: 0x1060, Alone: 0x1080 },
    );
    const { apis } = apisOf(image);
    expect(Object.fromEntries(apis.map(({ name, leads, depth }) => [name, { leads, depth }]))).toEqual({
      Alone: { leads: [0x80001080n], depth: 0 },
      FirstUser: { leads: [0x80001020n], depth: 1 },
      SecondUser: { leads: [0x80001020n], depth: 1 },
    });
  });

  it("follows 600 calls for what they hand on, and says that there are more (MAX_CARRIED)", () => {
    const found = (callers: number) => {
      const functions: Record<number, string> = { 0x1020: allocate(0x1020) };
      const exports: Record<string, number> = {};
      for (let i = 0; i < callers; i++) {
        functions[0x1100 + i * 8] = call(0x1100 + i * 8, 0x1020);
        exports[`F${i}`] = 0x1100 + i * 8;
      }
      const { apis, notes } = apisOf(kernel(functions, exports));
      return { inside: apis.filter(({ handsOut }) => !handsOut).map(({ name }) => name), notes };
    };
    const far = "nt: callers 2 calls away and further were not looked for";
    // one call is the allocation itself
    expect(found(599)).toEqual({ inside: [], notes: [far] });
    expect(found(600)).toEqual({
      inside: ["F599"],
      notes: [far, "nt: not all calls were followed for whether they hand on what is allocated"],
    });
  });

  it("gives the stubs of system services with their services, at no distance", () => {
    const names = ["CreateKey", "OpenKey", "Close", "ReadFile"];
    const functions: Record<number, string> = {};
    const exports: Record<string, number> = {};
    const table = Buffer.alloc(0x40);
    names.forEach((name, index) => {
      // mov eax, N; lea edx, [esp+4]; pushfd; push 8; call 1380; ret 8
      const stub = 0x1100 + index * 0x20;
      const number = Buffer.from(Uint32Array.of(index).buffer).toString("hex");
      functions[stub] = `b8 ${number} 8d 54 24 04 9c 6a 08 ${call(stub + 12, 0x1380).slice(0, -2)} c2 08 00`;
      functions[0x1200 + index * 0x40] = index === 0 ? call(0x1200, 0x1020) : "33 c0 c3";
      exports[`Zw${name}`] = stub;
      exports[`Nt${name}`] = 0x1200 + index * 0x40;
      table.writeUInt32LE(0x80000000 + 0x1200 + index * 0x40, 0x10 + index * 4);
    });
    functions[0x1020] = allocate(0x1020);
    functions[0x1380] = "c3";
    const { apis } = apisOf(kernel(functions, exports, table));
    expect(apis.map(({ name, depth, path }) => ({ name, depth, path }))).toEqual([
      { name: "NtCreateKey", depth: 1, path: ["NtCreateKey", "nt+0x1020"] },
      { name: "ZwCreateKey", depth: 1, path: ["ZwCreateKey", "NtCreateKey", "nt+0x1020"] },
    ]);
  });

  it("says that a variable of a file may be written to later", () => {
    // 1040: jmp [80003000h], where 1020's address stands
    const image = kernel(
      { 0x1020: allocate(0x1020), 0x1040: "ff 25 00 30 00 80" },
      { IoAllocateIrp: 0x1040 },
      fromHex("20 10 00 80"),
    );
    const file = { ...image, layout: "file" } as unknown as Image;
    const { apis, notes } = apisOf(file);
    expect(apis).toMatchObject([{ name: "IoAllocateIrp", depth: 1, path: ["IoAllocateIrp", "nt+0x1020"] }]);
    expect(notes).toEqual([
      "nt+0x1020 is called through the variable at nt+0x3000, as it stands in the file; it may be written to later",
    ]);
    expect(apisOf(image).notes).toEqual([]);
  });

  it("leads from a tag in a constant to who calls the function that reads it", () => {
    // 1010: 'Se  '; 1040: push [80001010h]; push 40h; push 1; call 1000; ret; 1060 calls it
    const image = kernel(
      {
        0x1010: "53 65 20 20",
        0x1040: `ff 35 10 10 00 80 6a 40 6a 01 ${call(0x104a, 0x1000)}`,
        0x1060: call(0x1060, 0x1040),
      },
      { MmMapSection: 0x1060 },
    );
    expect(apisOf(image).apis).toMatchObject([
      { name: "MmMapSection", depth: 1, references: [0x80001010n], leads: [0x80001040n] },
    ]);
  });
});

describe("findHolders", () => {
  it("knows an import by any name of its function", () => {
    const image = codeImage({
      parts: [{ rva: 0x2000, bytes: new Uint8Array(0x40), executable: false }],
      slots: { AaInternal: 0x2000, Other: 0x2008 },
    });
    const held = {
      module: "nt",
      name: "SeQueryInformationToken",
      names: ["SeQueryInformationToken", "AaInternal"],
      address: va(0xfffff80010001020n),
    };
    const holdings = findHolders(targetOf(moduleOf("driver", image)), [held]);
    expect(holdings).toMatchObject([{ rva: 0x2000, basis: "name", function: held }]);
  });
});

describe("Callees.throughSlot", () => {
  it("shows the declared name when it is one of the address's names, and keeps all of them", () => {
    const image = codeImage({
      machine: "x86",
      parts: [{ rva: 0x2000, bytes: new Uint8Array(0x40), executable: false }],
      slots: { SeQueryInformationToken: 0x2000, Unknown: 0x2004 },
    });
    const slots = image.imports.slots.map((slot) => ({ ...slot, value: va(0x81001020n) }));
    const names = ["AaInternal", "SeQueryInformationToken"];
    const resolve = (address: Va) =>
      address === 0x81001020n ? { module: "nt", name: "AaInternal", names } : undefined;
    const { callees } = new DataFlow(analyzeImage(image), resolve, slots);
    expect(callees.throughSlot(0x2000)).toMatchObject({
      module: "nt",
      name: "SeQueryInformationToken",
      names: ["SeQueryInformationToken", "AaInternal"],
    });
    expect(callees.throughSlot(0x2004)).toMatchObject({ name: "AaInternal", names });
  });
});

describe("scanTag of code that is not decoded", () => {
  it("does not say that the tag stands nowhere", () => {
    const image = codeImage({ machine: "arm64", parts: [{ rva: 0x1000, bytes: "c0 03 5f d6" }] });
    const scan = scanTag(targetOf(moduleOf("tg64", image)), parseTag("Se"));
    expect(scan).toMatchObject({ references: [], undecoded: ["tg64"] });
    expect(scan.notes.join("\n")).toMatch(/the arm64 code of tg64 is not decoded as a whole/);
  });

  it("finds a tag that is made of two halves, with its function", () => {
    // movz w2, #6754h; movk w2, #3436h, lsl 16; str w2, [x0, #4]; ret
    const code = "82 ea 8c 52 c2 86 a6 72 02 04 00 b9 c0 03 5f d6";
    const image = codeImage({
      machine: "arm64",
      parts: [{ rva: 0x1000, bytes: code }],
      unwind: [[0x1000, 0x1010]],
    });
    const scan = scanTag(targetOf(moduleOf("tg64", image)), parseTag("Tg64"));
    expect(scan.references).toMatchObject([{ rva: 0x1000, use: "store", function: { offset: 0 } }]);
  });
});
