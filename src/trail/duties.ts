import type { Atom, Value } from "../code/abstract-value.ts";
import type { CallEdge } from "../code/call-graph.ts";
import type { CodeFunction } from "../code/function-table.ts";
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
  name: string,
): Duty | undefined {
  if (duties.length === 0) return undefined;
  const site = decoded.flows.siteAt(from, at);
  const { abi } = decoded.image.code.set;
  return duties.find(
    ({ when, tags, irpField }) =>
      (tags === undefined || tags.includes(tag)) &&
      (site === undefined || mayHold(when, abi, site, name)) &&
      (irpField === undefined || answers(decoded, from, fieldOffset(irpField, abi))),
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

/** What a function writes into a field of structures that are not its own. */
function putInto({ flows, image }: Code, from: CodeFunction, field: number): Value {
  const { pointerSize } = image.code.set.abi;
  return flows.of(from).events.flatMap(({ instruction, behind, value }) => {
    const [to] = instruction.operands;
    const isField = to?.kind === "memory" && to.displacement === field && to.size === pointerSize;
    return behind !== undefined && isField ? value : [];
  });
}

function isWithin(place: Atom, structure: Atom): boolean {
  return place.key === structure.key || (place.kind === "offset" && isWithin(place.of, structure));
}
