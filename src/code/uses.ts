import { advance, hex, type Rva, type Va } from "../core/address.ts";
import { argumentPlace, type PoolRoutine, poolRoutine } from "./allocators.ts";
import { instructionHolding } from "./boundaries.ts";
import { type Callee, Callees, type Resolver } from "./callees.ts";
import { readContextRegistration } from "./context-registration.ts";
import { type Instruction, withDecoder } from "./decoder.ts";
import { argumentOf, type CallSite, type FunctionFlow, followValues, passedAs } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { comesFrom, onlyNumber, type Value } from "./values.ts";

/** What code does with a tag. */
export type UseKind = "allocate" | "free" | "lookaside" | "compare" | "store" | "data" | "unknown";

/** What happens to the tag whose bytes stand at one place. */
export interface TagUse {
  readonly use: UseKind;
  /** The instruction that holds the bytes; `undefined` where none does. */
  readonly instruction: Rva | undefined;
  /** The function that the instruction is in; the first, where several share it. */
  readonly function: Rva | undefined;
  /** The call that the tag reaches. */
  readonly call?: {
    readonly at: Rva;
    /** `undefined` through an import slot of a file. */
    readonly target: Va | undefined;
    readonly module?: string;
    readonly name?: string;
  };
  /** In bytes, where it is a constant. */
  readonly size?: number;
  /** POOL_TYPE, where it is a constant. */
  readonly poolType?: number;
  /** POOL_FLAGS, where they are a constant. */
  readonly poolFlags?: number;
  /** What stands between the bytes and the routine: a wrapper, a variable, a registration. */
  readonly via?: string;
  /** One sentence for a person. */
  readonly detail: string;
}

/** Ranked: one reference can reach several calls. */
const RANK: readonly UseKind[] = ["allocate", "lookaside", "free", "compare", "store", "data", "unknown"];

/** Tells what the code of one image does with tags. Functions are followed once. */
export class TagUses {
  readonly #image: ImageCode;
  readonly #callees: Callees;
  readonly #flows = new Map<number, FunctionFlow>();
  readonly #wrappers = new Map<number, readonly Wrapped[]>();

  /** @param resolve names exported functions of other modules by their address */
  constructor(image: ImageCode, resolve?: Resolver) {
    this.#image = image;
    this.#callees = new Callees(image, resolve);
  }

  /** What happens to the four bytes at `rva`. */
  at(rva: Rva): TagUse {
    const { code, functions } = this.#image;
    if (!code.isCode(rva)) return this.#inData(rva);
    const owners = functions.owning(rva);
    let best: TagUse | undefined;
    for (const owner of owners) {
      const use = this.#inFunction(rva, owner);
      if (best === undefined || RANK.indexOf(use.use) < RANK.indexOf(best.use)) best = use;
    }
    return best ?? this.#outsideFunctions(rva);
  }

  /** What a function does with its values, for whoever wants more than the tag. */
  flowOf(found: CodeFunction): FunctionFlow {
    const known = this.#flows.get(found.entry);
    if (known !== undefined) return known;
    const flow = followValues(this.#image, found, this.#callees.popped);
    this.#flows.set(found.entry, flow);
    return flow;
  }

  #inFunction(rva: Rva, owner: CodeFunction): TagUse {
    const fragment = owner.fragments.find(({ start, end }) => rva >= start && rva < end);
    const { code } = this.#image;
    const start =
      fragment === undefined
        ? undefined
        : withDecoder(code, (decoder) => instructionHolding(code, decoder, fragment, rva));
    const flow = this.flowOf(owner);
    const instruction = start === undefined ? undefined : flow.instructions.get(start);
    const base = { instruction: start as Rva | undefined, function: owner.entry };
    if (instruction === undefined) {
      return { ...base, use: "unknown", detail: "the bytes stand in a function, but in no instruction that can be read" };
    }
    if (instruction.immediateAt !== rva || instruction.immediateSize < 4) {
      return { ...base, use: "unknown", detail: `the bytes are no operand of the ${instruction.mnemonic} that holds them` };
    }
    return { ...base, ...this.#reached(flow, instruction, (value) => comesFrom(value, rva)) };
  }

  /** Where a value goes, out of all that a function does. */
  #reached(flow: FunctionFlow, holder: Instruction | undefined, isTag: (value: Value) => boolean): Reached {
    const found: Reached[] = [];
    for (const site of flow.calls) {
      for (const callee of this.#callees.of(site)) {
        const use = this.#atCall(site, callee, isTag);
        if (use !== undefined) found.push(use);
      }
    }
    for (const event of flow.events) {
      const own = event.instruction === holder;
      if (!isTag(event.value)) continue;
      if (event.kind === "compare") found.push({ use: "compare", detail: `compared at ${hex(event.instruction.start)}` });
      else if (event.kind === "return") found.push({ use: "unknown", detail: "the function returns it" });
      else if (event.stack === undefined || own) found.push({ use: "store", detail: storeDetail(event.place, event.stack) });
    }
    if (holder?.mnemonic === "sub" || holder?.mnemonic === "xor") {
      found.push({ use: "compare", detail: `compared by ${holder.mnemonic}` });
    }
    found.sort((a, b) => RANK.indexOf(a.use) - RANK.indexOf(b.use));
    const [best] = found;
    if (best === undefined) return { use: "unknown", detail: "where it goes cannot be told" };
    const others = new Set(found.map(({ use }) => use).filter((use) => use !== best.use && (use === "free" || use === "compare")));
    return others.size === 0 ? best : { ...best, detail: `${best.detail}; also ${[...others].join(", ")}` };
  }

