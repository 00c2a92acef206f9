import { describe, expect, it } from "vitest";
import { FunctionTableBuilder } from "../../src/code/function-table.ts";

/** So many functions that share a block at 1000, each with an entry of its own above it. */
function sharing(count: number) {
  const builder = new FunctionTableBuilder();
  for (let index = 0; index < count; index++) {
    const entry = 0x2000 + index * 0x10;
    builder.add(entry, "flow", [0x1000, 0x1010, entry, entry + 0x10]);
  }
  return builder.build();
}

describe("FunctionTable", () => {
  it("tells of 64 functions that share a block, and says where there are more (MAX_OWNERS)", () => {
    expect(sharing(64).owning(0x1008)).toHaveLength(64);
    expect(sharing(64).isCrowded).toBe(false);
    expect(sharing(65).owning(0x1008)).toHaveLength(64);
    expect(sharing(65).isCrowded).toBe(true);
  });
});
