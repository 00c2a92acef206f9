import type { Abi } from "../abi.ts";
import { LENGTH_MASK } from "../instruction.ts";
import type { FunctionStarts, InstructionSet, TableForms } from "../instruction-set.ts";
import { x64Abi, x86Abi } from "./abi.ts";
import { slowLength, withDecoder } from "./decoder.ts";
import { nearTarget, poppedByReturn, stepOf } from "./lengths.ts";
import { x86Padding } from "./padding.ts";
import { withPrinter } from "./printer.ts";
import { referencesOf } from "./references.ts";
import { x86Starts } from "./starts.ts";
import { x64Tables, x86Tables } from "./tables.ts";
import { thunksOf } from "./thunks.ts";

/** 32-bit code. */
export const x86: InstructionSet = setOf("x86", 32, x86Abi, x86Tables, x86Starts);

/** 64-bit code. */
export const x64: InstructionSet = setOf("x64", 64, x64Abi, x64Tables, undefined);

function setOf(
  machine: "x86" | "x64",
  bits: 32 | 64,
  abi: Abi,
  tables: TableForms,
  starts: FunctionStarts | undefined,
): InstructionSet {
  const step = stepOf(bits);
  return {
    machine,
    abi,
    numbersAreAddresses: bits === 32,
    step,
    length: (bytes, at, end) => {
      const known = step(bytes, at, end) & LENGTH_MASK;
      return known > 0 ? known : slowLength(bits, bytes.subarray(0, end), at);
    },
    target: nearTarget,
    popped: poppedByReturn,
    padding: x86Padding,
    thunks: thunksOf(bits, step),
    references: referencesOf(bits),
    withDecoder: (code, work) => withDecoder(bits, code, work),
    withPrinter: (work) => withPrinter(bits, work),
    tables,
    ...(starts === undefined ? {} : { starts }),
  };
}
