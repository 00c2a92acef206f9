import { windbgHex } from "../../core/address.ts";
import type { Gap } from "../documents.ts";
import type { Style } from "../style.ts";

/** How a text report is set: its colours, and how wide an address is. */
export interface View {
  readonly style: Style;
  readonly pointerSize: 4 | 8;
}

/** An address as WinDbg prints it, or a dash where there is none. */
export function at(view: View, address: bigint | null): string {
  return address === null ? "-" : windbgHex(address, view.pointerSize);
}

/** The notes under an answer: each hole and each doubt, one a line. */
export function renderNotes(notes: readonly string[], view: View): string {
  return notes.map((note) => `${view.style.warn("note:")} ${note}`).join("\n");
}

/** Why a list ended early, as a note. */
export function stoppedNote(what: string, stopped: Gap | null): readonly string[] {
  return stopped === null ? [] : [`${what} ends early: ${stopped.detail}`];
}

/** Blocks of text with an empty line between them; empty blocks are left out. */
export function blocks(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
