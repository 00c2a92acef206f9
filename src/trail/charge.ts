import type { TrailModule } from "./target.ts";
import type { Evidence, Verdict } from "./trail.ts";

/** One thing seen, and what it weighs: below 0 it speaks for the module. */
export interface Clue {
  readonly evidence: Evidence;
  readonly points: number;
}

/** Everything that was found about one module. */
export class Charge {
  readonly module: TrailModule;
  readonly #clues: Clue[] = [];
  #verdict: Verdict = "unknown";

  constructor(module: TrailModule) {
    this.module = module;
  }

  /** The weightiest first. */
  get clues(): readonly Clue[] {
    return [...this.#clues].sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** The stronger verdict stays. */
  add(verdict: Verdict, points: number, evidence: Evidence): void {
    if (STRENGTH.indexOf(verdict) < STRENGTH.indexOf(this.#verdict)) this.#verdict = verdict;
    this.#clues.push({ evidence, points });
  }

  has(kind: string): boolean {
    return this.#clues.some((clue) => clue.evidence.kind === kind);
  }
}

const STRENGTH: readonly Verdict[] = [
  "owns-tag",
  "calls",
  "looks-up-at-run-time",
  "imports",
  "indirect",
  "unknown",
];

/** The charges of a trail, one a module. */
export class Charges {
  readonly #byModule = new Map<TrailModule, Charge>();

  of(module: TrailModule): Charge {
    const known = this.#byModule.get(module);
    if (known !== undefined) return known;
    const charge = new Charge(module);
    this.#byModule.set(module, charge);
    return charge;
  }

  get all(): readonly Charge[] {
    return [...this.#byModule.values()];
  }
}
