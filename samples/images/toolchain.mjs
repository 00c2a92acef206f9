import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { linkerScript } from "./image.ld.mjs";
import { scatter } from "./scatter.mjs";

/** @typedef {"x64" | "x86"} Arch */

const TARGET = { x64: "x86_64-w64-mingw32", x86: "i686-w64-mingw32" };
const PREFIX = { x64: "x86_64-w64-mingw32-", x86: "i686-w64-mingw32-" };
const COMMON = [
  "-ffreestanding",
  "-fno-builtin",
  "-fno-ident",
  "-fno-stack-protector",
  "-fno-stack-clash-protection",
  "-fasynchronous-unwind-tables",
  "-fno-exceptions",
  "-fno-math-errno",
  "-mno-stack-arg-probe",
];
const GCC = [
  ...COMMON,
  "-fno-toplevel-reorder",
  "-freorder-blocks-and-partition",
  "-mgeneral-regs-only",
  "-fcf-protection=none",
];
/** Exported functions are not inlined into one another, as in the kernel. */
export const NO_INLINE = [
  "-fno-inline-functions",
  "-fno-inline-small-functions",
  "-fno-inline-functions-called-once",
  "-fno-partial-inlining",
  "-fno-ipa-cp",
  "-fno-ipa-sra",
  "-fno-ipa-ra",
  "-fno-ipa-icf",
];
const GCC_X64 = ["-mcmodel=small"];
const GCC_X86 = ["-mpush-args", "-mno-accumulate-outgoing-args", "-mpreferred-stack-boundary=2"];
const CLANG = [...COMMON, "-mno-sse", "-mno-mmx", "-mno-implicit-float", "-Wno-everything"];

/** @param {string} program @param {readonly string[]} args @returns {string} its output */
const run = (program, args) =>
  execFileSync(program, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: "C", SOURCE_DATE_EPOCH: "1700000000" },
  });
/** @param {Arch} arch @param {string} name @param {readonly string[]} args */
export const binutil = (arch, name, args) => run(PREFIX[arch] + name, args);

/** Takes the unwind data from leaf functions, which Microsoft's compiler gives none. @param {string} text assembly for x64 */
function withoutLeafUnwind(text) {
  return text.replace(/^\s*\.seh_proc\s+(\S+)\n([\s\S]*?)^\s*\.seh_endproc$/gm, (all, name, body) => {
    if (/\.seh_(push|stack|set|save)/.test(body)) return all;
    return `${body.replace(/^\s*\.seh_\w+.*\n/gm, "")}${name.replace(/"/g, "")}.end:`;
  });
}

/**
 * Marks where each function's pieces end, pads with int3 between them, and writes calls through the import table as
 * current Windows builds have them.
 * @param {string} text the compiler's assembly @param {Arch} arch @param {boolean} importOptimisation @param {boolean} [marked] the ends are there already
 */
