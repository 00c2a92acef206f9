import { absolute, call, callSlot, epilogue, je, jmpShort, jne, label, PROLOGUE } from "../writer/asm86.mjs";
import { ascii } from "../writer/bytes.mjs";
import { CodeArea } from "../writer/code86.mjs";
import { putDebug, putExports, putImports } from "../writer/directories.mjs";
import { CODE, DATA, Image, INIT_CODE, PAGED_CODE, PAGED_DATA, RDATA, RELOC, RSRC } from "../writer/pe.mjs";
import { putVersion } from "../writer/version.mjs";
import { FIXED, PAGEABLE, parseNames, RESIDENT, VARIABLES } from "./kernel-exports.mjs";
import { EX_ALLOCATE_POOL_WITH_TAG, EX_FREE_POOL_WITH_TAG, placeSeCode } from "./se-code.mjs";

export const NT_BASE = 0x80800000;
const SIZE = 0x25d000;
const DATA_RVA = 0xa0000;
const EXPORT_RVA = 0x1f0000;

export const NT_SECTIONS = [
  { name: ".text", rva: 0x1000, size: 0x9f000, characteristics: CODE },
  { name: ".data", rva: DATA_RVA, size: 0x28000, characteristics: DATA },
  { name: "PAGE", rva: 0xc8000, size: 0x120000, characteristics: PAGED_CODE },
  { name: "PAGEDATA", rva: 0x1e8000, size: 0x8000, characteristics: PAGED_DATA },
  { name: ".edata", rva: EXPORT_RVA, size: 0xc000, characteristics: RDATA & ~0x08000000 },
  { name: "INIT", rva: 0x1fc000, size: 0x40000, characteristics: INIT_CODE },
  { name: ".rsrc", rva: 0x23c000, size: 0x10000, characteristics: RSRC },
  { name: ".reloc", rva: 0x24c000, size: 0x11000, characteristics: RELOC },
];

/** Gives out room in nt's .data, by name. */
class Variables {
  /** @type {Map<string, number>} */ #places = new Map();
  #next = NT_BASE + DATA_RVA + 0x1100;

  /** @param {string} name @param {number} [size] bytes @returns {number} its address, the same for the same name */
  at(name, size = 4) {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const at = this.#next;
    this.#next += Math.ceil(size / 4) * 4 + 4;
    this.#places.set(name, at);
    return at;
  }

