import { describe, expect, it, vi } from "vitest";
import { ask, openDump, type Question, QuestionError } from "../../src/index.ts";

const dump = openDump("samples/leak-x64.dmp");

describe("a wrong argument", () => {
  it.each<Question>([
    { command: "near", addresses: ["zz!"] },
    { command: "near", addresses: [-1n] },
    { command: "read", address: 2 ** 60 },
    { command: "read", address: "nt", length: "L0" },
    { command: "scan", tag: "" },
    { command: "tags", pattern: "a".repeat(9) },
    { command: "headers", module: "nosuch" },
    { command: "calls", module: "ctstor", function: "no such" },
    { command: "handles", of: "nobody.exe" },
  ])("of $command is a QuestionError", (question) => {
    expect(() => ask(dump, question)).toThrow(QuestionError);
  });
});

describe("a fault of the library itself", () => {
  it.each([new TypeError("x is not iterable"), new RangeError("Invalid array length")])(
    "is not told as wrong usage: %s",
    (fault) => {
      const address = vi.spyOn(dump, "address").mockImplementation(() => {
        throw fault;
      });
      expect(() => ask(dump, { command: "near", addresses: ["nt"] })).toThrow(fault);
      address.mockRestore();
    },
  );
});
