import {
  assemble,
  call,
  epilogue,
  fillTo,
  je,
  jeShort,
  jl,
  jmp,
  jmpShort,
  jne,
  jneShort,
  label,
  PROLOGUE,
} from "../writer/asm86.mjs";
import { hex } from "../writer/bytes.mjs";

/**
 * The kernel's code around the 19 places where `Se  ` stands: the article's bytes at the article's
 * addresses, and around them functions in which those bytes make sense.
 */

/** Every call in the article's lines leads here. */
export const EX_ALLOCATE_POOL_WITH_TAG = 0x80894b78;
export const EX_FREE_POOL_WITH_TAG = 0x80894f10;

/** The 19 lines of the article's step 2: address, and the 16 bytes from it. */
export const OCCURRENCES = /** @type {const} */ ([
  [0x8096a1ae, "53 65 20 20 6a 0c 6a 01-e8 bd a9 f2 ff 3b c7 89"],
  [0x8096a5e3, "53 65 20 20 6a 0c 6a 01-e8 88 a5 f2 ff 3b c7 89"],
  [0x8096af9e, "53 65 20 20 50 6a 01 89-45 fc e8 cb 9b f2 ff 8b"],
  [0x8096c909, "53 65 20 20 8d 1c 9d 10-00 00 00 53 6a 01 e8 5c"],
  [0x8096c9e3, "53 65 20 20 53 6a 01 e8-89 81 f2 ff 8b f8 85 ff"],
  [0x8096ca3e, "53 65 20 20 8d 04 85 10-00 00 00 50 6a 01 e8 27"],
  [0x8096caf2, "53 65 20 20 8d 1c 9d 0c-00 00 00 53 6a 01 e8 73"],
  [0x8096cb3e, "53 65 20 20 8d 1c 9d 0c-00 00 00 53 6a 01 e8 27"],
  [0x8096cb9d, "53 65 20 20 56 6a 01 e8-cf 7f f2 ff 8b f0 3b f7"],
  [0x8096cc44, "53 65 20 20 6a 10 6a 01-e8 27 7f f2 ff 85 c0 0f"],
  [0x8096cc65, "53 65 20 20 6a 04 6a 01-e8 06 7f f2 ff 85 c0 0f"],
  [0x8096cc96, "53 65 20 20 6a 04 6a 01-e8 d5 7e f2 ff 85 c0 0f"],
  [0x8096ccbe, "53 65 20 20 6a 38 6a 01-e8 ad 7e f2 ff 8b f8 85"],
  [0x809718ac, "53 65 20 20 74 42 8b 46-68 3b c3 74 0f 53 50 e8"],
  [0x80971b48, "53 65 20 20 74 42 8b 46-68 3b c3 74 0f 53 50 e8"],
  [0x8097372b, "53 65 20 20 6a 0c 6a 01-e8 40 14 f2 ff 85 c0 75"],
  [0x80976c38, "53 65 20 20 6a 0c 6a 01-e8 33 df f1 ff 3b c6 89"],
  [0x80a20d1b, "53 65 20 20 bf 00 01 00-00 57 56 e8 4d 3e e7 ff"],
  [0x80a22698, "53 65 20 20 c7 45 80 4f-62 43 6c c7 45 84 43 63"],
]);

/** The article's 16 bytes at an address. @param {number} address */
function quoted(address) {
  const line = OCCURRENCES.find(([a]) => a === address);
  if (line === undefined) throw new RangeError(`the article shows nothing at 0x${address.toString(16)}`);
  return hex(line[1]);
}

const PUSH_TAG = "68 ; push 'Se  '";
/**
 * `push 'Se  '` whose immediate stands at `address`, then the quoted bytes.
 * @param {number} address @param {readonly string[]} [setup] instructions right before the push; filler comes before them
 * @returns {import("../writer/asm86.mjs").Item[]}
 */
