import type { Walk } from "../core/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { readVerifier, type Verifier } from "../kernel/verifier.ts";
import { findVerifiedDrivers, type VerifiedDriver } from "../kernel/verifier-drivers.ts";
import type { PoolKernel } from "../pool/pool-kernel.ts";
import { tracksPool, verifierWords } from "../report/verifier-words.ts";
import type { ModuleList } from "./module-list.ts";

/** The drivers that Driver Verifier checks, with what they allocated; looked for when it is first asked for. */
export class CheckedDrivers {
  readonly #kernel: Kernel;
  readonly #pool: PoolKernel;
  readonly #modules: ModuleList;
  #found: Walk<VerifiedDriver> | undefined;

  constructor(kernel: Kernel, pool: PoolKernel, modules: ModuleList) {
    this.#kernel = kernel;
    this.#pool = pool;
    this.#modules = modules;
  }

  /** None where Verifier was off, did not track the pool, or its list was not found. */
  get drivers(): readonly VerifiedDriver[] {
    const verifier = this.#verifier;
    return verifier === undefined || !tracksPool(verifier) ? [] : this.#list.items;
  }

  get #list(): Walk<VerifiedDriver> {
    this.#found ??= findVerifiedDrivers(
      this.#kernel.space,
      this.#pool.nt?.writable ?? [],
      (name, start, end) => {
        const module = this.#modules.at(start);
        const same = module?.imageName?.toLowerCase() === name.toLowerCase();
        return same && module?.base === start && module.end === end;
      },
    );
    return this.#found;
  }

  /** Verifier's counters are of all drivers that it checks, and accuse none; one sentence each. */
  get notes(): readonly string[] {
    const verifier = this.#verifier;
    if (verifier === undefined || verifier.state === "off") return [];
    const state = verifierWords(verifier);
    if (!tracksPool(verifier)) return [state];
    const { drivers } = this;
    if (drivers.length === 0)
      return [`${state}; what it lists of each driver was not found: !verifier 3 in a debugger shows it`];
    const short = drivers.filter(({ listed }) => listed !== "whole").map(({ name }) => name);
    return [
      `${state}, of ${drivers.map(({ name }) => name).join(", ")}`,
      ...(short.length === 0
        ? []
        : [`what Driver Verifier lists of ${short.join(", ")} is not all that it counts`]),
      ...(this.#list.stopped === undefined
        ? []
        : ["the list of the drivers that Driver Verifier checks ends early: others are not known"]),
    ];
  }

  get #verifier(): Verifier | undefined {
    if (this.#kernel.kdbg === undefined) return undefined;
    return readVerifier(this.#kernel.space, this.#kernel.variable("MmVerifierData")?.address);
  }
}
