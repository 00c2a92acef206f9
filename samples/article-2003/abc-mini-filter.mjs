import { absolute, call, callSlot, epilogue, fillTo, jl, label, PROLOGUE } from "../writer/asm86.mjs";
import { ascii } from "../writer/bytes.mjs";
import { CodeArea } from "../writer/code86.mjs";
import { putDebug, putImports, putRelocations } from "../writer/directories.mjs";
import { CODE, DATA, Image, INIT_CODE, PAGED_CODE, RDATA, RELOC, RSRC } from "../writer/pe.mjs";
import { putVersion } from "../writer/version.mjs";
import { pickImports } from "./driver.mjs";

/** The article's suspect: every header value as its `!dh b8f04000 -f` shows it, the import slots as its `dps` does. */
export const ABC_BASE = 0xb8f04000;
const IAT = 0x7880;
/** The slot of SeQueryInformationToken, and the two instructions that call through it. */
const QUERY_SLOT = 0xb8f0b938;
const CALL_SITES = /** @type {const} */ ([0xb8f06a0a, 0xb8f08e4c]);

const FLT_NAMES = [
  "FltGetStreamHandleContext",
  "FltAllocateContext",
  "FltSetStreamHandleContext",
  "FltReleaseContext",
  "FltRegisterFilter",
  "FltUnregisterFilter",
  "FltStartFiltering",
  "FltGetFileNameInformation",
  "FltReleaseFileNameInformation",
  "FltParseFileNameInformation",
  "FltGetVolumeContext",
  "FltSetVolumeContext",
  "FltGetVolumeName",
  "FltGetDiskDeviceObject",
  "FltReadFile",
  "FltClose",
  "FltCreateFile",
  "FltQueryInformationFile",
  "FltIsOperationSynchronous",
  "FltObjectDereference",
  "FltCloseCommunicationPort",
  "FltBuildDefaultSecurityDescriptor",
];

export { FLT_NAMES };

/** Callers: the pre-create callback, and the worker that looks at a queued request. */
const CALLERS = /** @type {const} */ ([0xb8f06c40, 0xb8f09010]);

/** A function that asks for token information at `site` and keeps what it gets. @param {number} site @param {number} informationClass @param {number} next a list of its own @returns {import("../writer/asm86.mjs").Item[]} */
const keeps = (site, informationClass, next) => [
  ...PROLOGUE,
  "8b 75 08 ; mov esi, [ebp+8]",
  "83 65 fc 00 ; and dword ptr [ebp-4], 0",
  fillTo(site - 7),
  "8d 45 fc ; lea eax, [ebp-4]",
  "50 ; push eax",
  `6a ${informationClass.toString(16).padStart(2, "0")} ; push the class of information`,
  "56 ; push esi",
  callSlot(QUERY_SLOT),
  "85 c0 ; test eax, eax",
  jl("out"),
  "8b 4d fc ; mov ecx, [ebp-4]",
  absolute("8b 15 ; mov edx, [list]", next),
  "89 56 10 ; mov [esi+10h], edx",
  "89 4e 14 ; mov [esi+14h], ecx",
  label("out"),
  ...epilogue(4),
];

