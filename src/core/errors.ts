import { hex, type Pa, type Va } from "./address.ts";

/** A level of the page tables, by the name of its entry. `L0` to `L3` are ARM64's. */
export type PageLevel = "PML5E" | "PML4E" | "PDPTE" | "PDE" | "PTE" | "L0" | "L1" | "L2" | "L3";

/** Why one page could not be read. Ordinary in a dump: code must expect it. */
export type MemoryFault =
  | { readonly kind: "not-canonical"; readonly va: Va }
  /** What was given leads to far more bytes of images than it has itself: see `lookedAt` in core/limits.ts. */
  | { readonly kind: "passed-over"; readonly va: Va }
  | { readonly kind: "not-mapped"; readonly va: Va; readonly level: PageLevel | "block" | "section" | "file" }
  | { readonly kind: "paged-out"; readonly va: Va; readonly level: PageLevel }
  | { readonly kind: "demand-zero"; readonly va: Va; readonly level: PageLevel }
  | { readonly kind: "prototype"; readonly va: Va; readonly level: PageLevel }
  /**
   * The page, or with `level` the page table that leads to it, is not among the dump's pages; or the dump says that it
   * holds the page, and the file ends before it; or holds it packed, and it cannot be unpacked.
   */
  | {
      readonly kind: "not-in-dump" | "truncated" | "damaged";
      readonly va: Va;
      readonly pa: Pa;
      readonly level?: PageLevel;
    };

/** One sentence for a person: `0x400000 is not mapped: PDE not present`. */
export function describeFault(fault: MemoryFault): string {
  const at = hex(fault.va);
  switch (fault.kind) {
    case "not-canonical":
      return `${at} is not an address of this machine: it is not canonical`;
    case "passed-over":
      return `${at} was passed over: the images before it lead to more bytes than there are`;
    case "not-mapped":
      if (fault.level === "block") return `${at} is not in this triage dump`;
      if (fault.level === "section") return `${at} lies outside the image`;
      if (fault.level === "file") return `${at} is past the end of the file: it was cut off`;
      return `${at} is not mapped: ${fault.level} not present`;
    case "paged-out":
      return `${at} is paged out (${fault.level})`;
    case "demand-zero":
      return `${at} was never touched: ${fault.level} is demand-zero`;
    case "prototype":
      return `${at} is shared, and its prototype PTE leads to no page`;
    case "not-in-dump":
      return `${at} is not in the dump: physical page ${hex(fault.pa)}${table(fault.level)} was not written`;
    case "truncated":
      return `${at} is past the end of the file: the dump was cut off before physical page ${hex(fault.pa)}${table(fault.level)}`;
    case "damaged":
      return `${at} is damaged: physical page ${hex(fault.pa)}${table(fault.level)} cannot be unpacked`;
  }
}

function table(level: PageLevel | undefined): string {
  return level === undefined ? "" : ` with its ${level}`;
}

/** What a `FormatError` knows. */
export interface FormatProblem {
  /** The file's name, or what stands for it. */
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** What stands there. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** The bytes are not what the format says: the file is broken, or is something else. */
export class FormatError extends Error implements FormatProblem {
  override readonly name = "FormatError";
  readonly file: string;
  readonly offset: number;
  readonly field: string;
  readonly expected: string;
  readonly found: string;

  constructor(problem: FormatProblem, options?: ErrorOptions) {
    super(
      `${problem.file}+${hex(problem.offset)}: ${problem.field} should be ${problem.expected}, found ${problem.found}`,
      options,
    );
    this.file = problem.file;
    this.offset = problem.offset;
    this.field = problem.field;
    this.expected = problem.expected;
    this.found = problem.found;
  }
}

/** A read of memory that met a hole. */
export class MemoryError extends Error {
  override readonly name = "MemoryError";
  readonly fault: MemoryFault;
  /** How many bytes could be read before the hole. */
  readonly bytesRead: number;

  constructor(fault: MemoryFault, bytesRead: number) {
    super(`${describeFault(fault)} (${bytesRead} bytes read before it)`);
    this.fault = fault;
    this.bytesRead = bytesRead;
  }
}
