import { advance, type Va } from "../core/address.ts";
import type { ImportSlot } from "../pe/imports.ts";
import { guardVariables } from "../pe/loader-changes.ts";
import { argumentBytes, poolRoutine } from "./allocators.ts";
import { type Decoder, Reg, withDecoder } from "./decoder.ts";
import { fixedSlot } from "./fixed-slot.ts";
import type { CallSite, PoppedBytes } from "./function-flow.ts";
import type { ImageCode } from "./functions.ts";
import { FLOW_SHIFT, Flow, LENGTH_MASK, lengthAt, nearTarget } from "./lengths.ts";
import type { Value } from "./values.ts";
import { wdfFunction } from "./wdf.ts";

/** Gives the exported function that starts at an address outside the image. */
export type Resolver = (address: Va) => { readonly module: string; readonly name: string } | undefined;

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
  /** It is reached by a jump that stands where the call leads: a thunk of the image. */
  readonly thunk?: number;
}

/** Jumps followed from one to the next. */
const MAX_THUNKS = 4;

/** Names what an image's code calls: by the resolver first, then by what the image declares. */
export class Callees {
  readonly #image: ImageCode;
  readonly #resolve: Resolver | undefined;
  readonly #slots: ReadonlyMap<number, ImportSlot>;
  readonly #exports = new Map<number, string>();
  #guards: ReadonlySet<number> | undefined;
  readonly #pops = new Map<number, number | undefined>();

  /** @param slots as `Flows` takes them */
  constructor(
    image: ImageCode,
    resolve?: Resolver,
    slots: readonly ImportSlot[] = image.image.imports.slots,
  ) {
    this.#image = image;
    this.#resolve = resolve;
    this.#slots = new Map(slots.map((slot) => [slot.rva, slot]));
    for (const { name, rva, forwarder } of image.image.exports.items) {
      if (name !== null && forwarder === undefined && !this.#exports.has(rva)) this.#exports.set(rva, name);
    }
  }

  /** What a call site calls; several where a register may hold several, none where nobody knows. */
  of(site: CallSite): readonly Callee[] {
    if (site.target !== undefined) return [this.#near(site)];
    return this.#pointers(site).flatMap((atom): Callee[] => {
      const framework = wdfFunction(this.#image.image, atom);
      if (framework !== undefined) return [{ target: undefined, module: "WDF", name: framework }];
      if (atom.kind === "loaded") return [this.throughSlot(atom.rva)];
      if (atom.kind === "address") return [this.at(atom.rva)];
      if (atom.kind === "constant" && !this.#image.code.wide) {
        const offset = this.#image.code.offsetOf(BigInt(atom.value >>> 0));
        return offset === undefined ? [] : [this.at(offset)];
      }
      return [];
    });
  }

  /** What an indirect call may go through: with control flow guard, the target is in a register. */
  #pointers({ through = [], state }: CallSite): Value {
    const [only, ...others] = through;
    const guarded =
      this.#image.code.wide && others.length === 0 && only?.kind === "loaded" && this.#isGuard(only.rva);
    const target = state.registers[Reg.ax] ?? [];
    return guarded && target.some(({ kind }) => kind === "field" || kind === "loaded") ? target : through;
  }

