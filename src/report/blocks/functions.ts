import type { CallList } from "../../trail/listing/call-list.ts";
import type { FunctionList } from "../../trail/listing/function-list.ts";
import { at, type Block, bold, heading, notes, type PointerSize, rowsOf, table } from "../block.ts";
import { plural } from "../words.ts";

/** `functions`: each function's entry, how it is known, and its pieces. */
export function functionsBlocks(list: FunctionList, size: PointerSize): readonly Block[] {
  const rows = rowsOf(list.functions, (one) => [
    at(size, one.entry),
    one.basis,
    one.name ?? "",
    one.fragments.map(({ start, end }) => `${at(size, start)}-${at(size, end)}`).join(" "),
  ]);
  const columns = [
    { title: "entry address" },
    { title: "known by" },
    { title: "name" },
    { title: "addresses of its pieces" },
  ];
  return [
    ...table(columns, rows),
    heading(`${plural(rows.length, "function")} in ${list.module}`),
    notes(list.notes),
  ];
}

/** `calls`: who calls a function, and what it calls. */
export function callsBlocks(list: CallList, size: PointerSize): readonly Block[] {
  const callers = list.callers.map((row) => [
    at(size, row.address),
    row.form,
    place(row.function, row.module, size),
  ]);
  const callees = list.callees.map((row) => [
    at(size, row.address),
    row.form,
    at(size, row.target),
    row.name ?? "",
  ]);
  const taken = list.addressTaken.map((where) => at(size, where)).join(", ");
  return [
    heading([
      bold(count(callers.length, list)),
      ` to ${list.target === null ? "it" : at(size, list.target)}`,
    ]),
    ...table([{ title: "address" }, { title: "form" }, { title: "in" }], callers),
    heading([bold(count(callees.length, list)), " from it"]),
    ...table(
      [{ title: "address" }, { title: "form" }, { title: "to address" }, { title: "which is" }],
      callees,
    ),
    ...(taken === "" ? [] : [heading(`Its address stands, without being called, at ${taken}`)]),
    notes(list.notes),
  ];
}

/** None seen is not none, in code that is not decoded as a whole. */
function count(calls: number, { undecoded }: CallList): string {
  return undecoded && calls === 0 ? "No call was seen" : plural(calls, "call");
}

function place(found: CallList["callers"][number]["function"], module: string, size: PointerSize): string {
  if (found === null) return module;
  return found.name === null ? `${module}, function ${at(size, found.entry)}` : `${module}!${found.name}`;
}
