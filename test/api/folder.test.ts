import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { openFolder } from "../../src/api/folder.ts";
import { buildPe } from "../fixtures/pe.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const IMAGES = "samples/images/x64";

/** A driver that leaks, as a library of user mode would stand among drivers: a console program's, and kernel32's guest. */
function ofUserMode(driver: string): Uint8Array {
  const bytes = Buffer.from(readFileSync(driver));
  bytes.writeUInt16LE(3, bytes.readUInt32LE(0x3c) + 24 + 68);
  for (let at = bytes.indexOf("ntoskrnl.exe"); at >= 0; at = bytes.indexOf("ntoskrnl.exe", at + 1))
    bytes.write("kernel32.dll", at, "latin1");
  return bytes;
}

describe("a folder with an image whose section claims 4 GB", () => {
  const { path: folder } = temporaryFolder();
  const section = {
    name: ".text",
    rva: 0x1000,
    data: new Uint8Array(16),
    use: "rx",
    virtualSize: 0xffff_0000,
  };
  writeFileSync(join(folder, "huge.sys"), buildPe({ bits: 64, imageSize: 0x2000, sections: [section] }));

  it("tells its headers, with what is readable, in a few steps", () => {
    using drivers = openFolder(folder);
    const locate = vi.spyOn(drivers.space.mapping, "locate");
    const { sections } = drivers.headers("huge");
    expect(locate.mock.calls.length).toBeLessThan(100);
    expect(sections).toMatchObject([{ virtualSize: 0xffff_0000, readable: 0x1000 }]);
  });
});

describe("the trace of a folder", () => {
  const { path: folder } = temporaryFolder();
  copyFileSync(join(IMAGES, "ntoskrnl.exe"), join(folder, "ntoskrnl.exe"));
  copyFileSync(join(IMAGES, "margies.sys"), join(folder, "margies.sys"));

  it("looks at no image of user mode, and says so", () => {
    using drivers = openFolder(folder);
    const named = drivers.trace("Proc");
    expect(named.conclusion.module).toBe("margies");
    writeFileSync(join(folder, "library.dll"), ofUserMode(join(IMAGES, "margies.sys")));
    using mixed = openFolder(folder);
    const { conclusion, suspects, notes } = mixed.trace("Proc");
    expect(conclusion.module).toBe("margies");
    expect(suspects.map(({ module }) => module)).toEqual(["margies"]);
    expect(notes).toContain("1 image of user mode was not looked at");
    expect(mixed.imports("library").imports.length).toBeGreaterThan(0);
  });
});

describe("a folder of drivers without the kernel", () => {
  const { path: folder } = temporaryFolder();
  for (const driver of ["keykeep", "keyclose", "ctxkeep", "ctxfree"])
    copyFileSync(`samples/images/kinds/x64/${driver}.sys`, join(folder, `${driver}.sys`));

  it.each([
    ["Key ", "keykeep", "ZwOpenKey, imported from nt"],
    ["CtxH", "ctxkeep", "FltAllocateContext, imported from fltmgr"],
  ])("tells who leaks %s by what is documented of the imports, and says so", (tag, culprit, exporter) => {
    using files = openFolder(folder);
    const { conclusion, suspects, notes } = files.trace(tag);
    expect(conclusion).toMatchObject({ module: culprit, confidence: "high" });
    expect(suspects.map(({ module }) => module)).toContain(
      culprit.replace("keep", tag === "Key " ? "close" : "free"),
    );
    expect(notes).toContain(
      `no export table here has ${exporter}: of what is called so its documentation is believed`,
    );
  });
});
