import { describe, expect, it } from "vitest";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { textAt } from "../../src/code/image-text.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Rva } from "../../src/core/address.ts";
import { codeImage } from "../fixtures/code-image.ts";
import { laidOut } from "../fixtures/functions-of.ts";

const image = (data: string, executable = false) =>
  codeImage({
    machine: "x86",
    parts: [
      { rva: 0x1000, bytes: "55 8b ec 5d c3" },
      { rva: 0x2000, bytes: laidOut(0x100, { 0x10: `=${data}` }), executable },
    ],
    exports: { F: 0x1000 },
  });
const at = (data: string, tag: string): string | undefined => textAt(image(data), 0x2010 + data.indexOf(tag));

describe("textAt", () => {
  it("gives the message or the name that four letters stand in", () => {
    expect(at("Cleaning up of Process %d\n\0", "Proc")).toBe("Cleaning up of Process %d");
    expect(at("\0PsSetCreateProcessNotifyRoutine\0", "Proc")).toBe("PsSetCreateProcessNotifyRoutine");
    expect(at("\0Process\0", "Proc")).toBe("Process");
  });

  it("gives none for four letters alone, with or without a zero behind them", () => {
    expect(at("\0\0\0\0Proc\0\0\0\0", "Proc")).toBeUndefined();
    expect(at("\xff\xff\xff\xffProc\x01\x02\x03\x04", "Proc")).toBeUndefined();
    expect(at("\0\0\0\0Proc@\0\0\0", "Proc")).toBeUndefined();
  });

  it("gives none for a row of tags", () => {
    expect(at("ProcThre\0\0\0\0", "Thre")).toBeUndefined();
    expect(at("ProcThreTokeKey FileMutaSemaTime\0\0\0\0", "Toke")).toBeUndefined();
  });

  it("gives what is read at the start and the end of an image", () => {
    expect(textAt(image(""), 0x2ffc)).toBeUndefined();
    expect(textAt(image(""), 0)).toBeUndefined();
  });
});

describe("TagUses.at", () => {
  it.each([false, true])("tells letters of a text for what they are (in code: %s)", (executable) => {
    const uses = new TagUses(new DataFlow(analyzeImage(image("too many Processes\0", executable))));
    expect(uses.at(0x2019 as Rva)).toEqual({
      use: "data",
      instruction: undefined,
      function: undefined,
      seen: { kind: "text", text: "too many Processes" },
    });
  });
});
