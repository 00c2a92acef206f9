import { Flows } from "../code/flows.ts";
import { analyzeImage, type ImageCode } from "../code/functions.ts";
import { type FindElsewhere, TagUses } from "../code/uses.ts";
import { moduleAt, type TrailModule, type TrailTarget } from "./target.ts";

/** What is known of one module's code. */
export interface DecodedModule {
  readonly image: ImageCode;
  readonly flows: Flows;
  readonly uses: TagUses;
}

/** The code of modules, decoded when it is first asked for, and once. */
export class ModuleCodes {
  readonly #target: TrailTarget;
  readonly #known = new Map<TrailModule, DecodedModule | undefined>();

  constructor(target: TrailTarget) {
    this.#target = target;
  }

  /** Undefined where the module's headers cannot be read. */
  of(module: TrailModule): DecodedModule | undefined {
    if (!this.#known.has(module)) this.#known.set(module, this.#decode(module));
    return this.#known.get(module);
  }

  #decode(module: TrailModule): DecodedModule | undefined {
    if (module.image === undefined) return undefined;
    const image = analyzeImage(module.image);
    const flows = new Flows(image, this.#target.resolve, module.imports.slots);
    return { image, flows, uses: new TagUses(flows, this.#elsewhere) };
  }

  /** The code of a function in another module, so that a wrapper there is seen through. */
  readonly #elsewhere: FindElsewhere = ({ target }) => {
    const module = target === undefined ? undefined : moduleAt(this.#target, target);
    const decoded = module === undefined ? undefined : this.of(module);
    const entry = target === undefined ? undefined : module?.image?.rvaOf(target);
    return decoded === undefined || entry === undefined ? undefined : { flows: decoded.flows, entry };
  };
}
