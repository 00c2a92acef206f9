import { describe, expect, it } from "vitest";
import { measureAccuracy, precision, recall, renderAccuracy } from "../../bench/accuracy.ts";

const sets = measureAccuracy();
// `npm run accuracy` prints; a test run only asserts.
if (process.env.npm_lifecycle_event === "accuracy") {
  console.log(renderAccuracy(sets));
  for (const [set, { functions, calls, importCalls, uses }] of sets) {
    for (const { examples } of [functions, calls, importCalls, uses]) {
      for (const example of examples) console.log(`${set}: ${example}`);
    }
  }
}

describe("what code/ finds in compiled images", () => {
  it.skipIf(sets.size === 0).each([...sets])("is right for %s", (set, scores) => {
    const starts = set.startsWith("x64") ? 0.99 : 0.97;
    expect(recall(scores.functions), scores.functions.examples.join("\n")).toBeGreaterThanOrEqual(starts);
    expect(precision(scores.functions), scores.functions.examples.join("\n")).toBeGreaterThanOrEqual(starts);
    expect(recall(scores.calls), scores.calls.examples.join("\n")).toBe(1);
    expect(precision(scores.calls), scores.calls.examples.join("\n")).toBeGreaterThanOrEqual(0.99);
    expect(recall(scores.importCalls), scores.importCalls.examples.join("\n")).toBe(1);
    expect(precision(scores.importCalls), scores.importCalls.examples.join("\n")).toBe(1);
    expect(recall(scores.uses), scores.uses.examples.join("\n")).toBeGreaterThanOrEqual(0.98);
    expect(scores.falseAllocations, scores.uses.examples.join("\n")).toBe(0);
  });
});
