import { addTo } from "../core/search.ts";
import { type Decoder, Flow } from "../isa/instruction.ts";
import { sectionSpan } from "../pe/sections.ts";
import { exportNames } from "../symbols/exports.ts";
import type { ImageCode } from "./functions.ts";
import type { ModuleCode } from "./module-code.ts";

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
  const exported = exportNames(code.image);
  const entries = exported.items.filter(({ name, rva }) => name.startsWith("Zw") && code.isCode(rva));
  if (entries.length < MIN_PAIRS) return NONE;
  const numbered = code.decoding((decoder) =>
    entries.flatMap(({ name, rva }) => {
      const number = numberOf(decoder, code.set.abi.result, rva);
      return number === undefined ? [] : [{ name, rva, ...number }];
    }),
  );
  if (numbered === undefined) return NONE;
  const pairs = numbered.flatMap(({ name, index }) => {
    const service = exported.byName(`Nt${name.slice(2)}`);
    return service === undefined ? [] : [{ index, rva: service.rva }];
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
    addTo(byService, service, stub);
  }
  return { stubAt: (entry) => stubs.get(entry), stubsOf: (service) => byService.get(service) ?? [] };
}

/**
 * The number that a stub loads before it leaves: `mov eax, N`, then a jump, a call, `int` or `sysenter`.
 *
 * @param register that the number is passed in: the one of results
 */
function numberOf(
  decoder: Decoder,
  register: number,
  entry: number,
): { readonly index: number; readonly at: number } | undefined {
  let found: { index: number; at: number } | undefined;
  for (let at = entry, step = 0; step < MAX_STUB; step++) {
    const instruction = decoder.at(at);
    if (instruction === undefined) return undefined;
    const [to, from] = instruction.operands;
    if (instruction.mnemonic === "mov" && to?.kind === "register" && to.register === register) {
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

/** A service's number, and the function that it is known to lead to. */
export interface ServicePair {
  readonly index: number;
  readonly rva: number;
}

/** How a table says where a function is, by kernel and by whether it runs. */
interface TableForm {
  /** Bytes of an entry. */
  readonly width: 4 | 8;
  /** The RVA that an entry leads to. `table`: the table's own RVA. */
  lead(low: number, high: number, table: number): number | undefined;
}

/** A table is one where so many of a hundred known services agree: a hook or a hole may spoil some. */
const AGREEMENT = 0.9;
/** Known services that are looked for, one after the other, when the pages of the first ones are missing. */
const PROBES = 3;

/**
 * Finds the table of system services by what it must hold: for each pair, at its number the function.
 *
 * 32-bit kernels hold addresses. 64-bit ones hold, from Windows 10 on, RVAs in the file, before that addresses, and at
 * run time always distances from the table with the number of stack arguments in the low four bits.
 *
 * @returns the function of a number; `undefined` where no table agrees
 */
function findServiceTable(
  code: ModuleCode,
  pairs: readonly ServicePair[],
): ((index: number) => number | undefined) | undefined {
  const forms = formsOf(code);
  for (const probe of pairs.slice(0, PROBES)) {
    for (const { rva, view } of sectionsOf(code)) {
      for (let at = 0; at + 4 <= view.byteLength; at += 4) {
        const low = view.getUint32(at, true);
        const high = at + 8 <= view.byteLength ? view.getUint32(at + 4, true) : 0;
        for (const form of forms) {
          const table = rva + at - probe.index * form.width;
          if (form.lead(low, high, table) !== probe.rva || table < 0) continue;
          const serviceAt = readerOf(code, table, form);
          const agreeing = pairs.filter((pair) => serviceAt(pair.index) === pair.rva).length;
          if (agreeing >= pairs.length * AGREEMENT) return serviceAt;
        }
      }
    }
  }
  return undefined;
}

function formsOf({ base32, image }: ModuleCode): readonly TableForm[] {
  if (image.pointerSize === 4) return [{ width: 4, lead: (low) => low - base32 }];
  const above = Number(image.base >> 32n);
  return [
    { width: 8, lead: (low, high) => (high === above ? low - base32 : undefined) },
    { width: 4, lead: (low) => low },
    { width: 4, lead: (low, _, table) => table + ((low | 0) >> 4) },
    { width: 4, lead: (low, _, table) => table + (low & ~0xf) },
  ];
}

function readerOf(code: ModuleCode, table: number, form: TableForm): (index: number) => number | undefined {
  return (index) => {
    const at = table + index * form.width;
    if (at < 0 || at + form.width > code.image.size) return undefined;
    const { bytes, holes } = code.image.readSparse(at, form.width);
    if (holes.length > 0 || bytes.length < form.width) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lead = form.lead(view.getUint32(0, true), form.width === 8 ? view.getUint32(4, true) : 0, table);
    return lead !== undefined && code.isCode(lead) ? lead : undefined;
  };
}

function* sectionsOf({ image }: ModuleCode): Generator<{ readonly rva: number; readonly view: DataView }> {
  for (const section of image.sections) {
    const length = Math.min(sectionSpan(section), image.size - section.rva);
    if (length < 4) continue;
    const { bytes } = image.readSparse(section.rva, length);
    yield { rva: section.rva, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }
}
