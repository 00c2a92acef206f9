import type { Rva } from "../core/address.ts";
import { argumentPlace } from "../isa/abi.ts";
import { type Instruction, MAX_INSTRUCTION } from "../isa/instruction.ts";
import { comesFrom, type Value } from "./abstract-value.ts";
import { STRUCTURE_ROUTINES } from "./allocators.ts";
import { argumentOf } from "./call-site.ts";
import { namesOf } from "./callees.ts";
import { readContextRegistration } from "./context-registration.ts";
import type { DataFlow } from "./data-flow.ts";
import type { FunctionFlow } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import { textAt } from "./image-text.ts";
import { byRank, type FindElsewhere, inStructure, type Reached, Reaching } from "./reached.ts";
import { straightUse } from "./straight-uses.ts";
import type { TagUse } from "./tag-use.ts";
import { functionsNaming, placeNamed } from "./xrefs.ts";

/** Functions that share the block with the bytes, and are followed: what one does with them, the others do. */
const MAX_USERS = 8;

/** Tells what the code of one image does with tags. */
export class TagUses {
  readonly #flows: DataFlow;
  readonly #reaching: Reaching;
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
        seen: { kind: "not-decoded", machine: image.machine },
      };
    }
    if (code.runAt(rva) === undefined) return { ...nowhere, use: "unknown", seen: { kind: "unreadable" } };
    const owners = functions.owning(rva).slice(0, MAX_USERS);
    const [best] = owners.flatMap((owner) => this.#asOperand(rva, owner) ?? []).sort(byRank);
    if (best !== undefined) return best;
    // Linkers merge constants into code sections, where what is around them may read as code.
    const data = this.#inData(rva);
    if (data.use !== "data" || data.via !== undefined) return data;
    const [owner] = owners;
    if (owner !== undefined) return this.#noOperand(rva, owner);
    if (data.seen.kind === "text") return data;
    return { ...nowhere, use: "data", seen: { kind: "outside-functions" } };
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
    return { ...later, ...base, seen: { kind: "from-there", first: reached.seen, there: later.seen } };
  }

  #noOperand(rva: Rva, owner: CodeFunction): TagUse {
    const flow = this.#flows.of(owner);
    const instruction = instructionOver(flow, rva);
    const base = { instruction: instruction?.start as Rva | undefined, function: owner.entry };
    if (instruction !== undefined)
      return { ...base, use: "unknown", seen: { kind: "no-operand", mnemonic: instruction.mnemonic } };
    return { ...base, use: "unknown", seen: { kind: flow.truncated ? "too-large" : "no-instruction" } };
  }

  #inData(rva: Rva): TagUse {
    const { machine } = this.#flows.image.image;
    const base = { instruction: undefined, function: undefined };
    const registration = readContextRegistration(this.#flows.image.image, rva);
    if (registration === undefined) {
      const read = this.#inText(rva) ?? this.#throughVariable(rva) ?? this.#inStructure(rva);
      if (read !== undefined) return read;
      return {
        ...base,
        use: "data",
        seen: {
          kind: "data",
          readers: this.#flows.followed.namingBytes > 0 ? "none" : "not-looked-for",
          machine,
        },
      };
    }
    return {
      ...base,
      use: "data",
      ...(registration.size === undefined ? {} : { size: registration.size }),
      via: [{ kind: "structure", name: "FLT_CONTEXT_REGISTRATION" }],
      seen: { kind: "registration", at: registration.rva },
    };
  }

  /** The letters of a message, or of an export's or import's name. */
  #inText(rva: Rva): TagUse | undefined {
    const text = textAt(this.#flows.image.image, rva);
    if (text === undefined) return undefined;
    return { use: "data", instruction: undefined, function: undefined, seen: { kind: "text", text } };
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
    return {
      ...best,
      users: usersLike(best, found),
      via: [{ kind: "variable", at: rva }, ...(best.via ?? [])],
      seen: { kind: "in-variable", there: best.seen },
    };
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
    const { image, followed } = this.#flows;
    if (followed.namingBytes <= 0) return [];
    followed.namingBytes -= image.code.readable;
    return functionsNaming(image, [rva]);
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