const allocation = (address, setup = []) => [
  fillTo(address - 1 - assemble(0, setup).bytes.length),
  ...setup,
  PUSH_TAG,
  quoted(address),
];
/** The same without the last quoted byte, which begins an instruction that the caller writes. @param {number} address */
const allocationAnd = (address) => allocation(address).with(-1, quoted(address).subarray(0, 15));
/** The same where the article's line ends within the call: its distance is completed. @param {number} address @param {readonly string[]} setup */
const allocationCutInCall = (address, setup) => [
  ...allocation(address, setup).with(-1, quoted(address).subarray(0, 14)),
  call(EX_ALLOCATE_POOL_WITH_TAG),
];

/** One case of the big switch ends: the buffer goes to the caller. @param {string} register @returns {import("../writer/asm86.mjs").Item[]} */
const give = (register) => [
  "8b 4d 10 ; mov ecx, [ebp+10h]",
  register === "eax"
    ? "89 01 ; mov [ecx], eax"
    : register === "esi"
      ? "89 31 ; mov [ecx], esi"
      : "89 39 ; mov [ecx], edi",
];

const SUB_COUNT = /** @type {const} */ ([
  "8b 46 68 ; mov eax, [esi+68h]",
  "8b 00 ; mov eax, [eax]",
  "0f b6 58 01 ; movzx ebx, byte ptr [eax+1]",
]);

/**
 * nt!SeQueryInformationToken, 8096c8cc to 8096cdc0: ten allocations, one for each class of information.
 * @type {readonly import("../writer/asm86.mjs").Item[]}
 */
const SE_QUERY_INFORMATION_TOKEN = [
  ...PROLOGUE,
  "8b 75 08 ; mov esi, [ebp+8]",
  "8b 45 0c ; mov eax, [ebp+0Ch]",
  "33 ff ; xor edi, edi",
  "89 7d f8 ; mov [ebp-8], edi",
  "48 ; dec eax: TokenUser",
  jne("groups?"),
  ...allocationCutInCall(0x8096c909, SUB_COUNT),
  "8b f8 ; mov edi, eax",
  "85 ff ; test edi, edi",
  je("no memory"),
  "8d 47 08 ; lea eax, [edi+8]",
  "89 07 ; mov [edi], eax",
  "83 67 04 00 ; and dword ptr [edi+4], 0",
  ...give("edi"),
  jmp("out"),

  label("groups?"),
  "48 ; dec eax: TokenGroups",
  je("groups"),
  "48 ; TokenPrivileges",
  je("privileges"),
  "48 ; TokenOwner",
  je("owner"),
  "48 ; TokenPrimaryGroup",
  je("primary group"),
  "48 ; TokenDefaultDacl",
  je("dacl"),
  "48 ; TokenSource",
  je("source"),
  "48 ; TokenType",
  je("type"),
  "48 ; TokenImpersonationLevel",
  je("level"),
  "48 ; TokenStatistics",
  je("statistics"),
  "c7 45 f8 03 00 00 c0 ; mov dword ptr [ebp-8], STATUS_INVALID_INFO_CLASS",
  jmp("out"),

  label("groups"),
  ...allocation(0x8096c9e3, [
    "8b 5e 5c ; mov ebx, [esi+5Ch]",
    "83 c3 07 ; add ebx, 7",
    "83 e3 fc ; and ebx, -4",
  ]),
  je("no memory"),
  "8b 46 5c ; mov eax, [esi+5Ch]",
  "89 07 ; mov [edi], eax",
  ...give("edi"),
  jmp("out"),

  label("privileges"),
  ...allocationCutInCall(0x8096ca3e, ["8b 46 74 ; mov eax, [esi+74h]"]),
  "85 c0 ; test eax, eax",
  je("no memory"),
  "8b 4e 74 ; mov ecx, [esi+74h]",
  "89 08 ; mov [eax], ecx",
  ...give("eax"),
  jmp("out"),

  label("owner"),
  ...allocationCutInCall(0x8096caf2, SUB_COUNT),
  "8b f8 ; mov edi, eax",
  "85 ff ; test edi, edi",
  je("no memory"),
  "8d 47 04 ; lea eax, [edi+4]",
  "89 07 ; mov [edi], eax",
  ...give("edi"),
  jmp("out"),

  label("primary group"),
  ...allocationCutInCall(0x8096cb3e, SUB_COUNT),
  "8b f8 ; mov edi, eax",
  "85 ff ; test edi, edi",
  je("no memory"),
  "8d 47 04 ; lea eax, [edi+4]",
  "89 07 ; mov [edi], eax",
  ...give("edi"),
  jmp("out"),

  label("dacl"),
  ...allocation(0x8096cb9d, [
    "8b 46 6c ; mov eax, [esi+6Ch]",
    "0f b7 70 02 ; movzx esi, word ptr [eax+2]",
    "83 c6 04 ; add esi, 4",
  ]),
  je("no memory"),
  "8d 46 04 ; lea eax, [esi+4]",
  "89 06 ; mov [esi], eax",
  ...give("esi"),
  jmp("out"),

  label("source"),
  ...allocation(0x8096cc44),
  "84 00 00 00 00 ; the jz's distance, set below",
  ...give("eax"),
  jmp("out"),
  label("type"),
  ...allocation(0x8096cc65),
  "84 00 00 00 00",
  "8b 4e 7c ; mov ecx, [esi+7Ch]",
  "89 08 ; mov [eax], ecx",
  ...give("eax"),
  jmp("out"),
  label("level"),
  ...allocation(0x8096cc96),
  "84 00 00 00 00",
  ...give("eax"),
  jmp("out"),
  label("statistics"),
  ...allocation(0x8096ccbe),
  "ff ; test edi, edi",
  je("no memory"),
  "6a 0e ; push 14",
  "59 ; pop ecx",
  "f3 a5 ; rep movsd",
  "8b 45 10 ; mov eax, [ebp+10h]",
  "83 ef 38 ; sub edi, 38h",
  "89 38 ; mov [eax], edi",
  jmp("out"),

  label("no memory"),
  "c7 45 f8 9a 00 00 c0 ; mov dword ptr [ebp-8], STATUS_INSUFFICIENT_RESOURCES",
  label("out"),
  "8b 45 f8 ; mov eax, [ebp-8]",
  ...epilogue(12),
];
const SWITCH = 0x8096c8cc;

