import { advance, type Va } from "../core/address.ts";
import type { Registers } from "../dump/context.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessEntry } from "./processes.ts";
import { findStackFields, isThread, readStackBounds } from "./thread-layout.ts";

/** What ran on the processor that stopped the machine. */
export interface Current {
  /** Its number; `undefined` where the dump names the thread alone. */
  readonly processor: number | undefined;
  /** Its ETHREAD. */
  readonly thread: Va;
  /** The EPROCESS that the thread runs in; `undefined` where it cannot be told. */
  readonly process: Va | undefined;
  /** The entry of that process in the list; `undefined` where it is not there. */
  readonly entry: ProcessEntry | undefined;
}

type Source = Pick<
  Kernel,
  "space" | "machine" | "build" | "facts" | "kdbg" | "processes" | "processors" | "contexts"
>;

const PROCESS_OBJECT = 3;
const TYPE_BITS = 0x7f;

/**
 * The thread that the machine stopped in: the one that the dump names; else of those that the processors run the one on
 * whose stack the dump's registers stand. `undefined` where none does, or several.
 */
export function readCurrent(source: Source): Current | undefined {
  const { facts, processors } = source;
  const named = facts.stopped?.value.thread;
  if (named !== undefined && isThread(source.space, named)) return inProcess(source, named, undefined);
  const running = processors.items.flatMap(({ prcb, number }, i) => {
    const thread = currentThread(source, prcb);
    return thread === undefined ? [] : [{ thread, processor: number ?? i }];
  });
  const [only] = running;
  if (facts.processors?.value === 1 && only !== undefined)
    return inProcess(source, only.thread, only.processor);
  const pointers = source.contexts.flatMap(({ registers }) => stackPointer(registers) ?? []);
  const standing = running.filter(({ thread }) => pointers.some((at) => isOnStack(source, thread, at)));
  const [first, second] = standing;
  return first === undefined || second !== undefined
    ? undefined
    : inProcess(source, first.thread, first.processor);
}

function currentThread({ space, kdbg }: Source, prcb: Va): Va | undefined {
  const offset = kdbg?.offsetPrcbCurrentThread;
  const thread = offset === undefined ? undefined : space.tryReadPointer(advance(prcb, offset));
  return thread !== undefined && isThread(space, thread) ? thread : undefined;
}

function stackPointer(registers: Registers): bigint | undefined {
  return registers.rsp ?? registers.esp ?? registers.sp;
}

function isOnStack(source: Source, thread: Va, at: bigint): boolean {
  const { space, machine, build, kdbg } = source;
  const fields = findStackFields(space, thread, { machine, build, kdbg });
  const bounds = fields && readStackBounds(space, thread, fields);
  return typeof bounds === "object" && at >= bounds.limit && at < bounds.base;
}

function inProcess(source: Source, thread: Va, processor: number | undefined): Current {
  const { space, kdbg, processes } = source;
  const offset = kdbg?.offsetKThreadApcProcess;
  const held = offset === undefined ? undefined : space.tryReadPointer(advance(thread, offset));
  const type = held === undefined ? undefined : space.tryRead(held, 1)?.[0];
  const process = type !== undefined && (type & TYPE_BITS) === PROCESS_OBJECT ? held : undefined;
  const entry = processes.items.find(({ address }) => address === process);
  return { processor, thread, process, entry };
}
