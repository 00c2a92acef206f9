import { readFileSync } from "node:fs";
import { binutil } from "./toolchain.mjs";

/**
 * What is in an image, from the unstripped link: `nm` for functions and variables, `objdump -d` for calls, and the
 * `@use` lines of the sources for what each reference to a tag does.
 *
 * @typedef {import("./toolchain.mjs").Arch} Arch
 * @typedef {{ name: string, start: number, end: number, fragments: [number, number][], exports: string[] }} Fn
 * @typedef {{ at: number, next: number, bytes: number[], op: string, args: string }} Instruction
 * @typedef {{ tag: string, function: string, use: string }} Use
 */

const hex = (/** @type {number} */ n) => `0x${n.toString(16)}`;
const CALLS = /^(?:rex\.W )?(callq?|jmpq?|j\w+)$/;
const FREES = /^(ExFree|ExpRemove|WwiFree|FltFree)/;
const LOOKASIDES = /^ExInitialize\w*Lookaside/;

/** A C name: without the leading underscore and the argument bytes of 32-bit symbols. @param {string} symbol @param {Arch} arch */
function plainName(symbol, arch) {
  if (arch === "x64") return symbol;
  return symbol.replace(/^[_@]/, "").replace(/^(\w+)@\d+/, "$1");
}

/** @param {readonly string[]} sources @param {string} [driver] of a list for several, those of one @returns {Use[]} */
export function usesIn(sources, driver) {
  const lines = sources.flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const text = lines.filter((line) => driver === undefined || line.startsWith(`${driver} `)).join("\n");
  return [...text.matchAll(/@use '(.{4})' (\w+) (\w+)/g)].map(([, tag, fn, use]) => ({
    tag: /** @type {string} */ (tag),
    function: /** @type {string} */ (fn),
    use: /** @type {string} */ (use),
  }));
}

/** @param {Arch} arch @param {string} file */
function symbolsOf(arch, file) {
  return binutil(arch, "nm", ["-n", file])
    .split("\n")
    .flatMap((line) => {
      const m = /^([0-9a-f]+) (\w) (.+)$/.exec(line.trim());
      return m === null
        ? []
        : [
            {
              address: Number.parseInt(/** @type {string} */ (m[1]), 16),
              type: /** @type {string} */ (m[2]),
              name: /** @type {string} */ (m[3]),
            },
          ];
    });
}

/** @param {Arch} arch @param {string} file @param {number} base @returns {Instruction[]} */
function instructionsOf(arch, file, base) {
  /** @type {Instruction[]} */
  const list = [];
  for (const line of binutil(arch, "objdump", ["-d", "-w", "--insn-width=16", file]).split("\n")) {
    const m = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/.exec(line);
    if (m === null) continue;
    const at = Number.parseInt(/** @type {string} */ (m[1]), 16) - base;
    const bytes = /** @type {string} */ (m[2])
      .trim()
      .split(" ")
      .map((b) => Number.parseInt(b, 16));
    const text = /** @type {string} */ (m[3])
      .trim()
      .replace(/^(lock|rep\w*|rex\.W|data16|cs) /, (_, p) => (p === "rex.W" ? "" : `${p}_`));
    const [op = "", ...rest] = text.split(/\s+/);
    list.push({ at, next: at + bytes.length, bytes, op, args: rest.join(" ") });
  }
  return list.sort((a, b) => a.at - b.at);
}

