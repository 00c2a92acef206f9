import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
import { ProcessorState } from "../generated/processor_state.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { parseContext } from "./context.ts";
import { type FactSource, fact, type MachineFacts, type SystemRegisters } from "./facts.ts";

/** The page of the file that Windows 7 keeps it in. */
const STATE_PAGE = 1;
const CR0_PG = 1n << 31n;
const CR4_PAE = 1n << 5n;
const WHERE: FactSource = "processor-state";

/** What a hibernation file of Windows 7 has of the processor that wrote it. */
export function processorStateFacts(
  file: ByteSource,
  bits: 32 | 64,
): Pick<MachineFacts, "roots" | "pae" | "contexts" | "system"> {
  const { StateX64, StateX86 } = ProcessorState;
  const bytes = readAt(file, STATE_PAGE * PAGE_SIZE, PAGE_SIZE);
  const what = "the state of the processor";
  const state = bits === 64 ? readStruct(StateX64, bytes, what) : readStruct(StateX86, bytes, what);
  const registers = parseContext(state.context, bits === 64 ? "x64" : "x86");
  const cr3 = toAddress(state.cr3);
  const msrs = state instanceof StateX64 ? state : undefined;
  const system: SystemRegisters = {
    cr3,
    paging: (toAddress(state.cr0) & CR0_PG) !== 0n,
    long: bits === 64,
    idt: toAddress(state.idtrBase),
    gs: toAddress(msrs?.msrGsBase ?? 0),
    kernelGs: toAddress(msrs?.msrGsSwap ?? 0),
    fs: 0n,
    syscall: toAddress(msrs?.msrLStar ?? 0),
  };
  return {
    roots: cr3 === 0n ? [] : [{ value: cr3, source: WHERE }],
    pae: fact(bits === 64 ? undefined : (toAddress(state.cr4) & CR4_PAE) !== 0n, WHERE),
    contexts: registers === undefined ? [] : [{ value: registers, source: WHERE }],
    system: system.paging ? [{ value: system, source: WHERE }] : [],
  };
}
