import { windbgHex } from "../core/address.ts";
import type { Gap } from "./gap.ts";

/**
 * What an answer is set from, whatever it is set in: each command makes its answer of these once, and each way to show
 * it knows these. Texts are as they came, from the dump too; whoever shows them makes them harmless. What shows no pictures
 * leaves them out: they say nothing that stands nowhere else.
 */
export type Block = Heading | Facts | Table | Notes | Bars | Graph | Strips;

/** A title, or a sentence on what was found. */
export interface Heading {
  readonly kind: "heading";
  readonly lines: readonly Line[];
  /** What is to be said of just this. */
  readonly notes?: readonly string[];
}

/** Things by their names, a line or several each. */
export interface Facts {
  readonly kind: "facts";
  readonly facts: readonly { readonly label: string; readonly value: readonly (Line | Table)[] }[];
  /** How the names are set off, and how wide their column is at least. */
  readonly labels: Tone;
  readonly width?: number;
}

export interface Table {
  readonly kind: "table";
  readonly heading?: Line;
  /** Where no column has a title, none is shown. */
  readonly columns: readonly Column[];
  readonly rows: Rows;
}

/** A list, or what makes each row when it is asked for: a quarter of a million of them are shown, one after the other. */
export interface Rows extends Iterable<readonly Line[]> {
  readonly length: number;
}

export interface Column {
  readonly title?: string;
  readonly align?: "left" | "right";
  /** In characters; a longer cell moves what stands behind it. As wide as its widest cell where left out. */
  readonly width?: number;
}

/** Holes and doubts under an answer, one a line, each behind the same word. */
export interface Notes {
  readonly kind: "notes";
  readonly label: string;
  readonly notes: readonly string[];
}

/** Amounts beside one another, the largest first. */
export interface Bars {
  readonly kind: "bars";
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly text: string }[];
}

/** Things from their first byte to their last, each as a strip: what of it could not be read, and what stands where. */
export interface Strips {
  readonly kind: "strips";
  readonly title: string;
  readonly strips: readonly {
    readonly label: string;
    /** In bytes. */
    readonly length: number;
    readonly gaps: readonly { readonly start: number; readonly length: number; readonly text: string }[];
    readonly marks: readonly { readonly at: number; readonly text: string }[];
  }[];
}

/** What leads to what, from left to right. */
export interface Graph {
  readonly kind: "graph";
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly nodes: readonly GraphNode[] }[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  /** Its own in the whole graph. */
  readonly id: string;
  readonly label: string;
  readonly below?: string;
  /** It is the one that is named. */
  readonly named?: boolean;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** How much it says, 0 to 1. */
  readonly strength: number;
  /** What it stands on. */
  readonly title: string;
}

export type Tone = "bold" | "dim" | "accent" | "warn";
/** A piece of a line, as it is or set off. */
export type Text = string | { readonly text: string; readonly tone: Tone };
export type Line = Text | readonly Text[];

export const bold = (text: string): Text => ({ text, tone: "bold" });
export const dim = (text: string): Text => ({ text, tone: "dim" });
export const accent = (text: string): Text => ({ text, tone: "accent" });
export const warn = (text: string): Text => ({ text, tone: "warn" });

export function heading(...lines: readonly Line[]): Heading {
  return { kind: "heading", lines };
}

/** A row for each item, made when it is shown. */
export function rowsOf<T>(items: readonly T[], row: (item: T) => readonly Line[]): Rows {
  return {
    length: items.length,
    *[Symbol.iterator]() {
      for (const item of items) yield row(item);
    },
  };
}

/** What is made of each row, when it is asked for. */
export function* mapped<T>(rows: Rows, make: (row: readonly Line[]) => T): Generator<T> {
  for (const row of rows) yield make(row);
}

/** No table where there are no rows. */
export function table(columns: readonly Column[], rows: Rows): readonly Table[] {
  return rows.length === 0 ? [] : [{ kind: "table", columns, rows }];
}

export function notes(...lists: readonly (readonly string[])[]): Notes {
  return { kind: "notes", label: "note:", notes: lists.flat() };
}

/** Bytes of an address, which say how it is written. */
export type PointerSize = 4 | 8;

/** An address as WinDbg prints it, or a dash where there is none. */
export function at(size: PointerSize, address: bigint | null): string {
  return address === null ? "-" : windbgHex(address, size);
}

/** Why a list ended early, as a note. */
export function stoppedNote(what: string, stopped: Gap | null): readonly string[] {
  return stopped === null ? [] : [`${what} ends early: ${stopped.detail}`];
}