/** The block with no prologue at 80973720, and where it belongs: 0x5e00 bytes before, in SeCreateClientSecurityFromSubjectContext. */
const COLD_BLOCK = 0x80973718;
const OWNER = 0x8096d900;

/** A function that compares a tag and frees what hangs at +68h. @param {number} quotedAt @param {number} argumentBytes @returns {import("../writer/asm86.mjs").Item[]} */
const freesUnlessSe = (quotedAt, argumentBytes) => [
  ...PROLOGUE,
  "8b 75 08 ; mov esi, [ebp+8]",
  "33 db ; xor ebx, ebx",
  fillTo(quotedAt - 3),
  "81 7e 64 ; cmp dword ptr [esi+64h], 'Se  '",
  // the first jump leads to "kept", 42h on; the second past the call, 0Fh on
  quoted(quotedAt).subarray(0, 15),
  call(EX_FREE_POOL_WITH_TAG),
  "89 5e 68 ; mov [esi+68h], ebx",
  "c6 46 6c 00 ; mov byte ptr [esi+6Ch], 0",
  "90 ; nop",
  "8b 46 70 ; mov eax, [esi+70h]",
  "3b c3 ; cmp eax, ebx",
  jeShort("none"),
  "53 ; push ebx",
  "50 ; push eax",
  call(EX_FREE_POOL_WITH_TAG),
  "89 5e 70 ; mov [esi+70h], ebx",
  label("none"),
  fillTo(quotedAt + 6 + 0x42),
  label("kept"),
  "c6 46 04 00 ; mov byte ptr [esi+4], 0",
  ...epilogue(argumentBytes),
];

/**
 * Places the code into nt.
 * @param {import("../writer/code86.mjs").CodeArea} code
 * @returns {[name: string, address: number][]} what of it nt exports
 */
