import type { CodeView } from "../trail/listing/lines.ts";

/** One command of the command line: what it is called, what it takes, and what it answers. */
export interface Command {
  readonly name: string;
  /** WinDbg's name for it, because that is what the users' fingers know. */
  readonly aliases: readonly string[];
  /** The operands behind the file, for the usage line. */
  readonly operands: string;
  /** How many operands it takes: at least, and at most. */
  readonly arity: readonly [number, number];
  /** One line, without a full stop. */
  readonly summary: string;
  /** What a person needs to know to use it; paragraphs of the help text. */
  readonly details: readonly string[];
  /** Command lines behind the program's name. */
  readonly examples: readonly string[];
  /** Options that only it takes, by their name in `OPTIONS`. */
  readonly options: readonly string[];
  /** What an alias asks for beyond the command's name. */
  readonly presets?: Readonly<Record<string, { readonly view: CodeView }>>;
  /** What may stand where the dump does: nothing else; a folder of PE files; or a folder and a single one. */
  readonly input: "dump" | "folder" | "image";
}

/** What stands for ADDRESS in every usage line. */
const ADDRESS =
  "ADDRESS is an expression as in WinDbg: hex (8096c909, fffff804'7ba00000), 0n and decimal, nt!SeQueryInformationToken+0x3d, ctstor+1234, SeTokenIsAdmin, poi(nt!PsLoadedModuleList), with + and - and parentheses.";

const LENGTH = (things: string): string =>
  `LENGTH is how many ${things}, in hex as in WinDbg (L20 and 20 are 0n32), or the address of the last one.`;

const NONE = [0, 0] as const;
const ANY = Number.POSITIVE_INFINITY;