/** The functions with all their pieces: each piece begins at a symbol and ends at its `.end`. @param {ReturnType<typeof symbolsOf>} symbols @param {Arch} arch @param {number} base */
function functionsOf(symbols, arch, base) {
  /** @type {Map<string, Fn>} */
  const functions = new Map();
  const ends = new Map(
    symbols.filter((s) => s.name.endsWith(".end")).map((s) => [s.name.slice(0, -4), s.address - base]),
  );
  for (const { name: symbol, address } of symbols) {
    const end = ends.get(symbol);
    if (end === undefined) continue;
    const cold = /^(.*)\.cold(\.\d+)?$/.exec(symbol);
    const name = plainName(cold?.[1] ?? symbol, arch);
    const fn = functions.get(name) ?? { name, start: 0, end: 0, fragments: [], exports: [] };
    fn.fragments.push([address - base, end]);
    if (cold === null) [fn.start, fn.end] = [address - base, end];
    functions.set(name, fn);
  }
  for (const { name, type } of symbols)
    if (type === "T" && !/^_*(import_|dll)/.test(name) && !ends.has(name) && !name.endsWith(".end"))
      throw new Error(`no end of ${name}`);
  return [...functions.values()].sort((a, b) => a.start - b.start);
}

/** @param {Arch} arch @param {string} file as objdump -p prints them */
function exportsOf(arch, file) {
  const text = binutil(arch, "objdump", ["-p", file]);
  const rvas = new Map(
    [
      ...text.matchAll(
        /^\t\[ *(\d+)\] \+base\[ *\d+\] +([0-9a-f]+) (?:Export|Forwarder) RVA(?: -- (\S+))?/gm,
      ),
    ].map((m) => [
      Number(m[1]),
      m[3] === undefined ? Number.parseInt(/** @type {string} */ (m[2]), 16) : m[3],
    ]),
  );
  const names = [...text.matchAll(/^\t\[ *(\d+)\] (?!\+base)(\S+)$/gm)];
  const base = Number(/Ordinal Base\s+(\d+)/.exec(text)?.[1] ?? 1);
  /** @type {{ name: string | null, ordinal: number, rva: number | null, forwarder: string | null }[]} */
  const list = [];
  for (const [index, value] of rvas) {
    const name = names.find((m) => Number(m[1]) === index)?.[2] ?? null;
    if (value !== 0)
      list.push({
        name,
        ordinal: base + index,
        rva: typeof value === "number" ? value : null,
        forwarder: typeof value === "string" ? value : null,
      });
  }
  return /** @type {any} */ (list);
}

/** The import that a symbol of the import address table stands for. @param {string} symbol @param {Arch} arch */
const importName = (symbol, arch) =>
  plainName(arch === "x64" ? symbol.slice(6) : symbol.slice(6).replace(/^_(?=\w)/, "_"), arch);

/**
 * @param {{ arch: Arch, file: string, name: string, uses: readonly Use[], compiler: string, flags: readonly string[], dlls: ReadonlyMap<string, { dll: string, ordinal: number | undefined }>, lenient?: boolean }} options
 *   lenient: optimisation may have merged or copied references; only places in functions with one use are listed with it
 */
