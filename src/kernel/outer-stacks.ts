import { advance } from "../core/address.ts";
import { MAX_OUTER_STACKS } from "../core/limits.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { isPlausibleStack, type StackBounds } from "./thread-layout.ts";

/** What stands at InitialStack is no longer than this on any Windows so far. */
const CONTROL_BYTES = 0x60;

/**
 * The stacks that a thread left to go on with another one, the last left first: drivers ask for a larger
 * one with KeExpandKernelStackAndCallout, and calls back to user mode take one. Since Vista the bounds of
 * the stack before stand behind InitialStack, four pointers in a row, at a place that differs by version;
 * only what can be a stack is taken for one.
 *
 * @see the public symbols of KERNEL_STACK_CONTROL, KSTACK_CONTROL and KERNEL_STACK_SEGMENT
 */
export function readOuterStacks(space: AddressSpace, stack: StackBounds): readonly StackBounds[] {
  const outer: StackBounds[] = [];
  let inner = stack;
  while (outer.length < MAX_OUTER_STACKS) {
    const next = stackBefore(space, inner);
    if (next === undefined || next.base === stack.base || outer.some(({ base }) => base === next.base)) break;
    outer.push(next);
    inner = next;
  }
  return outer;
}

function stackBefore(space: AddressSpace, { base, initialStack }: StackBounds): StackBounds | undefined {
  const step = space.pointerSize;
  const length = Math.min(CONTROL_BYTES, Number(base - initialStack));
  const bytes = space.tryRead(initialStack, length);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const high = step === 8 ? 4 : 0;
  for (let at = 0; at + 4 * step <= length; at += step) {
    // nearly always zeros; and a stack ends at a page
    if ((view.getUint16(at, true) & 0xfff) !== 0 || view.getInt32(at + high, true) >= 0) continue;
    const place = advance(initialStack, at);
    const word = (index: number) => space.readPointer(advance(place, index * step));
    const found = { base: word(0), limit: word(1), kernelStack: word(2), initialStack: word(3) };
    if (found.base !== base && isPlausibleStack(found, step)) return found;
  }
  return undefined;
}