export const COMMANDS: readonly Command[] = [
  {
    name: "trace",
    aliases: [],
    operands: "[TAG...]",
    arity: [0, ANY],
    summary: "from a leaking pool tag to the drivers that can make it grow",
    details: [
      "Finds the tag in every loaded image, the exported functions that it is reached from, and the drivers that hold those functions' addresses or call them.",
      "Without a TAG it traces the tags that look like leaks. A tag has four characters and is padded with spaces: Se means `Se  `.",
    ],
    examples: [
      "trace MEMORY.DMP",
      "trace MEMORY.DMP Se --images drivers --html leak.html",
      "trace drivers Se",
    ],
    options: ["system-hive"],
    input: "folder",
  },
  {
    name: "info",
    aliases: [],
    operands: "",
    arity: NONE,
    summary: "what the dump is, what it holds, and the bugcheck",
    details: [],
    examples: ["info MEMORY.DMP", "info MEMORY.DMP --json"],
    options: [],
    input: "dump",
  },
  {
    name: "modules",
    aliases: ["lm"],
    operands: "[PATTERN]",
    arity: [0, 1],
    summary: "loaded and unloaded modules, and how much of each can be read",
    details: [
      "PATTERN takes * for any run of characters and ? for any one, in any case. Of a single module everything is shown.",
    ],
    examples: ["modules MEMORY.DMP", "lm MEMORY.DMP 'ABC*'"],
    options: [],
    input: "folder",
  },
  {
    name: "memory",
    aliases: ["vm"],
    operands: "",
    arity: NONE,
    summary: "the memory summary of !vm 1, each line with its source",
    details: ["What the dump does not hold is `not known`, never 0, and says why."],
    examples: ["memory MEMORY.DMP"],
    options: [],
    input: "dump",
  },
  {
    name: "tags",
    aliases: ["poolused"],
    operands: "[PATTERN]",
    arity: [0, 1],
    summary: "pool usage by tag, of all processors",
    details: [
      "PATTERN takes * for any run of characters and ? for any one. Allocs is what is outstanding, Used is bytes.",
      "The tables are found without symbols: their own hash proves where they are and how they are laid out.",
    ],
    examples: [
      "tags MEMORY.DMP --sort paged --top 10",
      "tags MEMORY.DMP 'Se*' --pooltags pooltag.txt",
      "tags MEMORY.DMP --since YESTERDAY.DMP --top 20",
    ],
    options: ["sort", "top", "since"],
    input: "dump",
  },
  {
    name: "scan",
    aliases: ["s"],
    operands: "TAG",
    arity: [1, 1],
    summary: "every reference to a tag, in every module",
    details: [
      "Looks at every byte, aligned or not, and for the tag with its protected bit (0x80000000) too.",
    ],
    examples: ["scan MEMORY.DMP Se"],
    options: [],
    input: "folder",
  },
  {
    name: "near",
    aliases: ["ln"],
    operands: "ADDRESS...",
    arity: [1, ANY],
    summary: "the exported name below and above an address, and the function it stands in",
    details: [ADDRESS],
    examples: ["near MEMORY.DMP 8096c909", "ln MEMORY.DMP 'nt!SeQueryInformationToken+3d'"],
    options: [],
    input: "folder",
  },
  {
    name: "pointers",
    aliases: [],
    operands: "ADDRESS",
    arity: [1, 1],
    summary: "which modules hold an address, and which of the places are import slots",
    details: [ADDRESS],
    examples: ["pointers MEMORY.DMP 'nt!SeQueryInformationToken'"],
    options: [],
    input: "folder",
  },
  {
    name: "pool",
    aliases: ["!pool"],
    operands: "ADDRESS",
    arity: [1, 1],
    summary: "which block of a pool an address lies in, with the blocks of its page",
    details: [
      ADDRESS,
      "From build 18362 on pools are segment heaps: their keys are found without symbols, and where that fails a header alone is said to be one.",
    ],
    examples: ["pool MEMORY.DMP e1400008"],
    options: [],
    input: "dump",
  },
  {
    name: "headers",
    aliases: ["dh"],
    operands: "[MODULE]",
    arity: [0, 1],
    summary: "PE headers, directories and sections",
    details: [],
    examples: ["headers MEMORY.DMP ctstor", "headers ctstor.sys"],
    options: [],
    input: "image",
  },
  {
    name: "imports",
    aliases: ["dps"],
    operands: "[MODULE | ADDRESS LENGTH]",
    arity: [0, 2],
    summary: "each import slot with the function that it points to; memory as pointers",
    details: [
      "A slot is named by the address it holds; the name that the image declares stands beside it.",
      `With a LENGTH any memory is shown so, a stack above all: dps DUMP ba31fd74 L20. ${LENGTH("pointers")}`,
    ],
    examples: ["imports MEMORY.DMP ctstor", "dps MEMORY.DMP ba31fd74 L20"],
    options: [],
    input: "image",
  },
  {
    name: "exports",
    aliases: [],
    operands: "[MODULE]",
    arity: [0, 1],
    summary: "exported functions, and where forwarders lead",
    details: [],
    examples: ["exports MEMORY.DMP fltmgr"],
    options: [],
    input: "image",
  },
  {
    name: "functions",
    aliases: [],
    operands: "[MODULE]",
    arity: [0, 1],
    summary: "functions with their pieces, and on which basis each is known",
    details: ["Cold code that stands far away belongs to the function that leads there."],
    examples: ["functions MEMORY.DMP ctstor", "functions ctstor.sys"],
    options: [],
    input: "image",
  },
  {
    name: "calls",
    aliases: [],
    operands: "MODULE ADDRESS|NAME",
    arity: [1, 2],
    summary: "who calls a function in a module's code, and what it calls",
    details: [
      "NAME is one that the module exports or imports, ADDRESS an expression as for near: calls DUMP ctstor SeQueryInformationToken. For a PE file MODULE is left out.",
    ],
    examples: ["calls MEMORY.DMP ctstor SeQueryInformationToken", "calls ctstor.sys SeQueryInformationToken"],
    options: [],
    input: "image",
  },
  {
    name: "code",
    aliases: ["u", "uf", "ub"],
    operands: "ADDRESS",
    arity: [1, 1],
    summary: "the instructions around an address, or of its function, with names",
    details: [
      "u lists from the address on, ub what stands before it, uf the whole function, piece by piece; code alone both sides of the address, which is marked.",
      `${ADDRESS} Of a PE file it may be an offset, or a name that it exports.`,
      "Instructions are decoded from the true start of the function, and so those before an address are the ones that run.",
      "Behind ** stands what happens to what a documented call of the function acquires: A is what the first of them does, followed to where it is tested, copied, passed on, stored, given back, returned or lost.",
    ],
    examples: ["uf MEMORY.DMP ctstor+1000", "u MEMORY.DMP 'nt!SeQueryInformationToken' --lines 8"],
    options: ["view", "lines"],
    presets: { u: { view: "from" }, uf: { view: "function" }, ub: { view: "before" } },
    input: "image",
  },
  {
    name: "read",
    aliases: ["db"],
    operands: "ADDRESS [LENGTH]",
    arity: [1, 2],
    summary: "a hex dump, ?? where a byte cannot be read",
    details: [ADDRESS, `${LENGTH("bytes")} 80 when left out.`],
    examples: ["read MEMORY.DMP ctstor 40", "db MEMORY.DMP 'poi(nt!PsLoadedModuleList)' L20"],
    options: [],
    input: "folder",
  },
  {
    name: "processes",
    aliases: ["!process"],
    operands: "",
    arity: NONE,
    summary: "processes, and those that ended and stay, by image and parent",
    details: [
      "A process that ended stays for as long as somebody has a handle or a reference to it. `without handles` counts those that only the kernel or a driver can hold.",
      "A field is shown where what stands there proves to be it: by what the kernel says, by public symbols, or by the processes themselves.",
    ],
    examples: ["processes MEMORY.DMP"],
    options: [],
    input: "dump",
  },
  {
    name: "handles",
    aliases: ["!handle"],
    operands: "[PROCESS|TAG]",
    arity: [0, 1],
    summary: "who holds which objects: handles by process and by type",
    details: [
      "PROCESS is an id or an image's name, as `processes` shows them; TAG the pool tag of a kind of object: Proc, Toke, Even, Key. System's handles are the kernel's.",
      "A handle counts for a type where the header of what it leads to says so, and the pool block around that has the type's tag. What does not prove itself is `not known`.",
    ],
    examples: ["handles MEMORY.DMP", "handles MEMORY.DMP sqlservr.exe", "handles MEMORY.DMP Even"],
    options: [],
    input: "dump",
  },
  {
    name: "repl",
    aliases: [],
    operands: "",
    arity: NONE,
    summary: "a Node REPL with the dump open",
    details: [
      "Lines are taken as in WinDbg (lm, !poolused /t10 4, ln 8096c909, dps b8f04000+7880 L42) or as on this command line, and as JavaScript: each command is a function, `dump` the library's object, `_` and `last` the last value. .help shows more.",
    ],
    examples: ["repl MEMORY.DMP"],
    options: ["system-hive"],
    input: "dump",
  },
  {
    name: "eval",
    aliases: [],
    operands: "[FILE.mjs]",
    arity: [0, 1],
    summary: "a script, or lines as at the REPL's prompt, with the dump open",
    details: [
      "`dump`, `hex` and a function for each command are global to it. -e takes what the prompt takes, WinDbg's lines too, and prints what it gives: eval DUMP -e 'lm().modules.filter((m) => m.thirdParty)'. What a FILE gives as its default is printed, or what it returns where it is a function of the dump.",
      "With --json a value is printed as JSON, addresses as in every document.",
    ],
    examples: ["eval MEMORY.DMP -e 'lm().modules.length' -e '!vm'", "eval MEMORY.DMP report.mjs --json"],
    options: ["eval", "system-hive"],
    input: "dump",
  },
];

/** What keeps the dump open for more than one question, and has no document of its own. */
export const SESSIONS: readonly string[] = ["repl", "eval"];

/** Names and aliases. */
export const COMMAND_NAMES: readonly string[] = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);

/** The command of that name or alias. */
export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name || command.aliases.includes(name));
}
