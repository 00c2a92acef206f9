import type { Atom, Value } from "../code/abstract-value.ts";
import type { CallEdge } from "../code/call-graph.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { type Abi, type ArgumentPlace, argumentPlace } from "../isa/abi.ts";
import { mayHold } from "./knowledge.ts";
import type { DecodedModule } from "./module-codes.ts";
import { type Duty, fieldOffset } from "./pairs/pair.ts";

type Code = Pick<DecodedModule, "image" | "flows" | "graph">;

/** Who else gives back what a call acquires, as documented; `undefined` where it is the caller's alone. */
export function dutyOf(
  tag: string,
  duties: readonly Duty[],
  decoded: Code,
  { from, at }: Pick<CallEdge, "from" | "at">,
  name = "",
): Duty | undefined {
  if (duties.length === 0) return undefined;
  const site = decoded.flows.siteAt(from, at);
  const { abi } = decoded.image.code.set;
  return duties.find(
    ({ when, tags, irpField, putInto }) =>
      (tags === undefined || tags.includes(tag)) &&
      (site === undefined || mayHold(when, abi, site, name)) &&
      (irpField === undefined || answers(decoded, from, fieldOffset(irpField, abi))) &&
      (putInto === undefined || isPutInto(decoded, from, at, putInto)),
  );
}

/**
 * Whether a function may answer an IRP with a structure that it fills: it, or a function that it gives the structure to,
 * puts the structure's address into that field of something that it was given.
 */
function answers(decoded: Code, from: CodeFunction, field: number): boolean {
  const filled = decoded.flows.of(from).events.flatMap(({ behind }) => behind ?? []);
  const here = putInto(decoded, from, field);
  if (here.some((atom) => atom.kind === "unknown" || filled.some((one) => isWithin(one, atom)))) return true;
  return decoded.graph
    .callersOf([from.entry])
    .some(({ from: caller, at }) =>
      putInto(decoded, caller, field).some(
        (atom) =>
          atom.kind === "unknown" || ((atom.kind === "result" || atom.kind === "left") && atom.call === at),
      ),
    );
}

/**
 * By the size of pointers: where an IRP has its MDLs, its flags and its system buffer; where the data of an operation
 * leads to its parameters, and where those stand.
 *
 * @see IRP (wdm.h), FLT_CALLBACK_DATA, FLT_IO_PARAMETER_BLOCK and FLT_PARAMETERS (fltkernel.h)
 */
const REQUEST = {
  4: { mdl: 4, flags: 8, buffer: 0xc, operation: 8, parameters: 0x10, end: 0x28 },
  8: { mdl: 8, flags: 0x10, buffer: 0x18, operation: 0x10, parameters: 0x18, end: 0x48 },
} as const;

/** The I/O manager frees the system buffer of an IRP that it completes. */
const IRP_DEALLOCATE_BUFFER = 0x20;

/** A function writes something behind a pointer. */
interface PutBehind {
  readonly base: Atom;
  readonly displacement: number;
  /** In bytes. */
  readonly size: number;
  readonly value: Value;
  readonly number: number | undefined;
}

/** Whether a function puts what its call gives where somebody else finds and frees it. */
function isPutInto(
  decoded: Code,
  from: CodeFunction,
  at: number,
  into: NonNullable<Duty["putInto"]>,
): boolean {
  const { abi } = decoded.image.code.set;
  const request = REQUEST[abi.pointerSize];
  const puts = putsOf(decoded, from);
  const ofCall = puts.filter(({ value }) => value.some((atom) => atom.kind === "result" && atom.call === at));
  switch (into) {
    case "irp":
      return ofCall.some(
        ({ base, displacement }) =>
          displacement === request.mdl && isArgument(base, argumentPlace(abi, 2), abi),
      );
    case "freed-buffer":
      return ofCall.some(
        (buffer) =>
          buffer.displacement === request.buffer &&
          puts.some(
            ({ base, displacement, number = 0 }) =>
              base.key === buffer.base.key &&
              displacement === request.flags &&
              (number & IRP_DEALLOCATE_BUFFER) !== 0,
          ),
      );
    case "parameters":
      return (
        exchangesBuffers(decoded) &&
        ofCall.some(
          ({ base, displacement }) =>
            base.kind === "field" &&
            base.offset === request.operation &&
            displacement >= request.parameters &&
            displacement < request.end,
        )
      );
  }
}

/** Whether an image is a minifilter that leaves the MDLs of buffers that it exchanges to the filter manager. */
function exchangesBuffers({ flows }: Code): boolean {
  const imported = new Set(flows.callees.imported());
  return imported.has("FltRegisterFilter") && !imported.has("FltRetainSwappedBufferMdlAddress");
}

function putsOf({ flows }: Code, from: CodeFunction): readonly PutBehind[] {
  return flows.of(from).events.flatMap(({ instruction: { operands }, behind = [], value }) => {
    const [to, what] = operands;
    const number = what?.kind === "immediate" ? what.value : undefined;
    return to?.kind !== "memory"
      ? []
      : behind.map((base) => ({ base, displacement: to.displacement, size: to.size, value, number }));
  });
}

function isArgument(atom: Atom, place: ArgumentPlace, { pointerSize }: Abi): boolean {
  return place.kind === "register"
    ? atom.kind === "register" && atom.register === place.register
    : atom.kind === "argument" && atom.offset === place.offset + pointerSize;
}

/** What a function writes into a field of structures that are not its own. */
function putInto(decoded: Code, from: CodeFunction, field: number): Value {
  const { pointerSize } = decoded.image.code.set.abi;
  return putsOf(decoded, from).flatMap(({ displacement, size, value }) =>
    displacement === field && size === pointerSize ? value : [],
  );
}

function isWithin(place: Atom, structure: Atom): boolean {
  return place.key === structure.key || (place.kind === "offset" && isWithin(place.of, structure));
}
