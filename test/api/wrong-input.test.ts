import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import {
  ask,
  BytesSource,
  openDump,
  openFolder,
  openImageFile,
  type Question,
  QuestionError,
  readTagFile,
} from "../../src/index.ts";

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

  it.each(["constructor", "toString", "hasOwnProperty", "__proto__"])(
    "is a TypeError where it asks by a name that every object has: %s",
    (command) => {
      expect(() => ask(dump, untyped({ command }))).toThrow(
        expect.objectContaining({
          name: "TypeError",
          message: expect.stringMatching(`^there is no question "${command}"; there are trace, info, `),
        }),
      );
    },
  );

  it.each<[string, Question, string]>([
    ["no list", { command: "near", addresses: untyped(undefined) }, "addresses is a list, not undefined"],
    [
      "a list with a hole",
      { command: "trace", tags: untyped(Array(1)) },
      "tags is a list of texts, not a value of Array",
    ],
    ["no text", { command: "modules", pattern: untyped(null) }, "pattern is a text, not null"],
    ["a process's number", { command: "handles", of: untyped(4) }, "of is a text, not 4"],
    [
      "no order",
      { command: "tags", sort: untyped("toString") },
      'sort is one of paged, nonpaged, bytes, count, tag, not "toString"',
    ],
    [
      "no tag file",
      { command: "tags", descriptions: untyped("pooltag.txt") },
      'descriptions is a tag file that was read, not "pooltag.txt"',
    ],
    ["less than no tags", { command: "tags", top: -1 }, "top is a number of tags, not -1"],
    [
      "no number of tags",
      { command: "growth", older: dump, top: Number.NaN },
      "top is a number of tags, not NaN",
    ],
    [
      "a length without end",
      { command: "read", address: "nt", length: Number.POSITIVE_INFINITY },
      "LENGTH is a whole number, not Infinity",
    ],
    [
      "no function",
      { command: "calls", module: "ctstor", function: "" },
      '"": an address or a name should stand before the end',
    ],
  ])("is a QuestionError in an operand: %s", (_, question, message) => {
    expect(() => ask(dump, question)).toThrow(new QuestionError(message, question.command));
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
