import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readCurrent } from "../../src/kernel/current.ts";
import type { KdbgFields } from "../../src/kernel/kdbg.ts";
import { ThreadMachine } from "../fixtures/thread-machine.ts";

const PRCB = [0xffff_f804_7c00_0000n, 0xffff_f804_7c01_0000n] as const;
const KDBG: Partial<KdbgFields> = { offsetPrcbCurrentThread: 8, offsetKThreadApcProcess: 0xb8 };

/** Two processors: the first runs System's second thread, the other the one thread of process1. */
function machine() {
  const made = new ThreadMachine({ threads: [3, 1] });
  const threads = [made.threads[0]![1]!, made.threads[1]![0]!];
  threads.forEach((thread, i) => {
    made.memory.pointer(PRCB[i]! + 8n, thread.address);
    made.memory.pointer(thread.address + 0xb8n, made.processes[i]!.address);
  });
  for (const { address } of made.processes) made.memory.write(address, Uint8Array.of(3));
  const items = PRCB.map((prcb, number) => ({ prcb: va(prcb), number }));
  const source = (rsp: bigint | undefined, count = 2) =>
    made.source(
      {
        processors: { items: items.slice(0, count) },
        facts: { source: "header", roots: [], contexts: [], processors: { value: count, source: "header" } },
        contexts: rsp === undefined ? [] : [{ which: "header", registers: { rsp } }],
      },
      KDBG,
    );
  return { made, threads, source };
}

describe("readCurrent", () => {
  it("finds the thread on whose stack the registers stand, and its process", () => {
    const { made, threads, source } = machine();
    expect(readCurrent(source(threads[1]!.base - 0x80n))).toEqual({
      processor: 1,
      thread: threads[1]!.address,
      process: made.processes[1]!.address,
      entry: made.processes[1],
    });
  });

  it("takes the thread of the only processor, wherever its registers stand", () => {
    const { threads, source } = machine();
    expect(readCurrent(source(0x1234n, 1))).toMatchObject({ processor: 0, thread: threads[0]!.address });
  });

  it("names none where the registers stand on no running thread's stack", () => {
    const { made, source } = machine();
    const idle = made.threads[0]![0]!;
    expect(readCurrent(source(idle.base - 0x80n))).toBeUndefined();
    expect(readCurrent(source(undefined))).toBeUndefined();
  });

  it("gives no process where what the thread points to is none", () => {
    const { made, threads, source } = machine();
    made.memory.pointer(threads[0]!.address + 0xb8n, threads[1]!.address);
    const found = readCurrent(source(threads[0]!.base - 0x80n));
    expect(found).toMatchObject({ processor: 0, process: undefined, entry: undefined });
  });
});
