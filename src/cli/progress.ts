import { printable } from "../core/text.ts";

/** A stream that may be a terminal. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** One line on stderr that says how far a long answer is; only on a terminal. */
export class Progress {
  readonly #stream: Terminal | undefined;
  #shown = 0;
  #last = 0;

  constructor(stream: Terminal, quiet: boolean) {
    this.#stream = stream.isTTY === true && !quiet ? stream : undefined;
  }

  /** Shows `what` and how many of how many are done, at most ten times a second. */
  readonly tell = (what: string, done: number, of: number): void => {
    const now = Date.now();
    if (this.#stream === undefined || now - this.#last < 100) return;
    this.#last = now;
    const line = `${done}/${of} ${printable(what)}`.slice(0, Math.max(1, (this.#stream.columns ?? 80) - 1));
    this.#stream.write(`\r${line.padEnd(this.#shown)}`);
    this.#shown = line.length;
  };

  /** Takes the line away. */
  clear(): void {
    if (this.#shown > 0) this.#stream?.write(`\r${" ".repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}
