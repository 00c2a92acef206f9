/**
 * pooltrail: from a Windows kernel dump to the driver that makes a pool tag grow.
 *
 * Start with `openDump`; what it gives answers every question that the command line does.
 */
export { type Asked, ask, type Opened, type Operands, type Question } from "./api/ask.ts";
export { Dump, type OpenOptions, openDump } from "./api/dump.ts";
export { ImageFolder, openFolder } from "./api/folder.ts";
export { ImageFile, openImageFile } from "./api/image-file.ts";
export type { GivenImage } from "./api/images.ts";
export { readTagFile } from "./api/input.ts";
export { Module } from "./api/module.ts";
export { ModuleList } from "./api/module-list.ts";
export { QuestionError } from "./api/question-error.ts";
export { type ModuleLike, type ReadBytes, type WorkOptions, Workspace } from "./api/workspace.ts";
export { type AddressLike, hex, type Pa, type Rva, toVa, type Va, windbgHex } from "./core/address.ts";
export { describeFault, FormatError, MemoryError, type MemoryFault } from "./core/errors.ts";
export type { Stop, Walk } from "./core/walk.ts";
export type { Fact, FactSource, MachineFacts } from "./dump/facts.ts";
export { AddressSpace, type Span, type SparseBytes } from "./memory/address-space.ts";
export { Image } from "./pe/image.ts";
export type { LeakReason, LeakSigns } from "./pool/leak-signs.ts";
export type { LeaderReason, Lockstep } from "./pool/lockstep.ts";
export type * from "./report/block.ts";
export { blocksOf, type Documents } from "./report/blocks.ts";
export { renderCsv } from "./report/csv.ts";
export type * from "./report/documents.ts";
export type { Gap } from "./report/gap.ts";
export { type PageView, renderHtml } from "./report/html.ts";
export { renderJson } from "./report/json.ts";
export { renderMarkdown } from "./report/markdown.ts";
export type * from "./report/object-documents.ts";
export type { Reference, Scan } from "./report/scan-document.ts";
export { COLOR, PLAIN, type Style } from "./report/style.ts";
export type { View } from "./report/text.ts";
export { renderText } from "./report/text.ts";
export type {
  Conclusion,
  Culprit,
  Evidence,
  Suspect,
  TraceDocument,
  TraceInput,
  Trail,
  TrailSigns,
} from "./report/trail-document.ts";
export { type BlobLike, BlobSource } from "./source/blob.ts";
export { BytesSource } from "./source/bytes-source.ts";
export { FileError } from "./source/file-error.ts";
export type { FileInput, FileUrl } from "./source/given.ts";
export type { ByteSource } from "./source/source.ts";
export type { TrailApi } from "./trail/apis.ts";
export type { BlockContents, BlockNote, ModuleContent } from "./trail/blocks/block-contents.ts";
export type { FunctionPlace } from "./trail/function-place.ts";
export type { Abortable, Coverage } from "./trail/module-search.ts";
export type { ServiceStart } from "./trail/suspects.ts";
export type { TagUsageSummary } from "./trail/trace.ts";
export type { Verdict } from "./trail/weigh.ts";
