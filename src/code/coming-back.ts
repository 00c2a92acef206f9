import { argumentPlace } from "../isa/abi.ts";
import { argumentOf, argumentPlaces, type CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import { type Dealings, type Given, givesBack, type OwnLoss } from "./fates.ts";
import { routinesIn } from "./given-to.ts";
import type { Held } from "./held.ts";

/** Arguments of a routine that are looked at for the one that is it, where that is not known. */
const ROUTINE_ARGUMENTS = [1, 2, 3, 4] as const;

/** Whether what something keeps comes back to the image, in a routine that it is to call, and is given back there. */
export class ComingBack {
  readonly #flows: DataFlow;
  readonly #dealings: Dealings;

  constructor(flows: DataFlow, dealings: Dealings) {
    this.#flows = flows;
    this.#dealings = dealings;
  }

  /**
   * Whether a function of the image gives it back that whoever keeps it will call with it: one whose address stands in
   * it, as an IRP's completion routine does, or that the call is given along with it, as a work item's routine is.
   */
  comesBack({ routines }: Held, site: CallSite, callee: Callee, given: Given): boolean {
    const known = this.#dealings.comesAs(callee, given, site);
    const asked = known === undefined ? ROUTINE_ARGUMENTS : [known];
    return [...routines, ...this.#routinesAlong(site, callee)].some((routine) =>
      asked.some((argument) => this.#givesBack(site, routine, argument, undefined)),
    );
  }

  /** The same of what it stands in, that the routine is given as its context. */
  comesBackWithin(site: CallSite, callee: Callee, given: Given): boolean {
    const { within } = given;
    if (within === undefined) return false;
    const argument = this.#dealings.comesAs(callee, { ...given, within: undefined }, site);
    return (
      argument !== undefined &&
      this.#routinesAlong(site, callee).some((routine) => this.#givesBack(site, routine, argument, within))
    );
  }

  /** The way on which such a function, that gives it back elsewhere, loses it. */
  losesIt({ routines }: Held, site: CallSite, callee: Callee, given: Given): OwnLoss | undefined {
    const argument = this.#dealings.comesAs(callee, given, site);
    if (argument === undefined) return undefined;
    const as = {
      place: argumentPlace(this.#flows.image.code.set.abi, argument),
      argument,
      within: undefined,
    };
    const called = [...routines, ...this.#routinesAlong(site, callee)];
    return called
      .map((offset) => this.#dealings.loses({ target: undefined, offset }, as, site))
      .find((loss) => loss !== undefined);
  }

  #routinesAlong(site: CallSite, callee: Callee): readonly number[] {
    const { image } = this.#flows;
    const { abi } = image.code.set;
    return argumentPlaces(abi, site, callee.name).flatMap((place) =>
      routinesIn(image, argumentOf(abi, site, place)),
    );
  }

  #givesBack(site: CallSite, routine: number, argument: number, within: number | undefined): boolean {
    const { abi } = this.#flows.image.code.set;
    const as = { place: argumentPlace(abi, argument), argument, within };
    const effect = this.#dealings.effect({ target: undefined, offset: routine }, as, site);
    return givesBack(effect);
  }
}
