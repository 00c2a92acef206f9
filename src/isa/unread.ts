import type { InstructionSet } from "./instruction-set.ts";

/** The set of a machine whose code is not looked at: no instruction is known, and nothing is told of any place. */
export const unread: InstructionSet = {
  machine: "unknown",
  abi: {
    pointerSize: 4,
    argumentRegisters: [],
    takesRegisters: () => false,
    homeBytes: 0,
    calleePops: false,
    result: 0,
    second: undefined,
    stackPointer: 0,
    framePointer: 0,
    preserved: new Set(),
    volatile: [],
  },
  numbersAreAddresses: false,
  step: () => 0,
  length: () => 0,
  target: (_, at) => at,
  popped: () => undefined,
  padding: {
    fillers: [],
    skip: (_, from) => from,
    startBehind: (_, from) => from,
    isBehindNop: () => false,
    nopLength: () => 0,
    mayStartNop: () => false,
    isBreakpoint: () => false,
  },
  thunks: {
    slotOf: () => undefined,
    calledSlot: () => undefined,
    isSlotJump: () => false,
    behindIdleHead: (_, entry) => entry,
    jumpAt: () => undefined,
    registerOf: () => undefined,
  },
  references: { each: () => undefined, near: () => undefined },
};
