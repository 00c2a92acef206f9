import type { Va } from "../core/address.ts";
import { ModuleMap } from "../core/module-map.ts";
import { didYouMean } from "../core/nearest-word.ts";
import type { Stop, Walk } from "../core/walk.ts";
import { fits } from "../core/wildcard.ts";
import type { UnloadedModule } from "../kernel/unloaded.ts";
import { answer } from "../report/answer.ts";
import type { ModulesDocument } from "../report/documents.ts";
import { toolRow } from "../report/tool-words.ts";
import { gapOf, stopText } from "../report/words.ts";
import type { Module } from "./module.ts";

/** The loaded modules of a dump, in load order, and those that were unloaded. */
export class ModuleList {
  readonly items: readonly Module[];
  /** Why the list ended early; absent when it came to its end. */
  readonly stopped: Stop | undefined;
  readonly unloaded: Walk<UnloadedModule>;
  /** nt itself; undefined where the list lacks it. */
  readonly kernel: Module | undefined;
  readonly #map: ModuleMap<Module>;
  readonly #byName: ReadonlyMap<string, Module>;

  /** @internal */
  constructor(
    items: readonly Module[],
    stopped: Stop | undefined,
    unloaded: Walk<UnloadedModule>,
    kernelBase: Va | undefined,
  ) {
    this.items = items;
    this.#map = new ModuleMap(items, (module) => module);
    this.stopped = stopped;
    this.unloaded = unloaded;
    this.kernel =
      items.find((module) => module.base === kernelBase) ?? items.find((module) => module.name === "nt");
    const byName = new Map<string, Module>();
    for (const module of items) {
      for (const name of [module.name, module.imageName ?? module.name]) {
        if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), module);
      }
    }
    this.#byName = byName;
  }

  /** Why a search of all modules is no search of all that were loaded; empty when the list came to its end. */
  get gaps(): readonly string[] {
    return this.stopped === undefined ? [] : [`the module list ends early: ${stopText(this.stopped)}`];
  }

  /** By its name as `lm` shows it, or by its file name; upper and lower case are the same. */
  named(name: string): Module | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /**
   * The list as the `modules` command shows it.
   *
   * @param pattern of the names to show: `*` is any run of characters, `?` any one, in any case of letters; all where it is
   * left out
   */
  list(notes: readonly string[] = [], pattern = "*"): ModulesDocument {
    const shown = this.items.filter(({ name, imageName }) =>
      [name, imageName ?? name].some((own) => fits(own, pattern)),
    );
    const unloaded = this.unloaded.items.filter(({ name }) => fits(name, pattern));
    const none = shown.length === 0 && unloaded.length === 0 && this.items.length > 0;
    const names = this.items.map(({ name }) => name);
    return answer({
      modules: shown.map((module) => ({
        name: module.name,
        imageName: module.imageName,
        path: module.path,
        base: module.base,
        end: module.end,
        size: module.size,
        timestamp: module.timestamp,
        checksum: module.checksum,
        publisher: module.publisher.company,
        thirdParty: module.publisher.thirdParty,
        publisherBasis: module.publisher.basis,
        tool: toolRow(module),
        readableBytes: module.readableBytes,
      })),
      unloaded: unloaded.map(({ name, base, end }) => ({ name, base, end })),
      stopped: gapOf(this.stopped),
      unloadedStopped: gapOf(this.unloaded.stopped),
      notes: none ? [`no module fits ${pattern}${didYouMean(pattern, names)}`, ...notes] : notes,
    });
  }

  /** The module that holds an address. */
  at(address: Va): Module | undefined {
    return this.#map.at(address);
  }
}
