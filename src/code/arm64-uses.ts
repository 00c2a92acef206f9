import { hex, type Rva } from "../core/address.ts";
import { type ArmInstruction, decodeArm } from "../isa/arm64/instructions.ts";
import type { CodeRun } from "../isa/instruction.ts";
import { StraightLine, type Words, wordsOf } from "./arm64-line.ts";
import type { DataFlow } from "./data-flow.ts";
import type { ModuleCode } from "./module-code.ts";
import type { TagUse } from "./reached.ts";

/** Instructions between the two that make one number, where compilers mix them with others. */
const MAX_APART = 16;
/** Bytes that an LDR of a literal reaches, to either side. */
const LITERAL_REACH = 0x10_0000;

/**
 * Where ARM64 code makes a number out of two halves: the places of the first of the two instructions. Byte searches
 * find none of these.
 *
 * @param keys the numbers, as u32
 */
export function armTagPlaces(
  code: ModuleCode,
  keys: readonly number[],
): readonly { rva: Rva; key: number }[] {
  const found: { rva: Rva; key: number }[] = [];
  for (const run of code.runs) {
    const words = wordsOf(run);
    for (let at = words.first; at + 4 <= run.end; at += 4) {
      const word = words.at(at);
      // MOVZ of the low or the high half
      if ((word & 0x7f800000) !== 0x52800000) continue;
      const first = decodeArm(word, at);
      if (first.kind !== "number" || first.keep || first.shift > 16 || first.register === 31) continue;
      const half = (key: number): number => (key >>> first.shift) & 0xffff;
      for (const key of keys) {
        if (half(key) !== first.value) continue;
        if (
          otherHalf(words, run, at, first.register, 16 - first.shift) ===
          (key >>> (16 - first.shift)) % 0x10000
        )
          found.push({ rva: at as Rva, key });
      }
    }
  }
  return found;
}

/** The other 16 bits, which a MOVK puts into the same register. */
function otherHalf(
  words: Words,
  run: CodeRun,
  from: number,
  register: number,
  shift: number,
): number | undefined {
  for (let at = from + 4; at <= from + MAX_APART * 4 && at + 4 <= run.end; at += 4) {
    const next = decodeArm(words.at(at), at);
    if (next.kind === "number" && next.register === register)
      return next.keep && next.shift === shift ? next.value : undefined;
    if (changes(next, register) || leaves(next)) return undefined;
  }
  return undefined;
}

/** What happens to the tag whose bytes stand at `rva`, or that the code there makes; told of straight lines of code. */
export function armUse(flows: DataFlow, rva: Rva): TagUse {
  const { code, functions } = flows.image;
  const nowhere = { instruction: undefined, function: functions.owning(rva)[0]?.entry };
  if (!code.isCode(rva))
    return { ...nowhere, use: "data", detail: "in data; arm64 code that reads it is not looked for" };
  const run = code.runAt(rva);
  if (run === undefined) return { ...nowhere, use: "unknown", detail: "the page cannot be read" };
  const words = wordsOf(run);
  const made = decodeArm(words.at(rva), rva);
  const starts =
    rva % 4 === 0 && made.kind === "number" && !made.keep
      ? [{ at: rva as number, register: made.register, how: "made" }]
      : loadsOf(words, run, rva).map((load) => ({ ...load, how: "loaded" }));
  for (const { at, register, how } of starts) {
    const [owner] = functions.owning(at);
    const base = { instruction: at as Rva, function: owner?.entry };
    const use = new StraightLine(flows, words, run, at, register).use();
    if (use !== undefined) return { ...base, ...use };
    if (at === starts.at(-1)?.at) {
      const detail = `${how} at ${hex(at)} in register ${register}; arm64 code is followed in straight lines only, and where it goes was not seen`;
      return { ...base, use: "unknown", detail };
    }
  }
  return { ...nowhere, use: "unknown", detail: "no arm64 instruction was found that loads the bytes" };
}

/** The instructions that load the word at `rva` from among the code. */
function loadsOf(words: Words, run: CodeRun, rva: number): readonly { at: number; register: number }[] {
  const found: { at: number; register: number }[] = [];
  const end = Math.min(run.end - 4, rva + LITERAL_REACH);
  for (let at = Math.max(words.first, (rva & ~3) - LITERAL_REACH); at <= end; at += 4) {
    const word = words.at(at);
    if ((word & 0xff000000) !== 0x18000000) continue;
    const load = decodeArm(word, at);
    if (load.kind === "literal" && load.place === rva) found.push({ at, register: load.register });
  }
  return found;
}

function changes(instruction: ArmInstruction, register: number): boolean {
  if (instruction.kind === "other") return instruction.writes.includes(register);
  return (
    "register" in instruction &&
    instruction.register === register &&
    !/store|-register/.test(instruction.kind)
  );
}

function leaves({ kind }: ArmInstruction): boolean {
  return /^(?:call|jump|branch|end)/.test(kind);
}
