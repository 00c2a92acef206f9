import type { Va } from "../core/address.ts";
import type { Machine } from "../dump/machine.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { KdbgFields } from "./kdbg.ts";
import type { ProcessEntry, ProcessLayout } from "./processes.ts";

/** A field of EPROCESS that the list of processes does not need. */
export type ProcessField = "parent" | "created" | "exited" | "session" | "threads";

/** Where a field stands, in bytes; `kdbg`: the kernel says so, `table`: public symbols, `search`: found by what it holds. */
export interface FieldPlace {
  readonly offset: number;
  readonly basis: "kdbg" | "table" | "search";
}

/** Where EPROCESS has its fields; a field that proved nowhere is absent. */
export type ProcessFields = Readonly<Partial<Record<ProcessField, FieldPlace>>>;

/** By the links and the name, which move whenever the others do. */
interface Row extends Readonly<Record<ProcessField, number>> {
  readonly links: number;
  readonly name: number;
}

const row = (
  [links, name]: readonly [number, number],
  [parent, created, exited, session, threads]: readonly [number, number, number, number, number],
): Row => ({ links, name, parent, created, exited, session, threads });

/** EPROCESS of public symbols. Of two rows with the same links and name both are tried. */
const ROWS: Readonly<Record<4 | 8, readonly Row[]>> = {
  4: [
    row([0x88, 0x174], [0x14c, 0x70, 0x78, 0x170, 0x1a0]),
    row([0x88, 0x154], [0x128, 0x70, 0x78, 0x150, 0x180]),
    row([0x98, 0x164], [0x138, 0x80, 0x88, 0x160, 0x190]),
    row([0xa0, 0x14c], [0x124, 0x88, 0x90, 0x148, 0x178]),
    row([0xb8, 0x16c], [0x140, 0xa0, 0xa8, 0x168, 0x198]),
    row([0xb8, 0x170], [0x134, 0xa8, 0x2b8, 0x144, 0x19c]),
    row([0xb8, 0x170], [0x134, 0xa8, 0x2b0, 0x144, 0x19c]),
    row([0xb8, 0x170], [0x138, 0xc8, 0x2c0, 0x148, 0x19c]),
    row([0xb8, 0x174], [0x138, 0xc8, 0x2c0, 0x148, 0x1a0]),
    row([0xb8, 0x174], [0x138, 0xc8, 0x2c8, 0x148, 0x1a0]),
    row([0xb8, 0x17c], [0x140, 0xd0, 0x2d0, 0x150, 0x1a8]),
    row([0xb8, 0x17c], [0x140, 0xd0, 0x2d8, 0x150, 0x1a8]),
    row([0xb8, 0x17c], [0x140, 0xd0, 0x348, 0x150, 0x1a8]),
    row([0xe8, 0x1ac], [0x170, 0x100, 0x388, 0x180, 0x1d8]),
  ],
  8: [
    row([0xe0, 0x268], [0x218, 0xc0, 0xc8, 0x260, 0x2b0]),
    row([0xe8, 0x238], [0x1f0, 0xc8, 0xd0, 0x230, 0x280]),
    row([0x188, 0x2e0], [0x290, 0x168, 0x170, 0x2d8, 0x328]),
    row([0x2e8, 0x438], [0x3d0, 0x2d0, 0x610, 0x3f0, 0x480]),
    row([0x2e8, 0x438], [0x3d0, 0x2d0, 0x640, 0x3f0, 0x480]),
    row([0x2f0, 0x448], [0x3e0, 0x308, 0x670, 0x400, 0x490]),
    row([0x2f0, 0x448], [0x3e0, 0x308, 0x678, 0x400, 0x490]),
    row([0x2f0, 0x450], [0x3e0, 0x308, 0x678, 0x400, 0x498]),
    row([0x2f0, 0x450], [0x3e0, 0x308, 0x688, 0x400, 0x498]),
    row([0x2e8, 0x450], [0x3e0, 0x308, 0x690, 0x400, 0x498]),
    row([0x2f0, 0x450], [0x3e8, 0x310, 0x6c0, 0x400, 0x498]),
    row([0x448, 0x5a8], [0x540, 0x468, 0x840, 0x558, 0x5f0]),
    // ARM64
    row([0x400, 0x560], [0x4f8, 0x420, 0x7f8, 0x510, 0x5a8]),
  ],
};
/** Bytes of EPROCESS in which fields are looked for. */
const SPAN = 0xc00;
/** Processes that a field is proved with, evenly from all. */
const SAMPLE = 96;
/** What speaks for a field that was searched for has to be found so often, and in such a part of all processes. */
const ENOUGH = 3;
const SHARE: Readonly<Record<ProcessField, number>> = {
  parent: 0.25,
  created: 0.75,
  exited: 0,
  session: 1,
  threads: 0.25,
};

