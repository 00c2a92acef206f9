import { describe, expect, it } from "vitest";
import { pooltrail } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";

describe("an error's one line", () => {
  it("says what to do about a driver whose headers are not in the dump", () => {
    const { code, stdout, stderr } = pooltrail("headers", DUMP, "win32k");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^pooltrail: the image's headers cannot be read: 0xbf8.*--images DIR[^\n]*\n$/);
  });

  it("is one line, too, where Node's own message has three", () => {
    const { code, stderr } = pooltrail("tags", DUMP, "--top", "-1");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^pooltrail: Option '--top' argument is ambiguous\nTry: /);
  });
});
