import { printable } from "../../core/text.ts";
import type { CallList } from "../../trail/calls.ts";
import type { FunctionList } from "../../trail/functions.ts";
import { renderTable } from "../table.ts";
import { plural } from "../words.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `functions`: each function's entry, how it is known, and its pieces. */
export function renderFunctions(list: FunctionList, view: View): string {
  const rows = list.functions.map((one) => [
    at(view, one.entry),
    one.basis,
    one.name ?? "",
    one.fragments.map(({ start, end }) => `${at(view, start)}-${at(view, end)}`).join(" "),
  ]);
  return blocks(
    rows.length === 0
      ? ""
      : renderTable(
          [
            { title: "entry address" },
            { title: "known by" },
            { title: "name" },
            { title: "addresses of its pieces" },
          ],
          rows,
          view.style,
        ),
    printable(`${plural(rows.length, "function")} in ${list.module}`),
    renderNotes(list.notes, view),
  );
}

/** `calls`: who calls a function, and what it calls. */
export function renderCalls(list: CallList, view: View): string {
  const callers = list.callers.map((row) => [
    at(view, row.address),
    row.form,
    place(row.function, row.module, view),
  ]);
  const callees = list.callees.map((row) => [
    at(view, row.address),
    row.form,
    at(view, row.target),
    row.name ?? "",
  ]);
  const title = (text: string): string => view.style.bold(text);
  return blocks(
    `${title(count(callers.length, list))} to ${list.target === null ? "it" : at(view, list.target)}`,
    callers.length === 0
      ? ""
      : renderTable([{ title: "address" }, { title: "form" }, { title: "in" }], callers, view.style),
    `${title(count(callees.length, list))} from it`,
    callees.length === 0
      ? ""
      : renderTable(
          [{ title: "address" }, { title: "form" }, { title: "to address" }, { title: "which is" }],
          callees,
          view.style,
        ),
    list.addressTaken.length === 0
      ? ""
      : `Its address stands, without being called, at ${list.addressTaken.map((where) => at(view, where)).join(", ")}`,
    renderNotes(list.notes, view),
  );
}

/** None seen is not none, in code that is not decoded as a whole. */
function count(calls: number, { undecoded }: CallList): string {
  return undecoded && calls === 0 ? "No call was seen" : plural(calls, "call");
}

function place(found: CallList["callers"][number]["function"], module: string, view: View): string {
  if (found === null) return module;
  return found.name === null ? `${module}, function ${at(view, found.entry)}` : `${module}!${found.name}`;
}
