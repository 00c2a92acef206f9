import { describe, expect, it } from "vitest";
import type { Scan } from "../../src/report/scan-document.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";
import type { CallList } from "../../src/trail/listing/call-list.ts";

const view = { style: PLAIN, pointerSize: 8 } as const;

describe("answers about code that is not decoded", () => {
  const scan: Scan = { tag: "Tg64", references: [], coverage: [], undecoded: ["tg64"], notes: [] };
  const calls: CallList = {
    target: null,
    callers: [],
    callees: [],
    addressTaken: [],
    undecoded: true,
    notes: [],
  };

  it("do not say that a tag stands nowhere", () => {
    expect(renderText("scan", scan, view)).toContain(
      "`Tg64` was not found; the code of 1 module was not looked at as a whole.",
    );
    expect(renderText("scan", { ...scan, undecoded: [] }, view)).toContain("stands nowhere");
  });

  it("do not say that there are no calls", () => {
    expect(renderText("calls", calls, view)).not.toMatch(/0 calls/);
    expect(renderText("calls", { ...calls, undecoded: false }, view)).toMatch(/0 calls to it/);
  });
});
