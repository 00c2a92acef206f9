import { describe, expect, it } from "vitest";
import { encodeKdbg, kdbgBytes, writeKdbg } from "../../samples/writer/kdbg.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import type { Va } from "../../src/core/address.ts";
import { Bytes } from "../../src/core/bytes.ts";
import { fact } from "../../src/dump/facts.ts";
import { decodeKdbg, locateEncodedKdbg } from "../../src/kernel/encoded-kdbg.ts";
import { findKdbg, type KdbgHints, type KdbgSearch } from "../../src/kernel/find-kdbg.ts";
import { parseKdbg } from "../../src/kernel/kdbg.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import { x64 } from "../../src/memory/x64.ts";
import { x86Pae } from "../../src/memory/x86-pae.ts";
import { machineMemory } from "../fixtures/machine-memory.ts";

const NT = { base: 0xfffff80140000000n as Va, size: 0x40000 };
const BLOCK = NT.base + 0x12340n;
const LIST_HEAD = NT.base + 0x12800n;
const MODULES = NT.base + 0x20010n;
const PROCESSES = NT.base + 0x20120n;
const FIELDS = {
  KernBase: NT.base,
  PsLoadedModuleList: MODULES,
  PsActiveProcessHead: PROCESSES,
  PoolTrackTable: NT.base + 0x30000n,
};

function machine64(size = 0x380): Machine {
  const machine = new Machine({ mode: "x64", build: 19041 });
  machine.map(NT.base, NT.size);
  writeKdbg(machine, BLOCK, { size, listHead: LIST_HEAD, fields: FIELDS });
  return machine;
}
/** What a header says; `copy` stands in a triage dump. */
const HINTS = {
  header: BLOCK as Va | undefined,
  copy: undefined as Bytes | undefined,
  nt: NT as KdbgHints["nt"],
};
function search(machine: Machine, changes: Partial<typeof HINTS>): KdbgSearch {
  const { header, copy, nt } = { ...HINTS, ...changes };
  const facts = {
    source: "header",
    kdbg: fact(header, "header"),
    kdbgCopy: fact(copy, "triage"),
    moduleList: fact(MODULES as Va, "header"),
    processList: fact(PROCESSES as Va, "header"),
  } as const;
  const format = machine.is64 ? x64(4, machine.build) : x86Pae(machine.build);
  const mapping = new PageTableMapping(machineMemory(machine), format, machine.directoryTableBase);
  return findKdbg(new AddressSpace(mapping), { facts, nt });
}

const encode = (block: Uint8Array, never: bigint, always: bigint, flag: bigint): Uint8Array =>
  encodeKdbg(block, { never, always, flag });