/** FILETIMEs between which a process can have been created: 2000 to 2100. */
const TIMES = { from: 125_911_584_000_000_000n, to: 157_469_184_000_000_000n } as const;
/** Clocks are put right: so much, one day, a process may be older than the machine's start. */
const SLACK = 864_000_000_000n;

/** What fields are proved with. */
export interface FieldHints {
  readonly machine: Machine;
  readonly kdbg: KdbgFields | undefined;
  /** When the machine was started and when it stopped, FILETIME. */
  readonly started: bigint | undefined;
  readonly stopped: bigint | undefined;
  /** How many threads the list of a process has; `undefined` where that is not known. */
  threadsOf(process: ProcessEntry): number | undefined;
  /** SessionId that a value of EPROCESS.Session leads to. */
  sessionOf(process: ProcessEntry, session: Va): number | undefined;
}

/**
 * Finds fields of EPROCESS. A place is taken only where what it holds is right for the processes
 * themselves: a parent is a process, processes were created one after the other while the machine ran.
 */
export function findProcessFields(
  space: AddressSpace,
  processes: readonly ProcessEntry[],
  layout: ProcessLayout,
  hints: FieldHints,
): ProcessFields {
  const prover = new FieldProver(space, processes, hints);
  const rows = ROWS[space.pointerSize].filter(
    ({ links, name }) =>
      links === layout.links && (layout.imageName === undefined || name === layout.imageName),
  );
  const find = (field: ProcessField, proof: Proof, step: number | undefined): FieldPlace | undefined => {
    const told = field === "parent" ? hints.kdbg?.offsetEprocessParentCid : undefined;
    const known: readonly FieldPlace[] = [
      ...(told === undefined ? [] : [{ offset: told, basis: "kdbg" } as const]),
      ...rows.map((candidate) => ({ offset: candidate[field], basis: "table" }) as const),
    ];
    const sound = known
      .map((place) => ({ place, score: prover.score(place.offset, proof) }))
      .filter(({ score }) => score.against === 0)
      .sort((a, b) => b.score.speaksFor - a.score.speaksFor);
    const best = sound[0];
    if (best !== undefined && (best.score.speaksFor > 0 || field === "exited")) return best.place;
    if (step === undefined) return undefined;
    let found: { readonly offset: number; readonly speaksFor: number } | undefined;
    const least = Math.max(ENOUGH, SHARE[field] * prover.size);
    for (let offset = 2 * space.pointerSize; offset < SPAN; offset += step) {
      const { against, speaksFor } = prover.score(offset, proof);
      if (against === 0 && speaksFor >= Math.max(least, (found?.speaksFor ?? 0) + 1))
        found = { offset, speaksFor };
    }
    return found === undefined ? undefined : { offset: found.offset, basis: "search" };
  };
  const word = space.pointerSize;
  const created = find("created", prover.created, 8);
  prover.createdAt = created?.offset;
  return present({
    created,
    parent: find("parent", prover.parent, word),
    threads: find("threads", prover.threads, 4),
    exited: created === undefined ? undefined : find("exited", prover.exited, 8),
    session: find("session", prover.session, undefined),
  });
}

/** The fields without those that were not found. */
function present(fields: Readonly<Record<ProcessField, FieldPlace | undefined>>): ProcessFields {
  return Object.fromEntries(Object.entries(fields).filter(([, place]) => place !== undefined));
}

