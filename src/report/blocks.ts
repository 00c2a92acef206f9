import type { CallList } from "../trail/listing/call-list.ts";
import type { FunctionList } from "../trail/listing/function-list.ts";
import type { Block, PointerSize } from "./block.ts";
import { codeBlocks } from "./blocks/code.ts";
import { callsBlocks, functionsBlocks } from "./blocks/functions.ts";
import { growthBlocks } from "./blocks/growth.ts";
import { handlesBlocks } from "./blocks/handles.ts";
import { headersBlocks } from "./blocks/headers.ts";
import { exportsBlocks, importsBlocks } from "./blocks/imports.ts";
import { infoBlocks } from "./blocks/info.ts";
import { memoryBlocks } from "./blocks/memory.ts";
import { modulesBlocks } from "./blocks/modules.ts";
import { nearBlocks } from "./blocks/near.ts";
import { pointersBlocks } from "./blocks/pointers.ts";
import { poolBlocks } from "./blocks/pool.ts";
import { processesBlocks } from "./blocks/processes.ts";
import { readBlocks } from "./blocks/read.ts";
import { scanBlocks } from "./blocks/scan.ts";
import { tagsBlocks } from "./blocks/tags.ts";
import { traceBlocks } from "./blocks/trace.ts";
import type {
  CodeDocument,
  ExportsDocument,
  GrowthDocument,
  HeadersDocument,
  ImportsDocument,
  InfoDocument,
  MemoryDocument,
  ModulesDocument,
  NearDocument,
  PointersDocument,
  PoolDocument,
  ReadDocument,
  TagsDocument,
} from "./documents.ts";
import type { HandlesDocument, ProcessesDocument } from "./object-documents.ts";
import type { Scan } from "./scan-document.ts";
import type { TraceDocument } from "./trail-document.ts";

/** What each command answers: the data of its JSON document, with addresses as bigint. */
export interface Documents {
  readonly trace: TraceDocument;
  readonly info: InfoDocument;
  readonly modules: ModulesDocument;
  readonly memory: MemoryDocument;
  readonly tags: TagsDocument;
  readonly growth: GrowthDocument;
  readonly scan: Scan;
  readonly near: NearDocument;
  readonly pointers: PointersDocument;
  readonly pool: PoolDocument;
  readonly headers: HeadersDocument;
  readonly imports: ImportsDocument;
  readonly exports: ExportsDocument;
  readonly functions: FunctionList;
  readonly calls: CallList;
  readonly code: CodeDocument;
  readonly read: ReadDocument;
  readonly processes: ProcessesDocument;
  readonly handles: HandlesDocument;
}

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
  pool: poolBlocks,
  headers: headersBlocks,
  imports: importsBlocks,
  exports: exportsBlocks,
  functions: functionsBlocks,
  calls: callsBlocks,
  code: codeBlocks,
  read: readBlocks,
  processes: processesBlocks,
  handles: handlesBlocks,
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
