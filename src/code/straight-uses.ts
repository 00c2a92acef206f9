import { hex, type Rva } from "../core/address.ts";
import type { CodeRun, SimpleInstruction } from "../isa/instruction.ts";
import type { SimpleDecoding } from "../isa/instruction-set.ts";
import type { DataFlow } from "./data-flow.ts";
import type { ModuleCode } from "./module-code.ts";
import type { TagUse } from "./reached.ts";
import { StraightLine } from "./straight-line.ts";

/** Instructions between the two that make one number, where compilers mix them with others. */
const MAX_APART = 16;
/** Bytes that a load of a literal reaches, to either side. */
const LITERAL_REACH = 0x10_0000;

/**
 * Where code makes a number out of two halves: the places of the first of the two instructions. Byte searches find none
 * of these. None in sets whose instructions hold numbers whole.
 *
 * @param keys the numbers, as u32
 */
export function madeNumbers(code: ModuleCode, keys: readonly number[]): readonly { rva: Rva; key: number }[] {
  const { simple } = code.set;
  const found: { rva: Rva; key: number }[] = [];
  if (simple === undefined) return found;
  for (const run of code.runs) {
    simple.eachNumber(run, (at, first) => {
      if (first.kind !== "number" || first.keep || first.shift > 16 || first.register === 31) return;
      for (const key of keys) {
        if (((key >>> first.shift) & 0xffff) !== first.value) continue;
        const other = 16 - first.shift;
        if (otherHalf(simple, run, at, first.register, other) === (key >>> other) % 0x10000)
          found.push({ rva: at as Rva, key });
      }
    });
  }
  return found;
}

/** The other 16 bits, which another instruction puts into the same register. */
function otherHalf(
  { length, at: instructionAt }: SimpleDecoding,
  run: CodeRun,
  from: number,
  register: number,
  shift: number,
): number | undefined {
  for (let at = from + length; at <= from + MAX_APART * length; at += length) {
    const next = instructionAt(run, at);
    if (next === undefined) return undefined;
    if (next.kind === "number" && next.register === register)
      return next.keep && next.shift === shift ? next.value : undefined;
    if (changes(next, register) || leaves(next)) return undefined;
  }
  return undefined;
}

/** What happens to the tag whose bytes stand at `rva`, or that the code there makes; told of straight lines of code. */
export function straightUse(flows: DataFlow, simple: SimpleDecoding, rva: Rva): TagUse {
  const { code, functions, image } = flows.image;
  const nowhere = { instruction: undefined, function: functions.owning(rva)[0]?.entry };
  if (!code.isCode(rva))
    return {
      ...nowhere,
      use: "data",
      detail: `in data; ${image.machine} code that reads it is not looked for`,
    };
  const run = code.runAt(rva);
  if (run === undefined) return { ...nowhere, use: "unknown", detail: "the page cannot be read" };
  const made = simple.at(run, rva);
  const starts =
    made?.kind === "number" && !made.keep
      ? [{ at: rva as number, register: made.register, how: "made" }]
      : loadsOf(simple, run, rva).map((load) => ({ ...load, how: "loaded" }));
  for (const { at, register, how } of starts) {
    const [owner] = functions.owning(at);
    const base = { instruction: at as Rva, function: owner?.entry };
    const use = new StraightLine(flows, simple, run, at, register).use();
    if (use !== undefined) return { ...base, ...use };
    if (at === starts.at(-1)?.at) {
      const detail = `${how} at ${hex(at)} in register ${register}; ${image.machine} code is followed in straight lines only, and where it goes was not seen`;
      return { ...base, use: "unknown", detail };
    }
  }
  return {
    ...nowhere,
    use: "unknown",
    detail: `no ${image.machine} instruction was found that loads the bytes`,
  };
}

/** The instructions that load the word at `rva` from among the code. */
function loadsOf(
  simple: SimpleDecoding,
  run: CodeRun,
  rva: number,
): readonly { at: number; register: number }[] {
  const found: { at: number; register: number }[] = [];
  simple.eachLiteral(run, (rva & ~3) - LITERAL_REACH, rva + LITERAL_REACH + 1, (at, load) => {
    if (load.kind === "literal" && load.place === rva) found.push({ at, register: load.register });
  });
  return found;
}

function changes(instruction: SimpleInstruction, register: number): boolean {
  if (instruction.kind === "other") return instruction.writes.includes(register);
  return (
    "register" in instruction &&
    instruction.register === register &&
    !/store|-register/.test(instruction.kind)
  );
}

function leaves({ kind }: SimpleInstruction): boolean {
  return /^(?:call|jump|branch|return|stop)/.test(kind);
}
