import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { MAX_PFN, MAX_PROCESSORS } from "../core/limits.ts";
import { addTo, groupBy } from "../core/search.ts";
import { grouped } from "../core/text.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import type { Fact, MachineFacts, SystemRegisters } from "./facts.ts";
import type { DumpFiles, DumpFormat, OpenedDump } from "./format.ts";
import { identityMap, mapOf, type RunMap } from "./run-map.ts";
import {
  isVmwareState,
  readVmwareState,
  type VmwareBlock,
  type VmwareTag,
  type VmwareTags,
} from "./vmware-state.ts";

/** `X.vmss` or `X.vmsn`: with the memory in it, or beside the `X.vmem` that has it. */
export const vmwareState: DumpFormat = {
  starts: "that of a VMware state (.vmss, .vmsn)",
  recognise: isVmwareState,
  open(files) {
    const { main } = files;
    const held = readVmwareState(main, GROUPS);
    const block = memoryBlock(held.tags);
    const head: Bytes = readAt(main, 0, 12);
    if (block?.packed === true)
      head.fail(0, "the memory", "stored as it is", "packed; suspend the machine again without compression");
    if (block !== undefined) {
      const end = Math.min(main.size, block.offset + block.length);
      return opened(main, main, held, mapRegions(held.tags, block.offset, end));
    }
    const memory = files.sibling(withEnding(main.name, "vmem"));
    if (memory === undefined)
      head.fail(
        0,
        "the memory",
        "in this file or in the .vmem beside it",
        "neither; keep both files together",
      );
    return opened(main, memory, held, mapRegions(held.tags, 0, memory.size));
  },
};

/** `X.vmem`, memory without a header, where the `X.vmss` or `X.vmsn` beside it says what it leaves out. */
export const vmwareMemory: DumpFormat = {
  recognise: (head) => /\.vmem$/i.test(head.file),
  open(files) {
    const { main } = files;
    const state = stateBeside(files);
    if (state === undefined) {
      const note =
        "no .vmss or .vmsn stands beside this .vmem: where it leaves memory out is told by the kernel in it";
      return {
        source: main,
        kind: "vmware",
        memory: { source: main, pages: identityMap(main.size) },
        flat: true,
        facts: { source: "file", roots: [], contexts: [] },
        writer: undefined,
        header: undefined,
        notes: [note],
      };
    }
    const held = readVmwareState(state, GROUPS);
    return opened(main, main, held, mapRegions(held.tags, 0, main.size));
  },
};

const GROUPS: ReadonlySet<string> = new Set(["memory", "cpu", "Checkpoint"]);

function opened(
  main: ByteSource,
  memory: ByteSource,
  state: VmwareTags,
  { pages, left }: Regions,
): OpenedDump {
  const notes = [...state.notes];
  if (pages.missing > 0) {
    notes.push(
      `the file ends before the machine's memory does: ${grouped(pages.missing)} of ${grouped(pages.present + pages.missing)} pages are missing; copy it again`,
    );
  }
  if (left > 0)
    notes.push(
      `${left} of the state's regions of memory are not whole or not possible: their pages are not read`,
    );
  const count = processorsOf(state.tags);
  if (count !== undefined && (count === 0 || count > MAX_PROCESSORS))
    notes.push(`the state gives ${grouped(count)} processors, which no Windows has`);
  return {
    source: main,
    kind: "vmware",
    memory: { source: memory, pages },
    facts: factsOf(state.tags),
    writer: undefined,
    header: undefined,
    notes,
  };
}

function stateBeside({ main, sibling }: DumpFiles): ByteSource | undefined {
  for (const ending of ["vmss", "vmsn"]) {
    const found = sibling(withEnding(main.name, ending));
    if (found === undefined) continue;
    if (isVmwareState(readAt(found, 0, 12))) return found;
  }
  return undefined;
}

function withEnding(name: string, ending: string): string {
  return `${name.replace(/\.[^.]*$/, "")}.${ending}`;
}

function memoryBlock(tags: readonly VmwareTag[]): VmwareBlock | undefined {
  const found = tags.find(
    ({ group, name, value }) => group === "memory" && name === "Memory" && "offset" in value,
  );
  return found !== undefined && "offset" in found.value ? found.value : undefined;
}

/** Where pages stand, and how many regions could not be read. */
interface Regions {
  readonly pages: RunMap;
  readonly left: number;
}

