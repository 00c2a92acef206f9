import { afterAll, describe, expect, it } from "vitest";
import { openDump } from "../../src/api/open-dump.ts";

describe("Kernel.variable", () => {
  const dump = openDump("samples/leak-x64.dmp");
  afterAll(() => dump[Symbol.dispose]());
  const { kernel } = dump;

  it("knows what KDBG says, by the name that Windows has for it", () => {
    expect(kernel.variable("PoolTrackTable")).toEqual({
      address: kernel.kdbg?.poolTrackTable,
      basis: "kdbg",
    });
    expect(kernel.variable("PsLoadedModuleList")?.address).toBe(dump.info().psLoadedModuleList);
  });

  it("knows what nt exports where KDBG has no such field", () => {
    const exported = dump.exports("nt").exports.find(({ name }) => name === "MmSectionObjectType");
    expect(kernel.variable("MmSectionObjectType")).toEqual({ address: exported?.address, basis: "export" });
  });

  it("does not take another name for it", () => {
    expect(kernel.variable("PoolBigPageTable")).toBeUndefined();
    expect(kernel.variable("poolTrackTableX")).toBeUndefined();
  });
});
