import { describe, expect, it } from "vitest";
import { TOOLS, toolOf } from "../../../src/trail/known/tools.ts";

const module = (imageName: string | null, company: string | null = null) => ({
  imageName,
  publisher: { company },
});

describe("toolOf", () => {
  it.each([
    ["winpmem_x64.sys", "WinPmem", "acquisition"],
    ["att_winpmem_64.sys", "WinPmem", "acquisition"],
    ["pme1A2F.tmp", "WinPmem", "acquisition"],
    ["DumpIt.sys", "DumpIt", "acquisition"],
    ["win64dd.sys", "DumpIt", "acquisition"],
    ["LiveKdD.SYS", "LiveKd", "acquisition"],
    ["RamCaptureDriver64.sys", "Belkasoft Live RAM Capturer", "acquisition"],
    ["kldbgdrv.sys", "local kernel debugging of WinDbg", "debugger"],
    ["PROCEXP152.SYS", "Process Explorer", "monitor"],
    ["myfault.sys", "NotMyFault", "leak-maker"],
  ])("knows %s", (file, name, kind) => {
    const found = toolOf(module(file));
    expect(found?.tool).toMatchObject({ name, kind });
    expect(found?.confirmed).toBe(false);
  });

  it("is sure where the company is the tool's", () => {
    expect(toolOf(module("myfault.sys", "Sysinternals"))?.confirmed).toBe(true);
    expect(toolOf(module("LiveKdD.SYS", "Sysinternals - www.sysinternals.com"))?.confirmed).toBe(true);
  });

  it("believes no name of a file that is another company's", () => {
    expect(toolOf(module("winpmem.sys", "Contoso Ltd."))).toBeUndefined();
  });

  it.each(["ntoskrnl.exe", "myfault2.sys", "winpmem.sys.sys", "livekd.exe", "pme.tmp", "pmem64.sys", null])(
    "takes %s for no tool's",
    (file) => {
      expect(toolOf(module(file))).toBeUndefined();
    },
  );

  it("has a source for each", () => {
    for (const { source, name } of TOOLS) expect(source.length, name).toBeGreaterThan(5);
  });
});
