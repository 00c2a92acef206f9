/**
 * What a tag stands for that the kernel and its libraries allocate with on behalf of others, as far as it is public;
 * tags of drivers' own are not here. Which functions allocate with it, and which give back, is in pairs/.
 */
export interface TagMeaning {
  readonly tag: string;
  /** A clause that follows "is the tag of". */
  readonly what: string;
  /** Title of a page of Microsoft's documentation, number of an article, or an issue. */
  readonly source: string;
}

/**
 * What the kernel's own tags stand for, where it is documented or told in public.
 *
 * @internal
 */
export const TAG_MEANINGS: readonly TagMeaning[] = [
  {
    tag: "None",
    what: "allocations without a tag of their own (ExAllocatePool): any driver's",
    source: "Windows driver documentation, ExAllocatePool (wdm.h)",
  },
  {
    tag: "Ddk ",
    what: "allocations without a tag of their own, of drivers built with an older kit: any driver's",
    source: "NTDebugging blog, 2009/11/16",
  },
  {
    tag: "Strg",
    what: "strings of the run-time library, allocated for whoever calls it",
    source: "sandboxie-plus/Sandboxie#444",
  },
  {
    tag: "Mdl ",
    what: "memory descriptor lists, one for each buffer of a driver that has one",
    source: "nmap/nmap#1966",
  },
  {
    tag: "Irp ",
    what: "I/O request packets, which a driver allocates or passes on and completes",
    source: "Windows driver documentation, IoAllocateIrp (wdm.h)",
  },
  {
    tag: "FMfn",
    what: "file names of the filter manager, for minifilters that ask for them",
    source: "Microsoft Japan Windows support, 2022-04-19 (jpwinsup.github.io); sandboxie-plus/Sandboxie#1371",
  },
  {
    tag: "EtwR",
    what: "registrations of event providers",
    source: "Windows driver documentation, EtwRegister (wdm.h)",
  },
  {
    tag: "Etwr",
    what: "entries of reply queues of event tracing: events that nobody took",
    source: "ciderapp/Cider-2#1946",
  },
  {
    tag: "EtwD",
    what: "data blocks of event tracing",
    source: "MicrosoftEdge/WebView2Feedback#5593",
  },
  {
    tag: "Fecf",
    what: "layer data that a callout of the filtering platform asked to write to",
    source: "microsoft/Windows-driver-samples#1191",
  },
  {
    tag: "Obtb",
    what: "handle tables: a process keeps many handles, to whatever object",
    source: "deskflow/deskflow#3335",
  },
  {
    tag: "MiP2",
    what: "memory management's part of a process, which goes with its object",
    source: "a live dump of build 26200 with 71,703 ended processes, in public",
  },
  {
    tag: "NtFC",
    what: "contexts of files of NTFS",
    source: "microsoft/WSL#40804",
  },
  {
    tag: "WCsc",
    what: "section contexts of the filter for Windows containers (wcifs)",
    source: "microsoft/Windows-Containers#646",
  },
  {
    tag: "Pp  ",
    what: "memory of the PnP manager and of firmware variables",
    source: "TheCruZ/EFI_Driver_Access#1",
  },
  {
    tag: "IoSe",
    what: "memory that the I/O manager takes as it loads a driver",
    source: "KB950162",
  },
  {
    tag: "NpFr",
    what: "data and ends of named pipes",
    source: "kavika13/RemCom#28",
  },
  {
    tag: "Se  ",
    what: "what security functions allocate for their caller, who has to free it",
    source: "Windows driver documentation, SeQueryInformationToken (ntifs.h)",
  },
  {
    tag: "IoWI",
    what: "work items that a driver allocates and frees",
    source: "Windows driver documentation, IoAllocateWorkItem (wdm.h)",
  },
];

const BY_TAG: ReadonlyMap<string, TagMeaning> = new Map(TAG_MEANINGS.map((row) => [row.tag, row]));

export function meaningOf(tag: string): TagMeaning | undefined {
  return BY_TAG.get(tag);
}

/** What an object keeps of the machine's memory besides its own allocations in the pool. */
export interface BesidesPool {
  readonly tag: string;
  /** For each object, about so many. */
  readonly pages: number;
  /** A clause. */
  readonly what: string;
  readonly source: string;
}

const BESIDES_POOL: readonly BesidesPool[] = [
  {
    tag: "Proc",
    pages: 16,
    what: "a process that has ended and is kept: page tables, and what the memory manager has for it",
    source: "a live dump of build 26200 with 71,703 processes that had ended, in public",
  },
];

export function besidesPool(tag: string): BesidesPool | undefined {
  return BESIDES_POOL.find((row) => row.tag === tag);
}
