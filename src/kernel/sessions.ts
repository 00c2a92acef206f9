import { advance, type Va } from "../core/address.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessEntry } from "./processes.ts";

/** What sessions are read from. */
type SessionSource = Pick<Kernel, "space" | "build" | "spaceOf">;

/** MM_SESSION_SPACE.SessionId: of Server 2003, and of all others. */
const SESSION_ID = { 3790: { 4: 0xc, 8: 0x10 }, others: 8 } as const;

/** Sessions, each read through a process that is in it: before Windows 10 each stands at the same address. */
export class SessionReader {
  readonly #source: SessionSource;
  readonly #offset: number;
  readonly #known = new Map<string, number | undefined>();

  constructor(source: SessionSource) {
    this.#source = source;
    this.#offset = source.build === 3790 ? SESSION_ID[3790][source.space.pointerSize] : SESSION_ID.others;
  }

  idOf(process: ProcessEntry, session: Va): number | undefined {
    const { space } = this.#source;
    const at = advance(session, this.#offset);
    const shared = space.tryReadU32(at);
    if (shared !== undefined && space.pointerSize === 8 && (this.#source.build ?? 0) >= 10240) return shared;
    const name = `${process.directoryTableBase}:${session}`;
    if (!this.#known.has(name))
      this.#known.set(name, this.#source.spaceOf(process)?.tryReadU32(at) ?? shared);
    return this.#known.get(name);
  }
}
