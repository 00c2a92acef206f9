import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const X86 = "samples/article-2003.dmp";
const X64 = "samples/leak-x64.dmp";
const x86 = readFileSync(X86);
const x64 = readFileSync(X64);
const folder = temporaryFolder();

/** A 64-bit dump with bit 8 set in DUMP_FILE_ATTRIBUTES, as Windows sets it where dumps are encrypted. */
function encrypted(): Buffer {
  const bytes = Buffer.from(x64.subarray(0, 0x8000));
  bytes.writeUInt32LE(0x100, 0x1050);
  return bytes;
}

function userMode(): Buffer {
  const bytes = Buffer.alloc(0x400);
  bytes.write("MDMP");
  bytes.writeUInt32LE(0xa793, 4);
  return bytes;
}

describe("a tag that there is not", () => {
  it.each([
    ["poolused", "3", "note: no tag matches `3`\n"],
    ["tags", "se", "note: no tag matches `se`: case counts, and `Se  ` is in use\n"],
    ["scan", "se", "note: `se  ` stands nowhere: case counts, and `Se  ` is in use\n"],
    ["trace", "se", "nothing is allocated with `se  `: case counts, and `Se  ` is in use\n"],
  ])("is said not to be one: %s %s", (command, tag, words) => {
    expect(`${pooltrail(command, X64, tag).stdout}\n`).toContain(words);
  });

  it.each([
    ["4", "WinDbg's 4 is --sort paged here"],
    ["/t10", "WinDbg's /t10 is --top 10 here"],
  ])("but a switch of !poolused is told as such: %s", (operand, words) => {
    expect(pooltrail("tags", X64, operand)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `pooltrail: ${words}\nTry: pooltrail tags --help\n`,
    });
  });
});

describe("a process that there cannot be", () => {
  it("is no number of more than 32 bits", () => {
    expect(pooltrail("handles", X64, "4294967296")).toMatchObject({
      code: 2,
      stdout: "",
      stderr:
        "pooltrail: 4294967296 is no process ID: one has at most 32 bits\nTry: pooltrail handles --help\n",
    });
    expect(pooltrail("handles", X64, "0xffffffff").stdout).toContain("No process 4294967295 is in the list.");
  });
});

describe("a file that is no kernel dump", () => {
  it.each([
    ["a user-mode minidump", "user.dmp", userMode(), /MDMP, a user-mode minidump .*reads crash dumps/],
    ["an encrypted dump", "encrypted.dmp", encrypted(), /an encrypted dump; decrypt it with the private key/],
    ["a gzip file", "MEMORY.DMP.gz", gzipSync(x86.subarray(0, 0x4000)), /a gzip file; unpack it first/],
    [
      "a zip archive",
      "MEMORY.zip",
      Buffer.concat([Buffer.from("PK\u0003\u0004"), x86.subarray(0, 0x400)]),
      /a zip archive; unpack it first/,
    ],
    ["a text file", "notes.txt", "0: kd> !poolused\n".repeat(99), /text, and no dump; .*reads crash dumps/],
    ["an empty file", "empty.dmp", "", /an empty file; copy the dump again/],
    ["one byte", "one.dmp", "P", /reads crash dumps/],
    ["zeros", "zeros.dmp", Buffer.alloc(0x4000), /zeros, as .* an unfinished copy/],
    ["random bytes", "noise.dmp", gzipSync(x86).subarray(0x400, 0x4000), /no format known here/],
    ["a driver", "leaky.dmp", readFileSync("samples/images/x64/ctstor.sys"), /a PE image; pooltrail headers/],
    [
      "a dump that ends in its 32-bit header",
      "cut32.dmp",
      x86.subarray(0, 0xfff),
      /4096 bytes, found the end at 0xfff.*copy the dump again/,
    ],
    [
      "a dump that ends in its 64-bit header",
      "cut64.dmp",
      x64.subarray(0, 0x1000),
      /8192 bytes, found the end at 0x1000.*copy the dump again/,
    ],
    [
      "a dump that ends in its bitmap",
      "bitmap.dmp",
      x64.subarray(0, 0x5000),
      /the page bitmap should be 131072 bytes, found the end.*copy the dump again/,
    ],
  ])("says that %s is one, and what to do, in one line with exit code 1", (_, name, content, says) => {
    const path = folder.file(name, content);
    for (const json of [[], ["--json"]]) {
      const { stdout, stderr, code } = pooltrail("info", path, ...json);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^pooltrail: .*\n$/);
      expect(stderr).toMatch(says);
      expect(stderr).toContain(name);
    }
  });

  it.each([
    ["a folder without a PE image", ".", /one of PE images .*found none/],
    ["no file at all", "nowhere.dmp", /there is no such file/],
  ])("says in one line that it was given %s", (_, name, says) => {
    const { stdout, stderr, code } = pooltrail("trace", `${folder.path}/${name}`, "Se");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^pooltrail: .*\n$/);
    expect(stderr).toMatch(says);
  });
});

