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

/** Between an SGR code and the one that ends it. */
const sgr =
  (start: number, end: number) =>
  (text: string): string =>
    `\u001b[${start}m${text}\u001b[${end}m`;

/** ANSI colours. */
export const COLOR: Style = {
  colored: true,
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  warn: sgr(33, 39),
  accent: sgr(36, 39),
};
