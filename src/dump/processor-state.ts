import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toBigInt } from "../core/kaitai.ts";
import { ProcessorState } from "../generated/processor_state.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { parseContext } from "./context.ts";
import { type FactSource, fact, type MachineFacts } from "./facts.ts";

/** The page of the file that Windows 7 keeps it in. */
const STATE_PAGE = 1;
const CR4_PAE = 1n << 5n;
const WHERE: FactSource = "processor-state";

/** What a hibernation file of Windows 7 has of the processor that wrote it. */
export function processorStateFacts(
  file: ByteSource,
  bits: 32 | 64,
): Pick<MachineFacts, "roots" | "pae" | "contexts"> {
  const bytes = readAt(file, STATE_PAGE * PAGE_SIZE, PAGE_SIZE);
  const state = readStruct(ProcessorState, bytes, "the state of the processor", bits);
  const root = toBigInt(state.cr3);
  const registers = state.context === undefined ? undefined : parseContext(state.context, "x86");
  return {
    roots: root === 0n ? [] : [{ value: root, source: WHERE }],
    pae: bits === 32 ? fact((toBigInt(state.cr4) & CR4_PAE) !== 0n, WHERE) : undefined,
    contexts: registers === undefined ? [] : [{ value: registers, source: WHERE }],
  };
}
