/**
 * pooltrail in a worker: the questions of `pooltrail` as promises, while the thread that asks goes on.
 *
 * @module pooltrail/worker
 */

export type { FileUrl } from "./source/given.ts";
export { DumpWorker, type DumpWorkerOptions, openDump } from "./worker/dump-worker.ts";
export type { AbortSignalLike, WorkerWork } from "./worker/link.ts";
export type { NamedFile, Opening, SentFile, SentOperands, SentQuestion } from "./worker/messages.ts";
export type { Listener, PortLike, WorkerLike } from "./worker/ports.ts";
