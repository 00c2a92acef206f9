import { Session } from "node:inspector";

/** Which blocks of the code were run, by V8's own count. */
export class Coverage {
  #session = new Session();
  /** @type {Set<string>} */
  #seen = new Set();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  get size() {
    return this.#seen.size;
  }

  /** How many blocks were run since the last time that never were before, each by how often it ran, in powers of four. */
  fresh() {
    let fresh = 0;
    for (const { url, functions } of this.#post("Profiler.takePreciseCoverage").result) {
      if (!url.includes("/dist/")) continue;
      const script = url.slice(-12);
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count === 0) continue;
          const key = `${script}${startOffset}-${endOffset}-${Math.min(4, (31 - Math.clz32(count)) >> 1)}`;
          if (this.#seen.has(key)) continue;
          this.#seen.add(key);
          fresh++;
        }
      }
    }
    return fresh;
  }

  /** @param {string} method @param {object} [parameters] @returns {any} */
  #post(method, parameters) {
    let answer;
    // it answers before it returns
    /** @type {any} */ (this.#session).post(
      method,
      parameters,
      (/** @type {Error | null} */ error, /** @type {any} */ result) => {
        if (error !== null) throw error;
        answer = result;
      },
    );
    return answer;
  }
}
