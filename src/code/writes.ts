import type { Instruction } from "../isa/instruction.ts";
import { type Atom, fieldOf, type MachineState, movedBy, UNKNOWN, type Value } from "./abstract-value.ts";
import { argumentOf, type CallSite } from "./call-site.ts";
import type { DataFlow } from "./data-flow.ts";
import { keepingBehind, type OnHappening, type Putting, type Stored, sameKeeping } from "./fates.ts";
import { routinesIn } from "./given-to.ts";
import { fieldsBehind, type Held, isHeld, isInside, keysOf, leadsFrom, placeOf, renamed } from "./held.ts";
import { isLentByIrp, movesStackLocation } from "./irp.ts";
import type { Copied, Memory } from "./transfer.ts";
import { storesVector } from "./vector-words.ts";
import { placed } from "./xrefs.ts";

/** What becomes known of the thing that is followed where it is written somewhere, or something into it. */
export class Writes {
  readonly #flows: DataFlow;
  readonly #tell: OnHappening | undefined;

  constructor(flows: DataFlow, onHappening: OnHappening | undefined) {
    this.#flows = flows;
    this.#tell = onHappening;
  }

  /** An instruction writes something, to the stack or elsewhere. */
  byInstruction(state: MachineState, told: Held, instruction: Instruction): Held {
    const [to, from] = instruction.operands;
    const { transfer } = this.#flows;
    if (this.#tell !== undefined && from !== undefined && COPIES.has(instruction.mnemonic)) {
      const copied = isHeld(told, transfer.valueOf(state, from, instruction));
      const keeps = to?.kind === "memory" && transfer.stackOffsetOf(state, to) === undefined;
      if (copied && !keeps) this.#tell({ at: instruction.start, what: "copies" });
    }
    if (to?.kind !== "memory") return told;
    const at = instruction.start;
    if (countsDown(instruction)) return this.#counted(state, told, to);
    if (from === undefined) return told;
    const copied = transfer.copiedBy(state, instruction);
    if (copied !== undefined) return this.#copied(state, told, at, copied);
    const onStack = transfer.stackOffsetOf(state, to);
    if (onStack !== undefined) {
      const linked =
        WRITES.has(instruction.mnemonic) &&
        this.#isLinkOf(told, onStack) &&
        isHeld(told, transfer.valueOf(state, from, instruction));
      return linked ? { ...told, stored: [...told.stored, { at, keeping: { in: "unknown" } }] } : told;
    }
    if (WRITES.has(instruction.mnemonic)) {
      const value = transfer.valueOf(state, from, instruction);
      const now = this.#written(state, told, at, to, value);
      if (instruction.mnemonic !== "xchg") return now;
      // what stood there is in the register then, by the place's name
      return {
        ...now,
        aliases: isHeld(told, value) ? told.aliases : new Set([...now.aliases, ...told.aliases]),
      };
    }
    if (from.kind !== "vector" || !storesVector(instruction.mnemonic)) return told;
    const words = transfer.copiedWords(state, instruction.mnemonic, from) ?? [];
    return transfer
      .wordPlaces(to)
      .reduce((now, place, i) => this.#written(state, now, at, place, words[i] ?? UNKNOWN), told);
  }

  /** One reference less: whoever has the others has it then. */
  #counted(state: MachineState, told: Held, to: Memory): Held {
    const { base } = placeOf(this.#flows.transfer, state, to);
    return base !== undefined && isInside(told, base) ? { ...told, counted: true } : told;
  }

  /** A structure is copied elsewhere; where nobody knows how much of it, what stands there may be. */
  #copied(state: MachineState, told: Held, at: number, { from, to, size, words }: Copied): Held {
    if (this.#flows.transfer.stackOffsetOf(state, to) !== undefined) return told;
    const [source, ...others] = (from.base === undefined ? undefined : state.registers[from.base]) ?? UNKNOWN;
    const fields = source === undefined || others.length > 0 ? [] : fieldsBehind(told, source);
    if (size === undefined) {
      const may = fields.length > 0 || [...words.values()].some((value) => isHeld(told, value));
      return may ? { ...told, stored: [...told.stored, { at, keeping: { in: "unknown" } }] } : told;
    }
    const write = (now: Held, by: number, value: Value): Held =>
      this.#written(state, now, at, { ...to, displacement: by }, value);
    const now = [...words].reduce((before, [by, value]) => write(before, by, value), told);
    const it = [...told.aliases].map((key): Atom => ({ kind: "left", key, call: at }));
    return fields.filter((by) => by < size).reduce((before, by) => write(before, by, it), now);
  }

  /** Whether so many bytes into a list's head or entry one of its two links stands. */
  #isLink(offset: number): boolean {
    return offset === 0 || offset === this.#flows.image.code.set.abi.pointerSize;
  }

