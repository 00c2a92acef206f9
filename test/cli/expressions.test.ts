import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";
const X64 = "samples/leak-x64.dmp";
const FILE = "samples/images/x64/ntoskrnl.exe";

/** The linker's own account of an image of the sample. */
const truth = JSON.parse(readFileSync("samples/images/truth/ntoskrnl.exe.x64.json", "utf8"));

/** What `near` takes an expression for. */
function addressOf(expression: string, dump: string = DUMP): string {
  return pooltrailJson("near", dump, expression).symbols[0].address;
}

// The figures are those that samples/article-2003.md and its writer give.
describe("an address may be an expression", () => {
  it.each([
    ["nt!SeQueryInformationToken+0x3d", "0x8096c909"],
    ["SeQueryInformationToken+3d", "0x8096c909"],
    ["b8f04000+7880", "0xb8f0b880"],
    ["ABCMiniFilter+29d8", "0xb8f069d8"],
    ["abcminifilter.sys+29d8", "0xb8f069d8"],
    ["hal-(nt+0n16)", "0x25cff0"],
    // DllBase of the list's first entry, which is nt's
    ["poi(poi(nt!PsLoadedModuleList)+18)", "0x80800000"],
    // variables that KDBG names and nt does not export
    ["poi(nt!MmPfnDatabase)", "0x81000000"],
    ["poi(nt!MmHighestUserAddress)", "0x7ffeffff"],
    // the article's slot of SeQueryInformationToken
    ["poi(b8f0b938)", "0x8096c8cc"],
  ])("%s", (expression, address) => {
    expect(addressOf(expression)).toBe(address);
  });

  it("of a 64-bit machine", () => {
    const base = BigInt(pooltrailJson("info", X64).kernelBase);
    const head = base + BigInt(truth.variables.PsLoadedModuleList);
    expect(addressOf("nt!PsLoadedModuleList", X64)).toBe(`0x${head.toString(16)}`);
    expect(addressOf("poi(poi(nt!PsLoadedModuleList)+30)", X64)).toBe(`0x${base.toString(16)}`);
    expect(addressOf("fffff804`7bc00ec0+2b2", X64)).toBe("0xfffff8047bc01172");
  });

  it.each([
    ["read", "poi(b8f0b938)", "address", "0x8096c8cc"],
    ["pointers", "poi(b8f0b938)", "target", "0x8096c8cc"],
    ["pool", "poi(b8f0b938)", "address", "0x8096c8cc"],
    ["code", "poi(b8f0b938)", "address", "0x8096c8cc"],
    ["headers", "poi(b8f0b938)+10", "module", "nt"],
    ["imports", "b8f04000+7880", "module", "ABCMiniFilter"],
  ])("wherever one is taken: %s %s", (command, expression, field, value) => {
    expect(pooltrailJson(command, DUMP, expression)).toHaveProperty(field, value);
  });

  it("also of a PE file, and of a folder of them", () => {
    const rva = Number(truth.exports.find((one: { name: string }) => one.name === "SeAssignSecurity").rva);
    const own = pooltrailJson("code", FILE, "ntoskrnl!SeAssignSecurity+(4-4)").address;
    expect(pooltrailJson("code", FILE, rva.toString(16)).address).toBe(own);
    expect(pooltrailJson("calls", FILE, "ntoskrnl.exe!SeAssignSecurity").target).toBe(own);
    const folder = "samples/images/x64";
    expect(Number(addressOf("SeAssignSecurity-nt", folder))).toBe(rva);
  });
});

describe("a wrong word of an expression", () => {
  it.each([
    ["near", "nt!SeQueryInformationTokn", "; did you mean SeQueryInformationToken?"],
    ["near", "ABCMiniFiltr+29d8", '"ABCMiniFiltr" is neither an address nor a module; did you mean ABCMiniF'],
    ["headers", "ABCMiniFiltr", "did you mean ABCMiniFilter?"],
    ["read", "(nt+10", "a closing parenthesis should stand before the end"],
  ])("is wrong usage, and gets the nearest right one: %s %s", (command, expression, words) => {
    const { code, stdout, stderr } = pooltrail(command, DUMP, expression);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(words);
    expect(stderr).toContain(`Try: pooltrail ${command} --help`);
  });

  it("but a pointer that the dump does not hold is not", () => {
    const { code, stdout, stderr } = pooltrail("near", DUMP, "poi(win32k)");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^pooltrail: poi\(win32k\) cannot be read: 0xbf800000 is not mapped: .*; give the driver's/,
    );
  });
});
