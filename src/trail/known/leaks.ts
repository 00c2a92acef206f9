/** A leak that was solved in public: how it looked, and who it was. It accuses nobody here. */
export interface KnownLeak {
  /** Tags that grew. */
  readonly tags: readonly string[];
  /** Who it was: a driver, a process that kept handles, or Windows itself. */
  readonly culprit: "driver" | "process" | "windows";
  /** Files of whoever it was, in lower case, where that is one product's; it is worth a word only where one of them is there. */
  readonly files: readonly string[];
  /** What happened, a clause. */
  readonly what: string;
  readonly source: string;
}

/**
 * Leaks that were solved in public.
 *
 * @internal
 */
export const KNOWN_LEAKS: readonly KnownLeak[] = [
  {
    tags: ["Proc"],
    culprit: "driver",
    files: ["amdkmdag.sys"],
    what: "a display driver kept a reference to each process that had ended",
    source: "microsoft/Windows-Dev-Performance#137",
  },
  {
    tags: ["Proc"],
    culprit: "driver",
    files: ["dbk64.sys"],
    what: "a driver looked processes up by their ids and did not drop the reference",
    source: "cheat-engine/cheat-engine#273",
  },
  {
    tags: ["NtFC", "File", "IoNm", "FOCX", "WCsc"],
    culprit: "windows",
    files: ["wcifs.sys"],
    what: "the filter for Windows containers kept a context for each file, and NTFS its own with that",
    source: "microsoft/WSL#40804",
  },
  {
    tags: ["WCsc"],
    culprit: "windows",
    files: ["wcifs.sys"],
    what: "the filter for Windows containers never freed section contexts",
    source: "microsoft/Windows-Containers#646",
  },
  {
    tags: ["Toke", "FMfn"],
    culprit: "windows",
    files: ["wcifs.sys"],
    what: "the filter for Windows containers kept tokens and file names",
    source: "microsoft/WSL#41296",
  },
  {
    tags: ["FMfn"],
    culprit: "windows",
    files: ["fltmgr.sys"],
    what: "the filter manager kept a file name for each process that started, while no minifilter was attached",
    source: "Microsoft Japan Windows support, 2022-04-19 (jpwinsup.github.io)",
  },
  {
    tags: ["FMfn", "Strg"],
    culprit: "driver",
    files: ["sbiedrv.sys"],
    what: "a driver asked for file names and did not release them on one of its ways",
    source: "sandboxie-plus/Sandboxie#1371",
  },
  {
    tags: ["SysR"],
    culprit: "driver",
    files: ["sysmondrv.sys"],
    what: "each change of its configuration kept the old rules",
    source: "MicrosoftDocs/sysinternals#92",
  },
  {
    tags: ["Pp  "],
    culprit: "windows",
    files: [],
    what: "builds 19041 to 20226 kept 32 bytes for each question for a firmware variable",
    source: "TheCruZ/EFI_Driver_Access#1",
  },
  {
    tags: ["NPBL", "Mdl ", "4321"],
    culprit: "driver",
    files: ["npcap.sys"],
    what: "a capture driver did not free its copies of packets, nor their lists of pages",
    source: "nmap/nmap#1966",
  },
  {
    tags: ["Etwr", "EtwD"],
    culprit: "process",
    files: [],
    what: "a trace session that nobody took the events of let them pile up; ending the session (logman stop NAME -ets) freed them",
    source: "ciderapp/Cider-2#1946",
  },
  {
    tags: ["BLFP", "BCM0"],
    culprit: "driver",
    files: [],
    what: "a network teaming driver did not free its packets",
    source: "asifkhandevadi.wordpress.com, 2014/07/19",
  },
  {
    tags: ["Key "],
    culprit: "process",
    files: [],
    what: "one program opened one registry key 1.6 million times and closed it never",
    source: "msys2-runtime#369 (find.exe of Git for Windows)",
  },
  {
    tags: ["Proc"],
    culprit: "process",
    files: [],
    what: "a service kept handles to processes that had ended",
    source: "microsoft/Windows-Dev-Performance#65",
  },
  {
    tags: ["Even", "Obtb"],
    culprit: "process",
    files: [],
    what: "one program opened one event 15 million times: handle tables grew, and no event",
    source: "deskflow/deskflow#3335",
  },
  {
    tags: ["NpFr", "File"],
    culprit: "process",
    files: [],
    what: "a service closed none of the three pipes that it opened for each command",
    source: "kavika13/RemCom#28",
  },
  {
    tags: ["Toke"],
    culprit: "windows",
    files: [],
    what: "tokens stayed that no process held; the cause was not found",
    source: "melodic-software/claude-code-plugins#3715",
  },
];

/** Leaks of a tag that were solved in public. @param present file names of the machine's modules, in lower case */
export function knownLeaksOf(tag: string, present: ReadonlySet<string>): readonly KnownLeak[] {
  return KNOWN_LEAKS.filter(
    ({ tags, files }) =>
      tags.includes(tag) && (files.length === 0 || files.some((file) => present.has(file))),
  );
}
