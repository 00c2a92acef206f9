import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { knowledgeOf } from "../../src/trail/knowledge.ts";
import { ModuleCodes } from "../../src/trail/module-codes.ts";
import type { TrailTarget } from "../../src/trail/target.ts";
import { codeImage } from "../fixtures/code-image.ts";

describe("knowledgeOf", () => {
  // 1000: sub rsp,28h; call Open; add rsp,28h; ret
  const image = codeImage({
    parts: [{ rva: 0x1000, bytes: "4883ec28 ff15f60f0000 4883c428 c3" }],
    slots: { Open: 0x2000 },
    unwind: [[0x1000, 0x100f]],
    size: 0x3000,
  });
  const flows = new DataFlow(analyzeImage(image));
  const target: TrailTarget = {
    space: image.space,
    modules: [],
    moduleAt: () => undefined,
    resolve: () => undefined,
    build: 19041,
  };
  const { abi } = flows.image.code.set;
  const effect = (module: string, name: string, argument: 1 | 2 = 1, within?: number): unknown => {
    const [found] = flows.image.functions.owning(0x1000);
    const [site] = found === undefined ? [] : flows.of(found).calls;
    if (site === undefined) throw new Error("no call");
    const given = { place: { kind: "register", register: argument }, argument, within } as const;
    return knowledgeOf(new ModuleCodes(target), abi).effect({ module, name, target: undefined }, given, site);
  };

  it("does not take what the kernel opens for what it gives back, whatever its code does", () => {
    // that takes a reference, and gives it back where it fails
    expect(effect("nt", "ObOpenObjectByPointer")).toBe("uses");
    expect(effect("nt", "ObfReferenceObject")).toBe("references");
    expect(effect("nt", "ObfDereferenceObject")).toBe("releases");
    // a registration of a device is no reference that IoDeleteDevice gives back
    expect(effect("nt", "IoRegisterShutdownNotification")).toBe("uses");
  });

  it("takes what stands in a structure for kept where the structure is copied, and not the structure", () => {
    for (const name of ["RtlInsertElementGenericTableAvl", "RtlInsertElementGenericTable", "memcpy"]) {
      expect([name, effect("nt", name, 2, 8)]).toEqual([name, "keeps"]);
      expect(effect("nt", name, 2)).not.toBe("keeps");
    }
    // what frees a structure does not free what stands in it
    expect(effect("nt", "ExFreePoolWithTag", 1, 8)).toBe("uses");
    expect(effect("nt", "ExFreePoolWithTag")).toBe("releases");
    expect(effect("nt", "RtlFreeUnicodeString", 1, 8)).toBe("releases");
  });

  it("takes it for no error that nothing is left to enumerate", () => {
    const knowledge = knowledgeOf(new ModuleCodes(target), abi);
    const asks = (name: string) => knowledge.asks({ module: "nt", name, target: undefined });
    expect(["ZwEnumerateKey", "ZwQueryDirectoryFile", "RtlEqualUnicodeString"].map(asks)).toEqual([
      true,
      true,
      true,
    ]);
    expect(["ZwOpenKey", "ZwQueryKey"].map(asks)).toEqual([false, false]);
  });

  it("knows what is put into bitmaps and strings, and how a request says that it is done", () => {
    const knowledge = knowledgeOf(new ModuleCodes(target), abi);
    const named = (name: string) => ({ module: "nt", name, target: undefined });
    const place = (register: number) => ({ kind: "register", register }) as const;
    // RTL_BITMAP: SizeOfBitMap, Buffer
    const put = { what: place(2), into: place(1), offset: 8 };
    expect(knowledge.puts(named("RtlInitializeBitMap"))).toEqual(put);
    expect(knowledge.puts(named("NdisInitUnicodeString"))).toEqual(put);
    expect(knowledge.puts(named("RtlClearAllBits"))).toBeUndefined();
    // an OID request stays with NDIS only where it is pending
    expect(effect("ndis", "NdisFOidRequest", 2)).toBe("keeps");
    const [found] = flows.image.functions.owning(0x1000);
    const [site] = found === undefined ? [] : flows.of(found).calls;
    const given = { place: place(2), argument: 2, within: undefined };
    expect(site && knowledge.fails(named("NdisFOidRequest"), given, site)).toBe("done");
  });

  it("leaves open what other modules do", () => {
    // other modules may keep what they are given: an MDL is the list's that it is put into
    expect(effect("fwpkclnt", "FwpsAllocateNetBufferAndNetBufferList0")).toBeUndefined();
  });
});
