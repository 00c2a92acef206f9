import type { Va } from "../core/address.ts";
import type { Thunks } from "../isa/instruction-set.ts";
import type { ImportSlot } from "../pe/imports.ts";
import { guardVariables } from "../pe/loader-changes.ts";
import { exportNames } from "../symbols/exports.ts";
import type { Atom, Value } from "./abstract-value.ts";
import { argumentBytes, type PoolRoutine, poolRoutine } from "./allocators.ts";
import type { CallSite, PoppedBytes } from "./call-site.ts";
import type { ImageCode } from "./functions.ts";
import { neverReturns } from "./no-return.ts";
import { popsOf } from "./return-bytes.ts";
import { InitialPointers } from "./seeds.ts";
import { FRAMEWORK, WdfTable } from "./wdf.ts";

/** An exported function: one of its names, and all of them where there are several. */
export interface NamedExport {
  readonly module: string;
  readonly name: string;
  readonly names?: readonly string[];
}

/** Gives the exported function that starts at an address outside the image. */
export type Resolver = (address: Va) => NamedExport | undefined;

/** The bytes that a 32-bit function of another module takes off the stack; `undefined` where that is not known. */
export type PoppedOutside = (callee: Callee) => number | undefined;

/** A function that was looked up by its name: `module` as an import table would have it; absent where that may be any. */
export interface LookedUpName {
  readonly name: string;
  readonly module?: string;
}

/** What the image's code has looked up by name: by the call that did, and by the variable that keeps it. */
export interface NamedPointers {
  result(call: number): LookedUpName | undefined;
  readonly variables: ReadonlyMap<number, LookedUpName>;
}

/** What is called. */
export interface Callee {
  /** The address that the code leads to; `undefined` through an import slot of a file, which no loader has filled. */
  readonly target: Va | undefined;
  /** The same as an offset, where it is in the image. */
  readonly offset?: number;
  /** The import slot, or another pointer in the image, that leads there. */
  readonly slot?: number;
  /** Absent where nothing names it. */
  readonly module?: string;
  readonly name?: string;
  /** All names of the place, where it is exported by several: `name` is the one that the image declares, or the first. */
  readonly names?: readonly string[];
  /**
   * The variable that the call goes through, where it is no import slot: what it holds is what the linker put there, or,
   * in memory, what it held when the dump was taken.
   */
  readonly variable?: { readonly rva: number; readonly writable: boolean };
  /** The code has looked the address up by this name: what it got is not known, and whose function that is may not be. */
  readonly lookedUp?: true;
  /** It is reached by a jump that stands where the call leads: a thunk of the image. */
  readonly thunk?: number;
}

/** Every name that what is called is known by. */
export function namesOf({ name, names }: Callee): readonly string[] {
  return names ?? (name === undefined ? [] : [name]);
}

/** What a callee does with a tag, known by whichever of its names. */
export function routineOf(callee: Callee): PoolRoutine | undefined {
  for (const name of namesOf(callee)) {
    const routine = poolRoutine(name);
    if (routine !== undefined) return routine;
  }
  return undefined;
}

/** Jumps followed from one to the next. */
const MAX_THUNKS = 4;

/** Names what an image's code calls: by the resolver first, then by what the image declares. */
export class Callees {
  readonly #image: ImageCode;
  readonly #resolve: Resolver | undefined;
  readonly #poppedOutside: PoppedOutside | undefined;
  readonly #lookedUp: NamedPointers | undefined;
  readonly #slots: ReadonlyMap<number, ImportSlot>;
  readonly #pointers: InitialPointers;
  #wdf: WdfTable | undefined;
  #guards: ReadonlySet<number> | undefined;
  readonly #pops = new Map<number, number | undefined>();
  readonly #stubs = new Map<number, number | undefined>();

  /** @param slots as `DataFlow` takes them */
  constructor(
    image: ImageCode,
    resolve?: Resolver,
    slots: readonly ImportSlot[] = image.image.imports.slots,
    poppedOutside?: PoppedOutside,
    lookedUp?: NamedPointers,
  ) {
    this.#image = image;
    this.#lookedUp = lookedUp;
    this.#poppedOutside = poppedOutside;
    this.#resolve = resolve;
    this.#slots = new Map(slots.map((slot) => [slot.rva, slot]));
    this.#pointers = new InitialPointers(image.code);
  }

