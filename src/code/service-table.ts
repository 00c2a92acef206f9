import { sectionSpan } from "../pe/sections.ts";
import type { ModuleCode } from "./module-code.ts";

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
export function findServiceTable(
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

function formsOf({ wide, base32, image }: ModuleCode): readonly TableForm[] {
  if (!wide) return [{ width: 4, lead: (low) => low - base32 }];
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
