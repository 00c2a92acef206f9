import { Callees, type Resolver } from "./callees.ts";
import { type CallSite, type FunctionFlow, followValues } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";

/** The functions of one image with what they do to their values; each is followed once, when it is asked for. */
export class Flows {
  readonly image: ImageCode;
  readonly callees: Callees;
  readonly #known = new Map<number, FunctionFlow>();

  /** @param resolve names exported functions of other modules by their address */
  constructor(image: ImageCode, resolve?: Resolver) {
    this.image = image;
    this.callees = new Callees(image, resolve);
  }

  of(found: CodeFunction): FunctionFlow {
    const known = this.#known.get(found.entry);
    if (known !== undefined) return known;
    const flow = followValues(this.image, found, this.callees.popped);
    this.#known.set(found.entry, flow);
    return flow;
  }

  /** The call that stands at `at` in a function. */
  siteAt(found: CodeFunction, at: number): CallSite | undefined {
    return this.of(found).calls.find(({ instruction }) => instruction.start === at);
  }
}
