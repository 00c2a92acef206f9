import { random } from "../writer/bytes.mjs";

/**
 * Lays a compiler's assembly out as profile-guided builds do: blocks that nothing falls into are taken out of their
 * functions and put far away, in among those of other functions, reached by jumps only. On x64 each piece gets a
 * chained unwind entry. GNU's and LLVM's tools have no such mode.
 *
 * @typedef {import("./toolchain.mjs").Arch} Arch
 * @typedef {{ name: string, lines: string[] }} Piece
 */

const UNCONDITIONAL = /^\s*(jmp|ret|ud2)/;
const INSTRUCTION = /^\s+[a-z]/;
const LABEL = /^\.?L\w+:/;
const REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");

/**
 * The runs of lines that can stand anywhere: they start at a label that nothing falls into, and end in a jump or return.
 * @param {readonly string[]} body @returns {[start: number, end: number][]}
 */
function movable(body) {
  /** @type {[number, number][]} */
  const runs = [];
  let fallsThrough = true;
  /** @type {number | undefined} */
  let start;
  let inCode = true;
  body.forEach((line, i) => {
    if (/^\s*\.section\s+\.rdata/.test(line)) inCode = false;
    if (/^\s*(\.text|\.section\s+\.text|\.section\s+(PAGE|INIT))/.test(line)) inCode = true;
    if (!inCode) {
      start = undefined;
      return;
    }
    if (LABEL.test(line) && !fallsThrough && start === undefined) start = i;
    if (!INSTRUCTION.test(line)) return;
    fallsThrough = !UNCONDITIONAL.test(line);
    if (!fallsThrough && start !== undefined) {
      runs.push([start, i + 1]);
      start = undefined;
    }
  });
  return runs;
}

/** The unwind codes of a prologue, as bytes in assembly; labels take the directives' places. @param {string[]} lines changed @param {string} id @param {string} start */
function unwindCodes(lines, id, start) {
  /** @type {string[]} */
  const codes = [];
  let frame = "0";
  let count = 0;
  lines.forEach((line, i) => {
    const [, op, args = ""] = /^\s*\.seh_(\w+)\s*(.*)$/.exec(line) ?? [];
    if (op === undefined) return;
    const here = `.Lscatter_${id}_${i}`;
    const register = () => REGISTERS.indexOf(args.split(",")[0]?.replace("%", "").trim() ?? "");
    if (op === "pushreg") codes.unshift(`    .byte ${here} - ${start}, ${register() << 4}`);
    else if (op === "setframe") {
      frame = String(register() | ((Number(args.split(",")[1]) / 16) << 4));
      codes.unshift(`    .byte ${here} - ${start}, 3`);
    } else if (op === "stackalloc") {
      const size = Number(args);
      if (size <= 128) codes.unshift(`    .byte ${here} - ${start}, ${(((size - 8) / 8) << 4) | 2}`);
      else codes.unshift(`    .byte ${here} - ${start}, 1\n    .short ${size / 8}`);
      if (size > 128) count++;
    } else if (op !== "endprologue") throw new Error(`.seh_${op}`);
    if (op !== "endprologue") count++;
    lines[i] = `${here}:`;
    if (op === "endprologue") codes.push(`${here}`);
  });
  const end = codes.pop();
  return { count, frame, prologue: `${end} - ${start}`, bytes: codes };
}

/**
 * @param {string} text the compiler's assembly @param {{ arch: Arch, seed: number, file: string }} options file: makes the labels unique
 * @returns {string} assembly with every piece's end marked
 */
export function scatter(text, { arch, seed, file }) {
  const next = random(seed);
  /** @type {Piece[]} */
  const far = [];
  /** @type {string[]} */
  const tables = [];
  /** @type {string[]} */
  const out = [];
  const lines = text.split("\n");
  let functions = 0;
  let inText = true;
  for (let i = 0; i < lines.length; i++) {
    const line = /** @type {string} */ (lines[i]);
    if (/^\s*\.(text|section)\b/.test(line)) inText = /^\s*\.(text|section\s+\.text)/.test(line);
    const begins = arch === "x64" ? /^\s*\.seh_proc\s+"?([^"\s]+)/.exec(line) : /^([_@][\w@]+):$/.exec(line);
    const name = begins?.[1];
    const isEnd = arch === "x64" ? /^\s*\.seh_endproc/ : /^\s*\.cfi_endproc/;
    if (
      name === undefined ||
      (arch === "x86" && !lines.slice(i + 1, i + 4).some((l) => /\.cfi_startproc/.test(l)))
    ) {
      out.push(line);
      continue;
    }
    const end = lines.findIndex((l, k) => k > i && isEnd.test(l));
    const whole = lines.slice(i + 1, end).filter((l) => !/^\s*\.cfi_/.test(l));
    i = end;
    const id = `${file}${functions++}`;
    const body = arch === "x86" ? [`${name}:`, ...whole] : whole;
    const unwind =
      arch === "x64" && body.some((l) => /\.seh_(push|stack|set)/.test(l))
        ? unwindCodes(body, id, name)
        : undefined;
    const kept = unwind === undefined ? body.filter((l) => !/^\s*\.seh_/.test(l)) : body;
    const taken = inText ? movable(kept).filter(() => next(3) > 0) : [];
    far.push(
      ...taken.map(([from, to], k) => ({
        name: `${name}.cold.${k}`,
        lines: kept.slice(from, to).filter((l) => !/p2align/.test(l)),
      })),
    );
    out.push(...kept.filter((_, k) => !taken.some(([from, to]) => k >= from && k < to)), `${name}.end:`);
    if (unwind === undefined) continue;
    const parent = `.Lunwind_${id}`;
    tables.push(
      "    .section .xdata",
      "    .p2align 2",
      `${parent}:`,
      `    .byte 1, ${unwind.prologue}, ${unwind.count}, ${unwind.frame}`,
      ...unwind.bytes,
      "    .p2align 2",
    );
    if (taken.length > 0)
      tables.push(`${parent}_chain:`, "    .byte 0x21, 0, 0, 0", `    .rva ${name}, ${name}.end, ${parent}`);
    tables.push(
      "    .section .pdata",
      `    .rva ${name}, ${name}.end, ${parent}`,
      ...taken.map((_, k) => `    .rva ${name}.cold.${k}, ${name}.cold.${k}.end, ${parent}_chain`),
    );
  }
  for (let i = far.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [far[i], far[j]] = [/** @type {Piece} */ (far[j]), /** @type {Piece} */ (far[i])];
  }
  out.push(
    '    .section .text.unlikely,"x"',
    ...far.flatMap((p) => [
      `    .def ${p.name}; .scl 3; .type 32; .endef`,
      `${p.name}:`,
      ...p.lines,
      `${p.name}.end:`,
    ]),
    ...tables,
    "",
  );
  return out.join("\n");
}