  #atCall(site: CallSite, callee: Callee, isTag: (value: Value) => boolean): Reached | undefined {
    const routine = callee.name === undefined ? undefined : poolRoutine(callee.name);
    if (routine !== undefined) {
      const { wide } = this.#image.code;
      const tag = routine.tag === undefined ? undefined : argumentOf(wide, site, argumentPlace(wide, routine.tag, routine));
      return tag !== undefined && isTag(tag) ? this.#direct(site, callee, routine) : undefined;
    }
    if (callee.offset === undefined) return undefined;
    for (const wrapped of this.#wrapped(callee.offset)) {
      if (!wrapped.tag.some((atom) => isTag(passedAs(this.#image.code.wide, site, atom)))) continue;
      return this.#through(site, callee, wrapped);
    }
    return undefined;
  }

  #direct(site: CallSite, callee: Callee, routine: PoolRoutine): Reached {
    const { wide } = this.#image.code;
    const number = (index: number | undefined): number | undefined =>
      index === undefined ? undefined : onlyNumber(argumentOf(wide, site, argumentPlace(wide, index, routine)));
    return {
      use: routine.use,
      call: callOf(site, callee),
      ...constants(number(routine.size), number(routine.poolType), number(routine.poolFlags)),
      detail: `argument ${routine.tag} of ${callee.name} at ${hex(site.instruction.start)}`,
    };
  }

  #through(site: CallSite, callee: Callee, wrapped: Wrapped): Reached {
    const { wide } = this.#image.code;
    const number = (value: Value | undefined): number | undefined => {
      if (value === undefined) return undefined;
      const [only, ...others] = value;
      if (only !== undefined && others.length === 0 && only.kind !== "constant") return onlyNumber(passedAs(wide, site, only));
      return onlyNumber(value);
    };
    const name = callee.name ?? `the function at ${hex(callee.offset ?? 0)}`;
    return {
      use: wrapped.routine.use,
      call: callOf(site, callee),
      ...constants(number(wrapped.size), number(wrapped.poolType), number(wrapped.poolFlags)),
      via: `${name}, which passes it to ${wrapped.callee.name}`,
      detail: `passed to ${name} at ${hex(site.instruction.start)}, which calls ${wrapped.callee.name} with it`,
    };
  }

  /** The pool routines that a function of the image calls with a tag that it was given. */
  #wrapped(entry: number): readonly Wrapped[] {
    const known = this.#wrappers.get(entry);
    if (known !== undefined) return known;
    this.#wrappers.set(entry, []);
    const found = this.#image.functions.startingAt(entry);
    const wrapped = found === undefined ? [] : this.#wrappedIn(this.flowOf(found));
    this.#wrappers.set(entry, wrapped);
    return wrapped;
  }

