import { afterAll, expect, it } from "vitest";
import { buildDump } from "../../samples/leakbench/machine.mjs";
import { openDump } from "../../src/index.ts";

const PLAN = { arch: "x64", seed: 7, form: "bitmap-kernel", drivers: ["ctstor"], counts: [] } as const;

/** The last page of nt's export table. */
function lastPage(): bigint {
  using dump = openDump(buildDump(PLAN));
  const { base, image } = dump.module("nt");
  const directory = image?.directory("export");
  if (directory === undefined) throw new Error("nt exports something");
  return base + BigInt((directory.rva + directory.size - 1) & -0x1000);
}

const page = lastPage();
const dump = openDump(
  buildDump({ ...PLAN, also: ({ machine }) => machine.setState(page, 0x1000, "paged-out") }),
);
afterAll(() => dump.close());

it.each([
  ["imports", () => dump.imports("ctstor")],
  ["functions", () => dump.functions("nt")],
])("%s says that names of nt can be missing where its export table is paged out in part", (_, answer) => {
  expect(answer().notes).toContainEqual(
    expect.stringMatching(/^names of nt can be missing here: .*is paged out/),
  );
});

it("says nothing of it where nothing is missing", () => {
  using whole = openDump(buildDump(PLAN));
  expect(whole.imports("ctstor").notes.join()).not.toContain("can be missing");
});