describe("a dump that was cut off in a page", () => {
  const half = Math.floor(x64.length / 2) + 0x123;
  // the header and the bitmap stand in front of the pages
  const present = Math.floor((half - 0x23000) / 0x1000);
  const pages = (x64.length - 0x23000) / 0x1000;

  it("is answered from, and every answer says what is missing", () => {
    const path = folder.file("half.dmp", x64.subarray(0, half));
    const info = pooltrailJson("info", path);
    expect(info.pages).toEqual({ present, missing: pages - present });
    expect(info.notes).toContainEqual(
      expect.stringMatching(new RegExp(`file ends early: \\d+ of ${pages} pages`)),
    );
    expect(pooltrailJson("modules", path).notes).toContainEqual(expect.stringMatching(/file ends early/));
  });

  it.each(["scan Se", "trace Se", "near fffff8047bc01172", "pointers fffff8047bc00ec0"])(
    "does not take the module list that it lacks for an empty one: %s",
    (line) => {
      const path = folder.file("header-only.dmp", x86.subarray(0, 0x5000));
      const [command = "", operand = ""] = line.replace("fffff8047b", "80").split(" ");
      const { stdout, code } = pooltrail(command, path, operand);
      expect(code).toBe(0);
      expect(stdout).toMatch(/the file ends early|the module list ends early/);
    },
  );

  it.each(["headers", "imports", "exports"])("does not blame the user's words for it: %s", (command) => {
    const path = folder.file("header-only.dmp", x86.subarray(0, 0x5000));
    const { stdout, stderr, code } = pooltrail(command, path);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^pooltrail: .*nt.*\n$/);
  });
});

describe("wrong usage", () => {
  it.each([
    [["near", X86, "zzzz"], /neither an address nor a module/],
    [["near", X86, "8096c9zz"], /neither an address nor a module/],
    [["constructor", X86], /"constructor" is neither a command nor a file/],
    [["near", X86, "123456789abcdef01"], /has more than the 64 bits of an address/],
    [["pointers", X86, "nt!NoSuchName"], /nt exports no "NoSuchName"/],
    [["pointers", X86, "nosuch!Name"], /no module "nosuch"/],
    [["read", X86, "1ffffffff"], /no address of a 32-bit machine/],
    [["read", X86, "80800000", "much"], /LENGTH/],
    [["read", X86, "80800000", "99999999999"], /LENGTH/],
    [["scan", X86, "Fives"], /one to four characters, found 5/],
    [["trace", X86, "Se", "Fives"], /one to four characters, found 5/],
    [["scan", X86, ""], /one to four characters, found none/],
    [["headers", X86, "nosuch.sys"], /neither an address nor a module/],
    [["imports", X86, "nosuch"], /neither an address nor a module/],
    [["exports", X86, "1000"], /no loaded module holds/],
    [["tags", X86, "abcde"], /one to four characters, found 5/],
    [["tags", X86, "--sort", "size"], /--sort takes paged, nonpaged, bytes, count, tag/],
    [["tags", X86, "--top", "none"], /--top/],
    [["info", X86, "--frobnicate"], /--frobnicate/],
    [["info", X86, "--images"], /--images/],
    [["info", X86, "more"], /no use for "more"/],
    [["info"], /needs a dump/],
    [["headers", "samples/images/x64/ctstor.sys", "nt"], /one image and takes no MODULE/],
  ])("is exit code 2 and one line on what was wrong: %j", (argv, says) => {
    const { stdout, stderr, code } = pooltrail(...argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^pooltrail: .*\nTry: pooltrail.* --help\n$/);
    expect(stderr).toMatch(says);
  });

  it.each([
    [["tags", X86, "--pooltags", "nowhere.txt"], /nowhere\.txt: there is no such file/],
    [["info", X86, "--images", "nowhere"], /nowhere: there is no such folder/],
  ])("is not what a file beside the dump is that cannot be read: %j", (argv, says) => {
    const { stdout, stderr, code } = pooltrail(...argv);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(says);
  });
});
