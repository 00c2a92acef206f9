import { describe, expect, it } from "vitest";
import { Area } from "../../samples/writer/bytes.mjs";
import { squeezed, vmwareState } from "../../samples/writer/containers.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { readDump } from "../../src/dump/open.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

const machine = new Machine({ mode: "x64", physicalPages: 0x400 });
const IDT = 0xfffff80512345000n;
const processors = [
  { rip: 0xfffff80511111111n, rsp: 0n, idt: IDT },
  // one that never ran
  { rip: 0xfff0n, rsp: 0n, cr3: 0n },
];
const regions: [number, number][] = [
  [0, 0x100],
  [0x200, 0x200],
];
const memory = squeezed(machine, regions);

function open(state: Uint8Array, beside?: Uint8Array) {
  return readDump(new BytesSource(state, "m.vmss"), (name) =>
    name === "m.vmem" && beside !== undefined ? new BytesSource(beside, name) : undefined,
  );
}

describe("a VMware state", () => {
  it.each([
    ["each by itself", open(vmwareState(machine, regions, { processors }), memory)],
    ["in blocks", open(vmwareState(machine, regions, { processors, memory }))],
  ])("gives the registers that lead to the kernel: %s", (_, { facts }) => {
    const root = machine.directoryTableBase;
    expect(facts.roots.map(({ value }) => value)).toEqual([root]);
    expect(facts.system?.map(({ value: { cr3, idt, paging } }) => ({ cr3, idt, paging }))).toEqual([
      { cr3: root, idt: IDT, paging: true },
    ]);
    expect(facts.processors?.value).toBe(2);
  });

  it("says which regions it cannot place", () => {
    const state = vmwareState(machine, regions, { processors });
    // the name of the second region's size: that region is whole no more
    const at = Buffer.from(state).indexOf("regionSize");
    state[at] = "R".charCodeAt(0);
    const { notes, memory: held } = open(state, memory);
    expect(notes).toEqual([
      "1 of the state's regions of memory are not whole or not possible: their pages are not read",
    ]);
    // the writer puts the last region first
    expect("pages" in held && [held.pages.locate(0xff), held.pages.locate(0x200)]).toEqual([0xff000, -1]);
  });

  /** A state with one group of one-byte values behind as many groups without a name as are wanted. */
  function written(unnamed: number, values: number, more = ""): Uint8Array {
    const at = 12 + (unnamed + 1) * 80;
    const state = new Area(at + values * 4 + more.length + 2);
    state.u32(0, 0xbed2bed2).u32(8, unnamed + 1);
    state.ascii(12 + unnamed * 80, "cpu").u64(12 + unnamed * 80 + 64, at);
    for (let i = 0; i < values; i++) state.ascii(at + i * 4, "\x01\x01x");
    return state.ascii(at + values * 4, more).bytes;
  }
  const COUNT = "\x04\x0ccpu:numVCPUs\x05\0\0\0";

  it("says that it has more groups than are read (MAX_VMWARE_GROUPS)", () => {
    const [most, more] = [1023, 1024].map((unnamed) => open(written(unnamed, 0, COUNT), memory));
    expect([most?.facts.processors?.value, most?.notes]).toEqual([5, []]);
    expect([more?.facts.processors?.value, more?.notes]).toEqual([
      undefined,
      ["only the first 1024 of 1025 groups of the machine's state are read"],
    ]);
  });

  it("says that it has more values than are read (MAX_VMWARE_TAGS)", () => {
    const [most, more] = [262_143, 262_144].map((values) => open(written(0, values, COUNT), memory));
    expect([most?.facts.processors?.value, most?.notes]).toEqual([5, []]);
    expect([more?.facts.processors?.value, more?.notes]).toEqual([
      undefined,
      ["only the first 262144 values of the machine's state are read"],
    ]);
  });

  it("gives as many processors as Windows has at most, and no other number is one (MAX_PROCESSORS)", () => {
    const count = (bytes: string) => open(written(0, 0, `\x04\x0ccpu:numVCPUs${bytes}`), memory);
    const [most, more, none] = ["\0\x08\0\0", "\x01\x08\0\0", "\0\0\0\0"].map(count);
    expect([most?.facts.processors?.value, most?.notes]).toEqual([2048, []]);
    expect([more?.facts.processors, more?.notes]).toEqual([
      undefined,
      ["the state gives 2,049 processors, which no Windows has"],
    ]);
    expect([none?.facts.processors, none?.notes]).toEqual([
      undefined,
      ["the state gives 0 processors, which no Windows has"],
    ]);
  });

  it("of an ARM64 guest begins at 2 GB", () => {
    const state = vmwareState(machine, [[0, 0x400]], { processors });
    const at = Buffer.from(state).indexOf("cpu:numVCPUs");
    // the state's first group becomes the one that says the platform
    new Uint8Array(state.buffer).set(Buffer.from("Checkpoint\0"), 12);
    state.set(Buffer.from([0x04, 8, ...Buffer.from("Platform"), 3, 0, 0, 0, 0, 0]), at - 2);
    const { memory: held } = open(state, squeezed(machine, [[0, 0x400]]));
    expect("pages" in held && [held.pages.locate(0), held.pages.locate(0x8_0000)]).toEqual([-1, 0]);
  });
});
