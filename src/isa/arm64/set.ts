import type { Abi } from "../abi.ts";
import {
  type CodeBytes,
  type CodeRun,
  FLOW_SHIFT,
  Flow,
  type SimpleInstruction,
  wordAt,
} from "../instruction.ts";
import type { InstructionSet, Padding, References, SimpleDecoding, Thunks } from "../instruction-set.ts";
import { decodeArm } from "./instructions.ts";

/** @see Microsoft ARM64 ABI conventions */
const abi: Abi = {
  pointerSize: 8,
  argumentRegisters: [0, 1, 2, 3, 4, 5, 6, 7],
  takesRegisters: () => true,
  homeBytes: 0,
  calleePops: false,
  result: 0,
  second: undefined,
  stackPointer: 31,
  framePointer: 29,
  preserved: new Set([19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]),
  volatile: Array.from({ length: 18 }, (_, register) => register),
};

const FLOWS: Readonly<Record<SimpleInstruction["kind"], Flow>> = {
  number: Flow.Next,
  literal: Flow.Next,
  address: Flow.Next,
  add: Flow.Next,
  load: Flow.Next,
  store: Flow.Next,
  compare: Flow.Next,
  other: Flow.Next,
  call: Flow.Call,
  jump: Flow.Jump,
  branch: Flow.Branch,
  "call-register": Flow.CallIndirect,
  "jump-register": Flow.JumpIndirect,
  return: Flow.Return,
  stop: Flow.Stop,
};

const LENGTH = 4;
const NOP = 0xd503201f;

/** Words that are no instruction are not told from others, but for 0. */
const step: InstructionSet["step"] = (bytes, at, end) => {
  const word = at + LENGTH > end ? 0 : wordAt(bytes, at);
  return word === 0 ? 0 : LENGTH | (FLOWS[decodeArm(word, at).kind] << FLOW_SHIFT);
};

/** The instruction at an RVA; `undefined` past the run's end and where none can stand. */
function instructionAt({ bytes, start, end }: CodeRun, at: number): SimpleInstruction | undefined {
  return at % LENGTH !== 0 || at < start || at + LENGTH > end
    ? undefined
    : decodeArm(wordAt(bytes, at - start), at);
}

/** The RVAs at which instructions stand. */
function* placesIn({ start, end }: CodeRun): Generator<number> {
  for (let at = start + (-start & 3); at + LENGTH <= end; at += LENGTH) yield at;
}

const isNop = (bytes: Uint8Array, at: number): boolean => wordAt(bytes, at) >>> 0 === NOP;
const isBreakpoint = (bytes: Uint8Array, at: number): boolean =>
  (wordAt(bytes, at) & 0xffe0001f) >>> 0 === 0xd4200000;

const skip: Padding["skip"] = ({ bytes, start, end: last }, from, end) => {
  const stop = Math.min(end, last);
  let at = from;
  for (; at + LENGTH <= stop; at += LENGTH) {
    const index = at - start;
    if (wordAt(bytes, index) !== 0 && !isNop(bytes, index) && !isBreakpoint(bytes, index)) break;
  }
  return at;
};

const padding: Padding = {
  fillers: [0],
  skip,
  startBehind: skip,
  isBehindNop: ({ bytes, start }, at) => at - start >= LENGTH && isNop(bytes, at - start - LENGTH),
  nopLength: (bytes, at) => (isNop(bytes, at) ? LENGTH : 0),
  mayStartNop: (byte) => byte === (NOP & 0xff),
  isBreakpoint,
};

/** `adrp x16, page; ldr x16, [x16, offset]; br x16` */
function slotJumpAt(run: CodeRun, entry: number): number | undefined {
  const [page, load, jump] = [0, 4, 8].map((offset) => instructionAt(run, entry + offset));
  if (page?.kind !== "address" || load?.kind !== "load" || jump?.kind !== "jump-register") return undefined;
  return load.base === page.register ? page.place + load.offset : undefined;
}

function firstOf(code: CodeBytes, entry: number): SimpleInstruction | undefined {
  const run = code.runAt(entry);
  return run === undefined ? undefined : instructionAt(run, entry);
}

const thunks: Thunks = {
  // An address takes two instructions: none names a slot by itself.
  slotOf: () => undefined,
  calledSlot: () => undefined,
  isSlotJump: (run, at) => slotJumpAt(run, at) !== undefined,
  behindIdleHead: (_, entry) => entry,
  jumpAt: (code, entry) => {
    const run = code.runAt(entry);
    const slot = run === undefined ? undefined : slotJumpAt(run, entry);
    if (slot !== undefined) return { slot };
    const first = firstOf(code, entry);
    return first?.kind === "jump" ? { target: first.target } : undefined;
  },
  registerOf: (code, entry) => {
    const first = firstOf(code, entry);
    return first?.kind === "jump-register" ? first.register : undefined;
  },
};

const references: References = {
  each: (_, run, found) => {
    for (const at of placesIn(run)) {
      const target = targetOf(run, at);
      if (target !== undefined) found(at, target, "near");
    }
  },
  near: (code, found) => {
    for (const run of code.runs) {
      for (const at of placesIn(run)) {
        const instruction = instructionAt(run, at);
        if (instruction?.kind !== "call" && instruction?.kind !== "jump" && instruction?.kind !== "branch")
          continue;
        if (code.isCode(instruction.target)) found(at, instruction.target, instruction.kind);
      }
    }
  },
};

/** Instructions of one group, by the bits that tell it. */
function each(
  run: CodeRun,
  [from, to]: readonly [number, number],
  mask: number,
  value: number,
  found: (at: number, instruction: SimpleInstruction) => void,
): void {
  const { start, bytes } = run;
  const first = Math.max(from, start);
  for (let at = first + (-first & 3); at < to && at + LENGTH <= run.end; at += LENGTH) {
    const word = wordAt(bytes, at - start);
    if ((word & mask) === value) found(at, decodeArm(word, at));
  }
}

const simple: SimpleDecoding = {
  length: LENGTH,
  at: instructionAt,
  each: (run, found) => each(run, [run.start, run.end], 0, 0, found),
  eachNumber: (run, found) => each(run, [run.start, run.end], 0x7f800000, 0x52800000, found),
  eachLiteral: (run, from, to, found) => each(run, [from, to], 0xff000000 | 0, 0x18000000, found),
};

function targetOf(run: CodeRun, at: number): number | undefined {
  const instruction = instructionAt(run, at);
  return instruction !== undefined && "target" in instruction ? instruction.target : undefined;
}

/** ARM64, as far as it is looked at: not decoded in full, so that functions are only what unwind data tells. */
export const arm64: InstructionSet = {
  machine: "arm64",
  abi,
  numbersAreAddresses: false,
  step,
  length: (bytes, at, end) => (step(bytes, at, end) === 0 ? 0 : LENGTH),
  target: (bytes, at) => {
    const instruction = decodeArm(wordAt(bytes, at), at);
    return "target" in instruction ? instruction.target : at + LENGTH;
  },
  popped: (bytes, at) => (decodeArm(wordAt(bytes, at), at).kind === "return" ? 0 : undefined),
  padding,
  thunks,
  references,
  simple,
};
