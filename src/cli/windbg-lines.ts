import { didYouMean } from "../core/nearest-word.ts";
import { COMMAND_NAMES, commandNamed } from "./commands.ts";

/** A line as WinDbg takes it, in the words of this command line. */
export interface TypedLine {
  /**
   * The command, what it is told, and its options; `?` before an expression that is only worked out; none where there is only
   * something to tell.
   */
  readonly words: readonly string[];
  /** What is done otherwise than in WinDbg. */
  readonly told?: string;
}

type Habit = (operands: readonly string[], word: string) => TypedLine;

/** A word, and what stands behind it; `?` needs no space. */
const LINE = /^\s*(?:(!?[a-z][\w-]*)(?:\s+(\S.*?))?|(\?)\s*(\S.*?))\s*;?\s*$/i;
/** In `!for_each_module`, a command for each module stands behind it, in quotes or not. */
const FOR_EACH = /^\s*!for_each_module\s+(?:"(.*)"|(.*?))\s*;?\s*$/i;

/**
 * Reads a line that is typed as in WinDbg: `!poolused /t10 4`, `lm m ABC*`, `dps b8f04000+7880 L42`, or as on this command
 * line: `tags --top 10`.
 *
 * @returns undefined where the first word is no command
 */
export function readTypedLine(line: string): TypedLine | undefined {
  const [, quoted, bare] = FOR_EACH.exec(line) ?? [];
  const every = quoted?.replaceAll("\\", "") ?? bare;
  const [, called, rest = "", question, expression] = LINE.exec(every ?? line) ?? [];
  if (question !== undefined) return { words: ["?", expression ?? ""] };
  if (called === undefined) return undefined;
  const word = called.toLowerCase();
  const operands = operandsOf(rest);
  if (every !== undefined && !/^s\b/.test(word)) return undefined;
  const habit = byHabit(word, operands);
  if (habit !== undefined) return habit;
  const plain = word.replace(/^!/, "");
  if ((commandNamed(word) ?? commandNamed(plain)) !== undefined || plain === "help")
    return { words: [plain, ...operands] };
  const instead = INSTEAD.get(word);
  if (instead !== undefined) return { words: [], told: `there is no ${word} here: ${instead}` };
  return word === plain
    ? undefined
    : { words: [], told: `there is no ${word} here${didYouMean(word, BANGED)}; .help shows what there is` };
}

/** What answers the like of what WinDbg has and this has not. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["x", "exports MODULE lists names, and Tab completes them"],
  ["dt", "types are not known without symbols; db and dps show memory"],
  ["k", "dps ADDRESS L40 of a stack names what it returns to; info has the registers"],
  ["kb", "dps ADDRESS L40 of a stack names what it returns to; info has the registers"],
  ["kv", "dps ADDRESS L40 of a stack names what it returns to; info has the registers"],
  ["r", "info has the registers"],
  ["!thread", "processes shows the processes, info what ran"],
  ["!object", "handles shows who holds which objects"],
  ["!irp", "pool ADDRESS says which block an address lies in, dps what it points to"],
  ["!address", "near says which module an address is in, pool which block of a pool"],
  ["!pte", "read says why an address cannot be read"],
  ["!poolfind", "trace TAG follows the blocks of a tag"],
  ["q", ".exit or Ctrl-D leaves"],
]);
const BANGED: readonly string[] = [
  "!vm",
  "!poolused",
  "!dh",
  ...COMMAND_NAMES.filter((name) => name.startsWith("!")),
];

/** What stands behind a word of WinDbg's in the words of this command line; undefined where both take the same. */
export function byHabit(word: string, operands: readonly string[]): TypedLine | undefined {
  const habit = HABITS.get(word) ?? PATTERNS.find(([pattern]) => pattern.test(word))?.[1];
  return habit?.(operands, word);
}

