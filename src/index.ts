/**
 * pooltrail: from a Windows kernel dump to the driver that makes a pool tag grow.
 *
 * Start with `openDump`; what it gives answers every question that the command line does.
 *
 * @module pooltrail
 */
export { type Asked, ask, type OfModule, type Opened, type Operands, type Question } from "./api/ask.ts";
export { Dump, type OpenOptions } from "./api/dump.ts";
export { ImageFolder, openFolder } from "./api/folder.ts";
export { ImageFile, openImageFile } from "./api/image-file.ts";
export type { GivenImage } from "./api/images.ts";
export { readTagFile } from "./api/input.ts";
export { Module } from "./api/module.ts";
export { ModuleList } from "./api/module-list.ts";
export type { HandleQuery } from "./api/objects.ts";
export { openDump } from "./api/open-dump.ts";
export { QuestionError } from "./api/question-error.ts";
export type { LengthLike } from "./api/range.ts";
export type { TagQuery, Tags } from "./api/tags.ts";
export type { FindRange } from "./api/workspace.ts";
export { type ModuleLike, type ReadBytes, type WorkOptions, Workspace } from "./api/workspace.ts";
export type { CallForm } from "./code/call-graph.ts";
export type { ArgumentOrigin, Happening, Keeping } from "./code/fates.ts";
export type { Basis as FunctionBasis } from "./code/function-table.ts";
export type { CalledBy, Seen as UseSeen, UseKind, Via as UseWay } from "./code/tag-use.ts";
export type { Absent } from "./core/absent.ts";
export { type AddressLike, hex, type Pa, type Rva, toVa, type Va, windbgHex } from "./core/address.ts";
export type { Bytes } from "./core/bytes.ts";
export type { FormatProblem, PageLevel } from "./core/errors.ts";
export { describeFault, FormatError, MemoryError, type MemoryFault } from "./core/errors.ts";
export type { ModuleRange } from "./core/module-map.ts";
export type { Stop, Walk } from "./core/walk.ts";
export type { Registers } from "./dump/context.ts";
export type {
  Bugcheck,
  Fact,
  FactSource,
  MachineFacts,
  PhysicalRun,
  Stopped as StoppedProcessor,
  SystemRegisters,
} from "./dump/facts.ts";
export type { DumpHeader, Exception as DumpException } from "./dump/header.ts";
export type { Machine } from "./dump/machine.ts";
export type { TriageDriver, TriageList, TriageUnloaded } from "./dump/triage-drivers.ts";
export type { MemoryStorage } from "./dump/triage-memory.ts";
export type { ListWalk } from "./kernel/linked-list.ts";
export type { ProcessEntry } from "./kernel/processes.ts";
export type { Occasion } from "./kernel/stop.ts";
export type { StackBounds } from "./kernel/thread-layout.ts";
export type { KernelStack, ThreadEntry, ThreadState, Threads } from "./kernel/threads.ts";
export type { UnloadedModule } from "./kernel/unloaded.ts";
export { AddressSpace, type Span, type SparseBytes } from "./memory/address-space.ts";
export type { Origin } from "./memory/mapping.ts";
export type { PhysicalBytes, PhysicalPages, PhysicalSpace } from "./memory/physical-space.ts";
export type { CoffSymbol, CoffSymbols } from "./pe/coff-symbols.ts";
export type { Export as ImageExport, ExportGap, ExportTable } from "./pe/exports.ts";
export type { Finding } from "./pe/finding.ts";
export type { DataDirectory, DirectoryName, ImageHeaders, ImageMachine, MajorMinor } from "./pe/headers.ts";
export type { ImageOptions } from "./pe/image.ts";
export { Image } from "./pe/image.ts";
export type { DeclaredImport } from "./pe/import-names.ts";
export type { ImportGap, ImportSlot, ImportTable, ReplacedImport } from "./pe/imports.ts";
export type { PdbRecord } from "./pe/pdb.ts";
export type { Relocations } from "./pe/relocations.ts";
export type { TableStop } from "./pe/rva-reader.ts";
export type { Section } from "./pe/sections.ts";
export type { Signature } from "./pe/signature.ts";
export type {
  FindOwner,
  Fragment as UnwindFragment,
  Owner as UnwindOwner,
  UnwindFunction,
  UnwindRows,
  UnwindTable,
} from "./pe/unwind.ts";
export type { VersionInfo } from "./pe/version.ts";
export type { Growth, TagGrowth } from "./pool/growth.ts";
export type { LeakReason, LeakSigns } from "./pool/leak-signs.ts";
export type { LeakCandidate, LeakReport } from "./pool/leaks.ts";
export type { Leader, LeaderReason, Lockstep } from "./pool/lockstep.ts";
export type { MemoryLine } from "./pool/memory-lines.ts";
export type { TagDescription, TagFile } from "./pool/pooltags.ts";
export type { BilledProcess, PoolProcess } from "./pool/quota.ts";
export type { CountGroup, GroupMember } from "./pool/tag-groups.ts";
export type { NoTagTable, PoolCounts, PoolTotals, TagOrder, TagTable, TagUsage } from "./pool/tag-table.ts";
export type { HashName, LayoutName } from "./pool/tracker/layout.ts";
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
export type { TrailCrash, TrailKnowledge, TrailLockstep } from "./report/trail-parts.ts";
export { type BlobLike, BlobSource } from "./source/blob.ts";
export { BytesSource } from "./source/bytes-source.ts";
export type { FileProblem } from "./source/file-error.ts";
export { FileError } from "./source/file-error.ts";
export type { FileInput, FileUrl } from "./source/given.ts";
export type { ByteSource } from "./source/source.ts";
export type { NameBasis } from "./symbols/names.ts";
export type { TrailApi } from "./trail/apis.ts";
export type {
  BlockContents,
  BlockNote,
  ContentModule,
  ContentPlace,
  ContentPointer,
  Found as FoundContent,
  ListEntry,
  ModuleContent,
  StepPointer,
} from "./trail/blocks/block-contents.ts";
export type {
  Acquired,
  Allocates as AllocatesClue,
  CallPlace,
  Calls as CallsClue,
  CallWay,
  Clue,
  Contents as ContentsClue,
  Forgets as ForgetsClue,
  HandsOn as HandsOnClue,
  HandsOver as HandsOverClue,
  Holds as HoldsClue,
  Keeps as KeepsClue,
  LeftUnfreed as LeftUnfreedClue,
  LooksUp as LooksUpClue,
  NamedFunction,
  OnStack as OnStackClue,
  RegistersContexts as RegistersContextsClue,
  Releases as ReleasesClue,
  SizeMatches as SizeMatchesClue,
  Tracked as TrackedClue,
} from "./trail/clue.ts";
export type { UnfreedDriver } from "./trail/crash.ts";
export type { WeighedClue } from "./trail/evidence/kind.ts";
export type { FunctionPlace } from "./trail/function-place.ts";
export type { ToolKind } from "./trail/known/tools.ts";
export type { CallList } from "./trail/listing/call-list.ts";
export type { ListingOptions } from "./trail/listing/code-listing.ts";
export type { FunctionList } from "./trail/listing/function-list.ts";
export type { CodeView } from "./trail/listing/lines.ts";
export type { ValueMark } from "./trail/listing/value-marks.ts";
export type {
  Abortable,
  Coverage,
  Pointer as PointerPlace,
  Pointers,
  SearchLimits,
} from "./trail/module-search.ts";
export type { ObjectAccount, ObjectHolder } from "./trail/object-holders.ts";
export type { Publisher } from "./trail/publisher.ts";
export type { Filter, FilterKind, Unseen } from "./trail/surroundings.ts";
export type { ServiceStart } from "./trail/suspects.ts";
export type { TrailModule } from "./trail/target.ts";
export type { TagUsageSummary } from "./trail/trace.ts";
export type { Verdict } from "./trail/weigh.ts";
export type { Confidence } from "./trail/weights.ts";
