import { describe, expect, it } from "vitest";
import type { Bugcheck } from "../../src/dump/facts.ts";
import { readUnfreed } from "../../src/kernel/verifier-stop.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

// openvswitch/ovs-issues#50, !analyze of a Windows 8.1 dump:
//   Arg1: 0000000000000062, A driver has forgotten to free its pool allocations prior to unloading.
//   Arg2: ffffe00001b75978, name of the driver having the issue.
//   Arg3: ffffe00001bd56b0, verifier internal structure with driver information.
//   Arg4: 0000000000000005, total # of (paged+nonpaged) allocations that weren't freed.
//   IMAGE_NAME: OVSExt.sys
const NAME = 0xffff_e000_01b7_5978n;
const TEXT = 0xffff_e000_0200_0100n;
const stop = (first = 0x62n, count = 5n, code = 0xc4): Bugcheck => ({
  code,
  parameters: [first, NAME, 0xffff_e000_01bd_56b0n, count],
});
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf16le"));

function counted(text: string, length = text.length * 2, most = length + 2): VirtualMemory {
  const memory = new VirtualMemory(8);
  return memory
    .u32(NAME, length | (most << 16))
    .u64(NAME + 8n, TEXT)
    .write(TEXT, utf16(`${text}\0`));
}

describe("readUnfreed", () => {
  it("reads the driver's name and what it left", () => {
    expect(readUnfreed(counted("OVSExt.sys").space, stop())).toEqual({
      name: "OVSExt.sys",
      allocations: 5,
      nameAt: NAME,
      tracked: [],
    });
  });

  it("reads it of 32-bit machines", () => {
    const memory = new VirtualMemory(4);
    memory
      .u32(0x9a5d_6b1cn, 18 | (20 << 16))
      .u32(0x9a5d_6b20n, 0x9a00_0100)
      .write(0x9a00_0100n, utf16("Leaky.sys\0"));
    const check: Bugcheck = { code: 0xc4, parameters: [0x62n, 0x9a5d_6b1cn, 0x85a0_0000n, 0x10n] };
    expect(readUnfreed(memory.space, check)).toMatchObject({ name: "Leaky.sys", allocations: 16 });
  });

  it("takes the part behind the last backslash, and characters that stand there themselves", () => {
    expect(readUnfreed(counted("\\SystemRoot\\OVSExt.sys").space, stop())?.name).toBe("OVSExt.sys");
    const plain = new VirtualMemory(8).write(NAME, utf16("OVSExt.sys\0"));
    expect(readUnfreed(plain.space, stop())?.name).toBe("OVSExt.sys");
  });

  it.each([
    ["is no file's", counted("a note to nobody")],
    ["is empty", counted("OVSExt.sys", 0)],
    ["has half a character", counted("OVSExt.sys", 19)],
    ["is longer than its room", counted("OVSExt.sys", 20, 18)],
    ["holds characters that no file's name has", counted("OVS\u0007Ext.sys")],
    ["is not in the dump", new VirtualMemory(8)],
  ])("gives no name where it %s", (_, memory) => {
    const found = readUnfreed(memory.space, stop());
    expect(found).toEqual({ name: undefined, allocations: 5, nameAt: NAME, tracked: [] });
  });

  it("gives no number that cannot be one", () => {
    const memory = counted("OVSExt.sys");
    expect(readUnfreed(memory.space, stop(0x62n, 0n))?.allocations).toBeUndefined();
    expect(readUnfreed(memory.space, stop(0x62n, 0xffff_ffff_ffffn))?.allocations).toBeUndefined();
  });

  it("says nothing of other bugchecks", () => {
    const memory = counted("OVSExt.sys");
    expect(readUnfreed(memory.space, stop(0x91n))).toBeUndefined();
    expect(readUnfreed(memory.space, stop(0x62n, 5n, 0xd1))).toBeUndefined();
    expect(readUnfreed(memory.space, undefined)).toBeUndefined();
  });
});
