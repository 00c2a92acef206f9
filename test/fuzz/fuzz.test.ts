import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { learnFields } from "../../fuzz/fields.mjs";
import { mutate, withChanges } from "../../fuzz/mutations.mjs";

const FOUND = "fuzz/found";

/** What `npm run fuzz` prints, without the build. */
function fuzz(...options: readonly string[]): { readonly code: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, ["fuzz/main.mjs", ...options], { encoding: "utf8" });
  return { code: status, stdout };
}

describe("fuzzing", () => {
  it.each(readdirSync(FOUND))("finds nothing any more where it found %s", (name) => {
    expect(fuzz("--replay", join(FOUND, name))).toEqual({
      code: 0,
      stdout: "answered, or refused as promised\n",
    });
  });

  it("finds nothing in some inputs of a seed", () => {
    const { code, stdout } = fuzz(
      "--seed",
      "ci",
      "--executions",
      "300",
      "--jobs",
      "1",
      "--only",
      "x86/ctstor.sys",
    );
    expect(stdout).toMatch(/\d+ executions of \d+ inputs/);
    expect(stdout).toContain("0 violations open");
    expect(code).toBe(0);
  });
});

describe("what is changed", () => {
  const files = { "a.bin": Uint8Array.from({ length: 64 }, (_, i) => i + 1) };
  const view = new DataView(files["a.bin"].buffer);
  const fields = learnFields(files, () => {
    view.getUint32(8, true);
    view.getUint16(20, true);
  });

  it("is where the reader reads", () => {
    expect(fields.map(({ at, width, value }) => [at, width, value])).toEqual(
      expect.arrayContaining([
        [8, 4, 0x0c0b0a09n],
        [20, 2, 0x1615n],
      ]),
    );
  });

  it("depends on the seed alone, and is put back", () => {
    const before = files["a.bin"].slice();
    const changed = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const changes = mutate(files, fields, [], `seed/${i}`);
      expect(mutate(files, fields, [], `seed/${i}`)).toEqual(changes);
      withChanges(files, changes, (now) => changed.add(String(now["a.bin"])));
      expect(files["a.bin"]).toEqual(before);
    }
    expect(changed.size).toBeGreaterThan(100);
  });
});
