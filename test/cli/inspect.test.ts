import { describe, expect, it } from "vitest";
import { inspectHex } from "../../src/cli/inspect.ts";
import { openDump } from "../../src/index.ts";

describe("inspectHex", () => {
  it("shows bytes as a debugger does, and not all of many", () => {
    expect(inspectHex({ bytes: Uint8Array.of(0x53, 0x65, 0x20, 0) }, false)).toBe(
      "{ bytes: 4 bytes: 53 65 20 00 }",
    );
    expect(inspectHex(new Uint8Array(1000), false)).toMatch(/^1000 bytes: (?:00 ){200}\.\.\.$/);
  });

  it("shows a dump in one line, not with all that it holds", () => {
    using dump = openDump("samples/article-2003.dmp");
    expect(inspectHex(dump, false)).toMatch(/^Dump article-2003\.dmp: 35 modules[^\n]*$/);
  });
});