  /** Whether a place on the stack is a link of the head of a list that it points to. */
  #isLinkOf({ pointers }: Held, place: number): boolean {
    const { pointerSize } = this.#flows.image.code.set.abi;
    return pointers.has(`s${place}`) || pointers.has(`s${place - pointerSize}`);
  }

  /** A value is written to a place that is not on the stack. */
  #written(state: MachineState, told: Held, at: number, to: Memory, value: Value): Held {
    const place = placeOf(this.#flows.transfer, state, to);
    if (isHeld(told, value)) {
      // a list that is empty points to itself
      if (place.alias !== undefined && place.base !== undefined && isInside(told, place.base)) return told;
      const aliases = place.alias === undefined ? told.aliases : new Set([...told.aliases, place.alias]);
      // whoever has the list's head finds it by the other end as well
      const isLinked =
        place.base !== undefined && told.pointers.has(place.base.key) && this.#isLink(to.displacement);
      const isLent = place.pointer !== undefined && isLentByIrp(this.#flows, place.pointer);
      if (isLent && !movesStackLocation(this.#flows, at)) return { ...told, aliases };
      const { keeping } = place;
      const of = isLinked && keeping.in === "field" && keeping.of !== undefined ? { of: keeping.of } : {};
      const stored: Stored = { at, keeping: isLinked || isLent ? { in: "unknown", ...of } : keeping };
      this.#tell?.({ at, what: "stores" });
      return { ...told, aliases, stored: [...told.stored, stored] };
    }
    if (place.base !== undefined && leadsFrom(told, place.base)) {
      const put = routinesIn(this.#flows.image, value).filter((routine) => !told.routines.has(routine));
      if (put.length > 0) return { ...told, routines: new Set([...told.routines, ...put]) };
      const pointers = isInside(told, place.base) ? keysOf(value) : new Set<string>();
      if (pointers.size > 0) return { ...told, pointers: new Set([...told.pointers, ...pointers]) };
    }
    if (place.alias === undefined || !told.aliases.has(place.alias)) return told;
    const aliases = new Set([...told.aliases].filter((key) => key !== place.alias));
    // what was loaded from there before has the place's name
    const name = `~${place.alias}`;
    if (renamed(state, place.alias, name)) aliases.add(name);
    return {
      ...told,
      aliases,
      stored: told.stored.filter(({ keeping }) => !sameKeeping(keeping, place.keeping)),
    };
  }

  /** A call writes it into a structure: it stands there, as if this function had put it there. */
  byCall(state: MachineState, told: Held, site: CallSite, put: Putting): Held | undefined {
    const { image } = this.#flows;
    const { abi } = image.code.set;
    if (!isHeld(told, argumentOf(abi, site, put.what))) return undefined;
    const at = site.instruction.start;
    const into = placed(image, argumentOf(abi, site, put.into));
    const aliases = new Set(told.aliases);
    for (const atom of into) {
      if (atom.kind === "stack") state.put(atom.offset + put.offset, argumentOf(abi, site, put.what));
      else if (atom.kind === "address") aliases.add(`*${atom.rva + put.offset}`);
      else for (const { key, kind } of fieldOf(atom, put.offset)) if (kind !== "unknown") aliases.add(key);
    }
    const unknown: readonly Stored[] = into.every(({ kind }) => kind === "unknown")
      ? [{ at, keeping: { in: "unknown" } }]
      : [];
    const pointers = into.flatMap((atom) => movedBy(atom, put.offset));
    return { ...told, aliases, stored: [...told.stored, ...unknown, ...placesOf(pointers, at)] };
  }
}

/** Places that outlive the function, of pointers to where something is put. */
export function placesOf(pointers: Value, at: number): readonly Stored[] {
  return pointers.flatMap((atom): Stored[] => {
    if (atom.kind === "stack" || atom.kind === "unknown") return [];
    return [{ at, keeping: keepingBehind(atom) }];
  });
}

/** Whether an instruction takes one off a number in memory under a lock, as references are counted. */
function countsDown({ mnemonic, locked, operands: [, by] }: Instruction): boolean {
  if (locked !== true) return false;
  if (mnemonic === "dec" || mnemonic === "xadd") return true;
  const least = mnemonic === "sub" ? 1 : mnemonic === "add" ? -1 : undefined;
  return by?.kind === "immediate" && least !== undefined && (by.value | 0) === least;
}

/** Instructions that bring a value to another place as it is. */
const COPIES: ReadonlySet<string> = new Set(["mov", "push", "xchg", "cmove", "cmovne"]);
/** Instructions that write what they are given. */
const WRITES: ReadonlySet<string> = new Set(["mov", "xchg", "cmpxchg", "and", "or"]);