  /** What a call site calls; several where a register may hold several, none where nobody knows. */
  of(site: CallSite): readonly Callee[] {
    const stub = this.stubOf(site);
    if (site.target !== undefined && stub === undefined) return [this.#near(site)];
    const through = stub === undefined ? this.#through(site) : (site.state.registers[stub] ?? []);
    return through.flatMap((atom): Callee[] => {
      const framework = this.#framework.functionOf(atom);
      if (framework !== undefined) return [{ target: undefined, module: FRAMEWORK, name: framework }];
      if (atom.kind === "loaded") return [this.throughSlot(atom.rva)];
      if (atom.kind === "address") return [this.at(atom.rva)];
      if (atom.kind === "result") {
        const found = this.#lookedUp?.result(atom.call);
        return found === undefined ? [] : [{ target: undefined, ...found, lookedUp: true }];
      }
      const offset = atom.kind === "constant" ? this.#image.code.placeOfNumber(atom.value) : undefined;
      return offset === undefined ? [] : [this.at(offset)];
    });
  }

  /**
   * The register that a near call or jump goes through by a stub, or by the guard that dispatches what is in one;
   * `undefined` where it leads to neither.
   */
  stubOf({ target }: CallSite): number | undefined {
    if (target === undefined || !this.#image.code.isCode(target)) return undefined;
    if (this.#stubs.has(target)) return this.#stubs.get(target);
    const { guardRegister, registerOf } = this.#thunks;
    const guard = guardRegister !== undefined && this.#leadsToGuard(target) ? guardRegister : undefined;
    const register = registerOf(this.#image.code, target) ?? guard;
    this.#stubs.set(target, register);
    return register;
  }

  /** Whether no call comes back from what is called. */
  neverReturns(site: CallSite): boolean {
    const callees = this.of(site);
    return callees.length > 0 && callees.every((callee) => namesOf(callee).some(neverReturns));
  }

  /** A call of Control Flow Guard's check, which code makes in front of the call that it is for. */
  isCheck({ target, through = [] }: CallSite): boolean {
    if (this.#thunks.guardRegister !== undefined) return false;
    if (target !== undefined) return this.#image.code.isCode(target) && this.#leadsToGuard(target);
    const [only, ...others] = through;
    return others.length === 0 && only?.kind === "loaded" && this.#isGuard(only.rva);
  }

  /** Linkers put `jmp [guard]` where code calls the guard by its name. */
  #leadsToGuard(target: number): boolean {
    const slot = this.#thunks.jumpAt(this.#image.code, target)?.slot;
    return slot !== undefined && this.#isGuard(slot);
  }

  /** What an indirect call may go through: with control flow guard, the target is in a register. */
  #through({ through = [], state }: CallSite): Value {
    const [only, ...others] = through;
    const { guardRegister } = this.#thunks;
    if (guardRegister === undefined) return through;
    const guarded = others.length === 0 && only?.kind === "loaded" && this.#isGuard(only.rva);
    const target = state.registers[guardRegister] ?? [];
    const mayBe = (atom: Atom): boolean =>
      atom.kind === "field" ||
      atom.kind === "loaded" ||
      (atom.kind === "result" && this.#lookedUp?.result(atom.call) !== undefined);
    return guarded && target.some(mayBe) ? target : through;
  }

  #isGuard(rva: number): boolean {
    this.#guards ??= new Set(guardVariables(this.#image.image));
    return this.#guards.has(rva);
  }

  /** The function at an offset, through the jumps that stand there. */
  at(offset: number): Callee {
    return this.#follow(offset, MAX_THUNKS);
  }

  #follow(offset: number, steps: number): Callee {
    let at = offset;
    for (let step = 0; step < steps; step++) {
      const names = exportNames(this.#image.image)
        .at(at)
        .map(({ name }) => name);
      const target = this.#image.code.vaOf(at);
      const thunk = at === offset ? {} : { thunk: offset };
      if (names.length > 0) return { target, offset: at, ...named(names), ...thunk };
      const next = this.#thunks.jumpAt(this.#image.code, at);
      if (next === undefined) return { target, offset: at, ...thunk };
      if (next.slot !== undefined) return { ...this.#lead(next.slot, steps - step - 1), thunk: offset };
      if (!this.#image.code.isCode(next.target)) return { ...this.#outside(next.target), thunk: offset };
      // A function that starts with a jump into itself is no thunk.
      if (this.#image.functions.startingAt(next.target) === undefined)
        return { target, offset: at, ...thunk };
      at = next.target;
    }
    return { target: this.#image.code.vaOf(at), offset: at, thunk: offset };
  }

  /** The function whose address stands at a place in the image. */
  throughSlot(rva: number): Callee {
    return this.#lead(rva, MAX_THUNKS);
  }

  #lead(rva: number, steps: number): Callee {
    const slot = this.#slots.get(rva);
    if (slot === undefined) return this.#throughVariable(rva, steps);
    // A delay slot that was not used yet leads to the image's own loader thunk, which is nobody's function.
    const target = slot.pending ? undefined : slot.value;
    const resolved = target === undefined ? undefined : this.#resolve?.(target);
    const declared = slot.declared;
    if (resolved !== undefined) {
      const { module, name, names = [name] } = resolved;
      return { target, slot: rva, module, ...named(names, declared?.name) };
    }
    return {
      target,
      slot: rva,
      ...(declared?.name == null ? {} : { name: declared.name }),
      ...(declared?.dll == null ? {} : { module: declared.dll }),
    };
  }

  /** The names of all that the image imports, as far as they are known. */
  imported(): readonly string[] {
    return [...this.#slots.keys()].flatMap((rva) => namesOf(this.throughSlot(rva)));
  }

  /** Whether the image is a driver of the framework, as far as its imports tell. */
  get usesFramework(): boolean {
    return this.#framework.isUsed;
  }

  /** The pointer in the image by which code gets to a function of the framework; `undefined` where none is known. */
  frameworkPlace(name: string): number | undefined {
    return this.#framework.placeOf(name);
  }

  /** The framework's functions are not all named: the search for their table was ended at its limit. */
  get frameworkCut(): boolean {
    return this.#framework.cut;
  }

  get #thunks(): Thunks {
    return this.#image.code.set.thunks;
  }

  get #framework(): WdfTable {
    this.#wdf ??= new WdfTable(this.#image);
    return this.#wdf;
  }

  /** Whether a place is a variable of the image that code may call through, and no import slot. */
  isVariable(rva: number): boolean {
    return !this.#slots.has(rva) && !this.#isGuard(rva);
  }

  #throughVariable(rva: number, steps: number): Callee {
    if (this.#isGuard(rva)) return { target: undefined, slot: rva };
    const target = this.#pointers.at(rva);
    if (target === undefined) {
      const found = this.#lookedUp?.variables.get(rva);
      return { target, slot: rva, ...(found === undefined ? {} : { ...found, lookedUp: true }) };
    }
    const variable = { rva, writable: this.#pointers.isWritable(rva) };
    const offset = this.#image.code.offsetOf(target);
    if (offset === undefined) return { target, slot: rva, variable, ...this.#resolve?.(target) };
    return this.#image.code.isCode(offset)
      ? { ...this.#follow(offset, steps), slot: rva, variable }
      : { target, slot: rva };
  }

  /** What the kernel wrote over a call through a slot: the target's own name counts, and the slot's where it has none. */
  optimized(slot: number, target: number): Callee {
    // In the image itself stands a stub, which goes on through the slot.
    if (this.#image.code.isCode(target)) return this.throughSlot(slot);
    return { ...this.throughSlot(slot), ...this.#outside(target) };
  }

  /** The bytes that 32-bit callees take off the stack. */
  readonly popped: PoppedBytes = (site, next) => {
    const { abi } = this.#image.code.set;
    for (const callee of this.of(site)) {
      const routine = routineOf(callee);
      if (routine !== undefined) return argumentBytes(routine);
      const inside = callee.offset === undefined ? undefined : this.popsOf(callee.offset);
      if (inside !== undefined) return inside;
      const outside = this.#poppedOutside?.(callee);
      if (outside !== undefined) return outside;
      if (namesOf(callee).some((name) => abi.takesRegisters(name))) return 0;
    }
    const [to, by] = next?.operands ?? [];
    if (to?.kind === "register" && to.register === abi.stackPointer && by?.kind === "immediate") {
      // add esp, n: the caller takes them off; sub esp, n: the callee has, and the caller keeps the room.
      if (next?.mnemonic === "add") return 0;
      if (next?.mnemonic === "sub") return by.value;
    }
    return Math.max(0, Math.min(site.state.argumentsFrom - site.state.sp, 0x40));
  };

  /** What a return of a function of the image takes off the stack. */
  popsOf(entry: number): number | undefined {
    if (this.#pops.has(entry)) return this.#pops.get(entry);
    const pops = popsOf(this.#image, entry);
    this.#pops.set(entry, pops);
    return pops;
  }

  #near(site: CallSite): Callee {
    const target = site.target ?? 0;
    const slot = this.#optimizedSlot(site);
    if (slot !== undefined) return this.optimized(slot, target);
    return this.#image.code.isCode(target) ? this.at(target) : this.#outside(target);
  }

  /** What the kernel writes over calls through import slots: a load of the slot in front of a near call. */
  #optimizedSlot({ state, tail }: CallSite): number | undefined {
    const { importRegister } = this.#thunks;
    if (importRegister === undefined || tail) return undefined;
    const [only, ...others]: Value = state.registers[importRegister] ?? [];
    return only?.kind === "loaded" && others.length === 0 && this.#slots.has(only.rva) ? only.rva : undefined;
  }

  #outside(offset: number): Callee {
    const target = this.#image.code.vaOf(offset);
    return { target, ...this.#resolve?.(target) };
  }
}

/** The names of one place: the one that is declared, where it is one of them, stands for all. */
function named(names: readonly string[], declared?: string | null): Pick<Callee, "name" | "names"> {
  const name = names.find((candidate) => candidate === declared) ?? names[0];
  if (name === undefined) return {};
  return names.length === 1 ? { name } : { name, names: [name, ...names.filter((other) => other !== name)] };
}
