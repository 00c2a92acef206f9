import { describe, expect, it } from "vitest";
import { va } from "../../../src/core/address.ts";
import { poolKernelOf } from "../../../src/pool/pool-kernel.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import { readHeldObjects } from "../../../src/trail/blocks/held-objects.ts";
import { type MadeProcess, type Mode, ObjectMachine } from "../../fixtures/object-machine.ts";

const BUILDS: readonly [Mode, number][] = [
  ["x86", 2600],
  ["pae", 3790],
  ["pae", 7601],
  ["x64", 7601],
  ["x64", 19041],
  ["x64", 26100],
];
const PROCESSES: readonly MadeProcess[] = [
  { pid: 4, name: "System", threads: 2 },
  { pid: 400, name: "smss.exe", parent: 4 },
  { pid: 500, name: "agent.exe", parent: 400 },
];

// a driver holds 180 tokens by one reference each, and agent.exe 20 by handles
describe.each(BUILDS)("tokens of a machine in mode %s, build %i", (mode, windows) => {
  const made = new ObjectMachine(mode, windows, PROCESSES);
  const { objects } = made;
  const token = (handles: number): bigint =>
    objects.object("Token", 0x200, {
      handles,
      pointers: handles > 0 ? 0x7fff : 1,
      parts: handles > 0 ? ["name", "quota"] : ["quota"],
      paged: true,
    });
  const leaked = Array.from({ length: 180 }, () => token(0));
  const held = Array.from({ length: 20 }, () => token(2));
  objects.object("Event", 0x200, { tag: "Toke", paged: true });
  const kernel = made.kernel();
  const { headers } = made.layout(kernel);
  const start = va(leaked[0]! & ~0xfffn);
  const ranges = [{ start, length: Number(held.at(-1)! - start) + 0x2000 }];
  const bodies: bigint[] = [];
  const found = readHeldObjects(
    poolKernelOf(kernel),
    headers!,
    parseTag("Toke").key,
    { basis: "kdbg", ranges },
    { onObject: (body) => bodies.push(body) },
  );

  it("are told apart by who holds them", () => {
    const { search, examples, ...counts } = found;
    expect(counts).toEqual({
      objects: 200,
      // an event in a block of another tag
      others: 1,
      withHandles: 20,
      handles: 40,
      byReference: 180,
      references: 180,
    });
    expect(examples).toEqual({ byReference: leaked.slice(0, 16), withHandles: held.slice(0, 16) });
    expect(search.all).toBe(true);
  });

  it("are where the writer put them", () => {
    expect([...leaked, ...held].filter((body) => !bodies.includes(body))).toEqual([]);
  });
});
