import { hex } from "../../core/address.ts";
import { grouped } from "../../core/text.ts";
import { at, type Block, bold, type Heading, heading, notes, type PointerSize } from "../block.ts";
import type { InfoDocument, RegisterSet } from "../documents.ts";
import { duration, plural } from "../words.ts";

/** `info`: what the dump is and what it holds, a line a fact. */
export function infoBlocks(info: InfoDocument, size: PointerSize): readonly Block[] {
  const lab = info.buildLab === null ? "" : ` (${info.buildLab})`;
  const facts: [string, string][] = [
    ["file", `${info.file}, ${grouped(info.fileSize)} bytes`],
    [
      "Windows",
      `build ${info.build ?? "unknown"}${lab}, ${info.machine}${paging(info)}, ${cpus(info.processors)}`,
    ],
    ["dump", info.dumpType + (info.writer === null ? "" : `, written by the ${info.writer}`)],
    ["pages", pages(info)],
    ["taken", `${info.systemTime ?? "not recorded"}${occasion(info)}`],
    ["up", info.upTime === null ? "not recorded" : duration(info.upTime)],
    ...bugcheck(info, size),
    ...stopped(info, size),
    ["kernel", `${at(size, info.kernelBase)}, ${plural(info.modules, "module")} loaded`],
    ["page tables", info.directoryTableBase === null ? "not recorded" : hex(info.directoryTableBase)],
    ["module list", at(size, info.psLoadedModuleList)],
    ["debugger data", debuggerData(info, size)],
  ];
  return [
    { kind: "facts", labels: "dim", facts: facts.map(([label, value]) => ({ label, value: [value] })) },
    ...info.contexts.map((set) => registers(set, size)),
    notes(info.notes),
  ];
}

function bugcheck(info: InfoDocument, size: PointerSize): [string, string][] {
  if (info.bugcheck === null) return [["bugcheck", "none recorded"]];
  const { code, name, parameters } = info.bugcheck;
  return [
    ["bugcheck", `${hex(code)} ${name ?? "(no name known)"}`],
    ["parameters", parameters.map((value) => at(size, value)).join(" ")],
  ];
}

const OCCASIONS = {
  crash: "",
  "on-request": ", somebody stopped the machine",
  live: ", of a machine that went on",
} as const;

function occasion({ dumpType, occasion: known }: InfoDocument): string {
  return dumpType === "hibernation" ? ", when the machine was hibernated" : OCCASIONS[known ?? "crash"];
}

const BASIS = {
  bugcheck: "by the bugcheck",
  exception: "by the exception",
  registers: "by the registers",
} as const;

/** The exception, where the machine ended, and who ran there; a line each where it is known. */
function stopped({ exception, stoppedAt, current }: InfoDocument, size: PointerSize): [string, string][] {
  const lines: [string, string][] = [];
  if (exception !== null) {
    lines.push([
      "exception",
      `${hex(exception.code)} ${exception.name ?? "(no name known)"} at ${at(size, exception.address)}`,
    ]);
  }
  if (stoppedAt !== null) {
    const { module, offset, address, basis } = stoppedAt;
    const where = module === null ? "in no loaded module" : `${module}+${hex(offset ?? 0)}`;
    lines.push(["stopped at", `${at(size, address)} ${where}, ${BASIS[basis]}`]);
  }
  if (current !== null) {
    const { processor, thread, process, pid, imageName } = current;
    const cpu = processor === null ? "" : ` on processor ${processor}`;
    const owner =
      process === null
        ? ", its process cannot be told"
        : ` in ${imageName ?? "a process"}${pid === null ? "" : ` (${pid})`} ${at(size, process)}`;
    lines.push(["thread", `${at(size, thread)}${cpu}${owner}`]);
  }
  return lines;
}

function paging(info: InfoDocument): string {
  return info.paging === null || info.paging === info.machine ? "" : ` (${info.paging})`;
}

function cpus(processors: number | null): string {
  return processors === null ? "processors not recorded" : plural(processors, "processor");
}

function pages(info: InfoDocument): string {
  if (info.pages === null) {
    return info.dumpType === "triage"
      ? "none: a triage dump holds pieces of virtual memory"
      : "none that can be placed";
  }
  const { present, missing } = info.pages;
  const missed = missing === 0 ? "" : `; ${grouped(missing)} more are past the end of the file`;
  return `${grouped(present)} in the file (${grouped(present * 4)} KB)${missed}`;
}

function debuggerData(info: InfoDocument, size: PointerSize): string {
  if (info.kdDebuggerDataBasis === null) return "not found";
  return `${at(size, info.kdDebuggerDataBlock)}, found by the ${info.kdDebuggerDataBasis}`;
}

/** As a debugger prints them; the others follow. */
const ORDER =
  "eax ebx ecx edx esi edi eip esp ebp eflags rax rbx rcx rdx rsi rdi rip rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rflags".split(
    " ",
  );

function registers(set: RegisterSet, size: PointerSize): Heading {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const cells = Object.entries(set.registers)
    .sort(([a], [b]) => place(a) - place(b))
    .map(([name, value]) => `${name.padStart(6)}=${value.toString(16).padStart(width(name, size), "0")}`);
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 4) lines.push(cells.slice(i, i + 4).join(" "));
  return heading(bold(`registers (${set.which})`), ...lines);
}

/** Digits: segments have four, flags eight, the others an address's. */
function width(name: string, size: PointerSize): number {
  if (/^[c-gs]s$/.test(name)) return 4;
  return /^(?:[er]flags|mxcsr|cpsr|fpcr|fpsr)$/.test(name) ? 8 : size * 2;
}