export function placeSeCode(code) {
  // 8096a1ae: not exported; SeAssignSecurityEx calls it, the nearest export is SeAuditingFileEvents
  const internal = 0x8096a178;
  code.place(internal, [
    ...PROLOGUE,
    "33 ff ; xor edi, edi",
    "8b 75 08 ; mov esi, [ebp+8]",
    ...allocationAnd(0x8096a1ae),
    "89 45 fc ; mov [ebp-4], eax",
    je("out"),
    "89 30 ; mov [eax], esi",
    "83 60 04 00 ; and dword ptr [eax+4], 0",
    "8b 4d 0c ; mov ecx, [ebp+0Ch]",
    "89 01 ; mov [ecx], eax",
    label("out"),
    "8b 45 fc ; mov eax, [ebp-4]",
    ...epilogue(8),
  ]);
  code.place(0x8096a320, [
    ...PROLOGUE,
    "8d 45 f8 ; lea eax, [ebp-8]",
    "50 ; push eax",
    "ff 75 08 ; push [ebp+8]",
    call(internal),
    "85 c0 ; test eax, eax",
    je("out"),
    "8b 4d 10 ; mov ecx, [ebp+10h]",
    "89 01 ; mov [ecx], eax",
    label("out"),
    "33 c0 ; xor eax, eax",
    ...epilogue(36),
  ]);

  code.place(0x8096a5a0, [
    ...PROLOGUE,
    "33 ff ; xor edi, edi",
    "8b 75 1c ; mov esi, [ebp+1Ch]",
    "85 f6 ; test esi, esi",
    je("out"),
    ...allocationAnd(0x8096a5e3),
    "89 45 fc ; mov [ebp-4], eax",
    je("out"),
    "89 70 04 ; mov [eax+4], esi",
    "57 ; push edi",
    "50 ; push eax",
    call(EX_FREE_POOL_WITH_TAG),
    label("out"),
    ...epilogue(36),
  ]);

  code.place(0x8096af78, [
    "8b ff ; mov edi, edi",
    "55 ; push ebp",
    "8b ec ; mov ebp, esp",
    "51 ; push ecx",
    "56 ; push esi",
    "8b 75 08 ; mov esi, [ebp+8]",
    ...allocation(0x8096af9e, [
      "8b 46 30 ; mov eax, [esi+30h]",
      "8b 00 ; mov eax, [eax]",
      "8b 4d 0c ; mov ecx, [ebp+0Ch]",
      "03 01 ; add eax, [ecx]",
      "6b c0 0c ; imul eax, eax, 0Ch",
      "83 c0 08 ; add eax, 8",
    ]),
    "f0 ; mov esi, eax",
    "85 f6 ; test esi, esi",
    je("out"),
    "8b 45 fc ; mov eax, [ebp-4]",
    "89 06 ; mov [esi], eax",
    label("out"),
    "33 c0 ; xor eax, eax",
    "5e ; pop esi",
    "c9 ; leave",
    "c2 08 00 ; ret 8",
  ]);

  const labels = code.place(SWITCH, SE_QUERY_INFORMATION_TOKEN);
  // the article's lines end in the 0F of a near jz; its distance belongs to "no memory"
  for (const at of [0x8096cc44, 0x8096cc65, 0x8096cc96])
    code.patchDistance(at + 0x11, /** @type {number} */ (labels.get("no memory")));

  const freeing = 0x80971868;
  code.place(freeing, freesUnlessSe(0x809718ac, 4));
  code.place(0x80971b08, [...freesUnlessSe(0x80971b48, 4)]);
  code.place(0x80971c20, [...PROLOGUE, "ff 75 08 ; push [ebp+8]", call(freeing), ...epilogue(4)]);

  const owner = code.place(OWNER, [
    ...PROLOGUE,
    "8b 75 08 ; mov esi, [ebp+8]",
    "8b 7d 14 ; mov edi, [ebp+14h]",
    "8b 46 04 ; mov eax, [esi+4]",
    "85 c0 ; test eax, eax",
    je(COLD_BLOCK),
    label("have it"),
    "89 47 0c ; mov [edi+0Ch], eax",
    "8b 4d 0c ; mov ecx, [ebp+0Ch]",
    "89 0f ; mov [edi], ecx",
    "83 65 f8 00 ; and dword ptr [ebp-8], 0",
    label("out"),
    "8b 45 f8 ; mov eax, [ebp-8]",
    ...epilogue(16),
  ]);
  const back = (/** @type {string} */ name) => /** @type {number} */ (owner.get(name));
  code.place(COLD_BLOCK, [
    "8b 46 08 ; mov eax, [esi+8]",
    "85 c0 ; test eax, eax",
    jne(back("have it")),
    ...allocationAnd(0x8097372b),
    jneShort("got it"),
    "c7 45 f8 9a 00 00 c0 ; mov dword ptr [ebp-8], STATUS_INSUFFICIENT_RESOURCES",
    jmp(back("out")),
    label("got it"),
    "83 60 08 00 ; and dword ptr [eax+8], 0",
    jmp(back("have it")),
  ]);
  // another function's cold block next to it, as a layout by profile leaves them
  const other = code.place(0x8096db40, [
    ...PROLOGUE,
    "8b 75 08 ; mov esi, [ebp+8]",
    "83 7e 10 00 ; cmp dword ptr [esi+10h], 0",
    jl(0x80973758),
    label("go on"),
    "33 c0 ; xor eax, eax",
    ...epilogue(4),
  ]);
  code.place(0x80973758, [
    "83 66 10 00 ; and dword ptr [esi+10h], 0",
    jmp(/** @type {number} */ (other.get("go on"))),
  ]);

  // 80976c38: not exported; NtAdjustPrivilegesToken calls it
  const privileges = 0x80976bf0;
  code.place(privileges, [
    ...PROLOGUE,
    "33 f6 ; xor esi, esi",
    "8b 7d 0c ; mov edi, [ebp+0Ch]",
    ...allocationAnd(0x80976c38),
    "89 45 fc ; mov [ebp-4], eax",
    je("out"),
    "89 78 04 ; mov [eax+4], edi",
    label("out"),
    "8b 45 fc ; mov eax, [ebp-4]",
    ...epilogue(8),
  ]);
  code.place(0x80976e40, [
    ...PROLOGUE,
    "ff 75 10 ; push [ebp+10h]",
    "ff 75 08 ; push [ebp+8]",
    call(privileges),
    "85 c0 ; test eax, eax",
    jneShort("ok"),
    "b8 9a 00 00 c0 ; mov eax, STATUS_INSUFFICIENT_RESOURCES",
    jmpShort("out"),
    label("ok"),
    "33 c0 ; xor eax, eax",
    label("out"),
    ...epilogue(24),
  ]);

  // INIT: an allocation of 100h bytes of type esi, and a table of type names built on the stack
  const init = 0x80a20ce8;
  code.place(init, [
    ...PROLOGUE,
    "6a 01 ; push 1",
    "5e ; pop esi",
    ...allocation(0x80a20d1b),
    "85 c0 ; test eax, eax",
    je("out"),
    "89 78 04 ; mov [eax+4], edi",
    label("out"),
    ...epilogue(4),
  ]);
  code.place(0x80a22680, [
    "8b ff ; mov edi, edi",
    "55 ; push ebp",
    "8b ec ; mov ebp, esp",
    "81 ec 90 00 00 00 ; sub esp, 90h",
    fillTo(0x80a22692),
    "c7 85 7c ff ff ff ; mov dword ptr [ebp-84h], 'Se  '",
    quoted(0x80a22698),
    "20 20 ; mov dword ptr [ebp-7Ch], 'Cc  '",
    "c7 45 88 45 76 65 6e ; mov dword ptr [ebp-78h], 'Even'",
    "ff 75 08 ; push [ebp+8]",
    call(init),
    "c9 ; leave",
    "c2 04 00 ; ret 4",
  ]);

  return [
    ["SeAssignSecurityEx", 0x8096a320],
    ["SeOpenObjectAuditAlarm", 0x8096a5a0],
    ["SeAppendPrivileges", 0x8096af78],
    ["SeQueryInformationToken", SWITCH],
    ["SeDeleteAccessState", 0x80971b08],
    ["SeDeassignSecurity", 0x80971c20],
    ["SeCreateClientSecurityFromSubjectContext", OWNER],
    ["NtAdjustPrivilegesToken", 0x80976e40],
  ];
}
