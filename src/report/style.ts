import { styleText } from "node:util";

/** How words are set off in a text report. */
export interface Style {
  readonly colored: boolean;
  bold(text: string): string;
  dim(text: string): string;
  warn(text: string): string;
  accent(text: string): string;
}

/** Words as they are: for a pipe, a file, `--no-color`. */
export const PLAIN: Style = {
  colored: false,
  bold: (text) => text,
  dim: (text) => text,
  warn: (text) => text,
  accent: (text) => text,
};

/** ANSI colours. */
export const COLOR: Style = {
  colored: true,
  bold: (text) => styleText("bold", text, { validateStream: false }),
  dim: (text) => styleText("dim", text, { validateStream: false }),
  warn: (text) => styleText("yellow", text, { validateStream: false }),
  accent: (text) => styleText("cyan", text, { validateStream: false }),
};
