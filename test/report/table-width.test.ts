import { describe, expect, it } from "vitest";
import { answer } from "../../src/report/answer.ts";
import type { ExportsDocument } from "../../src/report/documents.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";

describe("a table with one cell of 64 KB", () => {
  it("moves what stands behind that cell, and pads no other row to it", () => {
    const long = "n".repeat(65_536);
    const exports = ["A", long, "B"].map((name, i) => ({
      name,
      ordinal: i + 1,
      address: 0x1000n,
      rva: 0x1000,
      forwarder: "other.function",
      forwardedTo: null,
    }));
    const document: ExportsDocument = answer({
      module: "x",
      exports,
      notes: [],
    } as unknown as ExportsDocument);
    const lines = renderText("exports", document, { style: PLAIN, pointerSize: 8 }).split("\n");
    expect(lines.filter((line) => line.length > 65_536)).toHaveLength(1);
    expect(lines.filter((line) => line.length > 300)).toHaveLength(1);
  });
});
