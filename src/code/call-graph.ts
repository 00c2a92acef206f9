import type { Rva } from "../core/address.ts";
import { BitSet } from "../core/bit-set.ts";
import { addAll } from "../core/search.ts";
import { argumentPlace } from "../isa/abi.ts";
import { type Decoder, Flow, type Instruction } from "../isa/instruction.ts";
import { onlyNumber } from "./abstract-value.ts";
import { Boundaries, instructionBehindHole } from "./boundaries.ts";
import { argumentOf, type CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ModuleCode } from "./module-code.ts";
import { type ServiceStub, serviceCalls } from "./services.ts";
import { type StraightCall, straightCalls } from "./straight-line.ts";
import { type Hit, placesHolding, placesNaming, XrefList } from "./xrefs.ts";

/**
 * How code gets to what it calls: a near call; a jump, which ends the caller; the same through a pointer in the image;
 * the form that the kernel writes over calls through import slots; through a register; and from a stub of the kernel by
 * the number of a system service.
 */
export type CallForm = "call" | "jump" | "call-slot" | "jump-slot" | "optimized" | "register" | "service";

/** One call. */
export interface CallEdge {
  readonly at: Rva;
  /** The caller; several are told one by one where they share the block. */
  readonly from: CodeFunction;
  readonly form: CallForm;
  readonly callee: Callee;
}

/** The direct calls of one image: who calls whom, found when it is asked for. */
export class CallGraph {
  readonly #flows: DataFlow;
  #links: XrefList | undefined;
  #truncated = false;

  constructor(flows: DataFlow) {
    this.#flows = flows;
  }

  get code(): ModuleCode {
    return this.#flows.image.code;
  }

