import { hex, type Rva } from "../core/address.ts";
import { MAX_NAMING_BYTES } from "../core/limits.ts";
import { argumentPlace } from "../isa/abi.ts";
import { type Instruction, MAX_INSTRUCTION } from "../isa/instruction.ts";
import { comesFrom, type Value } from "./abstract-value.ts";
import { STRUCTURE_ROUTINES } from "./allocators.ts";
import { argumentOf } from "./call-site.ts";
import { namesOf } from "./callees.ts";
import { readContextRegistration } from "./context-registration.ts";
import type { DataFlow, FunctionFlow } from "./data-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import { textAt } from "./image-text.ts";
import { byRank, type FindElsewhere, inStructure, type Reached, Reaching, type TagUse } from "./reached.ts";
import { straightUse } from "./straight-uses.ts";
import { functionsNaming, placeNamed } from "./xrefs.ts";

/** Functions that share the block with the bytes, and are followed: what one does with them, the others do. */
const MAX_USERS = 8;
/** Letters of a text that are shown. */
const MAX_TEXT = 40;

/** Tells what the code of one image does with tags. */
export class TagUses {
  readonly #flows: DataFlow;
  readonly #reaching: Reaching;
  /** Bytes of code that may still be searched for whoever names a place. */
  #left = MAX_NAMING_BYTES;
  #imported: ReadonlySet<string> | undefined;
  readonly #known = new Map<Rva, TagUse>();

  constructor(flows: DataFlow, elsewhere?: FindElsewhere) {
    this.#flows = flows;
    this.#reaching = new Reaching(flows, elsewhere);
  }

  /** What happens to the four bytes at `rva`. */
  at(rva: Rva): TagUse {
    const known = this.#known.get(rva) ?? this.#find(rva);
    this.#known.set(rva, known);
    return known;
  }

  #find(rva: Rva): TagUse {
    const { code, functions, image } = this.#flows.image;
    const nowhere = { instruction: undefined, function: undefined };
    if (code.set.simple !== undefined) return straightUse(this.#flows, code.set.simple, rva);
    if (!code.isCode(rva)) return this.#inData(rva);
    if (code.set.withDecoder === undefined) {
      const [owner] = functions.owning(rva);
      return {
        ...nowhere,
        function: owner?.entry,
        use: "unknown",
        detail: `${image.machine} code is not decoded`,
      };
    }
    if (code.runAt(rva) === undefined)
      return { ...nowhere, use: "unknown", detail: "the page cannot be read" };
    const owners = functions.owning(rva).slice(0, MAX_USERS);
    const [best] = owners.flatMap((owner) => this.#asOperand(rva, owner) ?? []).sort(byRank);
    if (best !== undefined) return best;
    // Linkers merge constants into code sections, where what is around them may read as code.
    const data = this.#inData(rva);
    if (data.use !== "data" || data.via !== undefined) return data;
    const [owner] = owners;
    if (owner !== undefined) return this.#noOperand(rva, owner);
    if (data.text !== undefined) return data;
    return { ...nowhere, use: "data", detail: "in an executable section, but in no function" };
  }

  /** The bytes as a part of an instruction; `undefined` where they are none that a tag can be. */
  #asOperand(rva: Rva, owner: CodeFunction): TagUse | undefined {
    const flow = this.#flows.of(owner);
    const instruction = instructionOver(flow, rva);
    if (instruction === undefined) return undefined;
    const immediate = instruction.immediateAt === rva && instruction.immediateSize >= 4;
    // lea r8d, [rax+'ObNm'], with what is in rax known to the compiler
    const added = instruction.displacementAt === rva && instruction.mnemonic === "lea";
    if (!immediate && !added) return undefined;
    const base = { instruction: instruction.start as Rva, function: owner.entry };
    const { into, ...reached } = this.#reaching.of(flow, instruction, (value) => comesFrom(value, rva));
    if (into === undefined) return { ...base, ...reached };
    const later = this.#throughVariable(into) ?? this.#inStructure(into);
    if (later === undefined) return { ...base, ...reached };
    return { ...later, ...base, detail: `${reached.detail}; there ${later.detail}` };
  }

