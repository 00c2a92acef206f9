import { advance, type Va } from "../core/address.ts";
import { MAX_KERNEL_STACK } from "../core/limits.ts";
import type { Machine } from "../dump/machine.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { KdbgFields } from "./kdbg.ts";
import { walkList } from "./linked-list.ts";

/** Where KTHREAD has what describes its stack, in bytes. */
export interface StackFields {
  readonly initialStack: number;
  readonly stackLimit: number;
  readonly stackBase: number;
  readonly kernelStack: number;
}

/** Where a process has its list of threads, and a thread its links and its stack, in bytes. */
export interface ThreadLayout extends StackFields {
  /** KPROCESS.ThreadListHead. */
  readonly listHead: number;
  /** KTHREAD.ThreadListEntry. */
  readonly links: number;
  /** `table`: offsets of this Windows that hold for its threads; `search`: the links were found by the threads. */
  readonly basis: "table" | "search";
}

/** A thread's stack as KTHREAD has it. */
export interface StackBounds {
  readonly base: Va;
  readonly limit: Va;
  readonly initialStack: Va;
  /** Where the stack ended when the thread last gave up its processor. */
  readonly kernelStack: Va;
}

interface Row extends StackFields {
  /** The first build that has it. */
  readonly build: number;
  readonly links: number;
}

const row = (
  build: number,
  [initialStack, stackLimit, stackBase, kernelStack, links]: readonly [
    number,
    number,
    number,
    number,
    number,
  ],
): Row => ({ build, initialStack, stackLimit, stackBase, kernelStack, links });

/**
 * Of two rows with one build, the one of the later service pack comes last.
 *
 * @see _KTHREAD and _KPROCESS in the public symbols of the builds named, as volatility's vtypes
 * (plugins/overlays/windows) and the ntdiff headers list them
 */
const THREADS: Readonly<Record<Machine, readonly Row[]>> = {
  x86: [
    row(2600, [0x18, 0x1c, 0x168, 0x28, 0x1b0]),
    row(3790, [0x18, 0x1c, 0x15c, 0x20, 0x1ac]),
    row(3790, [0x18, 0x1c, 0x158, 0x20, 0x1a8]),
    row(6000, [0x28, 0x2c, 0x174, 0x30, 0x1c4]),
    row(7600, [0x28, 0x2c, 0x190, 0x30, 0x1e0]),
    row(9200, [0x20, 0x24, 0x28, 0x48, 0x1d4]),
  ],
  x64: [
    row(3790, [0x28, 0x30, 0x258, 0x38, 0x2d8]),
    row(3790, [0x28, 0x30, 0x240, 0x38, 0x2c0]),
    row(6000, [0x28, 0x30, 0x250, 0x38, 0x2d0]),
    row(7600, [0x28, 0x30, 0x278, 0x38, 0x2f8]),
    row(9200, [0x28, 0x30, 0x38, 0x58, 0x2f8]),
  ],
  arm64: [row(16299, [0x28, 0x30, 0x38, 0x58, 0x318])],
};
/** KPROCESS.ThreadListHead, that of newer Windows first. */
const LIST_HEADS: Readonly<Record<Machine, readonly number[]>> = {
  x86: [0x2c, 0x50],
  x64: [0x30, 0x70],
  arm64: [0x38, 0x30],
};
/** Links are looked for between these, when no row's hold. */
const SEARCHED_LINKS = { from: 0x100, to: 0x600 } as const;
/** Threads that a layout is tried on. */
const SAMPLE = 16;
/** Processes that are tried: System has threads whenever Windows runs. */
const MAX_TRIED = 8;
const THREAD_OBJECT = 6;
/** Bit 7 of an object's type is its lock. */
const TYPE_BITS = 0x7f;

/** What the choice of a layout goes by. */
export interface LayoutHints {
  readonly machine: Machine;
  readonly build: number | undefined;
  readonly kdbg: KdbgFields | undefined;
}

/** Whether a thread object stands at an address. */
export function isThread(space: AddressSpace, address: Va): boolean {
  const type = space.tryRead(address, 1)?.[0];
  return type !== undefined && (type & TYPE_BITS) === THREAD_OBJECT;
}

/**
 * Finds where threads have their links and stacks: what KDBG says first, else what is known of this
 * Windows, and in both cases only where the threads themselves agree.
 *
 * @param processes EPROCESS of the processes whose threads are tried
 * @returns `undefined` where nothing known fits
 */