export function truthOf({ arch, file, name, uses, compiler, flags, dlls, lenient = false }) {
  const header = binutil(arch, "objdump", ["-p", file]);
  const base = Number.parseInt(/** @type {string} */ (/ImageBase\s+([0-9a-f]+)/.exec(header)?.[1]), 16);
  const size = Number.parseInt(/** @type {string} */ (/SizeOfImage\s+([0-9a-f]+)/.exec(header)?.[1]), 16);
  const symbols = symbolsOf(arch, file);
  const code = instructionsOf(arch, file, base);
  const functions = functionsOf(symbols, arch, base);
  const exported = /** @type {any[]} */ (exportsOf(arch, file));
  for (const e of exported) functions.find((f) => f.start === e.rva)?.exports.push(e.name ?? `#${e.ordinal}`);
  const at = (/** @type {number} */ rva) =>
    functions.find((f) => f.fragments.some(([s, e]) => rva >= s && rva < e));
  const entries = new Map(functions.map((f) => [f.start, f]));
  const slots = new Map(
    symbols
      .filter((s) => /^__imp_(?!_?(load|delay)_)/.test(s.name))
      .map((s) => [s.address - base, importName(s.name, arch)]),
  );
  for (const s of symbols)
    if (/^_*imp_delay_\w+$/.test(s.name))
      slots.set(s.address - base, `delay:${s.name.replace(/^_*imp_delay_/, "")}`);

  /** @type {{ at: string, next: string, from: string, to: string, form: string }[]} */
  const calls = [];
  /** @type {{ at: string, next: string, from: string, slot: string, name: string, form: string }[]} */
  const importCalls = [];
  /** @type {Map<number, string>} call or jump to the name it reaches, for the uses */
  const reached = new Map();
  /** @type {{ at: string, next: string, from: string }[]} */
  const indirect = [];
  /** @type {Map<string, number>} register to the slot that it was loaded from */
  let loaded = new Map();
  let current;
  for (const i of code) {
    const fn = at(i.at);
    if (fn !== current) loaded = new Map();
    current = fn;
    if (fn === undefined) continue;
    const absolute = /\*(?:%cs:|%ds:)?0x([0-9a-f]+)$/.exec(i.args);
    const relative = /# ([0-9a-f]+)/.exec(i.args);
    const memory =
      relative !== null
        ? Number.parseInt(/** @type {string} */ (relative[1]), 16) - base
        : absolute !== null
          ? Number.parseInt(/** @type {string} */ (absolute[1]), 16) - base
          : undefined;
    const register = /^\*(%\w+)$/.exec(i.args)?.[1];
    const slotOf =
      memory !== undefined && i.args.startsWith("*")
        ? memory
        : register !== undefined
          ? loaded.get(register)
          : undefined;
    const load = /^mov/.test(i.op) ? /(?:# ([0-9a-f]+)|^(?:%ds:)?0x([0-9a-f]+),)/.exec(i.args) : null;
    const target = /,(%[a-z]\w+)\b/.exec(i.args)?.[1];
    if (CALLS.test(i.op)) {
      const form = i.op.startsWith("call") ? "call" : i.op.startsWith("jmp") ? "jmp" : "jcc";
      const direct = /^([0-9a-f]+)\b/.exec(i.args);
      if (slotOf !== undefined && slots.has(slotOf)) {
        importCalls.push({
          at: hex(i.at),
          next: hex(i.next),
          from: fn.name,
          slot: hex(slotOf),
          name: /** @type {string} */ (slots.get(slotOf)),
          form: `${form} ${register === undefined ? "[slot]" : "register"}`,
        });
        reached.set(i.at, /** @type {string} */ (slots.get(slotOf)));
      } else if (i.args.startsWith("*")) indirect.push({ at: hex(i.at), next: hex(i.next), from: fn.name });
      else if (direct !== null) {
        const callee = entries.get(Number.parseInt(/** @type {string} */ (direct[1]), 16) - base);
        if (callee !== undefined && (form === "call" || callee !== fn)) {
          calls.push({ at: hex(i.at), next: hex(i.next), from: fn.name, to: callee.name, form });
          reached.set(i.at, callee.name);
        }
      }
    }
    if (load !== null && target !== undefined) {
      const from = Number.parseInt(/** @type {string} */ (load[1] ?? load[2]), 16) - base;
      if (slots.has(from)) loaded.set(target, from);
      else loaded.delete(target);
    } else if (target !== undefined && !CALLS.test(i.op) && !/^(cmp|test|bt)/.test(i.op))
      loaded.delete(target);
    if (i.op.startsWith("call"))
      for (const r of ["%rax", "%rcx", "%rdx", "%r8", "%r9", "%r10", "%r11", "%eax", "%ecx", "%edx"])
        loaded.delete(r);
  }

  return {
    image: name,
    arch,
    compiler,
    flags: flags.join(" "),
    imageBase: hex(base),
    sizeOfImage: hex(size),
    functions: functions.map((f) => ({
      name: f.name,
      entry: hex(f.start),
      fragments: f.fragments.map(([s, e]) => [hex(s), hex(e)]),
      exports: f.exports,
    })),
    calls,
    importCalls,
    indirectCalls: indirect,
    tags: tagReferences({ arch, file, base, code, at, uses, reached, lenient }),
    exports: exported.map((e) => ({ ...e, rva: e.rva === null ? null : hex(e.rva) })),
    imports: [...slots].map(([slot, n]) => ({
      slot: hex(slot),
      name: n,
      dll: dlls.get(n.replace(/^delay:/, ""))?.dll ?? null,
      ordinal: dlls.get(n)?.ordinal ?? null,
    })),
    variables: Object.fromEntries(
      symbols
        .filter((s) => /^[bBdDrR]$/.test(s.type) && /^_?[A-Z]\w*$/.test(s.name) && s.address >= base)
        .map((s) => [plainName(s.name, arch), hex(s.address - base)]),
    ),
  };
}

/**
 * Every place of every tag that the sources name, in all sections of the file.
 * @param {{ arch: Arch, file: string, base: number, code: readonly Instruction[], at: (rva: number) => Fn | undefined, uses: readonly Use[], reached: ReadonlyMap<number, string>, lenient: boolean }} options
 */
function tagReferences({ arch, file, base, code, at, uses, reached, lenient }) {
  const bytes = readFileSync(file);
  const sections = [
    ...binutil(arch, "objdump", ["-h", "-w", file]).matchAll(
      /^ +\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)/gm,
    ),
  ]
    .map((m) => ({
      name: /** @type {string} */ (m[1]),
      size: Number.parseInt(/** @type {string} */ (m[2]), 16),
      rva: Number.parseInt(/** @type {string} */ (m[3]), 16) - base,
      offset: Number.parseInt(/** @type {string} */ (m[4]), 16),
    }))
    .filter((s) => s.offset !== 0);
  const found = [];
  const met = new Set();
  for (const tag of new Set(uses.map((u) => u.tag))) {
    for (const section of sections) {
      const area = bytes.subarray(section.offset, section.offset + section.size);
      for (const needle of [tag, `${tag.slice(0, 3)}${String.fromCharCode(tag.charCodeAt(3) | 0x80)}`]) {
        for (let i = area.indexOf(needle, 0, "latin1"); i >= 0; i = area.indexOf(needle, i + 1, "latin1")) {
          const rva = section.rva + i;
          const fn = at(rva);
          const index = code.findIndex((c) => rva >= c.at && rva < c.next);
          const instruction = code[index];
          const listed = uses.filter((u) => u.tag === tag && u.function === fn?.name).map((u) => u.use);
          let use = fn === undefined ? "data" : listed.length === 1 ? /** @type {string} */ (listed[0]) : "";
          if (use === "") {
            // several uses in one function: the next call tells
            for (
              let k = index;
              use === "" && k < code.length && at(/** @type {Instruction} */ (code[k]).at) === fn;
              k++
            ) {
              const callee = reached.get(/** @type {Instruction} */ (code[k]).at);
              if (callee !== undefined)
                use = FREES.test(callee)
                  ? "free"
                  : LOOKASIDES.test(callee)
                    ? "lookaside"
                    : /Alloc/.test(callee)
                      ? "allocate"
                      : "";
            }
            if (!listed.includes(use)) {
              if (!lenient)
                throw new Error(
                  `${file}: '${tag}' at ${hex(rva)} in ${fn?.name}: listed ${listed.join(", ") || "nothing"}, the next call says ${use || "nothing"}`,
                );
              use ||= "unknown";
            }
          }
          met.add(`${tag} ${fn?.name}`);
          found.push({
            tag,
            rva: hex(rva),
            section: section.name,
            function: fn?.name ?? null,
            use: use === "wrapper" ? "allocate" : use,
            ...(use === "wrapper" ? { through: "wrapper" } : {}),
            instruction: instruction === undefined || fn === undefined ? null : hex(instruction.at),
          });
        }
      }
    }
  }
  for (const u of uses)
    if (!lenient && u.use !== "data" && !met.has(`${u.tag} ${u.function}`))
      throw new Error(`${file}: no '${u.tag}' in ${u.function}`);
  return found;
}
