import type { PortLike, WorkerLike } from "./ports.ts";

// How a browser starts a worker, and what a worker of it is reached by.

declare const Worker: new (url: URL, options: { readonly type: "module" }) => WorkerLike;
declare const self: PortLike;

export function startWorker(): WorkerLike {
  return new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module" });
}

export function ownPort(): PortLike {
  return self;
}
