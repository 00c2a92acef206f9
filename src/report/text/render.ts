import type { Documents } from "../documents.ts";
import { renderCode } from "./code.ts";
import { renderCalls, renderFunctions } from "./functions.ts";
import { renderGrowth } from "./growth.ts";
import { renderHeaders } from "./headers.ts";
import { renderExports, renderImports } from "./imports.ts";
import { renderInfo } from "./info.ts";
import { renderMemory } from "./memory.ts";
import { renderModules } from "./modules.ts";
import { renderNear } from "./near.ts";
import { renderPointers } from "./pointers.ts";
import { renderRead } from "./read.ts";
import { renderScan } from "./scan.ts";
import { renderTags } from "./tags.ts";
import { renderTrace } from "./trace.ts";
import type { View } from "./view.ts";

type Renderers = { readonly [C in keyof Documents]: (document: Documents[C], view: View) => string };

const RENDERERS: Renderers = {
  trace: renderTrace,
  info: renderInfo,
  modules: renderModules,
  memory: renderMemory,
  tags: renderTags,
  growth: renderGrowth,
  scan: renderScan,
  near: renderNear,
  pointers: renderPointers,
  headers: renderHeaders,
  imports: renderImports,
  exports: renderExports,
  functions: renderFunctions,
  calls: renderCalls,
  code: renderCode,
  read: renderRead,
};

/** The answer of a command as a person reads it. */
export function renderText<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  view: View,
): string {
  const render: Renderers[C] = RENDERERS[command];
  return render(document, view);
}