/** @param {{ argumentBytes: ReadonlyMap<string, number>, resolve: (dll: string, name: string) => bigint }} kernel */
export function buildAbcMiniFilter({ argumentBytes, resolve }) {
  // .rdata and .data are the 500h bytes of data beside .rsrc and .reloc; .text, PAGE and INIT the 8800h of code
  const sections = [
    { name: ".text", rva: 0x480, size: 0x73de, fileSize: 0x7400, characteristics: CODE },
    { name: ".rdata", rva: IAT, size: 0x360, fileSize: 0x380, characteristics: RDATA },
    { name: ".data", rva: 0x7c00, size: 0x164, fileSize: 0x180, characteristics: DATA },
    { name: "PAGE", rva: 0x7d80, size: 0x8ca, fileSize: 0x900, characteristics: PAGED_CODE },
    { name: "INIT", rva: 0x8680, size: 0xaf2, fileSize: 0xb00, characteristics: INIT_CODE },
    { name: ".rsrc", rva: 0x9180, size: 0x498, fileSize: 0x500, characteristics: RSRC },
    { name: ".reloc", rva: 0x9680, size: 0x7ee, fileSize: 0x800, characteristics: RELOC },
  ];
  const image = new Image({
    base: BigInt(ABC_BASE),
    preferredBase: 0x10000n,
    size: 0x9e80,
    headerSize: 0x480,
    sectionAlignment: 0x80,
    fileAlignment: 0x80,
    entry: 0x86b2,
    timestamp: 0x51f7d252,
    checksum: 0x11e27,
    linker: [9, 0],
    osVersion: [6, 1],
    imageVersion: [6, 1],
    subsystemVersion: [5, 1],
    characteristics: 0x102,
    baseOfCode: 0x480,
    sizeOfCode: 0x8800,
    sizeOfInitializedData: 0x1200,
    sections,
  });
  const code = new CodeArea(image);

  // 22 slots and a null for fltMgr, 39 and a null for nt with the shown two as its 24th and 25th, 2 and a null for hal
  const shown = ["SeQueryInformationToken", "RtlValidSid"];
  const others = pickImports(argumentBytes, 35, 907, [
    ...shown,
    "ExAllocatePoolWithTag",
    "ExFreePoolWithTag",
  ]);
  const nt = [
    ...others.slice(0, 23),
    ...shown,
    ...others.slice(23),
    "ExAllocatePoolWithTag",
    "ExFreePoolWithTag",
  ];
  const dlls = [
    { dll: "FLTMGR.SYS", imports: FLT_NAMES.map((name) => ({ name })) },
    { dll: "ntoskrnl.exe", imports: nt.map((name, i) => ({ name, hint: 0x60 + i })) },
    { dll: "HAL.dll", imports: [{ name: "KeGetCurrentIrql" }, { name: "KfLowerIrql" }] },
  ];
  const { slots, iatSize } = putImports(image, 0x8a28, {
    dlls,
    iat: IAT,
    room: 0x9180 - 0x8a28,
    resolve: (dll, entry) => resolve(dll, "name" in entry ? entry.name : ""),
  });
  const slot = (/** @type {string} */ dll, /** @type {string} */ name) =>
    ABC_BASE + /** @type {number} */ (slots.get(`${dll}!${name}`));
  if (iatSize !== 0x108 || slot("ntoskrnl.exe", "SeQueryInformationToken") !== QUERY_SLOT)
    throw new Error("the IAT is not the article's");
  code.claim(ABC_BASE + 0x8a28, 0x9180 - 0x8a28);

  const list = ABC_BASE + 0x7c40;
  const first = 0xb8f069d8;
  const second = 0xb8f08e10;
  code.place(first, keeps(CALL_SITES[0], 2, list));
  code.place(second, keeps(CALL_SITES[1], 1, list));
  code.place(CALLERS[0], [
    ...PROLOGUE,
    "ff 75 0c ; push [ebp+0Ch]",
    call(first),
    "33 c0 ; xor eax, eax",
    ...epilogue(12),
  ]);
  code.place(CALLERS[1], [...PROLOGUE, "ff 75 08 ; push [ebp+8]", call(second), ...epilogue(4)]);
  // its own tag is allocated and freed as it should be
  code.place(0xb8f05200, [
    ...PROLOGUE,
    "68 41 42 43 6d ; push 'ABCm'",
    "68 80 00 00 00 ; push 80h",
    "6a 01 ; push PagedPool",
    callSlot(slot("ntoskrnl.exe", "ExAllocatePoolWithTag")),
    "8b f0 ; mov esi, eax",
    "68 41 42 43 6d ; push 'ABCm'",
    "56 ; push esi",
    callSlot(slot("ntoskrnl.exe", "ExFreePoolWithTag")),
    ...epilogue(8),
  ]);
  code.place(ABC_BASE + 0x86b2, [
    ...PROLOGUE,
    absolute("68 ; push offset registration", ABC_BASE + 0x7ac0),
    "ff 75 08 ; push [ebp+8]",
    callSlot(slot("FLTMGR.SYS", "FltRegisterFilter")),
    ...epilogue(8),
  ]);
  const callable = nt
    .filter((n) => n !== "SeQueryInformationToken")
    .map((n) => ({ address: slot("ntoskrnl.exe", n), argumentBytes: argumentBytes.get(n) ?? 0 }));
  code.fill(ABC_BASE + 0x480, ABC_BASE + 0x480 + 0x73de, { seed: 41, slots: callable });
  code.fill(ABC_BASE + 0x7d80, ABC_BASE + 0x7d80 + 0x8ca, { seed: 42, slots: callable });
  code.fill(ABC_BASE + 0x8680, ABC_BASE + 0x8a28, { seed: 43, slots: callable });

  putDebug(image, 0x7990, 0x79b0, {
    guid: ascii("ABC-MiniFilter.."),
    age: 3,
    pdb: "d:\\work\\abc\\objfre_wnet_x86\\i386\\ABCMiniFilter.pdb",
    timestamp: 0x51f7d252,
  });
  image.memory.u32(0x7a68, 0x40).u32(0x7a68 + 0x3c, ABC_BASE + 0x7c00);
  image.relocations.add(0x7a68 + 0x3c);
  image.directory("loadConfig", 0x7a68, 0x40);
  image.memory.u32(0x7c00, 0xbb40e64e);
  // FLT_REGISTRATION, and one FLT_OPERATION_REGISTRATION for IRP_MJ_CREATE, then IRP_MJ_OPERATION_END
  image.memory.u16(0x7ac0, 0x38).u16(0x7ac2, 0x200);
  image.putAddress(0x7acc, ABC_BASE + 0x7b00).memory.u8(0x7b00, 0);
  image.putAddress(0x7b08, CALLERS[0]).memory.u8(0x7b14, 0x80);
  image.putAddress(0x7c48, CALLERS[1]);
  putVersion(
    image,
    0x9180,
    {
      version: [4, 1, 0, 212],
      strings: {
        CompanyName: "Example Corp.",
        FileDescription: "ABC file activity filter",
        FileVersion: "4.1.0.212",
        InternalName: "ABCMiniFilter",
        OriginalFilename: "ABCMiniFilter.sys",
        ProductName: "ABC",
        ProductVersion: "4.1",
      },
    },
    0x498,
  );
  putRelocations(image, 0x9680, 0x6c0);
  image.directory("security", 0x9e80, 0x1fd0);
  image.directory("import", 0x8a28, 0x50);
  return { image: image.finish(), returnAddress: CALL_SITES[0] + 6, callers: CALLERS, slots };
}