function markFunctions(text, arch, importOptimisation, marked = false) {
  /** @type {string | undefined} */
  let open;
  /** @type {string[]} */
  const out = [];
  let pending = false;
  let inCode = true;
  for (const line of (arch === "x64" ? withoutLeafUnwind(text) : text).split("\n")) {
    const label = /^([A-Za-z_@?][\w.@$?]*):/.exec(line)?.[1];
    const proc = /^\s*\.seh_proc\s+"?([^"\s]+)/.exec(line)?.[1];
    if (proc !== undefined) open = proc;
    // LLVM gives leaf functions no unwind data, but says where they start and end
    if (label !== undefined && open === undefined && /[#;] @/.test(line)) open = label;
    if (label?.endsWith(".end")) open = undefined;
    if (/[#;] -- End function/.test(line) && open !== undefined && !marked) {
      out.push(`${open}.end:`);
      open = undefined;
    }
    if (/^\s*\.cfi_startproc/.test(line)) pending = open === undefined;
    if (arch === "x86" && label !== undefined && !/^L[A-Z]*\d|^Ltmp|^LBB/.test(label)) open = label;
    const end = arch === "x64" ? /^\s*\.seh_endproc/.test(line) : /^\s*\.cfi_endproc/.test(line);
    if (end && open !== undefined) {
      if (arch === "x64") out.push(line);
      out.push(`${open}.end:`);
      open = undefined;
      continue;
    }
    if (arch === "x86" && /^\s*\.cfi_/.test(line)) continue;
    if (/^\s*\.(text|data|bss|section)\b/.test(line))
      inCode = /^\s*\.(text|section\s+"?(\.text|PAGE|INIT))/.test(line);
    if (!marked && inCode && open === undefined && /^\s*\.p2align\s+\d/.test(line)) {
      out.push(line.replace(/\.p2align\s+(\d+).*/, ".p2align $1,0xcc"));
      continue;
    }
    const through = importOptimisation ? /^\s*callq?\s+\*(__imp_(?!delay_)\S+)\(%rip\)/.exec(line) : null;
    if (through !== null) {
      // FF 15 with a REX prefix and five bytes of filler, which the kernel may write over at load
      out.push("\t.byte 0x48", `\tcall *${through[1]}(%rip)`, "\t.byte 0x0f,0x1f,0x44,0x00,0x00");
      continue;
    }
    out.push(line);
  }
  if (pending && arch === "x64") throw new Error("unwind data of the wrong kind");
  return out.join("\n");
}

/**
 * Compiles C or assembles .s to an object.
 * @param {{ source: string, arch: Arch, work: string, compiler?: "gcc" | "clang", flags?: readonly string[], defines?: readonly string[], include: string, importOptimisation?: boolean, scattered?: boolean }} options
 *   scattered: lay the blocks out as a profile-guided build does
 * @returns {string} the object file
 */
export function compile({
  source,
  arch,
  work,
  compiler = "gcc",
  flags = ["-O2", ...NO_INLINE],
  defines = [],
  include,
  importOptimisation = false,
  scattered = false,
}) {
  mkdirSync(work, { recursive: true });
  const object = join(work, `${basename(source).replace(/\.\w+$/, "")}.o`);
  const assembly = object.replace(/\.o$/, ".s");
  if (source.endsWith(".s"))
    writeFileSync(assembly, markFunctions(readFileSync(source, "utf8"), arch, importOptimisation));
  else {
    const all = [
      "-S",
      "-std=gnu11",
      `-I${include}`,
      ...defines.map((d) => `-D${d}`),
      ...flags,
      "-o",
      "-",
      source,
    ];
    const text =
      compiler === "gcc"
        ? binutil(arch, "gcc", [...GCC, ...(arch === "x86" ? GCC_X86 : GCC_X64), ...all])
        : run("clang", [`--target=${TARGET[arch]}`, ...CLANG, ...all]);
    const laidOut = scattered
      ? scatter(text, { arch, seed: 2003, file: basename(source).replace(/\W/g, "_") })
      : text;
    writeFileSync(assembly, markFunctions(laidOut, arch, importOptimisation, scattered));
  }
  // each compiler's assembly has words that only its own assembler knows
  if (compiler === "clang" && !source.endsWith(".s"))
    run("clang", [`--target=${TARGET[arch]}`, "-c", "-o", object, assembly]);
  else binutil(arch, "as", ["-o", object, assembly]);
  return object;
}

/** A .def for one machine: the sources carry the argument bytes of 32-bit names. @param {string} text @param {Arch} arch */
function definition(text, arch) {
  const plain = text.replace(/^( +\w+)@\d+( *=)/gm, "$1$2");
  if (arch === "x86") return plain;
  return plain.replace(/^(\s+)@?(\w+)@\d+/gm, "$1$2");
}

/** What a DLL exports, by the symbol that objects ask for. @param {string} def @param {Arch} arch @returns {Map<string, { name: string, ordinal: number | undefined }>} */
function exportedSymbols(def, arch) {
  const symbols = new Map();
  for (const [, symbol = "", ordinal] of readFileSync(def, "utf8").matchAll(
    /^ +([@\w]+)(?:\s+@(\d+) NONAME|\s+DATA|\s+=.*)?$/gm,
  )) {
    const name = symbol.replace(/^@/, "").replace(/@\d+$/, "");
    symbols.set(arch === "x64" ? name : symbol.startsWith("@") ? symbol : `_${symbol}`, {
      name,
      ordinal: ordinal === undefined ? undefined : Number(ordinal),
    });
  }
  return symbols;
}

/**
 * The import descriptors, names and slots that the objects need, and a thunk for each function that is called without
 * dllimport: what an import library would give, without the thunks that nothing calls.
 * @param {{ objects: readonly string[], dlls: readonly { dll: string, def: string }[], arch: Arch, work: string, also?: readonly string[] }} options also: slots that no object asks for
 * @returns {{ object: string | undefined, dlls: Map<string, { dll: string, ordinal: number | undefined }> }} dlls: imported name to where it is asked of
 */
export function importObject({ objects, dlls, arch, work, also = [] }) {
  const defined = new Set();
  const wanted = new Set(also);
  for (const line of binutil(arch, "nm", [...objects]).split("\n")) {
    const [, type, symbol = ""] = /^\s*(?:[0-9a-f]+)? *(\w) (\S+)$/.exec(line) ?? [];
    if (type === "U") wanted.add(symbol);
    else if (type !== undefined) defined.add(symbol);
  }
  const word = arch === "x64" ? ".quad" : ".long";
  /** @type {Map<string, { dll: string, ordinal: number | undefined }>} */
  const from = new Map();
  const [text, lines] = [/** @type {string[]} */ ([]), /** @type {string[]} */ ([])];
  dlls.forEach(({ dll, def }, d) => {
    const exported = exportedSymbols(def, arch);
    const need = [...exported].filter(
      ([symbol, { name }]) =>
        !from.has(name) && (wanted.has(`__imp_${symbol}`) || (wanted.has(symbol) && !defined.has(symbol))),
    );
    if (need.length === 0) return;
    lines.push(
      "    .section .idata$2",
      `    .rva dll${d}.names`,
      "    .long 0, 0",
      `    .rva dll${d}.name, dll${d}.slots`,
    );
    lines.push(
      "    .section .idata$7",
      `dll${d}.name: .asciz "${dll}"`,
      "    .section .idata$4",
      `    .p2align 3\ndll${d}.names:`,
      "    .section .idata$5",
      `    .p2align 3\ndll${d}.slots:`,
    );
    for (const [symbol, { name, ordinal }] of need) {
      from.set(name, { dll, ordinal });
      const value =
        ordinal === undefined
          ? arch === "x64"
            ? `    .rva hint.${name}\n    .long 0`
            : `    .rva hint.${name}`
          : `    ${word} ${arch === "x64" ? `0x80000000${ordinal.toString(16).padStart(8, "0")}` : `0x${(0x80000000 + ordinal).toString(16)}`}`;
      lines.push(
        "    .section .idata$4",
        value,
        "    .section .idata$5",
        `    .globl __imp_${symbol}\n__imp_${symbol}:`,
        value,
      );
      if (ordinal === undefined)
        lines.push("    .section .idata$6", `    .p2align 1\nhint.${name}: .short 0\n    .asciz "${name}"`);
      if (wanted.has(symbol) && !defined.has(symbol))
        text.push(
          "    .p2align 4,0xcc",
          `    .globl ${symbol}`,
          `    .def ${symbol}; .scl 2; .type 32; .endef`,
          `${symbol}: jmp *__imp_${symbol}${arch === "x64" ? "(%rip)" : ""}`,
          `${symbol}.end:`,
        );
    }
    lines.push("    .section .idata$4", `    ${word} 0`, "    .section .idata$5", `    ${word} 0`);
  });
  if (lines.length === 0) return { object: undefined, dlls: from };
  const source = join(work, "imports.s");
  writeFileSync(source, `    .text\n${text.join("\n")}\n${lines.join("\n")}\n`);
  binutil(arch, "as", ["-o", join(work, "imports.o"), source]);
  return { object: join(work, "imports.o"), dlls: from };
}

/**
 * Links an image with its symbols.
 * @param {{ objects: readonly string[], arch: Arch, work: string, name: string, def?: string, kernel?: boolean, textRva?: number, entry: string, dll?: boolean }} options
 * @returns {{ file: string, map: string }}
 */
export function link({ objects, arch, work, name, def, kernel = false, textRva, entry, dll = false }) {
  const file = join(work, name);
  const map = `${file}.map`;
  const script = join(work, `${name}.ld`);
  writeFileSync(script, linkerScript({ machine: arch, kernel, textRva }));
  const exported = def === undefined ? [] : [join(work, `${name}.export.def`)];
  if (def !== undefined)
    writeFileSync(/** @type {string} */ (exported[0]), definition(readFileSync(def, "utf8"), arch));
  const base = arch === "x64" ? (kernel ? "0x140000000" : "0x1c0000000") : kernel ? "0x400000" : "0x10000";
  binutil(arch, "ld", [
    "-nostdlib",
    "-T",
    script,
    "-o",
    file,
    "-Map",
    map,
    "--subsystem",
    "native:10.0",
    "--image-base",
    base,
    "--entry",
    arch === "x64" ? entry : `_${entry}@${entry === "KiSystemStartup" ? 4 : 8}`,
    "--dynamicbase",
    "--nxcompat",
    "--no-insert-timestamp",
    "--section-alignment",
    "0x1000",
    "--file-alignment",
    "0x200",
    "--kill-at",
    "--disable-stdcall-fixup",
    "--disable-auto-import",
    "--major-os-version",
    "10",
    "--major-image-version",
    "10",
    ...(dll ? ["--dll"] : []),
    ...objects,
    ...exported,
  ]);
  return { file, map };
}

/** @param {{ arch: Arch, work: string, name: string, company: string, description: string, version: string }} options @returns {string} an object with a version resource */
export function versionResource({ arch, work, name, company, description, version }) {
  const rc = join(work, `${name}.rc`);
  const comma = version.replaceAll(".", ",");
  const text = {
    CompanyName: company,
    FileDescription: description,
    FileVersion: version,
    InternalName: name,
    OriginalFilename: name,
    ProductName: description,
    ProductVersion: version,
    LegalCopyright: `(c) ${company}`,
  };
  writeFileSync(
    rc,
    `1 VERSIONINFO
FILEVERSION ${comma}
PRODUCTVERSION ${comma}
FILEOS 0x40004
FILETYPE 3
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
${Object.entries(text)
  .map(([k, v]) => `      VALUE "${k}", "${v}"`)
  .join("\n")}
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
`,
  );
  const object = `${rc}.o`;
  binutil(arch, "windres", ["-i", rc, "-o", object]);
  return object;
}
