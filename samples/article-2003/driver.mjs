import { callSlot, epilogue, jl, label, PROLOGUE } from "../writer/asm86.mjs";
import { alignUp, ascii, random } from "../writer/bytes.mjs";
import { CodeArea } from "../writer/code86.mjs";
import { putDebug, putExports, putImports, putRelocations } from "../writer/directories.mjs";
import { CODE, DATA, Image, INIT_CODE, PAGED_CODE, RDATA, RELOC, RSRC } from "../writer/pe.mjs";
import { putVersion } from "../writer/version.mjs";

/**
 * @typedef {{
 *   base: number, size: number, file: string, company: string, description: string, timestamp?: number, seed: number,
 *   iat?: number, boundAt?: number, before?: number, fixed?: readonly string[], after?: number, exports?: readonly (readonly [name: string, address?: number])[],
 *   calls?: number, frees?: boolean, hal?: readonly string[], alignment?: number, textPages?: number, resource?: boolean, also?: readonly string[],
 *   hook?: readonly [name: string, target: number], extra?: (place: { code: CodeArea, slot: (name: string) => number, image: Image, data: number, text: number }) => void,
 * }} DriverSpec
 *   iat: RVA of the slots. boundAt: where a boot driver stood when it was bound. before, fixed, after: how many arbitrary imports from nt, then those that the article shows, then more.
 *   calls: how many functions call SeQueryInformationToken. frees: whether they free what they get. textPages: how many pages of code are made up.
 *   also: imports after all others. hook: the slot of that name leads elsewhere. extra: code and data of its own.
 */

/** What leads to the tag, and what only stands next to a reference: no driver imports these by chance. */
const TRAIL_APIS = new Set([
  "SeQueryInformationToken",
  "SeOpenObjectAuditAlarm",
  "SeAppendPrivileges",
  "SeAssignSecurityEx",
  "SeCreateClientSecurityFromSubjectContext",
  "NtAdjustPrivilegesToken",
  "SeAuditingFileEvents",
  "SeImpersonateClientEx",
  "SeQuerySessionIdToken",
  "SeRegisterLogonSessionTerminatedRoutine",
  "SeTokenIsAdmin",
]);

/**
 * Arbitrary nt functions for an import table, never one that leads to the tag.
 * @param {ReadonlyMap<string, number>} argumentBytes what can be called @param {number} count @param {number} seed @param {readonly string[]} [exclude]
 */
export function pickImports(argumentBytes, count, seed, exclude = []) {
  const next = random(seed);
  const names = [...argumentBytes.keys()].filter(
    (n) => !TRAIL_APIS.has(n) && !exclude.includes(n) && n !== "MmGetSystemRoutineAddress",
  );
  if (count > names.length) throw new RangeError(`only ${names.length} names`);
  return Array.from({ length: count }, () => /** @type {string} */ (names.splice(next(names.length), 1)[0]));
}

/** A function that asks for a token's groups, and frees them or not. @param {number} query @param {number | undefined} free slots @returns {import("../writer/asm86.mjs").Item[]} */
const tokenQuery = (query, free) => [
  ...PROLOGUE,
  "8b 75 08 ; mov esi, [ebp+8]",
  "8d 45 fc ; lea eax, [ebp-4]",
  "50 ; push eax",
  "6a 02 ; push TokenGroups",
  "56 ; push esi",
  callSlot(query),
  "85 c0 ; test eax, eax",
  jl("out"),
  "8b 7d fc ; mov edi, [ebp-4]",
  "8b 0f ; mov ecx, [edi]",
  "89 4d f8 ; mov [ebp-8], ecx",
  ...(free === undefined ? [] : ["6a 00 ; push 0", "57 ; push edi", callSlot(free)]),
  label("out"),
  "8b 45 f8 ; mov eax, [ebp-8]",
  ...epilogue(4),
];

/**
 * A driver in the usual layout: .text, .rdata with the IAT, .data, PAGE where there is room, INIT with the import names, .rsrc, .reloc.
 * @param {DriverSpec} spec
 * @param {{ argumentBytes: ReadonlyMap<string, number>, resolve: (dll: string, name: string) => bigint }} kernel
 */