/** Whether a place holds what it should in one process: 1 speaks for it, -1 against, 0 says nothing. */
type Proof = (process: SampleProcess, offset: number, before: SampleProcess | undefined) => 1 | 0 | -1;

/** A process with its bytes, as far as they can be read. */
interface SampleProcess {
  readonly entry: ProcessEntry;
  readonly view: DataView;
  /** Where its bytes end, or have their first hole. */
  readonly readable: number;
}

class FieldProver {
  createdAt: number | undefined;
  readonly #sample: readonly SampleProcess[];
  readonly #pids: ReadonlySet<number>;
  readonly #hints: FieldHints;
  readonly #word: 4 | 8;

  constructor(space: AddressSpace, processes: readonly ProcessEntry[], hints: FieldHints) {
    const every = Math.max(1, Math.ceil(processes.length / SAMPLE));
    this.#sample = processes
      .filter((_, i) => i % every === 0)
      .map((entry) => {
        const { bytes, holes } = space.readSparse(entry.address, SPAN);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return { entry, view, readable: holes[0]?.offset ?? SPAN };
      });
    this.#pids = new Set(processes.map(({ pid }) => pid));
    this.#hints = hints;
    this.#word = space.pointerSize;
  }

  /** Processes in the sample. */
  get size(): number {
    return this.#sample.length;
  }

  score(offset: number, proof: Proof): { readonly against: number; readonly speaksFor: number } {
    let [against, speaksFor] = [0, 0];
    let before: SampleProcess | undefined;
    for (const process of this.#sample) {
      if (offset + 8 > process.readable) continue;
      const says = proof(process, offset, before);
      before = process;
      if (says > 0) speaksFor++;
      else if (says < 0) against++;
    }
    // some processes in a hundred may be broken
    return { against: against * 32 > speaksFor ? against : 0, speaksFor };
  }

  /** A process of the list, but not the process itself. System has none. */
  readonly parent: Proof = ({ entry, view }, offset) => {
    const value = this.#wordAt(view, offset);
    if (entry.pid === 4) return value === 0n ? 0 : -1;
    if (value % 4n !== 0n || value > 0x7fff_ffffn || value === BigInt(entry.pid)) return -1;
    return value !== 0n && this.#pids.has(Number(value)) ? 1 : 0;
  };

  /** The list has processes in the order in which they were created. */
  readonly created: Proof = ({ view }, offset, before) => {
    const value = view.getBigUint64(offset, true);
    if (value === 0n) return 0;
    if (!this.#isTime(value)) return -1;
    const earlier = before?.view.getBigUint64(offset, true) ?? 0n;
    return earlier <= value ? 1 : 0;
  };

  readonly exited: Proof = ({ view }, offset) => {
    const value = view.getBigUint64(offset, true);
    if (value === 0n) return 0;
    if (!this.#isTime(value) || this.createdAt === offset) return -1;
    const created = this.createdAt === undefined ? 0n : view.getBigUint64(this.createdAt, true);
    return value >= created ? 1 : -1;
  };

  readonly threads: Proof = ({ entry, view }, offset) => {
    const value = view.getUint32(offset, true);
    const counted = this.#hints.threadsOf(entry);
    if (value > 0xffff) return -1;
    if (counted === undefined) return 0;
    if (value === counted) return counted > 0 ? 1 : 0;
    // threads that are being ended are in one and not in the other
    return Math.abs(value - counted) <= 2 && counted > 2 ? 0 : -1;
  };

  readonly session: Proof = ({ entry, view }, offset) => {
    const value = this.#wordAt(view, offset);
    if (value === 0n) return 0;
    const session = this.#hints.sessionOf(entry, value as Va);
    return session === undefined ? 0 : session < 0x1_0000 ? 1 : -1;
  };

  #wordAt(view: DataView, offset: number): bigint {
    return this.#word === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
  }

  #isTime(value: bigint): boolean {
    const { started, stopped } = this.#hints;
    const from = started === undefined ? TIMES.from : started - SLACK;
    const to = stopped === undefined ? TIMES.to : stopped + SLACK;
    return value >= from && value <= to;
  }
}
