import type { SentQuestion } from "pooltrail/worker";
import { z } from "zod";
import type { Takes } from "./open-files.ts";

/** Makes of a path that an assistant names the true one. @throws {OutsideError} it may not be read */
type Within = (path: string) => string;

/** A command of the command line, as a tool. */
export interface Tool {
  readonly name: string;
  readonly takes: Takes;
  /** For an assistant, which knows nothing else of it. */
  readonly description: string;
  /** What the command has to be told, beyond the file. */
  readonly input: z.ZodRawShape;
  readonly question: (input: unknown, within: Within) => SentQuestion;
}

function tool<S extends z.ZodRawShape>(
  name: string,
  takes: Takes,
  description: string,
  input: S,
  question: (input: z.infer<z.ZodObject<S>>, within: Within) => SentQuestion,
): Tool {
  const known = z.object(input);
  return {
    name,
    takes,
    description,
    input,
    question: (given, within) => question(known.parse(given), within),
  };
}

const ADDRESS = z
  .string()
  .describe(
    "An expression as in WinDbg: hex digits (fffff8047bc01172, 0x8096c909), 0n and decimal, nt!SeQueryInformationToken+0x3d, ctstor+1234, poi(nt!PsLoadedModuleList)",
  );
const TAG = z.string().describe("A pool tag of up to four characters, case matters: `Se` means `Se  `");
const MODULE = z
  .string()
  .optional()
  .describe("A module's name as `modules` shows it, a file name, or an address inside it; nt when left out");
const pattern = (of: string): z.ZodOptional<z.ZodString> =>
  z.string().optional().describe(`Of ${of}: * is any run of characters, ? any one; all when left out`);
const length = (things: string, otherwise: string): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .optional()
    .describe(
      `How many ${things}, in hex (L20, 20), or the address of the last one; ${otherwise} when left out`,
    );
const NONE = {};

/** The commands of the command line that answer with a document, in its order. */
export const TOOLS: readonly Tool[] = [
  tool(
    "trace",
    "folder",
    "From a leaking pool tag to the driver or process that makes it grow: references to the tag, exported functions that lead to an allocation with it, who calls them, suspects in order with the evidence for and against each, and a conclusion with its confidence. Start here. Without tags it traces those that look like leaks.",
    {
      tags: z.array(TAG).optional().describe("Those that look like leaks when left out; a folder needs one"),
    },
    ({ tags }) => ({ command: "trace", ...(tags === undefined ? {} : { tags }) }),
  ),
  tool(
    "info",
    "dump",
    "What the dump is, of which machine and Windows build, what it holds, the bugcheck, and what ran.",
    NONE,
    () => ({ command: "info" }),
  ),
  tool(
    "modules",
    "folder",
    "Loaded and unloaded modules with their publishers, and how many of each one's bytes can be read (WinDbg's lm).",
    { pattern: pattern("names") },
    (input) => ({ command: "modules", ...input }),
  ),
  tool(
    "memory",
    "dump",
    "The machine's memory summary, each line with its source (WinDbg's !vm 1).",
    NONE,
    () => ({ command: "memory" }),
  ),
  tool(
    "tags",
    "dump",
    "Pool usage by tag, and which tags look like leaks (WinDbg's !poolused). With `since` what grew since an older dump of the same machine.",
    {
      pattern: pattern("tags"),
      sort: z
        .enum(["paged", "nonpaged", "bytes", "count", "tag"])
        .optional()
        .describe("By bytes of one pool or both, by count, by tag"),
      top: z
        .int()
        .min(1)
        .max(999_999)
        .optional()
        .describe("The first so many of that order; the largest when no order is given"),
      since: z.string().optional().describe("The path of an older dump of the same machine"),
      force: z.boolean().optional().describe("With since: compare dumps of two machines all the same"),
    },
    ({ since, force, ...query }, within) => {
      if (since === undefined) return { command: "tags", ...query };
      const { pattern, top } = query;
      return { command: "growth", older: within(since), force, pattern, top };
    },
  ),
  tool(
    "scan",
    "folder",
    "Every reference to a tag in every module, the function it stands in, and what the code does there.",
    { tag: TAG },
    (input) => ({ command: "scan", ...input }),
  ),
  tool(
    "near",
    "folder",
    "The exported names below and above addresses, and the functions that these stand in (WinDbg's ln).",
    { addresses: z.array(ADDRESS).min(1) },
    (input) => ({ command: "near", ...input }),
  ),
  tool(
    "pointers",
    "folder",
    "Which modules hold an address, and which of the places are import slots.",
    { address: ADDRESS },
    (input) => ({ command: "pointers", ...input }),
  ),
  tool(
    "pool",
    "dump",
    "Which block of a pool an address lies in, with the blocks of its page (WinDbg's !pool).",
    { address: ADDRESS },
    (input) => ({ command: "pool", ...input }),
  ),
  tool(
    "headers",
    "image",
    "PE headers, directories, sections, PDB identity and version of a module (WinDbg's !dh).",
    { module: MODULE },
    ({ module }) => ({ command: "headers", ...of(module) }),
  ),
  tool(
    "imports",
    "image",
    "Each import slot of a module with the function that it points to; with `length` any memory as pointers with names, such as a stack (WinDbg's dps).",
    { module: MODULE, length: length("pointers", "the import slots of the module") },
    ({ module, length }) => ({ command: "imports", ...of(module), length }),
  ),
  tool(
    "exports",
    "image",
    "A module's exported functions, and where forwarders lead.",
    { module: MODULE },
    ({ module }) => ({ command: "exports", ...of(module) }),
  ),
  tool(
    "functions",
    "image",
    "A module's functions with their pieces, and on which basis each is known.",
    { module: MODULE },
    ({ module }) => ({ command: "functions", ...of(module) }),
  ),
  tool(
    "calls",
    "image",
    "Who calls a function in a module's code, and what it calls.",
    {
      module: MODULE,
      function: z.string().describe("A name that the module exports or imports, or an address"),
    },
    ({ module, function: wanted }) => ({ command: "calls", ...of(module), function: wanted }),
  ),
  tool(
    "code",
    "image",
    "The instructions around an address, or of its function, with names, and with marks for what happens to what a documented call acquires (WinDbg's u, ub, uf).",
    {
      address: ADDRESS,
      view: z.enum(["around", "from", "before", "function"]).optional().describe("around when left out"),
      lines: z.int().min(1).max(999_999).optional().describe("So many instructions; 16 when left out"),
    },
    (input) => ({ command: "code", ...input }),
  ),
  tool(
    "read",
    "folder",
    "Bytes of memory in hex, ?? where one cannot be read, and why (WinDbg's db).",
    { address: ADDRESS, length: length("bytes", "80") },
    (input) => ({ command: "read", ...input }),
  ),
  tool("processes", "dump", "Processes, and those that ended and stay, by image and parent.", NONE, () => ({
    command: "processes",
  })),
  tool(
    "handles",
    "dump",
    "Who holds which objects: handles by process and by type (WinDbg's !handle).",
    {
      of: z
        .string()
        .optional()
        .describe("A process by id or image name, or the pool tag of a kind of object (Toke, Even, Proc)"),
    },
    (input) => ({ command: "handles", ...input }),
  ),
];

function of(module: string | undefined): { readonly module?: string } {
  return module === undefined ? {} : { module };
}
