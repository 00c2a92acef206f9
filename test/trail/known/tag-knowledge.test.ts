import { describe, expect, it } from "vitest";
import { KNOWN_LEAKS } from "../../../src/trail/known/leaks.ts";
import { knownOf } from "../../../src/trail/known/tag-knowledge.ts";
import { TAG_MEANINGS } from "../../../src/trail/known/tags.ts";

describe("knownOf", () => {
  it("names the functions of strings, and what frees them", () => {
    const known = knownOf("Strg");
    expect(known?.meaning?.what).toContain("run-time library");
    expect(known?.acquiredBy).toEqual(
      expect.arrayContaining(["RtlStringFromGUID", "RtlCreateUnicodeString", "RtlAnsiStringToUnicodeString"]),
    );
    expect(known?.releasedBy[0]).toBe("RtlFreeUnicodeString");
  });

  it.each([
    ["FMfn", "FltGetFileNameInformation", "FltReleaseFileNameInformation"],
    ["Mdl ", "IoAllocateMdl", "IoFreeMdl"],
    ["EtwR", "EtwRegister", "EtwUnregister"],
    ["Fecf", "FwpsAcquireWritableLayerDataPointer0", "FwpsApplyModifiedLayerData0"],
    ["IoWI", "IoAllocateWorkItem", "IoFreeWorkItem"],
  ])("knows of `%s` that %s takes it and %s gives it back", (tag, takes, gives) => {
    const known = knownOf(tag);
    expect(known?.acquiredBy).toContain(takes);
    expect(known?.releasedBy).toContain(gives);
  });

  it.each([
    ["Proc", ["Process"]],
    ["Thre", ["Thread"]],
    ["Key ", ["Key"]],
    ["Toke", ["Token"]],
    ["Debu", ["Debug"]],
    ["Dire", ["Directory"]],
  ])("knows which type `%s` is of", (tag, types) => {
    expect(knownOf(tag)?.objectTypes).toEqual(types);
  });

  it("knows what a process that is kept costs besides the pool", () => {
    // facts of a live dump: 71,703 processes, 4.9 GiB with 15 pages, a top page table and two of pool each
    expect(knownOf("Proc")?.besides?.pages).toBe(16);
    expect(knownOf("Even")?.besides).toBeUndefined();
  });

  it("knows nothing of a driver's own tag", () => {
    expect(knownOf("LtWn")).toBeUndefined();
  });

  it("tells of a driver's known leak only where the driver is there", () => {
    const drivers = (present: readonly string[]): readonly string[] =>
      knownOf("Proc", present)?.leaks.flatMap(({ culprit, source }) =>
        culprit === "driver" ? [source] : [],
      ) ?? [];
    expect(drivers(["ntoskrnl.exe", "amdppm.sys"])).toEqual([]);
    expect(drivers(["ntoskrnl.exe", "AMDKMDAG.sys"])).toEqual(["microsoft/Windows-Dev-Performance#137"]);
  });
});

describe("the tables", () => {
  it("have a source for each row, and one row a tag", () => {
    for (const { source } of [...TAG_MEANINGS, ...KNOWN_LEAKS]) expect(source).toMatch(/\w{2}/);
    const tags = TAG_MEANINGS.map(({ tag }) => tag);
    expect(new Set(tags).size).toBe(tags.length);
    for (const tag of [...tags, ...KNOWN_LEAKS.flatMap((row) => row.tags)]) expect(tag).toHaveLength(4);
  });

  it("have files in lower case, as they are compared", () => {
    for (const file of KNOWN_LEAKS.flatMap(({ files }) => files)) expect(file).toBe(file.toLowerCase());
  });
});
