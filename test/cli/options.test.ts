import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const DUMP = "samples/leak-x64.dmp";

describe("trace --system-hive", () => {
  // the hive was filled by hivexsh: ctstor has Start 0, which is boot
  const trail = pooltrailJson("trace", DUMP, "Se", "--system-hive", "test/fixtures/hive/system.hive");

  it("says when a suspect starts, and warns of disabling it", () => {
    expect(trail.suspects[0]).toMatchObject({ module: "ctstor", service: { name: "ctstor", start: "boot" } });
    expect(trail.next.join("\n")).toContain("ctstor.sys (boot start): do not disable it blindly");
  });

  it("does not ask for a hive that it has", () => {
    expect(trail.next.join("\n")).not.toContain("--system-hive");
  });

  it("asks for one where there is none, and says null", () => {
    const without = pooltrailJson("trace", DUMP, "Se");
    expect(without.suspects[0].service).toBeNull();
    expect(without.next.join("\n")).toContain("--system-hive FILE");
  });

  it("refuses a file that is no hive with exit code 1", () => {
    const { code, stderr, stdout } = pooltrail("trace", DUMP, "Se", "--system-hive", "package.json");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/package\.json\+0x0/);
  });
});

describe("tags --since", () => {
  it("finds nothing grown between a dump and itself", () => {
    const growth = pooltrailJson("tags", DUMP, "--since", DUMP);
    expect(growth).toMatchObject({ tags: [], seconds: 0, sameStart: true });
  });

  const OTHER = ["tags", DUMP, "--since", "samples/article-2003.dmp"] as const;
  const DIFFER = "the dumps are of different builds, 3790 and 19041: not the same machine, or updated since";

  it("does not compare two machines", () => {
    expect(pooltrail(...OTHER)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `pooltrail: article-2003.dmp: ${DIFFER}; --force compares them all the same\nTry: pooltrail tags --help\n`,
    });
  });

  it("compares two machines where that is forced, and says so first", () => {
    const { notes, sameStart, tags } = pooltrailJson(...OTHER, "--force");
    expect({ sameStart, first: notes[0] }).toEqual({ sameStart: false, first: DIFFER });
    expect(tags.length).toBeGreaterThan(100);
    expect(pooltrail(...OTHER, "--force").stdout).toMatch(/^note: the dumps are of different builds/);
  });
});

describe("options that a command does not take", () => {
  it.each([
    ["scan", DUMP, "Se", "--sort", "paged"],
    ["info", DUMP, "--since", DUMP],
    ["tags", DUMP, "--sort", "size"],
    ["tags", DUMP, "--top", "0"],
  ])("are wrong usage: %s %s %s %s", (...argv) => {
    const { code, stdout, stderr } = pooltrail(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Try: pooltrail");
  });
});

describe("a first word that is no command", () => {
  it("is wrong usage where it is no file either, and something follows", () => {
    const { code, stdout, stderr } = pooltrail("frob", DUMP);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('"frob" is neither a command nor a file');
  });

  it("gets the nearest command, where one is near", () => {
    expect(pooltrail("tag", DUMP).stderr).toContain(
      '"tag" is neither a command nor a file; did you mean tags?',
    );
  });

  it("is a file that is not there where it stands alone", () => {
    expect(pooltrail("frob")).toMatchObject({ code: 1, stderr: "pooltrail: frob: there is no such file\n" });
  });
});

describe("a folder of PE files where a dump would stand", () => {
  it("traces a tag by the files alone, and says what that cannot tell", () => {
    const trail = pooltrailJson("trace", "samples/images/x64", "Se");
    const ctstor = trail.suspects.find((one: { module: string }) => one.module === "ctstor");
    expect(ctstor).toMatchObject({ verdict: "calls", thirdParty: true });
    expect(trail.usage).toBeNull();
    expect(trail.notes.join("\n")).toContain("files, not a dump");
  });

  it("has no usage to trace by, and no dump's commands", () => {
    expect(pooltrail("trace", "samples/images/x64").code).toBe(2);
    expect(pooltrail("info", "samples/images/x64")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("this is a directory; info needs a dump"),
    });
    expect(pooltrail("trace", "schema", "Se").code).toBe(1);
    const folder = temporaryFolder();
    folder.file("MEMORY.DMP", new Uint8Array(16));
    expect(pooltrail("tags", folder.path).stderr).toBe(
      `pooltrail: ${folder.path}: this is a directory; tags needs a dump: name MEMORY.DMP in it\n`,
    );
  });
});
