import { argumentNumber, argumentPlace } from "../isa/abi.ts";
import type { Operand } from "../isa/instruction.ts";
import type { Value } from "./abstract-value.ts";
import { argumentOf, argumentPlaces, type CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import type { Effect, Given } from "./fates.ts";
import type { FunctionFlow } from "./function-flow.ts";
import type { ImageCode } from "./functions.ts";
import { fieldsBehind, type Held, isHeld, STRUCTURE } from "./held.ts";
import { isOutgoing } from "./outgoing.ts";
import { placed } from "./xrefs.ts";

/** What a call is given as the argument that documentation counts so. */
export function documentedArgument({ image, callees }: DataFlow, site: CallSite, argument: number): Value {
  const { abi } = image.code.set;
  const [callee] = callees.of(site);
  const value = argumentOf(abi, site, argumentPlace(abi, argument, callee?.name));
  return placed(image, value);
}

/** Where a call is given what is followed: in which arguments, and in structures behind which. */
export function givenTo(
  { image }: DataFlow,
  told: Held,
  site: CallSite,
  callee: Callee | undefined,
): readonly Given[] {
  const { abi } = image.code.set;
  const given: Given[] = [];
  for (const place of argumentPlaces(abi, site, callee?.name)) {
    const value = placed(image, argumentOf(abi, site, place));
    const argument = argumentNumber(abi, place, callee?.name);
    if (value.some(({ key }) => told.aliases.has(key))) given.push({ place, argument, within: undefined });
    else if (isHeld(told, value)) given.push({ place, argument, within: undefined, isPart: true });
    for (const atom of value) {
      const inside = told.structures.get(atom.key);
      const fields = inside === undefined ? fieldsBehind(told, atom) : [inside];
      for (const within of fields) given.push({ place, argument, within });
      if (fields.length > 0 || atom.kind !== "stack") continue;
      for (let within = 0; within < STRUCTURE; within += abi.pointerSize) {
        const held = site.state.stack.get(atom.offset + within);
        if (held?.some(({ key }) => told.aliases.has(key)) === true) given.push({ place, argument, within });
      }
    }
  }
  return given;
}

/**
 * Where a call is given a structure on the stack that points to another one there, in which it stands: a work item, whose
 * routine gets that as its context.
 */
export function givenThrough(
  { image }: DataFlow,
  told: Held,
  site: CallSite,
  name?: string,
): readonly Given[] {
  const { abi } = image.code.set;
  const { stack } = site.state;
  const wordsFrom = (offset: number) =>
    Array.from(
      { length: STRUCTURE / abi.pointerSize },
      (_, i) => stack.get(offset + i * abi.pointerSize) ?? [],
    );
  const holds = (offset: number): boolean =>
    wordsFrom(offset).some((value) => value.some(({ key }) => told.aliases.has(key)));
  return argumentPlaces(abi, site, name).flatMap((place) => {
    const through = placed(image, argumentOf(abi, site, place)).some(
      (atom) =>
        atom.kind === "stack" &&
        wordsFrom(atom.offset).some((value) => value.some((to) => to.kind === "stack" && holds(to.offset))),
    );
    return through ? [{ place, argument: argumentNumber(abi, place, name), within: undefined }] : [];
  });
}

/** In which variables of the image a callee finds it, that its own code names. */
export function foundBy(flows: DataFlow, { aliases }: Held, entry: number): readonly Given[] {
  const variables = [...aliases].flatMap((key) => (key.startsWith("*") ? [Number(key.slice(1))] : []));
  const found = variables.length === 0 ? undefined : flows.image.functions.startingAt(entry);
  if (found === undefined) return [];
  const places = variablesNamed(flows.of(found));
  return variables
    .filter((rva) => places.has(rva))
    .map((rva) => ({ place: { kind: "variable", rva }, argument: 0, within: undefined }));
}

const named = new WeakMap<FunctionFlow, ReadonlySet<number>>();

/** The places of the image that a function's operands name. The work is done once. */
function variablesNamed(flow: FunctionFlow): ReadonlySet<number> {
  const known = named.get(flow);
  if (known !== undefined) return known;
  const places = new Set<number>();
  for (const { operands } of flow.instructions.values())
    for (const operand of operands)
      if (operand.kind === "memory" && operand.address !== undefined) places.add(operand.address);
  named.set(flow, places);
  return places;
}

/**
 * Whether what stands in an argument's place is given to the callee, as far as what the callee does with it tells: what
 * stands on the stack and was not pushed may be a variable of the caller's.
 *
 * @param effect absent where nobody knows who is called
 */
export function isGivenTo(
  flows: DataFlow,
  site: CallSite,
  { place }: Given,
  effect: Effect | undefined,
): boolean {
  if (place.kind !== "stack" || flows.image.code.set.abi.calleePops) return true;
  if (effect === "unknown" || effect === undefined) return isOutgoing(flows, site, place.offset);
  return effect !== "uses";
}

/** Where the functions of the image start whose addresses a value may be. */
export function routinesIn(image: ImageCode, value: Value): readonly number[] {
  return placed(image, value).flatMap((atom) =>
    atom.kind === "address" && image.functions.startingAt(atom.rva) !== undefined ? [atom.rva] : [],
  );
}

/** Instructions in which a block that has no frame of its own shows that it uses another's. */
const FIRST_INSTRUCTIONS = 12;

/** Whether 32-bit code works in the frame of whoever calls it, as blocks do that `__finally` made. */
export function usesCallersFrame(
  { instructions, function: { entry } }: FunctionFlow,
  framePointer: number,
): boolean {
  let at = entry as number;
  for (let count = 0; count < FIRST_INSTRUCTIONS; count++) {
    const instruction = instructions.get(at);
    if (instruction === undefined) return false;
    const { operands, writes, length, target } = instruction;
    if (operands.some((operand) => operand.kind === "memory" && operand.base === framePointer)) return true;
    if (
      writes.includes(framePointer) ||
      (instruction.mnemonic === "push" && isRegister(operands[0], framePointer))
    )
      return false;
    if (target !== undefined && instruction.mnemonic !== "call") return false;
    at += length;
  }
  return false;
}

function isRegister(operand: Operand | undefined, register: number): boolean {
  return operand?.kind === "register" && operand.register === register;
}