describe("findKdbg", () => {
  it("takes the block that the header names", () => {
    const { kdbg, notes } = search(machine64(), {});
    expect(kdbg).toMatchObject({
      address: BLOCK,
      foundBy: "header",
      size: 0x380,
      kernBase: NT.base,
      psLoadedModuleList: MODULES,
      poolTrackTable: NT.base + 0x30000n,
      mmPfnDatabase: undefined,
    });
    expect(notes).toEqual([]);
  });

  it("decodes a block as a running machine keeps it, without its keys", () => {
    for (const never of [0x5d7ee8c13fa43c27n, 0x0102030405060700n, 0xffffffffffffffbfn]) {
      const machine = machine64();
      const plain = machine.read(BLOCK, 0x380);
      machine.write(BLOCK, encode(plain, never, 0x13579bdf2468ace0n, NT.base + 0x31234n));
      const { kdbg, notes } = search(machine, {});
      expect(kdbg).toMatchObject({
        address: BLOCK,
        foundBy: "header-decoded",
        size: 0x380,
        kernBase: NT.base,
        psActiveProcessHead: PROCESSES,
        poolTrackTable: NT.base + 0x30000n,
      });
      expect(notes).toEqual([expect.stringContaining("encoded")]);
    }
  });

  it("decodes nothing of a part that is not in the dump", () => {
    const machine = new Machine({ mode: "x64", build: 19041 });
    machine.map(NT.base, 0x2000);
    const at = NT.base + 0xe00n;
    const fields = { ...FIELDS, PteBase: 0xfffffd8000000000n };
    const plain = kdbgBytes({ size: 0x380, is64: true, listHead: LIST_HEAD, fields });
    machine.write(at, encode(plain, 0x5d7ee8c13fa43c27n, 1n, 2n));
    machine.setState(NT.base + 0x1000n, 0x1000, "not-in-dump");
    expect(search(machine, { header: at as Va }).kdbg).toMatchObject({
      foundBy: "header-decoded",
      poolTrackTable: NT.base + 0x30000n,
      pteBase: undefined,
    });
  });

  it("finds an encoded block among other bytes by what it holds, with nothing known of it", () => {
    const fields = { ...FIELDS, PteBase: 0xfffffd8000000000n };
    const plain = kdbgBytes({ size: 0x380, is64: true, listHead: LIST_HEAD, fields });
    const noise = Uint8Array.from({ length: 0x3000 }, (_, i) => (i * 167 + (i >> 3) * 13) & 0xff);
    for (const never of [0x5d7ee8c13fa43c27n, 0x0102030405060700n, 0xffffffffffffffbfn]) {
      const encoded = encode(plain, never, 0x13579bdf2468ace0n, NT.base + 0x31234n);
      const among = noise.slice();
      among.set(encoded, 0x1238);
      expect(locateEncodedKdbg(among)).toBe(0x1238);
      expect(decodeKdbg(encoded, undefined)).toEqual(plain);
    }
    for (const none of [noise, new Uint8Array(0x3000), new Uint8Array(0x3000).fill(0xa5), plain])
      expect(locateEncodedKdbg(none)).toBeUndefined();
  });

  it("decodes nothing that is no block", () => {
    const known = { kernBase: NT.base, psLoadedModuleList: MODULES, psActiveProcessHead: PROCESSES };
    expect(decodeKdbg(new Uint8Array(0x380), known)).toBeUndefined();
    const noise = Uint8Array.from({ length: 0x380 }, (_, i) => (i * 167 + (i >> 3) * 13) & 0xff);
    expect(decodeKdbg(noise, known)).toBeUndefined();
  });

  it("finds the block in nt's image when the header names none, or a wrong place", () => {
    for (const header of [undefined, (NT.base + 0x100n) as Va, 0xfffff90000000000n as Va]) {
      const { kdbg, notes } = search(machine64(), { header });
      expect(kdbg).toMatchObject({ address: BLOCK, foundBy: "scan" });
      expect(notes).toHaveLength(2);
    }
  });

  it("takes no block of another kernel from nt's image", () => {
    const machine = machine64();
    writeKdbg(machine, BLOCK, {
      size: 0x380,
      listHead: LIST_HEAD,
      fields: { ...FIELDS, KernBase: NT.base + 0x1000n },
    });
    expect(search(machine, { header: undefined }).kdbg).toBeUndefined();
  });

  // a kernel of 1 GB that is one page full of such tags was looked through for minutes
  it("tries 1,024 places that have its tag, and says that there are more (MAX_KDBG_PLACES)", () => {
    const searchBehind = (others: number) => {
      const machine = machine64();
      for (let i = 0; i < others; i++) machine.u32(NT.base + BigInt(i * 16), 0x4742_444b);
      return search(machine, { header: undefined });
    };
    expect(searchBehind(1023).kdbg).toMatchObject({ address: BLOCK, foundBy: "scan" });
    const { kdbg, notes } = searchBehind(1024);
    expect(kdbg).toBeUndefined();
    expect(notes).toContain(
      "KDBG's tag stands at more places of nt's image than the 1024 that were looked at",
    );
  });

  it("says how much of nt it could not search", () => {
    const machine = machine64();
    machine.setState(BLOCK & ~0xfffn, 0x1000, "paged-out");
    const { kdbg, notes } = search(machine, {});
    expect(kdbg).toBeUndefined();
    expect(notes).toEqual([
      expect.stringContaining("cannot be read"),
      "KDBG may stand in the 4096 bytes of nt's image that cannot be read",
      expect.stringContaining("no debugger data block (KDBG) was found"),
    ]);
  });

  it("prefers a triage dump's copy", () => {
    const bytes = kdbgBytes({ size: 0x3a0, is64: true, listHead: 0n, fields: { KernBase: NT.base } });
    const { kdbg } = search(machine64(), { copy: new Bytes(bytes, "triage", 0x104a8) });
    expect(kdbg).toMatchObject({ foundBy: "triage-copy", size: 0x3a0, kernBase: NT.base, address: BLOCK });
  });

  it("finds a 32-bit kernel's block through its processor control region", () => {
    const machine = new Machine({ mode: "pae", build: 3790 });
    const block = 0x80890aa0n;
    const list = 0x80890900n;
    const version = 0x80890800n;
    machine.map(0x80890000n, 0x1000);
    machine.map(0xffdff000n, 0x1000);
    writeKdbg(machine, block, {
      size: 0x318,
      listHead: list,
      fields: { KernBase: 0x80800000n, PaeEnabled: 1 },
    });
    machine.pointer(0xffdff034n, version).u64(version + 0x20n, BigInt.asUintN(64, BigInt.asIntN(32, list)));
    const { kdbg } = search(machine, { header: undefined, nt: undefined });
    expect(kdbg).toMatchObject({
      address: block,
      foundBy: "kpcr",
      size: 0x318,
      kernBase: 0x80800000n,
      paeEnabled: true,
    });
  });

  it("reads the part of a block that is there, when the next page is not", () => {
    const machine = new Machine({ mode: "x64", build: 19041 });
    machine.map(NT.base, 0x2000);
    const at = NT.base + 0xe00n;
    writeKdbg(machine, at, {
      size: 0x380,
      listHead: NT.base,
      fields: { ...FIELDS, PteBase: 0xfffffd8000000000n },
    });
    machine.setState(NT.base + 0x1000n, 0x1000, "not-in-dump");
    expect(search(machine, { header: at as Va }).kdbg).toMatchObject({
      psLoadedModuleList: MODULES,
      poolTrackTable: NT.base + 0x30000n,
      pteBase: undefined,
    });
  });
});

