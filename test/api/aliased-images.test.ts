import { describe, expect, it } from "vitest";
import { buildMachine } from "../../samples/leakbench/machine.mjs";
import { writeDump } from "../../samples/writer/dump.mjs";
import { openDump } from "../../src/api/open-dump.ts";

const SIZE = 0x20_0000;
const FIRST = 0xfffff88000000000n;

/** A machine whose module list goes on with `count` modules of 2 MB, all of them over the few pages of one driver. */
function aliased(count: number): Uint8Array {
  const { system, header } = buildMachine({
    arch: "x64",
    seed: 5,
    drivers: ["ctstor"],
    counts: [{ tag: "Se  ", paged: true, block: { x64: 0x60, x86: 0x58 }, live: 900 }],
    physicalPages: 0x3000,
  });
  const { machine } = system;
  const { base, size } = system.image("ctstor.sys");
  const pages = Array.from({ length: size / 0x1000 }, (_, i) => base + BigInt(i) * 0x1000n);
  const frames = pages.filter((at) => machine.isReadable(at));
  machine.alias(FIRST, count * SIZE, frames);
  const head = header.psLoadedModuleList ?? 0n;
  const links = [head];
  const next = () => machine.readPointer(links.at(-1) ?? 0n);
  while (next() !== head) links.push(next());
  for (let i = 0; i < count; i++) {
    const entry = machine.allocate(0xa0);
    machine.pointer(entry + 0x30n, FIRST + BigInt(i * SIZE)).u32(entry + 0x40n, SIZE);
    machine
      .unicodeString(entry + 0x48n, `\\SystemRoot\\alias${i}.sys`)
      .unicodeString(entry + 0x58n, `alias${i}.sys`);
    links.push(entry);
  }
  machine.linkList(links);
  return writeDump(machine, { type: "bitmap-kernel", header });
}

describe("modules that page tables lead to the same pages", () => {
  const bytes = aliased(40);
  using dump = openDump(bytes);
  const modules = dump.modules.items.filter(({ name }) => name.startsWith("alias"));

  it("are listed, and looked at up to 2 MB and what the dump holds", () => {
    const readable = dump.modules.items.reduce((sum, module) => sum + module.readableBytes, 0);
    expect(modules).toHaveLength(40);
    expect(readable).toBe(0x20_0000 + bytes.length);
    expect(modules[0]?.readableBytes).toBe(SIZE);
    expect(modules[39]?.readableBytes).toBe(0);
  });

  it("are told as passed over, and why each byte of them is", () => {
    const note =
      /^\d+ modules were passed over, in whole or in part: all of them together lead to more bytes than there are$/;
    expect(dump.notes).toContainEqual(expect.stringMatching(note));
    expect(dump.scan("Se").notes).toContainEqual(expect.stringMatching(note));
    expect(modules[39]?.imageProblem?.message).toBe(
      "0xfffff88004e00000 was passed over: the images before it lead to more bytes than there are (0 bytes read before it)",
    );
  });

  it("are not passed over where they are few", () => {
    using few = openDump(aliased(1));
    expect(few.notes.filter((note) => note.includes("passed over"))).toEqual([]);
    expect(few.modules.named("alias0")?.readableBytes).toBe(SIZE);
  });
});