  #noOperand(rva: Rva, owner: CodeFunction): TagUse {
    const flow = this.#flows.of(owner);
    const instruction = instructionOver(flow, rva);
    const base = { instruction: instruction?.start as Rva | undefined, function: owner.entry };
    if (instruction !== undefined) {
      const detail = `no operand of the ${instruction.mnemonic} that holds the bytes`;
      return { ...base, use: "unknown", detail };
    }
    const detail = flow.truncated
      ? "in a function that is too large to be followed"
      : "in a function, but in no instruction of it that can be read";
    return { ...base, use: "unknown", detail };
  }

  #inData(rva: Rva): TagUse {
    const base = { instruction: undefined, function: undefined };
    const registration = readContextRegistration(this.#flows.image.image, rva);
    if (registration === undefined) {
      const read = this.#inText(rva) ?? this.#throughVariable(rva) ?? this.#inStructure(rva);
      if (read !== undefined) return read;
      return {
        ...base,
        use: "data",
        detail: this.#left > 0 ? "in data" : "in data; who reads it was not looked for",
      };
    }
    return {
      ...base,
      use: "data",
      ...(registration.size === undefined ? {} : { size: registration.size }),
      via: "FLT_CONTEXT_REGISTRATION",
      detail: `the pool tag of a context registration at ${hex(registration.rva)}: the filter manager allocates with it`,
    };
  }

  /** The letters of a message, or of an export's or import's name. */
  #inText(rva: Rva): TagUse | undefined {
    const text = textAt(this.#flows.image.image, rva);
    if (text === undefined) return undefined;
    const shown = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
    return {
      use: "data",
      instruction: undefined,
      function: undefined,
      text,
      detail: `letters of the text ${JSON.stringify(shown)}`,
    };
  }

  /** Functions that load the variable and pass it on. */
  #throughVariable(rva: number): TagUse | undefined {
    const isTag = (value: Value): boolean => value.some((atom) => atom.kind === "loaded" && atom.rva === rva);
    const found = this.#naming(rva).flatMap((user): readonly TagUse[] => {
      const { into: _, ...reached } = this.#reaching.of(this.#flows.of(user), undefined, isTag);
      return takesTag(reached) ? [{ ...reached, instruction: undefined, function: user.entry }] : [];
    });
    const [best] = found.sort(byRank);
    if (best === undefined) return undefined;
    const via = `the variable at ${hex(rva)}${best.via === undefined ? "" : `, ${best.via}`}`;
    return { ...best, users: usersLike(best, found), via, detail: `in a variable: ${best.detail}` };
  }

  /** Functions that give a structure of the image, with the tag in it, to a routine that reads it. */
  #inStructure(rva: number): TagUse | undefined {
    const { abi } = this.#flows.image.code.set;
    const readers: TagUse[] = [];
    for (const [name, { structure, use }] of STRUCTURE_ROUTINES) {
      if (!this.#calls(name)) continue;
      const start = rva - structure.at[abi.pointerSize];
      for (const found of this.#naming(start)) {
        for (const site of this.#flows.of(found).calls) {
          const given = argumentOf(abi, site, argumentPlace(abi, structure.argument));
          if (!given.some((atom) => placeNamed(this.#flows.image, atom) === start)) continue;
          const callee = this.#flows.callees.of(site).find((one) => namesOf(one).includes(name));
          if (callee === undefined) continue;
          const { into: _, ...reached } = inStructure(site, callee, use, structure.name);
          readers.push({ ...reached, instruction: undefined, function: found.entry });
        }
      }
    }
    const [best] = readers.sort(byRank);
    return best === undefined ? undefined : { ...best, users: usersLike(best, readers) };
  }

  /** Whether the image may call a routine at all. */
  #calls(routine: string): boolean {
    this.#imported ??= new Set(this.#flows.callees.imported());
    return this.#imported.has(routine) || (routine.startsWith("Wdf") && this.#flows.callees.usesFramework);
  }

  #naming(rva: number): readonly CodeFunction[] {
    const { image } = this.#flows;
    if (this.#left <= 0) return [];
    this.#left -= image.code.readable;
    return functionsNaming(image, rva);
  }
}

function usersLike(best: TagUse, all: readonly TagUse[]): readonly Rva[] {
  const same = all.filter(({ use }) => use === best.use).flatMap((one) => one.function ?? []);
  return [...new Set(same)];
}

function takesTag({ use }: Reached): boolean {
  return use === "allocate" || use === "free" || use === "lookaside";
}

/** The instruction whose bytes stand at `rva`. */
function instructionOver({ instructions }: FunctionFlow, rva: number): Instruction | undefined {
  for (let start = rva; start > rva - MAX_INSTRUCTION; start--) {
    const instruction = instructions.get(start);
    if (instruction !== undefined) return rva < start + instruction.length ? instruction : undefined;
  }
  return undefined;
}
