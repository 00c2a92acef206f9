import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Siblings } from "../../src/source/siblings.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

function textOf(siblings: Siblings, name: string): string | undefined {
  const source = siblings.named(name);
  if (source === undefined) return undefined;
  const bytes = new Uint8Array(source.size);
  source.read(0, bytes);
  return Buffer.from(bytes).toString();
}

describe("the files beside a dump", () => {
  const { path: folder } = temporaryFolder();
  const path = join(folder, "guest.vmem");
  mkdirSync(join(folder, "below"));
  for (const [name, text] of [
    ["guest.vmem", "memory"],
    ["Guest.VMSS", "state"],
    ["guest.vmsn", "small"],
    ["GUEST.vmsn", "capital"],
    ["below/inner.txt", "inner"],
  ] as const) {
    writeFileSync(join(folder, name), text);
  }
  symlinkSync(join(folder, "nowhere"), join(folder, "broken.vmss"));

  it("are found by their name, in capitals or not, the exact one first", () => {
    using siblings = new Siblings(path);
    expect(["guest.vmss", "guest.vmsn", "GUEST.vmsn"].map((name) => textOf(siblings, name))).toEqual([
      "state",
      "small",
      "capital",
    ]);
  });

  it("are none where there is no such file, and none outside the folder", () => {
    using siblings = new Siblings(path);
    for (const name of ["other.vmss", "", ".", "..", "below/inner.txt", "../guest.vmem", path]) {
      expect(siblings.named(name), name).toBeUndefined();
    }
  });

  it("are opened once, and closed together", () => {
    const siblings = new Siblings(path);
    const source = siblings.named("guest.vmss")!;
    expect(siblings.named("guest.vmss")).toBe(source);
    siblings[Symbol.dispose]();
    expect(() => source.read(0, new Uint8Array(1))).toThrow(RangeError);
  });

  it("throw for one that is there and cannot be read", () => {
    using siblings = new Siblings(path);
    expect(() => siblings.named("below")).toThrow(expect.objectContaining({ problem: "directory" }));
    expect(() => siblings.named("broken.vmss")).toThrow(expect.objectContaining({ problem: "missing" }));
  });

  it("are none where the folder cannot be listed", () => {
    using siblings = new Siblings(join(folder, "gone", "x.vmem"));
    expect(siblings.named("x.vmss")).toBeUndefined();
  });
});
