import { type ToolKind, toolOf } from "../trail/known/tools.ts";
import type { ToolRow } from "./documents.ts";
import { list } from "./list.ts";

type Named = Parameters<typeof toolOf>[0];

/** The tool whose driver a module is, as plain data. */
export function toolRow(module: Named): ToolRow | null {
  const found = toolOf(module);
  if (found === undefined) return null;
  const { tool, confirmed } = found;
  return { name: tool.name, kind: tool.kind, confirmed };
}

const KINDS: Readonly<Record<ToolKind, string>> = {
  acquisition: "it copies memory, and was loaded to make this dump",
  debugger: "a debugger loaded it",
  monitor: "it watches the machine, and was loaded by whoever looks into it",
  "leak-maker": "it leaks and crashes on purpose, for practice",
};

/** `WinPmem: it copies memory, …`. */
export function toolWords({ name, kind, confirmed }: ToolRow): string {
  return `${confirmed ? "" : "by its name "}${name}: ${KINDS[kind]}`;
}

/** What a person has to know of the tools among the modules, a sentence without its full stop each. */
export function toolNotes(modules: readonly Named[]): readonly string[] {
  const found = modules.flatMap((module) => {
    const row = toolRow(module);
    return row === null ? [] : [{ file: module.imageName ?? "", row }];
  });
  const others = found.filter(({ row }) => row.kind !== "leak-maker");
  const makers = found.filter(({ row }) => row.kind === "leak-maker");
  return [
    ...(others.length === 0
      ? []
      : [
          `${list(others.map(({ file, row }) => `${file} is ${toolWords(row)}`))}; being there makes ${others.length === 1 ? "it" : "them"} no suspect`,
        ]),
    ...makers.map(({ file, row }) => `${file} is ${toolWords(row)}: what it leaks was meant to leak`),
  ];
}
