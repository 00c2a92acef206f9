import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { BytesSource, openDump, openFolder, openImageFile, readTagFile } from "../../src/index.ts";

const X64 = "samples/leak-x64.dmp";
const DRIVER = "samples/images/x64/ctstor.sys";
const HIVE = "test/fixtures/hive/system.hive";
const bytes = readFileSync(DRIVER);

/** What programs without types pass. */
function untyped(value: unknown): never {
  // @ts-expect-error: that is the point
  return value;
}

describe("what a program without types passes by mistake", () => {
  const dump = openDump(X64);
  afterAll(() => dump.close());
  const TAKEN = "is a path, a file: URL, a Uint8Array, an ArrayBuffer, a Blob or a ByteSource, not";

  it.each<[string, () => unknown, string]>([
    ["no dump", () => openDump(untyped(undefined)), `a dump ${TAKEN} undefined`],
    ["a list of none", () => openDump([]), "a list of files that is empty leads to no dump"],
    ["a list of nothing", () => openDump([untyped(undefined)]), `a dump ${TAKEN} undefined`],
    ["a number", () => openDump(untyped(3)), `a dump ${TAKEN} 3`],
    [
      "a URL of the web",
      () => openDump(new URL("https://example.com/MEMORY.DMP")),
      "a dump is a file: URL where it is a URL, not one of https:",
    ],
    [
      "one folder of images",
      () => openDump(X64, { images: untyped("/drivers") }),
      'images is a list of folders, not "/drivers"',
    ],
    [
      "images that are no files",
      () => openDump(X64, { images: [untyped(3)] }),
      "an entry of images is the path or the file: URL of a folder, not 3",
    ],
    [
      "a hive that is none",
      () => openDump(X64, { systemHive: untyped({}) }),
      `systemHive ${TAKEN} a value of Object`,
    ],
    [
      "no folder",
      () => openFolder(untyped(undefined)),
      "what is opened is the path or the file: URL of a folder, not undefined",
    ],
    ["no PE file", () => openImageFile(untyped(null)), `a PE file ${TAKEN} null`],
    ["no tag file", () => readTagFile(untyped(undefined)), `a tag file ${TAKEN} undefined`],
    [
      "no tag",
      () => dump.scan(untyped(undefined)),
      "a tag is a string of one to four characters, not undefined",
    ],
    [
      "a number for a tag",
      () => dump.trace(untyped(5)),
      "a tag is a string of one to four characters, not 5",
    ],
    ["no older dump", () => dump.since(untyped(undefined)), "an older dump is an open Dump, not undefined"],
    [
      "an object for a process",
      () => dump.handles({ process: untyped({}) }),
      "a process is an id or an image's name, not a value of Object",
    ],
  ])("is a TypeError that says what is taken: %s", (_, call, message) => {
    expect(call).toThrow(new TypeError(message));
  });

  it("is a RangeError where a number is meant for lines and is none", () => {
    expect(() => dump.code("nt!SeQueryInformationToken", { lines: untyped("x") })).toThrow(
      new RangeError("lines is a number from 1 on, not x"),
    );
  });
});

describe("what files are taken as", () => {
  it("an ArrayBuffer and a URL are dumps as a path is", () => {
    const array = new Uint8Array(readFileSync(X64)).buffer;
    for (const input of [array, pathToFileURL(X64)]) {
      using dump = openDump(input);
      expect(dump.modules.items).toHaveLength(13);
    }
  });

  it("images, a hive and a tag file can be bytes", () => {
    const images = [new BytesSource(bytes, "ctstor.sys")];
    const systemHive = readFileSync(HIVE);
    using dump = openDump(X64, { images, systemHive });
    using without = openDump(X64, { images: [new BytesSource(bytes, "other.sys")] });
    const readable = [dump, without].map((one) => one.module("ctstor").readableBytes);
    expect(readable[0]).toBeGreaterThan(readable[1] ?? Number.NaN);
    expect(dump.trace("Se").suspects[0]?.service).not.toBeNull();
    const descriptions = readTagFile(Buffer.from("Se - nt!se - Security\r\n"));
    expect(dump.tags().document({ pattern: "Se", descriptions }).tags[0]?.description).toBe("Security");
  });

  it("a tag file is none that is far longer than such files are (MAX_POOLTAG_BYTES)", () => {
    const file = { name: "MEMORY.DMP", size: 16_777_217, read: () => 0, [Symbol.dispose]: () => undefined };
    expect(() => readTagFile(file)).toThrow(
      "MEMORY.DMP+0x0: the file should be a pooltag.txt of 16777216 bytes at most, found 16777217",
    );
    expect(readTagFile({ ...file, size: 16_777_216 }).entries).toBe(0);
  });

  it("a PE file can be bytes", () => {
    using file = openImageFile(bytes);
    expect(file.image.machine).toBe("x64");
  });

  it("close() ends what `using` ends", () => {
    const dump = openDump(X64);
    dump.close();
    dump.close();
    expect(() => dump.scan("Zzzz")).toThrow(/was closed/);
  });
});
