import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachOnce, filesBelow } from "../../src/api/files-below.ts";
import { openFolder } from "../../src/api/folder.ts";
import { buildPe } from "../fixtures/pe.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const DRIVER = buildPe({
  bits: 64,
  sections: [{ name: ".text", rva: 0x1000, data: new Uint8Array(0x100), use: "rx" }],
});

/** A store of files by hash, and a folder beside it that holds links only, as symbol stores have them. */
function store(): { readonly links: string; readonly link: (name: string, to: string) => void } {
  const folder = temporaryFolder();
  folder.file("0a1b2c", DRIVER);
  folder.file("made.sys", DRIVER);
  const links = join(folder.path, "links");
  mkdirSync(links);
  return { links, link: (name, to) => symlinkSync(to, join(links, name)) };
}

describe("a folder of links", () => {
  it("has the files that they lead to, under the names of the links", () => {
    const { links, link } = store();
    link("first.sys", "../0a1b2c");
    link("second.sys", "../made.sys");
    using folder = openFolder(links);
    expect(folder.modules.items.map(({ imageName }) => imageName)).toEqual(["first.sys", "second.sys"]);
    expect(folder.notes).toEqual([]);
  });

  it("says of links to folders, and of those to nothing, that they were not followed", () => {
    const { links, link } = store();
    link("first.sys", "../0a1b2c");
    link("up", "..");
    link("gone.sys", "../nothing.sys");
    link("circle.sys", "circle.sys");
    link("readme.txt", "../nothing.txt");
    using folder = openFolder(links);
    expect(folder.modules.items).toHaveLength(1);
    expect(folder.notes).toEqual(["1 link to folders not followed", "2 links to no file not followed"]);
  });

  it("with nothing but such links says so, not only that there is no image", () => {
    const { links, link } = store();
    link("gone.sys", "../nothing.sys");
    expect(() => openFolder(links)).toThrow(/1 link to no file not followed/);
  });

  it("keeps what can be read where a folder below it cannot, and names that one", () => {
    const { path, file } = temporaryFolder();
    file("made.sys", DRIVER);
    // a name that is no UTF-8 cannot be written down, and so not be opened
    mkdirSync(Buffer.concat([Buffer.from(join(path, "caf")), Buffer.from([0xe9])]));
    using folder = openFolder(path);
    expect(folder.modules.items.map(({ imageName }) => imageName)).toEqual(["made.sys"]);
    expect(folder.notes).toEqual([`1 folder could not be listed: ${join(path, "caf\ufffd")}`]);
  });

  it("ends after 200,000 files and folders, and says so (MAX_IMAGE_FILES)", () => {
    const { path } = temporaryFolder();
    const entry = { name: "made.sys", path: join(path, "made.sys"), kind: "file" } as const;
    const below = (count: number) => filesBelow(path, () => new Array<typeof entry>(count).fill(entry));
    expect([below(200_000).files.length, below(200_000).notes]).toEqual([200_000, []]);
    const { files, notes } = below(200_001);
    expect(files).toHaveLength(200_000);
    expect(notes).toEqual([`only the first 200,000 files and folders below ${path} were looked at`]);
  });

  it("tells of a dump in it, which is another question", () => {
    const { path, file } = temporaryFolder();
    file("made.sys", DRIVER);
    file("MEMORY.DMP", new Uint8Array(16));
    using folder = openFolder(path);
    expect(folder.notes).toEqual(["MEMORY.DMP in this folder is a dump: to look into it, name it itself"]);
  });

  it("has a file once that stands there itself and is linked to, and one that two links lead to", () => {
    const { links, link } = store();
    link("a.sys", "../0a1b2c");
    link("b.sys", "../0a1b2c");
    link("c.sys", "../made.sys");
    const { files } = filesBelow(join(links, ".."));
    expect(files).toHaveLength(4);
    expect(eachOnce(files).map((path) => path.replace(/^.*[\\/]/, ""))).toEqual(["made.sys", "a.sys"]);
  });
});
