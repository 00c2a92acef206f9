import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { Folders, OutsideError } from "../src/folders.ts";

const outer = realpathSync(temporaryFolder().path);
const allowed = join(outer, "dumps");
const other = join(outer, "other");
for (const folder of [allowed, join(allowed, "sub"), other]) mkdirSync(folder);
for (const path of ["dumps/a.dmp", "dumps/sub/b.sys", "other/secret.dmp", "dumps-not.dmp"]) {
  writeFileSync(join(outer, path), path);
}
const link = (name: string, target: string): void => symlinkSync(target, join(allowed, name));
link("inside.dmp", "a.dmp");
link("outside.dmp", join(other, "secret.dmp"));
link("outside", other);
link("nowhere.dmp", join(other, "not-there.dmp"));
link("circle.dmp", "circle.dmp");
symlinkSync(allowed, join(outer, "by-link"));
const folders = new Folders([allowed]);

describe("a path", () => {
  it.each([
    ["absolute", join(allowed, "a.dmp"), "a.dmp"],
    ["from the folder", "sub/b.sys", "sub/b.sys"],
    ["with dots that stay inside", "sub/../a.dmp", "a.dmp"],
    ["of a link that stays inside", "inside.dmp", "a.dmp"],
    ["of nothing yet", "sub/new.dmp", "sub/new.dmp"],
    ["of the folder itself", allowed, ""],
  ])("%s is taken", (_, path, real) => {
    expect(folders.within(path)).toBe(join(allowed, real));
  });

  it.each([
    ["outside", join(other, "secret.dmp")],
    ["outside, of nothing", join(other, "not-there.dmp")],
    ["out by dots", "../other/secret.dmp"],
    ["of a folder whose name begins alike", join(outer, "dumps-not.dmp")],
    ["of a link to a file outside", "outside.dmp"],
    ["through a link to a folder outside", "outside/secret.dmp"],
    ["through such a link to nothing", "outside/not-there.dmp"],
    ["of a link to nothing", "nowhere.dmp"],
    ["of a link to itself", "circle.dmp"],
    ["of the root", "/"],
  ])("%s is refused", (_, path) => {
    expect(() => folders.within(path)).toThrow(OutsideError);
  });

  it("says the same of what is there and what is not", () => {
    const said = (path: string): string => {
      try {
        return folders.within(path);
      } catch (error) {
        return String(error).replaceAll(path, "");
      }
    };
    expect(said("outside/not-there.dmp")).toBe(said("outside/secret.dmp"));
  });
});

describe("folders given by a link", () => {
  it("are taken by either name", () => {
    const linked = new Folders([join(outer, "by-link")]);
    for (const path of [join(outer, "by-link/a.dmp"), join(allowed, "a.dmp"), "a.dmp"])
      expect(linked.within(path)).toBe(join(allowed, "a.dmp"));
  });

  it("have to be folders", () => {
    expect(() => new Folders([join(allowed, "a.dmp")])).toThrow("is no folder");
  });
});

describe("what is read without being named", () => {
  it("is refused where a link of a folder leads a file out of it", () => {
    expect(folders.allWithin("sub")).toBe(join(allowed, "sub"));
    expect(() => folders.allWithin(allowed)).toThrow(OutsideError);
  });

  it("is refused where the file beside a dump leads out", () => {
    writeFileSync(join(allowed, "machine.vmem"), "");
    expect(folders.withOthers("machine.vmem")).toBe(join(allowed, "machine.vmem"));
    link("Machine.VMSS", join(other, "secret.dmp"));
    expect(() => folders.withOthers("machine.vmem")).toThrow(OutsideError);
    expect(folders.withOthers("a.dmp")).toBe(join(allowed, "a.dmp"));
  });
});

describe("the list of files", () => {
  it("has those below the folders, and no link that leads out", () => {
    const { files, notes } = folders.list();
    expect(files.map(({ path }) => path.slice(allowed.length + 1)).sort()).toEqual(
      ["a.dmp", "inside.dmp", "machine.vmem", "sub/b.sys"].sort(),
    );
    expect(files.find(({ path }) => path.endsWith("b.sys"))?.size).toBe("dumps/sub/b.sys".length);
    expect(notes).toEqual([]);
  });
});
