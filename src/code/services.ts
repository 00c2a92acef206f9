import { type Decoder, Flow } from "../isa/instruction.ts";
import { Reg, withDecoder } from "../isa/x86/decoder.ts";
import type { ImageCode } from "./functions.ts";
import { findServiceTable } from "./service-table.ts";

/** A kernel's `Zw` function, which calls a system service by its number. */
export interface ServiceStub {
  /** Where the stub starts. */
  readonly entry: number;
  /** The instruction that loads the number. */
  readonly at: number;
  /** Where the service's function starts. */
  readonly service: number;
}

/** Which stub calls which service of an image; empty for all images but the kernel. */
export interface ServiceCalls {
  stubAt(entry: number): ServiceStub | undefined;
  stubsOf(service: number): readonly ServiceStub[];
}

const NONE: ServiceCalls = { stubAt: () => undefined, stubsOf: () => [] };
const known = new WeakMap<ImageCode, ServiceCalls>();
/** Stubs whose services are exported by the same name: so many must be there for a table to be told by them. */
const MIN_PAIRS = 4;
/** Instructions of a stub up to the one that leaves it. */
const MAX_STUB = 16;
/** Numbers of the first table; the next ones are for win32k. */
const MAX_SERVICES = 0x1000;

/**
 * The system services of a kernel: drivers import `ZwCreateKey`, whose stub loads a number and goes through the table
 * to NtCreateKey. The table is found by the stubs themselves, without symbols.
 */
export function serviceCalls(image: ImageCode): ServiceCalls {
  const done = known.get(image);
  if (done !== undefined) return done;
  const found = findServiceCalls(image);
  known.set(image, found);
  return found;
}

function findServiceCalls(image: ImageCode): ServiceCalls {
  const { code } = image;
  if (code.image.machine !== "x86" && code.image.machine !== "x64") return NONE;
  const entries = code.image.exports.items.flatMap(({ name, rva, forwarder }) =>
    name?.startsWith("Zw") && forwarder === undefined && code.isCode(rva) ? [{ name, rva }] : [],
  );
  if (entries.length < MIN_PAIRS) return NONE;
  const numbered = withDecoder(code, (decoder) =>
    entries.flatMap(({ name, rva }) => {
      const number = numberOf(decoder, rva);
      return number === undefined ? [] : [{ name, rva, ...number }];
    }),
  );
  const pairs = numbered.flatMap(({ name, index }) => {
    const service = code.image.exports.byName(`Nt${name.slice(2)}`);
    return service === undefined || service.forwarder !== undefined ? [] : [{ index, rva: service.rva }];
  });
  const serviceAt = pairs.length < MIN_PAIRS ? undefined : findServiceTable(code, pairs);
  if (serviceAt === undefined) return NONE;
  const stubs = new Map<number, ServiceStub>();
  const byService = new Map<number, ServiceStub[]>();
  for (const { rva, index, at } of numbered) {
    const service = serviceAt(index);
    if (service === undefined || stubs.has(rva)) continue;
    const stub = { entry: rva, at, service };
    stubs.set(rva, stub);
    const same = byService.get(service);
    if (same === undefined) byService.set(service, [stub]);
    else same.push(stub);
  }
  return { stubAt: (entry) => stubs.get(entry), stubsOf: (service) => byService.get(service) ?? [] };
}

/** The number that a stub loads into eax before it leaves: `mov eax, N`, then a jump, a call, `int` or `sysenter`. */
function numberOf(
  decoder: Decoder,
  entry: number,
): { readonly index: number; readonly at: number } | undefined {
  let found: { index: number; at: number } | undefined;
  for (let at = entry, step = 0; step < MAX_STUB; step++) {
    const instruction = decoder.at(at);
    if (instruction === undefined) return undefined;
    const [to, from] = instruction.operands;
    if (instruction.mnemonic === "mov" && to?.kind === "register" && to.register === Reg.ax) {
      if (from?.kind === "immediate" && to.size === 4) found = { index: from.value, at };
      else if (from?.kind !== "register") return undefined;
    }
    const leaves =
      instruction.flow !== Flow.Next || instruction.mnemonic === "int" || instruction.mnemonic === "sysenter";
    if (leaves)
      return found !== undefined && found.index >= 0 && found.index < MAX_SERVICES ? found : undefined;
    at += instruction.length;
  }
  return undefined;
}