export function findThreadLayout(
  space: AddressSpace,
  processes: readonly Va[],
  hints: LayoutHints,
): ThreadLayout | undefined {
  const rows = rowsFor(hints);
  for (const process of processes.slice(0, MAX_TRIED)) {
    for (const listHead of LIST_HEADS[hints.machine]) {
      const head = advance(process, listHead);
      const first = space.tryReadPointer(head);
      if (first === undefined || first === head || first === 0n) continue;
      for (const candidate of rows) {
        if (holds(space, head, candidate, candidate.links)) return layout(listHead, candidate, "table");
      }
      for (let links = SEARCHED_LINKS.from; links < SEARCHED_LINKS.to; links += space.pointerSize) {
        if (!isThread(space, advance(first, -links))) continue;
        const found = rows.find((candidate) => holds(space, head, candidate, links));
        if (found !== undefined) return layout(listHead, { ...found, links }, "search");
      }
    }
  }
  return undefined;
}

/** Where one thread has its stack, when no list leads to it; `undefined` where nothing known fits. */
export function findStackFields(
  space: AddressSpace,
  thread: Va,
  hints: LayoutHints,
): StackFields | undefined {
  if (!isThread(space, thread)) return undefined;
  return rowsFor(hints).find((fields) => typeof readStackBounds(space, thread, fields) === "object");
}

/**
 * The stack of a thread.
 *
 * @returns `none` for a thread that has no stack, `undefined` where the fields hold none or cannot be read
 */
export function readStackBounds(
  space: AddressSpace,
  thread: Va,
  fields: StackFields,
): StackBounds | "none" | undefined {
  const at = (offset: number): Va | undefined => space.tryReadPointer(advance(thread, offset));
  const base = at(fields.stackBase);
  const limit = at(fields.stackLimit);
  const initialStack = at(fields.initialStack);
  const kernelStack = at(fields.kernelStack);
  if (base === undefined || limit === undefined || initialStack === undefined || kernelStack === undefined) {
    return undefined;
  }
  // a thread that has ended gives its stack back
  if (initialStack === 0n) return "none";
  const bounds = { base, limit, initialStack, kernelStack };
  return isPlausibleStack(bounds, space.pointerSize) ? bounds : undefined;
}

/** Whether these can be the bounds of a kernel stack. */
export function isPlausibleStack(
  { base, limit, initialStack, kernelStack }: StackBounds,
  pointerSize: 4 | 8,
): boolean {
  return (
    limit >= (pointerSize === 4 ? 0x8000_0000n : 0xffff_8000_0000_0000n) &&
    base > limit &&
    base - limit <= MAX_KERNEL_STACK &&
    (base & 0xfffn) === 0n &&
    (limit & 0xfffn) === 0n &&
    [initialStack, kernelStack].every(
      (within) => within > limit && within <= base && within % BigInt(pointerSize) === 0n,
    )
  );
}

/** The rows that can be, this build's first, with KDBG's offsets over them. */
function rowsFor({ machine, build, kdbg }: LayoutHints): readonly Row[] {
  const known = build ?? Number.POSITIVE_INFINITY;
  const fits = THREADS[machine].filter((candidate) => candidate.build <= known).reverse();
  const rest = THREADS[machine].filter((candidate) => candidate.build > known);
  return [...fits, ...rest].map((candidate) => ({
    ...candidate,
    initialStack: kdbg?.offsetKThreadInitialStack ?? candidate.initialStack,
    kernelStack: kdbg?.offsetKThreadKernelStack ?? candidate.kernelStack,
    stackLimit: kdbg?.offsetKThreadStackLimit ?? candidate.stackLimit,
    stackBase: kdbg?.offsetKThreadStackBase ?? candidate.stackBase,
  }));
}

/** Whether the first entries of a list are threads, and most of those that have a stack have a possible one. */
function holds(space: AddressSpace, head: Va, fields: StackFields, links: number): boolean {
  const { items } = walkList(space, head, SAMPLE, (link) => {
    const thread = advance(link, -links);
    return isThread(space, thread) ? (readStackBounds(space, thread, fields) ?? "odd") : undefined;
  });
  const plausible = items.filter((found) => typeof found === "object").length;
  return plausible > 0 && plausible > items.filter((found) => found === "odd").length;
}

function layout(listHead: number, fields: Row, basis: ThreadLayout["basis"]): ThreadLayout {
  const { initialStack, stackLimit, stackBase, kernelStack, links } = fields;
  return { listHead, links, initialStack, stackLimit, stackBase, kernelStack, basis };
}
