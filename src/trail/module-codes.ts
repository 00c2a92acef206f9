import { CallGraph } from "../code/call-graph.ts";
import { type Callee, namesOf, type PoppedOutside } from "../code/callees.ts";
import { DataFlow, Followed } from "../code/data-flow.ts";
import { analyzeImage, type ImageCode } from "../code/functions.ts";
import type { FindElsewhere } from "../code/reached.ts";
import { returnBytes } from "../code/return-bytes.ts";
import { TagUses } from "../code/uses.ts";
import type { Rva } from "../core/address.ts";
import { exportNames } from "../symbols/exports.ts";
import { argumentBytesOf } from "./pairs/signatures.ts";
import { isImportedAs, type TrailModule, type TrailTarget } from "./target.ts";

/** What is known of one module's code. */
export interface DecodedModule {
  readonly image: ImageCode;
  readonly flows: DataFlow;
  readonly graph: CallGraph;
  readonly uses: TagUses;
}

/** The code of modules, decoded when it is asked for, and kept as long as `analyzeImage` keeps it. */
export class ModuleCodes {
  readonly #target: TrailTarget;
  readonly #known = new WeakMap<ImageCode, DecodedModule>();
  readonly #followed = new Followed();

  constructor(target: TrailTarget) {
    this.#target = target;
  }

  /** Undefined where the module's headers cannot be read. */
  of(module: TrailModule): DecodedModule | undefined {
    if (module.image === undefined) return undefined;
    const image = analyzeImage(module.image);
    const known = this.#known.get(image) ?? this.#decode(module, image);
    this.#known.set(image, known);
    return known;
  }

  #decode({ imports }: TrailModule, image: ImageCode): DecodedModule {
    const { resolve } = this.#target;
    const flows = new DataFlow(image, resolve, imports.slots, this.#popped, this.#followed);
    return { image, flows, graph: new CallGraph(flows), uses: new TagUses(flows, this.#elsewhere) };
  }

  /** By what is documented of the callee, else by its own return. */
  readonly #popped: PoppedOutside = (callee) => {
    for (const name of namesOf(callee)) {
      const documented = argumentBytesOf(name);
      if (documented !== undefined) return documented;
    }
    const found = this.find(callee);
    const { image } = found?.module ?? {};
    return found === undefined || image === undefined ? undefined : returnBytes(image, found.entry);
  };

  /** The code of a function in another module, so that a wrapper there is seen through. */
  readonly #elsewhere: FindElsewhere = (callee) => {
    const found = this.find(callee);
    const decoded = found === undefined ? undefined : this.of(found.module);
    return found === undefined || decoded === undefined
      ? undefined
      : { flows: decoded.flows, entry: found.entry };
  };

  /** The module and the function that a call leads to: by its address; by its declared name where no loader has put one into the slot yet. */
  find({
    target,
    module: dll,
    name,
  }: Callee): { readonly module: TrailModule; readonly entry: Rva } | undefined {
    if (target !== undefined) {
      const module = this.#target.moduleAt(target);
      const entry = module?.image?.rvaOf(target);
      return module === undefined || entry === undefined ? undefined : { module, entry };
    }
    if (dll === undefined || name === undefined) return undefined;
    const module = this.#target.modules.find((candidate) => isImportedAs(candidate.name, dll));
    const item = module?.image === undefined ? undefined : exportNames(module.image).byName(name);
    return module === undefined || item === undefined ? undefined : { module, entry: item.rva };
  }
}
