import type { Block, PointerSize } from "./block.ts";
import { codeBlocks } from "./blocks/code.ts";
import { callsBlocks, functionsBlocks } from "./blocks/functions.ts";
import { growthBlocks } from "./blocks/growth.ts";
import { headersBlocks } from "./blocks/headers.ts";
import { exportsBlocks, importsBlocks } from "./blocks/imports.ts";
import { infoBlocks } from "./blocks/info.ts";
import { memoryBlocks } from "./blocks/memory.ts";
import { modulesBlocks } from "./blocks/modules.ts";
import { nearBlocks } from "./blocks/near.ts";
import { pointersBlocks } from "./blocks/pointers.ts";
import { readBlocks } from "./blocks/read.ts";
import { scanBlocks } from "./blocks/scan.ts";
import { tagsBlocks } from "./blocks/tags.ts";
import { traceBlocks } from "./blocks/trace.ts";
import type { Documents } from "./documents.ts";

type Builders = {
  readonly [C in keyof Documents]: (document: Documents[C], size: PointerSize) => readonly Block[];
};

const BUILDERS: Builders = {
  trace: traceBlocks,
  info: infoBlocks,
  modules: modulesBlocks,
  memory: memoryBlocks,
  tags: tagsBlocks,
  growth: growthBlocks,
  scan: scanBlocks,
  near: nearBlocks,
  pointers: pointersBlocks,
  headers: headersBlocks,
  imports: importsBlocks,
  exports: exportsBlocks,
  functions: functionsBlocks,
  calls: callsBlocks,
  code: codeBlocks,
  read: readBlocks,
};

/** The answer of a command in blocks, for whatever shows it. */
export function blocksOf<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  size: PointerSize,
): readonly Block[] {
  const build: Builders[C] = BUILDERS[command];
  return build(document, size);
}
