import { type CallForm, CallGraph } from "../code/calls.ts";
import { advance, type Va } from "../core/address.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { FunctionPlace } from "./place.ts";
import { placeOf } from "./places.ts";
import type { TrailModule } from "./target.ts";

/** Who calls a function of a module, and what it calls. */
export interface CallList {
  /** The function's own start; of an import, the function that the slot holds. */
  readonly target: Va;
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
  readonly notes: readonly string[];
}

/**
 * The calls of one function of a module, or of a function elsewhere that the module imports.
 *
 * @param address of the function, or anywhere in it
 */
export function listCalls(module: TrailModule, decoded: DecodedModule, address: Va): CallList {
  const graph = new CallGraph(decoded.flows);
  const inside = address >= module.base && address < module.end;
  const rva = Number(address - module.base);
  const found = inside
    ? (decoded.image.functions.startingAt(rva) ?? decoded.image.functions.owning(rva)[0])
    : undefined;
  const slots = module.imports.slots.filter((slot) => slot.value === address).map((slot) => slot.rva);
  const entry = found?.entry;
  const wanted = entry === undefined ? slots : [entry];
  const notes = [...decoded.image.notes];
  if (wanted.length === 0) {
    notes.push(
      inside ? "no function is known at this address" : "no import slot of this module holds this address",
    );
  }
  if (decoded.image.code.missing > 0)
    notes.push(`${decoded.image.code.missing} bytes of code could not be read`);
  return {
    target: entry === undefined ? address : advance(module.base, entry),
    callers: graph.callersOf(wanted).map((edge) => ({
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
            name: callee.name === undefined ? null : `${callee.module ?? module.name}!${callee.name}`,
          })),
    addressTaken:
      entry === undefined ? [] : graph.addressTaken(entry).map(({ at }) => advance(module.base, at)),
    notes,
  };
}
