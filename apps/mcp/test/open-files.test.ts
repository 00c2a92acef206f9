import { copyFileSync, readdirSync, readlinkSync, utimesSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { OpenFiles, type Opening } from "../src/open-files.ts";

const folder = temporaryFolder();
const names = ["a.dmp", "b.dmp", "c.dmp", "d.dmp"];
for (const name of names) copyFileSync("samples/leak-x64.dmp", folder.file(name, ""));
const opening = (name: string): Opening => ({ file: `${folder.path}/${name}`, images: [] });

/** What of the folder this process has open. */
function openNames(): readonly string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((descriptor) => {
      try {
        return [readlinkSync(`/proc/self/fd/${descriptor}`)];
      } catch {
        return [];
      }
    })
    .filter((path) => path.startsWith(folder.path))
    .map((path) => basename(path))
    .sort();
}

describe.skipIf(process.platform !== "linux")("open dumps", () => {
  const files = new OpenFiles();
  afterAll(() => files.close());
  const modules = (name: string): Promise<unknown> =>
    files.ask(opening(name), "folder", { command: "modules" }, {});

  it("stay open from one question to the next, whatever it takes", async () => {
    await modules("a.dmp");
    expect(openNames()).toEqual(["a.dmp"]);
    await files.ask(opening("a.dmp"), "image", { command: "exports" }, {});
    await files.ask(opening("a.dmp"), "dump", { command: "info" }, {});
    expect(openNames()).toEqual(["a.dmp"]);
  });

  it("are three at most: the one that was not used for the longest time is closed", async () => {
    await modules("b.dmp");
    await modules("c.dmp");
    await files.ask(opening("a.dmp"), "dump", { command: "info" }, {});
    await modules("d.dmp");
    await expect.poll(openNames).toEqual(["a.dmp", "c.dmp", "d.dmp"]);
  });

  it("are opened anew where the file changed", async () => {
    utimesSync(opening("d.dmp").file, 1, 1);
    await modules("d.dmp");
    await expect.poll(openNames).toEqual(["a.dmp", "d.dmp", "d.dmp"]);
  });

  it("are answered while more are open than are kept, and none is closed under its question", async () => {
    const answers = await Promise.all(names.map(modules));
    expect(answers.map((answer) => (answer as { modules: unknown[] }).modules.length)).toEqual([
      13, 13, 13, 13,
    ]);
  });

  it("are all closed at the end, and what is asked then fails", async () => {
    const asked = files.ask(opening("a.dmp"), "folder", { command: "trace", tags: ["Se"] }, {});
    const closing = files.close();
    await expect(asked).rejects.toThrow("the dump was closed");
    await closing;
    await expect.poll(openNames).toEqual([]);
  });
});