  /** An answer left calls out, because telling them from other bytes took too long. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /**
   * Calls to any of the given places: functions of the image by their entries, also through variables and constants
   * that hold their addresses, and functions of others by the import slots that do. One pass over the code, whatever the
   * number of places.
   */
  callersOf(places: Iterable<number>): readonly CallEdge[] {
    const { image, callees } = this.#flows;
    if (image.code.set.simple !== undefined) return this.#straightCallers(new Set(places));
    const asked = new BitSet(image.image.size);
    const wanted = new BitSet(image.image.size);
    const services: CallEdge[] = [];
    for (const place of places) {
      asked.add(place);
      wanted.add(place);
      for (const stub of serviceCalls(image).stubsOf(place)) addAll(services, this.#service(stub));
    }
    for (const place of placesHolding(image, asked)) if (callees.isVariable(place)) wanted.add(place);
    const hits = this.#hits(wanted).filter(({ kind, place }) => kind !== "near" || asked.has(place));
    const found = this.#decoding((look) => hits.flatMap((hit) => this.#confirm(hit, look))) ?? [];
    return [...found, ...services];
  }

  #straightCallers(asked: ReadonlySet<number>): readonly CallEdge[] {
    const { image, callees } = this.#flows;
    const wanted = new BitSet(image.image.size);
    for (const place of asked) wanted.add(place);
    const pointers = new Set(placesHolding(image, wanted).filter((place) => callees.isVariable(place)));
    return straightCalls(this.#flows)
      .filter(({ places }) => places.some((place) => asked.has(place) || pointers.has(place)))
      .flatMap(({ at, form, callee }) =>
        image.functions.owning(at).map((from) => ({ at, from, form, callee })),
      );
  }

  /** The call of a system service that a stub makes; none where no function is known there. */
  #service({ entry, at, service }: ServiceStub): readonly CallEdge[] {
    const from = this.#flows.image.functions.startingAt(entry);
    if (from === undefined) return [];
    return [{ at: at as Rva, from, form: "service", callee: this.#flows.callees.at(service) }];
  }

  /** The first question reads the code; all after it, as a walk through callers asks them, a list of it. */
  #hits(wanted: BitSet): readonly Hit[] {
    this.#links ??= new XrefList(this.#flows.image);
    return this.#links.to(wanted);
  }

  /** Everything that a function calls. */
  calleesOf(from: CodeFunction): readonly CallEdge[] {
    const { callees, image } = this.#flows;
    if (image.code.set.simple !== undefined) {
      const within = ({ at }: StraightCall): boolean =>
        from.fragments.some(({ start, end }) => at >= start && at < end);
      return straightCalls(this.#flows)
        .filter(within)
        .map(({ at, form, callee }) => ({ at, from, form, callee }));
    }
    const stub = serviceCalls(image).stubAt(from.entry);
    return this.#flows
      .of(from)
      .calls.flatMap((site): readonly CallEdge[] =>
        callees.of(site).map((callee) => {
          const form = callees.stubOf(site) === undefined ? this.#formOf(site, callee) : "register";
          return { at: startOf(site), from, form, callee };
        }),
      )
      .concat(stub === undefined ? [] : this.#service(stub));
  }

  /** The arguments of a call that are constants, the first `count` of them. */
  constantArguments({ at, from }: CallEdge, count: number): readonly (number | undefined)[] {
    const { abi } = this.#flows.image.code.set;
    const site = this.#flows.siteAt(from, at);
    return Array.from({ length: count }, (_, index) =>
      site === undefined ? undefined : onlyNumber(argumentOf(abi, site, argumentPlace(abi, index + 1))),
    );
  }

  /**
   * Where a function's address stands: pointers in data, and instructions that name it without calling it. Whoever has
   * the address may call it.
   */
  addressTaken(entry: Rva): readonly { readonly at: Rva; readonly from: CodeFunction | undefined }[] {
    const { seeds, functions } = this.#flows.image;
    const taken = new Map<number, CodeFunction | undefined>();
    for (let i = 0; i < seeds.pointers.targets.length; i++) {
      if (seeds.pointers.targets[i] !== entry) continue;
      const place = seeds.pointers.places[i] ?? 0;
      taken.set(place, functions.owning(place)[0]);
    }
    this.#decoding((look) => {
      for (const place of placesNaming(this.#flows.image, [entry])) {
        const [owner] = functions.owning(place);
        const start = owner && this.#instructionAt(owner, place, look);
        const instruction = start === undefined ? undefined : look.decoder.at(start);
        if (instruction === undefined || instruction.target !== undefined) continue;
        if (instruction.immediateAt === place || instruction.displacementAt === place)
          taken.set(place, owner);
      }
    });
    return [...taken].map(([at, from]) => ({ at: at as Rva, from })).sort((a, b) => a.at - b.at);
  }

  /** Undefined where instructions are not decoded. */
  #decoding<T>(work: (look: Look) => T): T | undefined {
    const { code } = this.#flows.image;
    return code.decoding((decoder) => {
      const look = { decoder, boundaries: new Boundaries(code) };
      const result = work(look);
      this.#truncated ||= look.boundaries.exhausted;
      return result;
    });
  }

  #confirm(hit: Hit, look: Look): readonly CallEdge[] {
    const { functions } = this.#flows.image;
    return functions.owning(hit.at).flatMap((from): readonly CallEdge[] => {
      const start = this.#instructionAt(from, hit.at, look);
      // A prefix may stand in front of the bytes that were looked for.
      if (start === undefined || start < hit.at - 1) return [];
      const instruction = look.decoder.at(start);
      if (instruction === undefined || !names(instruction, hit.place)) return [];
      if (hit.kind === "load") return this.#throughRegister(from, hit.place);
      if (hit.kind === "near") {
        if (hit.place === from.entry && instruction.flow !== Flow.Call) return [];
        const form = instruction.flow === Flow.Call ? "call" : "jump";
        return [{ at: start as Rva, from, form, callee: this.#flows.callees.at(hit.place) }];
      }
      const { callees } = this.#flows;
      if (hit.kind === "slot") {
        const form = instruction.flow === Flow.CallIndirect ? "call-slot" : "jump-slot";
        return [{ at: start as Rva, from, form, callee: callees.throughSlot(hit.place) }];
      }
      const call = look.decoder.at(start + instruction.length);
      if (call?.target === undefined) return [];
      return [
        { at: call.start as Rva, from, form: "optimized", callee: callees.optimized(hit.place, call.target) },
      ];
    });
  }

  /**
   * Calls through a register that was loaded from an import slot or a variable, anywhere in the function; with Control
   * Flow Guard the register goes through the guard's own pointer.
   */
  #throughRegister(from: CodeFunction, slot: number): readonly CallEdge[] {
    const { callees } = this.#flows;
    return this.#flows.of(from).calls.flatMap((site): readonly CallEdge[] => {
      const isThrough = site.through !== undefined || callees.stubOf(site) !== undefined;
      if (!isThrough || names(site.instruction, slot)) return [];
      return callees
        .of(site)
        .filter((callee) => callee.slot === slot)
        .map((callee) => ({ at: startOf(site), from, form: "register", callee }));
    });
  }

  #formOf(site: CallSite, callee: Callee): CallForm {
    const { flow, operands } = site.instruction;
    if (flow === Flow.Call)
      return callee.slot !== undefined && this.#isOptimized(site) ? "optimized" : "call";
    if (flow === Flow.Jump || flow === Flow.Branch) return "jump";
    if (operands[0]?.kind === "register") return "register";
    return flow === Flow.JumpIndirect ? "jump-slot" : "call-slot";
  }

  #isOptimized({ state }: CallSite): boolean {
    const { importRegister } = this.code.set.thunks;
    return (
      importRegister !== undefined &&
      (state.registers[importRegister] ?? []).some(({ kind }) => kind === "loaded")
    );
  }

  #instructionAt(owner: CodeFunction, place: number, look: Look): number | undefined {
    const fragment = owner.fragments.find(({ start, end }) => place >= start && place < end);
    if (fragment === undefined) return undefined;
    const start = look.boundaries.holding(fragment, place);
    if (start !== undefined || look.boundaries.exhausted) return start;
    const { code } = this.#flows.image;
    return instructionBehindHole(code, code.runAt(place), place);
  }
}

/** The bytes that were looked for may have been a part of something else. */
function names({ target, operands }: Instruction, place: number): boolean {
  return (
    target === place || operands.some((operand) => operand.kind === "memory" && operand.address === place)
  );
}

/** What a hit is confirmed with. */
interface Look {
  readonly decoder: Decoder;
  readonly boundaries: Boundaries;
}

function startOf(site: CallSite): Rva {
  return site.instruction.start as Rva;
}
