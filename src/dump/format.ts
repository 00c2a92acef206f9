import type { Bytes } from "../core/bytes.ts";
import type { ByteSource } from "../source/source.ts";
import type { MachineFacts } from "./facts.ts";
import type { DumpHeader } from "./header.ts";
import type { PageMap } from "./page-map.ts";
import type { TriageBlock } from "./triage-blocks.ts";

/** A kind of file that holds the memory of a Windows machine. Each is one file of this folder, and one row in `open.ts`. */
export interface DumpFormat {
  /** What its files start with, for the error over a file that no format takes; absent where nothing tells them. */
  readonly starts?: string;
  /**
   * Whether a file is of this format. It need not be whole: `open` says what is wrong with it.
   *
   * @param head its first bytes, `HEAD_SIZE` of them or all there are; `head.file` is its name
   * @param size of the file, in bytes
   */
  recognise(head: Bytes, size: number): boolean;
  /**
   * Reads what the file is and where its memory stands, not the memory.
   *
   * @throws {FormatError} nothing can be read of it; the message says why and what to do
   */
  open(files: DumpFiles): OpenedDump;
}

/** Bytes of a file that tell its format. */
export const HEAD_SIZE = 0x1000;

/** The file that was named, and those beside it. Whoever made it closes what it gave. */
export interface DumpFiles {
  readonly main: ByteSource;
  /**
   * Another file in the same folder, such as the `.vmss` that tells where a `.vmem` has its pages.
   *
   * @returns `undefined` where there is none, or nothing but the one file is known
   */
  sibling(name: string): ByteSource | undefined;
}

/** What the container holds, as `info` names it. */
export type DumpKind =
  | "full"
  | "summary"
  | "bitmap-full"
  | "bitmap-kernel"
  | "rdmp-kernel"
  | "rdmp-kernel-user"
  | "rdmp-full"
  | "triage"
  | "hibernation"
  | "elf-core"
  | "lime"
  | "kdump"
  | "vmware"
  | "raw"
  | "header-only";

/** The memory in a container: physical pages, or pieces of virtual memory. */
export type DumpMemory =
  | {
      /** What the page map's offsets are of: the file itself, another file, or what unpacks it. */
      readonly source: ByteSource;
      readonly pages: PageMap;
    }
  | {
      readonly source: ByteSource;
      /** In no order; none where the container holds no memory at all. */
      readonly blocks: readonly TriageBlock[];
    };

/** A dump of whatever format: where its memory stands, and what it knows of the machine. */
export interface OpenedDump {
  /** The file that was named; whoever opened it closes it. */
  readonly source: ByteSource;
  readonly kind: DumpKind;
  readonly memory: DumpMemory;
  /**
   * The file is memory from the first byte on, and nothing in it says that it is, or what of the machine it leaves out: a
   * kernel has to be found in it.
   */
  readonly flat?: boolean;
  readonly facts: MachineFacts;
  /** Who wrote it, where it tells. */
  readonly writer: "kernel" | "debugger" | "qemu" | "virtualbox" | undefined;
  /** The Windows crash header, of the containers that have one. What it says of the machine is in `facts` too. */
  readonly header: DumpHeader | undefined;
  /** What is missing from the file, or is odd about it; one sentence each. */
  readonly notes: readonly string[];
}