  #wrappedIn(flow: FunctionFlow): readonly Wrapped[] {
    const { wide } = this.#image.code;
    const wrapped: Wrapped[] = [];
    for (const site of flow.calls) {
      for (const callee of this.#callees.of(site)) {
        const routine = callee.name === undefined ? undefined : poolRoutine(callee.name);
        if (routine?.tag === undefined) continue;
        const value = (index: number | undefined): Value | undefined =>
          index === undefined ? undefined : argumentOf(wide, site, argumentPlace(wide, index, routine));
        const tag = (value(routine.tag) ?? []).filter(({ kind }) => kind === "register" || kind === "argument");
        if (tag.length === 0) continue;
        wrapped.push({
          routine,
          callee,
          tag,
          size: value(routine.size),
          poolType: value(routine.poolType),
          poolFlags: value(routine.poolFlags),
        });
      }
    }
    return wrapped.sort((a, b) => RANK.indexOf(a.routine.use) - RANK.indexOf(b.routine.use));
  }

  #outsideFunctions(rva: Rva): TagUse {
    const base = { instruction: undefined, function: undefined };
    if (this.#image.code.runAt(rva) === undefined) return { ...base, use: "unknown", detail: "the page cannot be read" };
    return { ...base, use: "data", detail: "in an executable section, but in no function" };
  }

  #inData(rva: Rva): TagUse {
    const base = { instruction: undefined, function: undefined };
    const registration = readContextRegistration(this.#image.image, rva);
    if (registration !== undefined) {
      return {
        ...base,
        use: "data",
        ...(registration.size === undefined ? {} : { size: registration.size }),
        via: "FLT_CONTEXT_REGISTRATION",
        detail: `the pool tag of a context registration at ${hex(registration.rva)}: the filter manager allocates with it`,
      };
    }
    return this.#throughVariable(rva) ?? { ...base, use: "data", detail: "in data" };
  }

  /** Functions that load the variable and pass it on. */
  #throughVariable(rva: Rva): TagUse | undefined {
    const isTag = (value: Value): boolean => value.some((atom) => atom.kind === "loaded" && atom.rva === rva);
    for (const found of functionsNaming(this.#image, rva)) {
      const reached = this.#reached(this.flowOf(found), undefined, isTag);
      if (reached.use !== "allocate" && reached.use !== "free" && reached.use !== "lookaside") continue;
      const via = reached.via === undefined ? "" : `, ${reached.via}`;
      return {
        ...reached,
        instruction: undefined,
        function: found.entry,
        via: `the variable at ${hex(rva)}${via}`,
        detail: `in a variable: ${reached.detail}`,
      };
    }
    return undefined;
  }
}

type Reached = Omit<TagUse, "instruction" | "function">;

/** A pool routine that a function calls for its callers. */
interface Wrapped {
  readonly routine: PoolRoutine;
  readonly callee: Callee;
  /** Where the function was given the tag. */
  readonly tag: Value;
  readonly size: Value | undefined;
  readonly poolType: Value | undefined;
  readonly poolFlags: Value | undefined;
}

function callOf(site: CallSite, { target, module, name }: Callee): NonNullable<TagUse["call"]> {
  return {
    at: site.instruction.start as Rva,
    target,
    ...(module === undefined ? {} : { module }),
    ...(name === undefined ? {} : { name }),
  };
}

function constants(
  size: number | undefined,
  poolType: number | undefined,
  poolFlags: number | undefined,
): Pick<TagUse, "size" | "poolType" | "poolFlags"> {
  return {
    ...(size === undefined || size < 0 ? {} : { size }),
    ...(poolType === undefined ? {} : { poolType: poolType >>> 0 }),
    ...(poolFlags === undefined ? {} : { poolFlags }),
  };
}

function storeDetail(place: number | undefined, stack: number | undefined): string {
  if (place !== undefined) return `stored at ${hex(place)}`;
  return stack === undefined ? "stored in a structure" : "stored on the stack, and passed to nothing that takes a tag";
}

/** The functions whose code names a place in the image's data. */
function functionsNaming(image: ImageCode, rva: number): readonly CodeFunction[] {
  const { code, functions } = image;
  const found = new Map<number, CodeFunction>();
  for (const { start, bytes } of code.runs) {
    for (let i = 0; i + 4 <= bytes.length; i++) {
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      // RIP-relative operands count from the end of the instruction, behind an immediate of up to four bytes.
      const away = code.wide ? rva - (start + i + 4) - word : ((word >>> 0) - code.base32 - rva) | 0;
      if (code.wide ? away < 0 || away > 4 : away !== 0) continue;
      for (const owner of functions.owning(start + i)) found.set(owner.entry, owner);
    }
  }
  return [...found.values()];
}