  /** @returns {[name: string, address: number][]} */
  all() {
    return [...this.#places];
  }
}

/** A function that does nothing and takes so many bytes of arguments. @param {number} argumentBytes */
const stub = (argumentBytes) => [
  "8b ff ; mov edi, edi",
  "55 ; push ebp",
  "8b ec ; mov ebp, esp",
  "33 c0 ; xor eax, eax",
  "5d ; pop ebp",
  argumentBytes === 0 ? "c3 ; ret" : `c2 ${argumentBytes.toString(16).padStart(2, "0")} 00 ; ret`,
];

/** Where the tag stands in the tracker: the hash, the processor's table, the stride. @param {Variables} variables @param {"ebx" | "ecx"} multiplier */
function findSlot(variables, multiplier) {
  const mask = variables.at("PoolTrackTableMask");
  const table = [
    "64 0f b6 05 51 00 00 00 ; movzx eax, byte ptr fs:[51h]",
    absolute("8b 34 85 ; mov esi, [eax*4+ExPoolTagTables]", variables.at("ExPoolTagTables", 32 * 4)),
  ];
  const hash =
    multiplier === "ebx"
      ? [
          "8b 45 08 ; mov eax, [ebp+8]",
          "25 ff ff ff 7f ; and eax, 7FFFFFFFh",
          "bb 5f 9e 00 00 ; mov ebx, 9E5Fh",
          "f7 e3 ; mul ebx",
        ]
      : [
          "8b 45 08 ; mov eax, [ebp+8]",
          "25 ff ff ff 7f ; and eax, 7FFFFFFFh",
          "b9 5f 9e 00 00 ; mov ecx, 9E5Fh",
          "f7 e1 ; mul ecx",
        ];
  return [
    absolute("8b 3d ; mov edi, [PoolTrackTableSize]", variables.at("PoolTrackTableSize")),
    ...table,
    ...hash,
    "33 d0 ; xor edx, eax",
    absolute("23 15 ; and edx, [PoolTrackTableMask]", mask),
    "89 55 f4 ; mov [ebp-0Ch], edx",
    label("probe"),
    "8b c2 ; mov eax, edx",
    "6b c0 1c ; imul eax, eax, 1Ch",
    "03 c6 ; add eax, esi",
    "8b 4d 08 ; mov ecx, [ebp+8]",
    "39 08 ; cmp [eax], ecx",
    je("found"),
    "83 38 00 ; cmp dword ptr [eax], 0",
    je("free slot"),
    "42 ; inc edx",
    absolute("23 15 ; and edx, [PoolTrackTableMask]", mask),
    "3b 55 f4 ; cmp edx, [ebp-0Ch]",
    jne("probe"),
    jmpShort("out"),
    label("free slot"),
    "89 08 ; mov [eax], ecx",
    label("found"),
  ];
}

/**
 * The allocator's side: the functions that count by tag.
 * @param {CodeArea} code @param {Variables} variables
 */
function placePool(code, variables) {
  const insert = 0x80895600;
  const remove = 0x80895720;
  code.place(insert, [
    ...PROLOGUE,
    ...findSlot(variables, "ebx"),
    "ff 40 10 ; inc dword ptr [eax+10h]",
    "8b 4d 0c ; mov ecx, [ebp+0Ch]",
    "01 48 18 ; add [eax+18h], ecx",
    label("out"),
    ...epilogue(12),
  ]);
  code.place(remove, [
    ...PROLOGUE,
    ...findSlot(variables, "ecx"),
    "ff 40 14 ; inc dword ptr [eax+14h]",
    "8b 4d 0c ; mov ecx, [ebp+0Ch]",
    "29 48 18 ; sub [eax+18h], ecx",
    label("out"),
    ...epilogue(12),
  ]);
  code.place(0x80895840, [
    ...PROLOGUE,
    ...findSlot(variables, "ebx"),
    "8b 40 18 ; mov eax, [eax+18h]",
    label("out"),
    ...epilogue(4),
  ]);
  code.place(EX_ALLOCATE_POOL_WITH_TAG, [
    ...PROLOGUE,
    "8b 45 10 ; mov eax, [ebp+10h]",
    "8b 75 0c ; mov esi, [ebp+0Ch]",
    "83 c6 0f ; add esi, 0Fh",
    "83 e6 f8 ; and esi, -8",
    "ff 75 08 ; push [ebp+8]",
    "56 ; push esi",
    "50 ; push eax",
    call(insert),
    absolute("a1 ; mov eax, [NonPagedPoolDescriptor]", variables.at("NonPagedPoolDescriptor", 0x1030)),
    ...epilogue(12),
  ]);
  code.place(EX_FREE_POOL_WITH_TAG, [
    ...PROLOGUE,
    "8b 75 08 ; mov esi, [ebp+8]",
    "85 f6 ; test esi, esi",
    je("out"),
    "0f b7 4e fa ; movzx ecx, word ptr [esi-6]",
    "81 e1 ff 01 00 00 ; and ecx, 1FFh",
    "c1 e1 03 ; shl ecx, 3",
    "6a 00 ; push 0",
    "51 ; push ecx",
    "ff 76 fc ; push [esi-4]",
    call(remove),
    label("out"),
    ...epilogue(8),
  ]);
}

/**
 * Builds the kernel.
 * @param {(dll: string, name: string) => bigint} resolve what nt imports
 */
export function buildNt(resolve) {
  const image = new Image({
    base: BigInt(NT_BASE),
    preferredBase: 0x400000n,
    size: SIZE,
    headerSize: 0x600,
    entry: 0x1fc2a0,
    timestamp: 0x45ec0a19,
    checksum: 0x25a6e3,
    linker: [7, 10],
    characteristics: 0x10e,
    osVersion: [5, 2],
    imageVersion: [5, 2],
    subsystemVersion: [5, 2],
    sections: NT_SECTIONS,
  });
  const code = new CodeArea(image);
  const variables = new Variables();
  /** @type {Map<string, number>} */
  const exports = new Map();
  /** @type {Map<string, number>} */
  const argumentBytes = new Map();
  const add = (/** @type {string} */ name, /** @type {number} */ address) => {
    if (exports.has(name)) throw new RangeError(`${name} twice`);
    exports.set(name, address);
  };

  for (const [name, address] of placeSeCode(code)) add(name, address);
  placePool(code, variables);
  add("ExAllocatePoolWithTag", EX_ALLOCATE_POOL_WITH_TAG);
  add("ExFreePoolWithTag", EX_FREE_POOL_WITH_TAG);
  argumentBytes
    .set("ExAllocatePoolWithTag", 12)
    .set("ExFreePoolWithTag", 8)
    .set("SeQueryInformationToken", 12);
  for (const [name, address, bytes] of FIXED) {
    code.place(address, stub(bytes));
    add(name, address);
    argumentBytes.set(name, bytes);
  }
  for (const [list, start] of /** @type {const} */ ([
    [RESIDENT, 0x80830000],
    [PAGEABLE, 0x808f2000],
  ])) {
    let at = start;
    for (const [name, bytes] of parseNames(list)) {
      code.place(at, stub(bytes));
      add(name, at);
      argumentBytes.set(name, bytes);
      at += 0x70;
    }
  }
  for (const name of VARIABLES) add(name, variables.at(name));

  const imports = [
    "ExAcquireFastMutex",
    "ExReleaseFastMutex",
    "KfAcquireSpinLock",
    "KfReleaseSpinLock",
    "KeGetCurrentIrql",
    "HalRequestSoftwareInterrupt",
  ];
  code.claim(NT_BASE + 0x1000, 0x40);
  // the names stand in INIT, which is gone
  putImports(image, 0x1ff000, {
    dlls: [{ dll: "HAL.dll", imports: imports.map((name) => ({ name })) }],
    iat: 0x1000,
    resolve: (dll, entry) => resolve(dll, "name" in entry ? entry.name : ""),
  });
  code.claim(NT_BASE + 0x1ff000, 0x400);
  code.place(0x80829000, [
    "8b ff ; mov edi, edi",
    "55 ; push ebp",
    "8b ec ; mov ebp, esp",
    callSlot(NT_BASE + 0x1010),
    "5d ; pop ebp",
    "c3 ; ret",
  ]);

  putExports(image, EXPORT_RVA, {
    dll: "ntkrpamp.exe",
    exports: [...exports].map(([name, address]) => ({ name, rva: address - NT_BASE })),
    timestamp: 0x45ec0a19,
  });
  code.claim(NT_BASE + 0x1040, 0x1c);
  putDebug(image, 0x1040, 0x2000, {
    guid: ascii("pooltrail-sample").subarray(0, 16),
    age: 1,
    pdb: "ntkrpamp.pdb",
    timestamp: 0x45ec0a19,
  });
  code.claim(NT_BASE + 0x2000, 0x40);
  putVersion(image, 0x23c000, {
    version: [5, 2, 3790, 3959],
    strings: {
      CompanyName: "Microsoft Corporation",
      FileDescription: "NT Kernel & System",
      FileVersion: "5.2.3790.3959 (srv03_sp2_rtm.070216-1710)",
      InternalName: "ntkrpamp.exe",
      OriginalFilename: "ntkrpamp.exe",
      ProductName: "Microsoft® Windows® Operating System",
      ProductVersion: "5.2.3790.3959",
    },
  });
  return { image, code, variables, exports, argumentBytes };
}
