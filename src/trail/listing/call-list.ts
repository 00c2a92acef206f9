import { type CallEdge, type CallForm, CallGraph } from "../../code/call-graph.ts";
import { type Callee, namesOf } from "../../code/callees.ts";
import { findRuntimeLookups } from "../../code/lookups.ts";
import { advance, type Rva, type Va } from "../../core/address.ts";
import { placeNamed } from "../../symbols/image-names.ts";
import { type FunctionPlace, placeOf } from "../function-place.ts";
import { callsThrough } from "../import-calls.ts";
import type { DecodedModule } from "../module-codes.ts";
import type { TrailModule } from "../target.ts";

/** Who calls a function of a module, and what it calls. */
export interface CallList {
  /** The function's own start; of an import, what the slot holds; null where no loader has filled it. */
  readonly target: Va | null;
  readonly callers: readonly {
    /** The call instruction. */
    readonly address: Va;
    readonly module: string;
    /** The function that it stands in. */
    readonly function: FunctionPlace | null;
    readonly form: CallForm;
  }[];
  readonly callees: readonly {
    /** The call instruction. */
    readonly address: Va;
    /** Null through an import slot of a file, which no loader has filled. */
    readonly target: Va | null;
    readonly form: CallForm;
    /** `module!name` where an export starts there; null where nothing names it. */
    readonly name: string | null;
  }[];
  /** Where the function's address stands without being called: whoever has it may call it. */
  readonly addressTaken: readonly Va[];
  /** The module's code is not decoded as a whole: calls that are not listed are not known, and may be there. */
  readonly undecoded: boolean;
  readonly notes: readonly string[];
}

/** A function as one module knows it: by its address, or by import slots that no loader has filled. */
export interface CalledFunction {
  readonly address: Va | undefined;
  /** Offsets of the import slots, and of variables, that lead there. */
  readonly slots: readonly number[];
  /** Calls of what the function that makes them has just looked up by name. */
  readonly lookedUp?: readonly Rva[];
}

/** The function that an address means to a module: its own, or one whose address its import slots hold. */
export function functionAtAddress(module: TrailModule, address: Va): CalledFunction {
  return {
    address,
    slots: module.imports.slots.filter((slot) => slot.value === address).map((slot) => slot.rva),
  };
}

/** The function that a module exports, imports or looks up by a name; undefined where it does none of it. */
export function functionNamed(
  module: TrailModule,
  decoded: DecodedModule,
  name: string,
): CalledFunction | undefined {
  if (name === "") return undefined;
  const own = module.image === undefined ? undefined : placeNamed(module.image, name);
  if (own !== undefined) return { address: advance(module.base, own.rva), slots: [] };
  const slots = module.imports.slots.filter((slot) =>
    namesOf(decoded.flows.callees.throughSlot(slot.rva)).includes(name),
  );
  const lookups = findRuntimeLookups(decoded.flows, new Set([name])).filter(({ call }) => call !== undefined);
  const [first] = slots;
  if (first === undefined && lookups.length === 0) return undefined;
  return {
    address: first?.value,
    slots: [...new Set([...slots.map(({ rva }) => rva), ...lookups.flatMap(({ pointer }) => pointer ?? [])])],
    lookedUp: lookups.flatMap(({ uses = [] }) => uses),
  };
}

/** Who calls a function in one module's code, and, where the function is the module's, what it calls. */
export function listCalls(
  module: TrailModule,
  decoded: DecodedModule,
  { address, slots, lookedUp = [] }: CalledFunction,
): CallList {
  const graph = new CallGraph(decoded.flows);
  const { machine } = decoded.image.image;
  const inside = address !== undefined && address >= module.base && address < module.end;
  const rva = inside ? Number(address - module.base) : -1;
  const found = inside
    ? (decoded.image.functions.startingAt(rva) ?? decoded.image.functions.owning(rva)[0])
    : undefined;
  const wanted = found === undefined ? slots : [found.entry, ...slots];
  const notes = [...decoded.image.notes];
  if (machine === "arm64") notes.push("arm64 calls are told of straight lines of code only");
  if (decoded.flows.callees.frameworkCut)
    notes.push("the search for the table of KMDF's functions was ended at its limit");
  if (wanted.length === 0 && lookedUp.length === 0) {
    notes.push(
      inside ? "no function is known at this address" : "no import slot of this module holds this address",
    );
  }
  if (decoded.image.code.missing > 0)
    notes.push(`${decoded.image.code.missing} bytes of code could not be read`);
  return {
    target: found === undefined ? (address ?? null) : advance(module.base, found.entry),
    callers: callsThrough(graph, new Map(slots.map((slot) => [slot, slot])))
      .map(({ edge }): Pick<CallEdge, "at" | "form"> => edge)
      .concat(lookedUp.map((at) => ({ at, form: "register" as const })))
      .concat(found === undefined ? [] : graph.callersOf([found.entry]))
      .map((edge) => ({
        address: advance(module.base, edge.at),
        module: module.name,
        function: placeOf(module, advance(module.base, edge.at)),
        form: edge.form,
      })),
    callees:
      found === undefined
        ? []
        : graph.calleesOf(found).map(({ at, form, callee }) => ({
            address: advance(module.base, at),
            target: callee.target ?? null,
            form,
            name: nameOf(callee, module),
          })),
    addressTaken:
      found === undefined || machine === "arm64"
        ? []
        : graph.addressTaken(found.entry).map(({ at }) => advance(module.base, at)),
    undecoded: machine !== "x64" && machine !== "x86",
    notes,
  };
}

function nameOf({ name, module: of, lookedUp }: Callee, { name: own }: TrailModule): string | null {
  if (name === undefined) return null;
  return lookedUp && of === undefined ? name : `${of ?? own}!${name}`;
}