export function buildDriver(spec, { argumentBytes, resolve }) {
  const unit = spec.alignment ?? 0x1000;
  const headerSize = unit === 0x1000 ? 0x400 : 0x380;
  const textStart = unit === 0x1000 ? 0x1000 : headerSize;
  const fixed = spec.fixed ?? [];
  const names = [
    ...pickImports(argumentBytes, spec.before ?? 12, spec.seed, [...fixed, "ExFreePoolWithTag"]),
    ...fixed,
  ];
  names.push(
    ...pickImports(argumentBytes, spec.after ?? 6, spec.seed + 1, [...names, "ExFreePoolWithTag"]),
    "ExFreePoolWithTag",
    ...(spec.also ?? []),
  );
  const hal = spec.hal ?? ["KfAcquireSpinLock", "KfReleaseSpinLock"];
  const tail = alignUp(0x600, unit);
  const initSize = alignUp((names.length + hal.length) * 28 + 0x100, unit);
  const init = spec.size - 2 * tail - initSize;
  const iat = spec.iat ?? alignUp(Math.floor((textStart + init) * 0.6), unit === 0x1000 ? 0x1000 : 0x80);
  const rdata = unit === 0x1000 ? iat & ~0xfff : iat;
  const data = rdata + alignUp(0x400, unit);
  const page = data + alignUp(0x400, unit);
  const sections = [
    { name: ".text", rva: textStart, size: rdata - textStart, characteristics: CODE },
    { name: ".rdata", rva: rdata, size: data - rdata, characteristics: RDATA },
    { name: ".data", rva: data, size: page - data, characteristics: DATA },
    ...(init > page ? [{ name: "PAGE", rva: page, size: init - page, characteristics: PAGED_CODE }] : []),
    { name: "INIT", rva: init, size: initSize, characteristics: INIT_CODE },
    { name: ".rsrc", rva: init + initSize, size: tail, characteristics: RSRC },
    {
      name: ".reloc",
      rva: init + initSize + tail,
      size: spec.size - (init + initSize + tail),
      characteristics: RELOC,
    },
  ];
  if (init < page) throw new RangeError(`${spec.file}: 0x${spec.size.toString(16)} bytes are too few`);
  const timestamp = spec.timestamp ?? 0x45d69600 + spec.seed * 0x101;
  const image = new Image({
    base: BigInt(spec.base),
    preferredBase: 0x10000n,
    size: spec.size,
    headerSize,
    sectionAlignment: unit,
    fileAlignment: unit === 0x1000 ? 0x200 : unit,
    entry: init + 0x20,
    timestamp,
    checksum: 0x10000 + spec.seed * 0x377,
    linker: [7, 10],
    characteristics: 0x10e,
    sections,
  });
  const code = new CodeArea(image);
  // the first lines of INIT are DriverEntry's
  code.place(spec.base + init + 0x20, [...PROLOGUE, "33 c0 ; xor eax, eax", ...epilogue(8)]);
  const { slots } = putImports(image, init + 0x80, {
    dlls: [
      { dll: "ntoskrnl.exe", imports: names.map((name, i) => ({ name, hint: 0x40 + i })) },
      { dll: "HAL.dll", imports: hal.map((name) => ({ name })) },
    ],
    iat,
    ...(spec.boundAt === undefined ? {} : { boundAt: BigInt(spec.boundAt) }),
    room: initSize - 0x80,
    resolve: (dll, entry) => {
      const name = "name" in entry ? entry.name : "";
      return spec.hook?.[0] === name ? BigInt(spec.hook[1]) : resolve(dll, name);
    },
  });
  const slot = (/** @type {string} */ name) =>
    spec.base + /** @type {number} */ (slots.get(`ntoskrnl.exe!${name}`));

  let at = spec.base + textStart + 0x200;
  for (let i = 0; i < (spec.calls ?? 0); i++) {
    at = alignUp(
      /** @type {number} */ (
        code
          .place(
            at,
            tokenQuery(
              slot("SeQueryInformationToken"),
              spec.frees === false ? undefined : slot("ExFreePoolWithTag"),
            ),
          )
          .get("end")
      ) + 0x60,
      16,
    );
  }
  const exported = (spec.exports ?? []).map(([name, address]) => {
    const here = address ?? at;
    code.place(here, [...PROLOGUE, "8b 45 08 ; mov eax, [ebp+8]", ...epilogue(8)]);
    if (address === undefined) at += 0x50;
    return { name, rva: here - spec.base };
  });
  spec.extra?.({ code, slot, image, data, text: at });
  const callable = names
    .filter((n) => !TRAIL_APIS.has(n))
    .map((n) => ({ address: slot(n), argumentBytes: argumentBytes.get(n) ?? 0 }));
  const textEnd = Math.min(rdata, textStart + (spec.textPages ?? 4) * 0x1000);
  code.fill(spec.base + textStart, spec.base + textEnd, { seed: spec.seed + 7, slots: callable });
  if (init > page)
    code.fill(spec.base + page, spec.base + Math.min(init, page + 0x1000), {
      seed: spec.seed + 8,
      slots: callable,
    });
  if (exported.length > 0) putExports(image, iat + 0x200, { dll: spec.file, exports: exported, timestamp });
  const stem = spec.file.replace(/\.sys$/i, "");
  putDebug(image, data - 0x80, data - 0x60, {
    guid: ascii(`${stem}-pooltrail-sample`).subarray(0, 16),
    age: 1,
    pdb: `${stem.slice(0, 40)}.pdb`,
    timestamp,
  });
  if (spec.resource !== false) {
    putVersion(image, init + initSize, {
      version: [5, 2, 3790, 3959],
      strings: {
        CompanyName: spec.company,
        FileDescription: spec.description,
        FileVersion: "5.2.3790.3959",
        OriginalFilename: spec.file,
      },
    });
  }
  putRelocations(image, init + initSize + tail);
  image.finish();
  return { image, sections, textEnd: textEnd - textStart, spec };
}
