import { parentPort, Worker } from "node:worker_threads";
import type { PortLike, WorkerLike } from "./ports.ts";

// How Node starts a worker, and what a worker of it is reached by; in a bundle for browsers web-threads.ts stands here.

export function startWorker(): WorkerLike {
  return new Worker(new URL("./worker-thread.js", import.meta.url));
}

/** @throws {TypeError} this is no worker */
export function ownPort(): PortLike {
  if (parentPort === null) throw new TypeError("pooltrail/worker-thread is what a worker runs");
  return parentPort;
}
