import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
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
  const { StateX64, StateX86 } = ProcessorState;
  const bytes = readAt(file, STATE_PAGE * PAGE_SIZE, PAGE_SIZE);
  const what = "the state of the processor";
  const state = bits === 64 ? readStruct(StateX64, bytes, what) : readStruct(StateX86, bytes, what);
  const registers = parseContext(state.context, bits === 64 ? "x64" : "x86");
  const root = toAddress(state.cr3);
  return {
    roots: root === 0n ? [] : [{ value: root, source: WHERE }],
    pae: fact(bits === 64 ? undefined : (toAddress(state.cr4) & CR4_PAE) !== 0n, WHERE),
    contexts: registers === undefined ? [] : [{ value: registers, source: WHERE }],
  };
}
