import { printable } from "../core/text.ts";

/** A stream that may be a terminal. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** An answer that takes less is not announced, in milliseconds. */
const PATIENCE = 500;
/** Between two lines, in milliseconds. */
const PAUSE = 100;

/**
 * One line on stderr that says how far a long answer is, how fast it goes and what is left; only on a terminal. An answer is
 * found in several rounds through the modules: rate and rest are those of the round.
 */
export class Progress {
  readonly #stream: Terminal | undefined;
  readonly #now: () => number;
  readonly #start: number;
  #shown = 0;
  #last = 0;
  #round = { start: 0, done: 0 };

  /** @param now a clock, in milliseconds; `performance` would take longer to load than a short answer can afford */
  constructor(stream: Terminal, quiet: boolean, now: () => number = Date.now) {
    this.#stream = stream.isTTY === true && !quiet ? stream : undefined;
    this.#now = now;
    this.#start = now();
    this.#round.start = this.#start;
  }

  /** Shows `what` and how many of how many are done, at most ten times a second. */
  readonly tell = (what: string, done: number, of: number): void => {
    const now = this.#now();
    if (done < this.#round.done) this.#round = { start: now, done };
    this.#round.done = done;
    if (this.#stream === undefined || now - this.#start < PATIENCE || now - this.#last < PAUSE) return;
    this.#last = now;
    const seconds = (now - this.#round.start) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    const rest = rate > 0 ? `, ${rounded(rate)}/s, ${duration((of - done) / rate)} left` : "";
    const line = `${done}/${of} modules${rest}: ${printable(what)}`;
    const text = line.slice(0, Math.max(1, (this.#stream.columns ?? 80) - 1));
    this.#stream.write(`\r${text.padEnd(this.#shown)}`);
    this.#shown = text.length;
  };

  /** Takes the line away. */
  clear(): void {
    if (this.#shown > 0) this.#stream?.write(`\r${" ".repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}

function rounded(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : rate.toFixed(0);
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${Math.floor(seconds % 60)
    .toString()
    .padStart(2, "0")} min`;
}