  #isGuard(rva: number): boolean {
    this.#guards ??= new Set(guardVariables(this.#image.image));
    return this.#guards.has(rva);
  }

  /** The function at an offset, through the jumps that stand there. */
  at(offset: number): Callee {
    let at = offset;
    for (let step = 0; step < MAX_THUNKS; step++) {
      const name = this.#exports.get(at);
      const target = this.#image.code.vaOf(at);
      const thunk = at === offset ? {} : { thunk: offset };
      if (name !== undefined) return { target, offset: at, name, ...thunk };
      const next = this.#jumpAt(at);
      if (next === undefined) return { target, offset: at, ...thunk };
      if (next.slot !== undefined) return { ...this.throughSlot(next.slot), thunk: offset };
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
    const slot = this.#slots.get(rva);
    // A delay slot that was not used yet leads to the image's own loader thunk, which is nobody's function.
    const target = slot === undefined ? this.#pointerAt(rva) : slot.pending ? undefined : slot.value;
    const resolved = target === undefined ? undefined : this.#resolve?.(target);
    if (resolved !== undefined) return { target, slot: rva, ...resolved };
    const declared = slot?.declared;
    return {
      target,
      slot: rva,
      ...(declared?.name == null ? {} : { name: declared.name }),
      ...(declared?.dll == null ? {} : { module: declared.dll }),
    };
  }

  /** What the kernel wrote over a call through a slot: the target's own name counts, and the slot's where it has none. */
  optimized(slot: number, target: number): Callee {
    // In the image itself stands a stub, which goes on through the slot.
    if (this.#image.code.isCode(target)) return this.throughSlot(slot);
    return { ...this.throughSlot(slot), ...this.#outside(target) };
  }

  /** The bytes that 32-bit callees take off the stack. */
  readonly popped: PoppedBytes = (site, next) => {
    for (const callee of this.of(site)) {
      const routine = callee.name === undefined ? undefined : poolRoutine(callee.name);
      if (routine !== undefined) return argumentBytes(routine);
      const inside = callee.offset === undefined ? undefined : this.popsOf(callee.offset);
      if (inside !== undefined) return inside;
      if (callee.name !== undefined && FASTCALL.test(callee.name)) return 0;
    }
    const [to, by] = next?.operands ?? [];
    if (to?.kind === "register" && to.register === Reg.sp && by?.kind === "immediate") {
      // add esp, n: the caller takes them off; sub esp, n: the callee has, and the caller keeps the room.
      if (next?.mnemonic === "add") return 0;
      if (next?.mnemonic === "sub") return by.value;
    }
    return Math.max(0, Math.min(site.state.argumentsFrom - site.state.sp, 0x40));
  };

  /** The n of `ret n` in a function of the image. */
  popsOf(entry: number): number | undefined {
    if (this.#pops.has(entry)) return this.#pops.get(entry);
    const pops = withDecoder(this.#image.code, (decoder) => this.#findReturn(entry, decoder));
    this.#pops.set(entry, pops);
    return pops;
  }

  #findReturn(entry: number, decoder: Decoder): number | undefined {
    const found = this.#image.functions.startingAt(entry);
    const { code } = this.#image;
    for (const { start, end } of found?.fragments ?? []) {
      const run = code.runAt(start);
      if (run === undefined) continue;
      for (let at: number = start; at < Math.min(end, run.end); ) {
        const packed = lengthAt(run.bytes, at - run.start, run.bytes.length, code.wide);
        const length = packed === 0 ? decoder.lengthAt(at) : packed & LENGTH_MASK;
        if (length === 0) break;
        if (packed >> FLOW_SHIFT === Flow.Return) {
          const byte = (index: number): number => run.bytes[at - run.start + index] ?? 0;
          if (byte(0) === 0xc3) return 0;
          if (byte(0) === 0xc2) return byte(1) | (byte(2) << 8);
        }
        at += length;
      }
    }
    return undefined;
  }

  #near(site: CallSite): Callee {
    const target = site.target ?? 0;
    const slot = this.#optimizedSlot(site);
    if (slot !== undefined) return this.optimized(slot, target);
    return this.#image.code.isCode(target) ? this.at(target) : this.#outside(target);
  }

  /** What the kernel writes over calls through import slots: `mov r10, [slot]` in front of a near call. */
  #optimizedSlot({ state, tail }: CallSite): number | undefined {
    if (!this.#image.code.wide || tail) return undefined;
    const [only, ...others]: Value = state.registers[Reg.r10] ?? [];
    return only?.kind === "loaded" && others.length === 0 && this.#slots.has(only.rva) ? only.rva : undefined;
  }

  #outside(offset: number): Callee {
    const target = this.#image.code.vaOf(offset);
    return { target, ...this.#resolve?.(target) };
  }

  #jumpAt(at: number): { target: number; slot?: undefined } | { slot: number } | undefined {
    const run = this.#image.code.runAt(at);
    if (run === undefined) return undefined;
    const packed = lengthAt(run.bytes, at - run.start, run.bytes.length, this.#image.code.wide);
    const flow = packed >> FLOW_SHIFT;
    const length = packed & LENGTH_MASK;
    if (flow === Flow.Jump) return { target: run.start + nearTarget(run.bytes, at - run.start, length) };
    if (flow !== Flow.JumpIndirect) return undefined;
    const slot = fixedSlot(this.#image.code, run, at, length);
    return slot === undefined ? undefined : { slot };
  }

  /** What stands in the image's data: only a loader's image holds addresses there. */
  #pointerAt(rva: number): Va | undefined {
    const { image } = this.#image;
    if (image.layout !== "memory") return undefined;
    const pointer = image.space.tryReadPointer(advance(image.base, rva));
    return pointer === 0n ? undefined : pointer;
  }
}

/** These take their arguments in registers. */
const FASTCALL = /^@|^(?:Iof|Obf|Kf|Exf|Interlocked|KeAcquireInStackQueued|KeReleaseInStackQueued)/;