describe("parseKdbg", () => {
  const block = (size: number, is64: boolean, fields: Record<string, bigint | number>): Bytes =>
    new Bytes(kdbgBytes({ size, is64, listHead: 0n, fields }), "KDBG");

  it("cuts the sign-extended addresses of 32-bit kernels", () => {
    const fields = parseKdbg(
      block(0x318, false, { KernBase: 0x80800000n, MmPageSize: 0x1000, PaeEnabled: 1 }),
      4,
    );
    expect(fields).toMatchObject({ kernBase: 0x80800000n, mmPageSize: 0x1000n, paeEnabled: true });
  });

  it("knows nothing past the block's size", () => {
    const bytes = block(0x3a0, true, { PteBase: 0xfffffd8000000000n, OffsetPrcbContext: 0x85c0 });
    expect(parseKdbg(bytes, 8)).toMatchObject({ pteBase: 0xfffffd8000000000n, offsetPrcbContext: 0x85c0 });
    new DataView(bytes.array.buffer).setUint32(0x14, 0x340, true);
    expect(parseKdbg(bytes, 8)).toMatchObject({ pteBase: undefined, offsetPrcbContext: 0x85c0 });
  });

  it("takes no block without its tag", () => {
    const bytes = block(0x380, true, {});
    bytes.array[0x10] = 0x6b;
    expect(() => parseKdbg(bytes, 8)).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});
