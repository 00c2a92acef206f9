import type { Asked, Operands } from "../api/ask.ts";
import type { Module } from "../api/module.ts";
import type { BlobLike } from "../source/blob.ts";
import type { FileUrl } from "../source/given.ts";
import type { PlainError } from "./errors.ts";

/**
 * A file as it can be sent to a worker: its path or `file:` URL where the worker has a file system, a Blob or File where it
 * is one of a browser, or its bytes, which are copied unless they stand in a SharedArrayBuffer.
 */
export type SentFile = string | FileUrl | Uint8Array | ArrayBuffer | BlobLike;

/** A PE file without a path, under its name. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array | ArrayBuffer | BlobLike;
}

/** A question as `ask` takes it, but for what cannot be sent: a module is a name or an address, an older dump its file. */
export type SentQuestion<C extends Asked = Asked> = {
  [K in C]: { readonly command: K } & SentOperands<K>;
}[C];

/** What each command has to be told, of what can be sent. */
export type SentOperands<C extends Asked> = C extends "growth"
  ? Omit<Operands["growth"], "older"> & { readonly older: SentFile }
  : C extends "tags"
    ? Omit<Operands["tags"], "descriptions">
    : { readonly [P in keyof Operands[C]]: Exclude<Operands[C][P], Module> };

/** What a worker opens before it is asked. */
export interface Opening {
  readonly input: SentFile | readonly SentFile[];
  readonly images: readonly (string | FileUrl | BlobLike | NamedFile)[];
  readonly systemHive: SentFile | undefined;
  readonly pooltags: SentFile | undefined;
}

/** To the worker: first what to open, then questions, one at a time. */
export type Request = { readonly open: Opening } | { readonly ask: SentQuestion };

/** From the worker. `done` ends each request. */
export type Reply =
  | { readonly progress: readonly [module: string, done: number, of: number] }
  | { readonly done: OpenedDump | object }
  | { readonly failed: PlainError };

/** What is known of a dump once it is open. */
export interface OpenedDump {
  readonly file: string;
  /** In bytes. */
  readonly pointerSize: 4 | 8;
}
