/** What is called for each event. */
export type Listener = (event: unknown) => void;

/** What messages come from and go to: Node's, whose listeners get the message, or the web's, whose listeners get an event. */
export type PortLike =
  | { postMessage(message: unknown): void; on(event: string, listener: Listener): unknown }
  | { postMessage(message: unknown): void; addEventListener(event: string, listener: Listener): void };

/** A Worker of Node's `worker_threads` or of the web. */
export type WorkerLike = PortLike & {
  terminate(): unknown;
  /** Node's: whether it keeps the program running. */
  ref?(): void;
  unref?(): void;
};

/** Calls `listener` for each message. */
export function onMessage(port: PortLike, listener: (message: unknown) => void): void {
  if ("on" in port) port.on("message", listener);
  else port.addEventListener("message", (event) => listener(fieldOf(event, "data")));
}

/** Calls `listener` where a worker cannot be started, or ended by itself. */
export function onFailure(worker: WorkerLike, listener: (error: Error) => void): void {
  const fail = (event: unknown): void => {
    const reason = event instanceof Error ? event.message : fieldOf(event, "message");
    listener(new Error(`the worker ended: ${typeof reason === "string" ? reason : "no reason is known"}`));
  };
  if ("on" in worker) {
    worker.on("error", fail);
    worker.on("messageerror", fail);
  } else {
    worker.addEventListener("error", fail);
    worker.addEventListener("messageerror", fail);
  }
}

function fieldOf(event: unknown, name: string): unknown {
  return typeof event === "object" && event !== null ? Reflect.get(event, name) : undefined;
}
