import { describe, expect, it, vi } from "vitest";
import { judgePublisher, type PublisherClues } from "../../src/trail/publisher.ts";

const NOTHING: PublisherClues = { company: undefined, path: null, imageName: null };

describe("judgePublisher", () => {
  it("does not judge a module that nothing tells of", () => {
    expect(judgePublisher(NOTHING)).toEqual({ company: null, thirdParty: null, basis: null });
  });

  it.each([
    ["Microsoft Corporation", false],
    ["Microsoft", false],
    ["Example Corp.", true],
    // what a driver says whose maker left the field of Microsoft's template alone
    ["Windows (R) Win 7 DDK provider", true],
    ["Microsofte Ltd.", true],
  ])("takes the company %s of the version resource", (company, thirdParty) => {
    expect(judgePublisher({ ...NOTHING, company })).toEqual({
      company,
      thirdParty,
      basis: "version resource",
    });
  });

  it("believes a signature more than a version resource that claims to be Microsoft's", () => {
    const signer = (): { name: string; microsoft: boolean } => ({ name: "Contoso", microsoft: false });
    expect(judgePublisher({ ...NOTHING, company: "Microsoft Corporation", signer })).toEqual({
      company: "Contoso",
      thirdParty: true,
      basis: "signature",
    });
  });

  it("does not read the signature where it could change nothing", () => {
    const signer = vi.fn(() => undefined);
    judgePublisher({ ...NOTHING, company: "Example Corp.", signer });
    expect(signer).not.toHaveBeenCalled();
  });

  it("does not call a driver Microsoft's for Microsoft's hardware programme having signed it", () => {
    const signer = (): { name: string; microsoft: null } => ({
      name: "Microsoft Corporation",
      microsoft: null,
    });
    expect(judgePublisher({ ...NOTHING, signer, imageName: "foo.sys" }).thirdParty).toBeNull();
  });

  it.each([
    ["\\SystemRoot\\system32\\drivers\\unheardof.sys", "unheardof.sys", null, null],
    ["\\SystemRoot\\system32\\drivers\\ntfs.sys", "Ntfs.sys", false, "file name"],
    ["\\??\\C:\\Program Files\\Foo\\foo.sys", "foo.sys", true, "path"],
    ["\\??\\C:\\ProgramData\\Microsoft\\Windows Defender\\x.sys", "x.sys", null, null],
    ["\\??\\C:\\Windows\\system32\\drivers\\foo.sys", "foo.sys", null, null],
    ["foo.sys", "foo.sys", null, null],
  ])("judges %s by its path, then by its name", (path, imageName, thirdParty, basis) => {
    expect(judgePublisher({ ...NOTHING, path, imageName })).toEqual({ company: null, thirdParty, basis });
  });

  it("calls neither the kernel nor the HAL a third party's, whatever they say and wherever they were built", () => {
    const kernel = { ...NOTHING, kernelModule: true, imageName: "ntkrnlpa.exe" };
    expect(judgePublisher({ ...kernel, pdbPath: () => "d:\\private\\nt.pdb" })).toMatchObject({
      thirdParty: false,
      basis: "module name",
    });
    expect(judgePublisher({ ...kernel, company: "Example Corp." })).toMatchObject({ thirdParty: false });
  });

  it("lets the place where a file was built say nothing of one that Windows brings", () => {
    const clues = { ...NOTHING, pdbPath: () => "e:\\build\\objfre\\i386\\ntfs.pdb", imageName: "Ntfs.sys" };
    expect(judgePublisher(clues)).toMatchObject({ thirdParty: false, basis: "file name" });
  });

  it("takes a PDB path with folders for a third party's: Microsoft ships bare names", () => {
    expect(judgePublisher({ ...NOTHING, pdbPath: () => "d:\\work\\abc\\abc.pdb" }).basis).toBe("PDB path");
    expect(judgePublisher({ ...NOTHING, pdbPath: () => "ntfs.pdb" }).basis).toBeNull();
  });
});
