import { describe, expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { TagUses } from "../../src/code/uses.ts";
import { reachedFrom } from "../../src/trail/reach.ts";
import { codeImage } from "../fixtures/code-image.ts";

/** Room for one function: up to 100 calls, each of 5 bytes, and a return. */
const ROOM = 0x200;

/**
 * What is reached in an image of functions, each of which calls those of the given numbers; the exported ones are named
 * by theirs.
 */
function reached(
  calls: readonly (readonly number[])[],
  exported: readonly number[],
  leads: readonly number[],
) {
  const bytes = Buffer.alloc(calls.length * ROOM, 0xcc);
  calls.forEach((callees, index) => {
    let at = index * ROOM;
    for (const callee of callees) {
      bytes.writeUInt8(0xe8, at);
      bytes.writeInt32LE(callee * ROOM - (at + 5), at + 1);
      at += 5;
    }
    bytes.writeUInt8(0xc3, at);
  });
  const place = (index: number): number => 0x1000 + index * ROOM;
  const image = codeImage({
    parts: [{ rva: 0x1000, bytes }],
    unwind: calls.map((_, index) => [place(index), place(index + 1)]),
    exports: Object.fromEntries(exported.map((index) => [`F${index}`, place(index)])),
  });
  const analyzed = analyzeImage(image);
  const flows = new DataFlow(analyzed);
  const decoded = { image: analyzed, flows, uses: new TagUses(flows), graph: new CallGraph(flows) };
  const found = reachedFrom(
    "nt",
    decoded,
    leads.flatMap((index) => analyzed.functions.startingAt(place(index)) ?? []),
  );
  return { ...found, exports: found.exports.map(({ name, depth, leads }) => [name, depth, leads.length]) };
}

describe("what leads to a function", () => {
  it("is looked for up to six calls away, and it is said (MAX_REACH_DEPTH)", () => {
    const chain = Array.from({ length: 8 }, (_, index) => (index === 0 ? [] : [index - 1]));
    const { exports, notes } = reached(chain, [6, 7], [0]);
    expect(exports).toEqual([["F6", 6, 1]]);
    expect(notes).toEqual(["nt: callers 7 calls away and further were not looked for"]);
  });

  it("is looked for no further away than where 48 exported functions are reached (MAX_REACH_EXPORTS)", () => {
    const callers = Array.from({ length: 48 }, (_, index) => index + 1);
    const { exports, notes } = reached([[], ...callers.map(() => [0]), [1]], [...callers, 49], [0]);
    expect(exports).toEqual(callers.map((index) => [`F${index}`, 1, 1]));
    expect(notes).toEqual(["nt: callers 2 calls away and further were not looked for"]);
  });

  it("is no more than 20,000 ways, and it is said (MAX_REACH_FUNCTIONS)", () => {
    // 100 functions, one that calls them all, and 200 that call it: 100 + 100 + 200 * 100 ways
    const leads = Array.from({ length: 100 }, (_, index) => index);
    const last = 300;
    const callers = Array.from({ length: 200 }, () => [100]);
    const { exports, notes } = reached([...leads.map(() => []), leads, ...callers], [100, last], leads);
    expect(exports).toEqual([["F100", 1, 100]]);
    expect(notes).toEqual(["nt: more functions lead there than were followed"]);
  });
});