/** Checkpoint/Platform of an ARM64 guest, whose memory begins at 2 GB. */
const ARM64_PLATFORM = 3;
const ARM64_FIRST_PAGE = 0x8_0000;

/**
 * Where the pages stand: each region has the first page's number, where it begins in the file, and how many there are. Without
 * regions the file is memory from page 0 on.
 */
function mapRegions(tags: readonly VmwareTag[], start: number, end: number): Regions {
  const parts = new Map<number, VmwareTag[]>();
  for (const tag of tags) {
    const [index] = tag.indices;
    if (tag.group === "memory" && /^region(?:PPN|PageNum|Size)$/.test(tag.name) && index !== undefined)
      addTo(parts, index, tag);
  }
  const runs = [...parts.values()].flatMap((own) => {
    const of = (name: string): number | undefined => numberOf(own.find((tag) => tag.name === name));
    const [pfn, page, count] = [of("regionPPN"), of("regionPageNum"), of("regionSize")];
    if (pfn === undefined || page === undefined || count === undefined || pfn + count > MAX_PFN) return [];
    return [{ pfn, count, offset: start + page * PAGE_SIZE }];
  });
  const platform = numberOf(tags.find(({ group, name }) => group === "Checkpoint" && name === "Platform"));
  const first = platform === ARM64_PLATFORM ? ARM64_FIRST_PAGE : 0;
  const whole = { pfn: first, count: Math.floor((end - start) / PAGE_SIZE), offset: start };
  return { pages: mapOf(runs.length === 0 ? [whole] : runs, end), left: parts.size - runs.length };
}

/** Of 4 or 8 bytes. */
function numberOf(tag: VmwareTag | undefined): number | undefined {
  if (tag === undefined || "offset" in tag.value || tag.value.length < 4) return undefined;
  return new DataView(tag.value.buffer, tag.value.byteOffset).getUint32(0, true);
}

/** Of a value with 8 bytes from a place in it on; 0 where it has fewer. */
function wideOf(tag: VmwareTag | undefined, at = 0): bigint {
  if (tag === undefined || "offset" in tag.value || tag.value.length < at + 8) return 0n;
  return new DataView(tag.value.buffer, tag.value.byteOffset).getBigUint64(at, true);
}

/** CR0's and CR3's number among the control registers. */
const CR0 = 0;
const CR3 = 3;
/** CR0.PG. */
const PAGING = 1n << 31n;

/** How many the state says that there are. */
function processorsOf(tags: readonly VmwareTag[]): number | undefined {
  return numberOf(tags.find(({ group, name }) => group === "cpu" && name === "cpu:numVCPUs"));
}

function factsOf(tags: readonly VmwareTag[]): MachineFacts {
  const cpu = tags.filter(({ group }) => group === "cpu");
  const count = processorsOf(tags) ?? 0;
  const system = [...groupBy(cpu, ({ indices }) => indices[0])].flatMap(([number, own]) =>
    number !== undefined && own.some(({ name }) => name === "CR64") ? [registersOf(own)] : [],
  );
  return {
    source: "state",
    processors: count >= 1 && count <= MAX_PROCESSORS ? { value: count, source: "state" } : undefined,
    roots: system.flatMap(({ cr3 }): Fact<bigint>[] => (cr3 === 0n ? [] : [{ value: cr3, source: "state" }])),
    contexts: [],
    system: system
      .filter(({ paging }) => paging)
      .map((value): Fact<SystemRegisters> => ({ value, source: "state" })),
  };
}

/** Of one processor: control registers one by one or as one block, the IDT's place in two halves or behind its limit. */
function registersOf(own: readonly VmwareTag[]): SystemRegisters {
  const find = (name: string, index?: number): VmwareTag | undefined =>
    own.find((tag) => tag.name === name && tag.indices[1] === index);
  const control = (number: number): bigint =>
    wideOf(find("CR64", number)) || wideOf(find("CR64"), number * 8);
  const halves = BigInt(numberOf(find("IDTR", 1)) ?? 0) | (BigInt(numberOf(find("IDTR", 2)) ?? 0) << 32n);
  return {
    cr3: control(CR3),
    paging: (control(CR0) & PAGING) !== 0n,
    long: false,
    idt: halves || wideOf(find("IDTR"), 2),
    gs: 0n,
    kernelGs: 0n,
    fs: 0n,
    syscall: 0n,
  };
}