/** At spaces, but not within quotes, parentheses, or around a sign that stands free: `nt!Name + 3d` is one. */
function operandsOf(text: string): readonly string[] {
  const operands: string[] = [];
  let [operand, depth, quote] = ["", 0, ""];
  for (const letter of text.replace(/(?<=\S)\s+([+-])\s+(?=\S)/g, "$1")) {
    if (quote === letter || (quote === "" && depth === 0 && /["']/.test(letter) && operand === "")) {
      quote = quote === "" ? letter : "";
      if (quote === "") operands.push(operand);
      if (quote === "") operand = "";
    } else if (quote === "" && depth === 0 && /[\s,]/.test(letter)) {
      if (operand !== "") operands.push(operand);
      operand = "";
    } else {
      if (quote === "" && letter === "(") depth++;
      if (quote === "" && letter === ")") depth--;
      operand += letter;
    }
  }
  return operand === "" ? operands : [...operands, operand];
}

const FLAGS = /^-[a-z]$|^\d$/i;
const EVERY_MODULE = "every module is looked at, whatever the range";

/** `!poolused [/tN] [flags] [pattern]`: 2 sorts by nonpaged, 4 by paged bytes. */
const poolUsed: Habit = (operands) => {
  const top = operands.flatMap((word) => /^\/t(\d+)$/i.exec(word)?.[1] ?? [])[0];
  const flags = operands.find((word) => /^(?:0x)?[24]$/i.test(word));
  const others = operands.filter((word) => !/^\/t\d*$/i.test(word) && word !== flags);
  const sort = flags === undefined ? [] : ["--sort", flags.endsWith("4") ? "paged" : "nonpaged"];
  return { words: ["tags", ...others, ...sort, ...(top === undefined ? [] : ["--top", top])] };
};

/** `lm m ABC*`, `lmvm ABC`, `lm vm ABC`; letters alone only say how much is shown. `lm ABC*` is this command line's. */
const listModules: Habit = (operands, word) => {
  const marked = operands.findIndex((one, i) => i < operands.length - 1 && /^[a-z1]{0,4}[am]$/.test(one));
  const letters = word.slice(2) + (operands[marked] ?? "");
  const own = operands.find((one) => one.length > 1);
  const pattern = marked >= 0 ? operands[marked + 1] : /[am]/.test(letters) ? operands[0] : own;
  if (letters.includes("a"))
    return {
      words: ["near", pattern ?? ""],
      told: "near says which module it is, where lm a does in WinDbg",
    };
  return { words: ["modules", ...(pattern === undefined ? [] : [pattern])] };
};

/** `s -a RANGE "Se "` looks for a tag, `s -d RANGE 8096c8cc` for an address; `s Se` is this command line's. */
const search: Habit = (operands, word) => {
  const size =
    /^s-([a-z])$/.exec(word)?.[1] ?? operands.flatMap((one) => /^-([a-z])$/.exec(one)?.[1] ?? [])[0];
  const wanted = operands.at(-1) ?? "";
  if (size === undefined) return { words: ["scan", ...operands] };
  if (size === "a" || size === "b") return { words: ["scan", wanted], told: EVERY_MODULE };
  return { words: ["pointers", wanted], told: EVERY_MODULE };
};

/** Bytes of what each command shows, to which its lengths refer. */
const UNITS = new Map([
  ["dc", 4n],
  ["dd", 4n],
  ["dq", 8n],
  ["du", 2n],
  ["dw", 2n],
]);

const showBytes: Habit = ([address = "", length], word) => {
  const [, count] = /^L\??([0-9a-f]+)$/i.exec(length ?? "") ?? [];
  const bytes =
    count === undefined ? length : `L${(BigInt(`0x${count}`) * (UNITS.get(word) ?? 1n)).toString(16)}`;
  const told = `${word} shows bytes here, as db does; dps shows pointers`;
  return { words: ["read", address, ...(bytes === undefined ? [] : [bytes])], told };
};

/** Of a single address the memory there; of a module's name its import slots, as on this command line. */
const showPointers: Habit = ([address = "", length], word) => {
  const isAddress = word !== "dps" || /^(?:0x)?[0-9a-f`']+$|[+!(]/i.test(address);
  const counted = length ?? (isAddress ? "L10" : undefined);
  return {
    words: ["imports", ...(address === "" ? [] : [address]), ...(counted === undefined ? [] : [counted])],
  };
};

/** `u nt!Name L10`: so many instructions. */
const disassemble: Habit = ([address = "", length], word) => {
  const [, count] = /^L\??([0-9a-f]+)$/i.exec(length ?? "") ?? [];
  const lines = count === undefined ? [] : ["--lines", String(Number.parseInt(count, 16))];
  return { words: [word, address, ...lines] };
};

const headers: Habit = (operands) => ({
  words: ["headers", ...operands.filter((word) => !FLAGS.test(word))],
});

/** `!handle HANDLE FLAGS PROCESS TYPE`: the process's id is hexadecimal there. */
const handles: Habit = ([first = "", flags, process]) => {
  if (process !== undefined)
    return { words: ["handles", /^[0-9a-f]+$/i.test(process) ? `0x${process}` : process] };
  return { words: ["handles", ...(first === "" || first === "0" || flags !== undefined ? [] : [first])] };
};

const HABITS: ReadonlyMap<string, Habit> = new Map(
  Object.entries<Habit>({
    "!poolused": poolUsed,
    poolused: poolUsed,
    "!vm": () => ({ words: ["memory"] }),
    "!dh": headers,
    dh: headers,
    "!pool": ([address = ""]) => ({ words: ["pool", address] }),
    "!process": (operands) => ({
      words: ["processes"],
      ...(operands.some((word) => !FLAGS.test(word)) ? { told: "all processes are shown" } : {}),
    }),
    "!handle": handles,
    "!analyze": () => ({
      words: ["info"],
      told: "info has the bugcheck; trace looks for who leaks",
    }),
    vertarget: () => ({ words: ["info"] }),
    s: search,
    vm: () => ({ words: ["memory"] }),
    dps: showPointers,
    dds: showPointers,
    dqs: showPointers,
    dp: showPointers,
    u: disassemble,
    uf: disassemble,
    ub: disassemble,
  }),
);

const PATTERNS: readonly (readonly [RegExp, Habit])[] = [
  [/^lm[a-z1]*$/, listModules],
  [/^s-[a-z]$/, search],
  [/^d[acdquw]$/, showBytes],
];
