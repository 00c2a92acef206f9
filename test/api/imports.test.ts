import { describe, expect, it } from "vitest";
import { openDump } from "../../src/index.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";

const view = { style: PLAIN, pointerSize: 8 as const };

describe("Dump.imports", () => {
  const dump = openDump("samples/leak-x64.dmp", { images: ["samples/images/x64"] });

  it("takes a forwarded import for what was declared: HAL's HalSetTimer is nt's KeSetTimer", () => {
    const { imports } = dump.imports("prosew");
    expect(imports.find((row) => row.declared?.name === "HalSetTimer")).toMatchObject({
      resolved: { module: "nt", name: "KeSetTimer", offset: 0 },
      declared: { dll: "HAL.dll" },
      disagree: false,
    });
  });

  it("finds no slot of the sample that holds another function than was declared", () => {
    const rows = dump.modules.items
      .filter((module) => module.image !== undefined)
      .flatMap((module) => dump.imports(module).imports);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => row.disagree)).toEqual([]);
  });
});

describe("renderImports", () => {
  it("does not count 0 slots where the table could not be read", () => {
    const text = renderText(
      "imports",
      { module: "nt", imports: [], notes: ["the descriptors end early"] },
      view,
    );
    expect(text).toContain("No import slot in nt could be read.");
    expect(renderText("imports", { module: "nt", imports: [], notes: [] }, view)).toBe(
      "0 import slots in nt",
    );
  });
});
