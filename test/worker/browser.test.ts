import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as noFiles from "../../src/source/no-files.ts";
import * as nodeFiles from "../../src/source/node-files.ts";

const BROWSER = "dist/browser";
const X64 = readFileSync("samples/leak-x64.dmp");

describe("the library for browsers", () => {
  it.each(["index.js", "worker.js", "worker-thread.js"])(
    "bundles %s without anything of Node",
    async (file) => {
      const { outputFiles, warnings } = await build({
        entryPoints: [join(BROWSER, file)],
        bundle: true,
        platform: "browser",
        format: "esm",
        write: false,
        logLevel: "silent",
      });
      expect(warnings).toEqual([]);
      const text = outputFiles[0]?.text ?? "";
      expect(text.length).toBeGreaterThan(1000);
      expect(text.match(/["']node:\w+["']|\brequire\(["']/g)).toBeNull();
    },
  );

  it("is what a bundler for browsers takes", async () => {
    const { metafile } = await build({
      stdin: {
        contents: 'export { openDump } from "pooltrail";\nexport * from "pooltrail/browser";\n',
        resolveDir: process.cwd(),
      },
      bundle: true,
      platform: "browser",
      format: "esm",
      write: false,
      metafile: true,
    });
    const inputs = Object.keys(metafile.inputs).filter((name) => name.startsWith("dist/"));
    expect(inputs.length).toBeGreaterThan(0);
    expect(inputs.filter((name) => !name.includes(`${BROWSER}/`))).toEqual([]);
  });

  // a package says which of its files do something by being imported: bundlers leave out the others
  it.each(["browser", "node"] as const)("keeps what a worker runs in a bundle for %s", async (platform) => {
    const stdin = { contents: 'import "pooltrail/worker-thread";', resolveDir: process.cwd() };
    const { outputFiles } = await build({ stdin, bundle: true, platform, format: "esm", write: false });
    expect(outputFiles[0]?.text).toContain("asked before a dump was open");
  });

  it("answers from bytes, and says that there are no paths", async () => {
    const { openDump, openFolder, BytesSource } = await import(pathToFileURL(join(BROWSER, "index.js")).href);
    using dump = openDump(X64);
    expect(dump.trace("Se").conclusion.module).toBe("ctstor");
    const said = "there is no file system to open";
    expect(() => openDump("MEMORY.DMP")).toThrow(said);
    expect(() => openDump(new URL("file:///MEMORY.DMP"))).toThrow(said);
    expect(() => openFolder("drivers")).toThrow(said);
    const names = ["ntoskrnl.exe", "ctstor.sys"];
    const files = names.map((name) => new BytesSource(readFileSync(join("samples/images/x64", name)), name));
    using folder = openFolder(files);
    expect(folder.trace("Se").suspects[0]?.module).toBe("ctstor");
  });

  it("has in the place of each thing of the file system one that says so", () => {
    expect(Object.keys(noFiles).sort()).toEqual(Object.keys(nodeFiles).sort());
  });
});

describe("what the thread that asks loads", () => {
  it("is none of the library's core", () => {
    const chunks = (file: string): readonly string[] =>
      [...readFileSync(join(BROWSER, file), "utf8").matchAll(/from "\.\/([^"]+)"/g)].map(
        (match) => match[1]!,
      );
    const loaded = ["worker.js", ...chunks("worker.js")];
    const sizes = loaded.map((file) => readFileSync(join(BROWSER, file)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(64 * 1024);
    expect(readdirSync(BROWSER)).toEqual(expect.arrayContaining(loaded));
  });
});
