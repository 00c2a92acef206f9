import { advance, type Va } from "../core/address.ts";
import { parseContext, type Registers } from "../dump/context.ts";
import { prcbContext } from "./contexts.ts";
import type { Kernel } from "./kernel.ts";

/** A thread that a processor ran when the machine stopped. */
export interface Running {
  /** The processor's number. */
  readonly processor: number;
  /** Stack pointers that may be its own: those that its processor saved, and those that the dump itself has. */
  readonly stackPointers: readonly Va[];
}

/** More bytes than any machine's CONTEXT needs for its registers; a KPRCB is far longer. */
const EMBEDDED_CONTEXT = 0x318;

/** The threads that the processors ran, by KTHREAD. */
export function runningThreads(
  kernel: Pick<Kernel, "space" | "machine" | "facts" | "kdbg" | "processors" | "contexts">,
): ReadonlyMap<Va, Running> {
  const found = new Map<Va, Running>();
  const stopped = kernel.contexts.map(({ registers }) => stackPointerOf(registers));
  const add = (thread: Va | undefined, processor: number, pointers: readonly (Va | undefined)[]): void => {
    if (thread === undefined || thread === 0n || found.has(thread)) return;
    found.set(thread, { processor, stackPointers: pointers.filter((at) => at !== undefined) });
  };
  const currentThread = kernel.kdbg?.offsetPrcbCurrentThread;
  kernel.processors.items.forEach(({ prcb, number }, i) => {
    if (currentThread === undefined) return;
    const thread = kernel.space.tryReadPointer(advance(prcb, currentThread));
    add(thread, number ?? i, [...stopped, savedStackPointer(kernel, prcb)]);
  });
  add(kernel.facts.stopped?.value.thread, 0, stopped);
  return found;
}

/** As the processor saved it; KDBG has a pointer to the CONTEXT since Windows 7, before that it stands in the KPRCB. */
function savedStackPointer(
  { space, machine, kdbg }: Pick<Kernel, "space" | "machine" | "kdbg">,
  prcb: Va,
): Va | undefined {
  const pointer = kdbg?.offsetPrcbContext;
  if (pointer !== undefined) {
    const set = prcbContext(space, prcb, pointer, machine);
    return set && stackPointerOf(set.registers);
  }
  const inside = kdbg?.offsetPrcbProcStateContext;
  const bytes = inside === undefined ? undefined : space.tryRead(advance(prcb, inside), EMBEDDED_CONTEXT);
  const registers = bytes && parseContext(bytes, machine);
  return registers && stackPointerOf(registers);
}

function stackPointerOf(registers: Registers): Va | undefined {
  return (registers.rsp ?? registers.esp ?? registers.sp) as Va | undefined;
}
