/** What a driver is there for that is no part of Windows and no device's. */
export type ToolKind =
  /** It copies the machine's memory, and was loaded to make the dump. */
  | "acquisition"
  /** A debugger loaded it. */
  | "debugger"
  /** It watches what the machine does, and was loaded by whoever looks into it. */
  | "monitor"
  /** It leaks, crashes and hangs on purpose, for practice. */
  | "leak-maker";

/** A tool's driver, known by its file's name, and by its company where that can be told. */
export interface Tool {
  readonly name: string;
  readonly kind: ToolKind;
  /** Of the file's name. */
  readonly file: RegExp;
  /** Of the company that its version resource or signature names. */
  readonly company: RegExp;
  readonly source: string;
}

/**
 * Drivers of tools that take dumps, debug, or leak on purpose.
 *
 * @internal
 */
export const TOOLS: readonly Tool[] = [
  {
    name: "WinPmem",
    kind: "acquisition",
    // it loads itself from a temporary file
    file: /^(?:(?:att_)?winpmem(?:_(?:x?64|x?86|x?32|mini\w*))?|pmem)\.sys$|^pme[0-9a-f]+\.tmp$/i,
    company: /velocidex|rekall|google|volatile/i,
    source: "Velocidex/WinPmem",
  },
  {
    name: "DumpIt",
    kind: "acquisition",
    file: /^(?:dumpit|win(?:32|64)dd)\.sys$/i,
    company: /comae|magnet|moonsols|matthieu suiche|msuiche/i,
    source: "Comae DumpIt (Magnet Forensics)",
  },
  {
    name: "LiveKd",
    kind: "acquisition",
    file: /^livekdd\.sys$/i,
    company: /sysinternals|microsoft/i,
    source: "Microsoft, Sysinternals LiveKd",
  },
  {
    name: "FTK Imager",
    kind: "acquisition",
    file: /^ad_driver\.sys$/i,
    company: /accessdata|exterro/i,
    source: "Exterro FTK Imager",
  },
  {
    name: "Belkasoft Live RAM Capturer",
    kind: "acquisition",
    file: /^ramcapture(?:driver)?(?:32|64)?\.sys$/i,
    company: /belkasoft/i,
    source: "Belkasoft Live RAM Capturer",
  },
  {
    name: "local kernel debugging of WinDbg",
    kind: "debugger",
    file: /^kldbgdrv\.sys$/i,
    company: /microsoft/i,
    source: "Microsoft, Debugging Tools for Windows, local kernel debugging",
  },
  {
    name: "Process Explorer",
    kind: "monitor",
    file: /^procexp\d+\.sys$/i,
    company: /sysinternals|microsoft/i,
    source: "Microsoft, Sysinternals Process Explorer",
  },
  {
    name: "Process Monitor",
    kind: "monitor",
    file: /^procmon\d+\.sys$/i,
    company: /sysinternals|microsoft/i,
    source: "Microsoft, Sysinternals Process Monitor",
  },
  {
    name: "NotMyFault",
    kind: "leak-maker",
    file: /^myfault\.sys$/i,
    company: /sysinternals|microsoft|winsider/i,
    source:
      "NTDebugging blog, Troubleshooting Pool Leaks Part 2 and Part 6; Microsoft, Sysinternals NotMyFault",
  },
];

/** A module that is a tool's driver. */
export interface FoundTool {
  readonly tool: Tool;
  /** False: only its file's name says so, for nothing tells who made it. */
  readonly confirmed: boolean;
}

/**
 * Which tool's driver a module is; `undefined` where it is none, or says that it is somebody else's: any file can be
 * given any name.
 */
export function toolOf({
  imageName,
  publisher,
}: {
  readonly imageName: string | null;
  readonly publisher: { readonly company: string | null };
}): FoundTool | undefined {
  const tool = imageName === null ? undefined : TOOLS.find(({ file }) => file.test(imageName));
  if (tool === undefined) return undefined;
  if (publisher.company === null) return { tool, confirmed: false };
  return tool.company.test(publisher.company) ? { tool, confirmed: true } : undefined;
}
