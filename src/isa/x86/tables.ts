import type { CodeBytes, Instruction, Operand } from "../instruction.ts";
import { wordAt } from "../instruction.ts";
import type { TableForm, TableForms } from "../instruction-set.ts";

type Memory = Extract<Operand, { kind: "memory" }>;
/** The table that an operand names, in a jump or in a load of where it leads. */
type FormOf = (code: CodeBytes, memory: Memory, before: readonly Instruction[]) => TableForm | undefined;

/** 32-bit code jumps through tables of addresses. */
export const x86Tables: TableForms = {
  of: (code, jump, before) => tableOf(code, jump, before, addressTable, addedTable),
  bound: boundOf,
  indexes: (code, instruction) => {
    const source = byteIndex(instruction);
    return source === undefined ? undefined : ((source.displacement >>> 0) - code.base32) | 0;
  },
  named: namedTables,
};

/** 64-bit code jumps through tables of offsets. */
export const x64Tables: TableForms = {
  of: (code, jump, before) => tableOf(code, jump, before, offsetTable, () => undefined),
  bound: boundOf,
  indexes: (_, instruction) => byteIndex(instruction)?.displacement,
  named: () => [],
};

function tableOf(
  code: CodeBytes,
  jump: Instruction,
  before: readonly Instruction[],
  loaded: FormOf,
  added: FormOf,
): TableForm | undefined {
  const [operand] = jump.operands;
  if (operand?.kind === "memory") return loaded === addressTable ? addressTable(code, operand) : undefined;
  if (operand?.kind !== "register") return undefined;
  let wanted = operand.register;
  for (const instruction of before) {
    if (!instruction.writes.includes(wanted)) continue;
    const source = instruction.operands[1];
    if (source?.kind === "memory" && source.index !== undefined) {
      if (instruction.mnemonic !== "mov" && instruction.mnemonic !== "movsxd") return undefined;
      return loaded(code, source, before);
    }
    if (source?.kind === "memory") return added(code, source, before);
    if (source?.kind !== "register") return undefined;
    if (instruction.mnemonic === "mov") wanted = source.register;
    else if (instruction.mnemonic !== "add") return undefined;
    else if (!before.some((other) => isTableLoad(other, wanted))) wanted = source.register;
  }
  return undefined;
}

/** `jmp [reg*4+table]`. */
function addressTable(_: CodeBytes, memory: Memory): TableForm | undefined {
  if (memory.index === undefined || memory.scale !== 4 || memory.address === undefined) return undefined;
  return { start: memory.address, entrySize: 4, relativeTo: undefined };
}

/** What compilers write without optimisation: `shl eax, 2; add eax, table; mov eax, [eax]`. */
function addedTable(code: CodeBytes, memory: Memory, before: readonly Instruction[]): TableForm | undefined {
  if (memory.displacement !== 0) return undefined;
  for (const { mnemonic, operands } of before) {
    const [to, by] = operands;
    if (mnemonic !== "add" || to?.kind !== "register" || to.register !== memory.base) continue;
    if (by?.kind !== "immediate") return undefined;
    return { start: ((by.value >>> 0) - code.base32) | 0, entrySize: 4, relativeTo: undefined };
  }
  return undefined;
}

/** An offset from the table itself is loaded, or, with a displacement, from the image's base. */
function offsetTable(code: CodeBytes, memory: Memory, before: readonly Instruction[]): TableForm | undefined {
  if (memory.scale !== 4 && memory.scale !== 8) return undefined;
  if (isFromBase(code, memory, before)) return { start: memory.displacement, entrySize: 4, relativeTo: 0 };
  const base = before.find(
    ({ mnemonic, operands: [to, from] }) =>
      mnemonic === "lea" &&
      to?.kind === "register" &&
      (to.register === memory.base || (memory.scale === 4 && to.register === memory.index)) &&
      from?.kind === "memory" &&
      from.address !== undefined,
  );
  const named = base?.operands[1];
  if (named?.kind !== "memory" || named.address === undefined) return undefined;
  const start = named.address + memory.displacement;
  return { start, entrySize: memory.scale, relativeTo: memory.scale === 8 ? undefined : named.address };
}

/** The register with the image's base may have been set anywhere before: nothing here does, and it is added to what is loaded. */
function isFromBase(
  { size }: CodeBytes,
  { base, scale, displacement }: Memory,
  before: readonly Instruction[],
): boolean {
  if (base === undefined || scale !== 4 || displacement <= 0 || displacement >= size) return false;
  if (before.some(({ writes }) => writes.includes(base))) return false;
  return before.some(
    ({ mnemonic, operands: [, by] }) => mnemonic === "add" && by?.kind === "register" && by.register === base,
  );
}

function isTableLoad({ mnemonic, operands: [to, from] }: Instruction, register: number): boolean {
  return (
    (mnemonic === "mov" || mnemonic === "movsxd") &&
    to?.kind === "register" &&
    to.register === register &&
    from?.kind === "memory" &&
    from.index !== undefined
  );
}

/** The comparison that the branch past the table asks about; where none is seen, the last one. */
function boundOf(before: readonly Instruction[]): number | undefined {
  const branch = before.findIndex(({ mnemonic }) => mnemonic === "ja" || mnemonic === "jae");
  for (const { mnemonic, operands } of before.slice(branch + 1)) {
    const limit = operands[1];
    if (mnemonic === "cmp" && limit?.kind === "immediate" && limit.value >= 0)
      return before[branch]?.mnemonic === "jae" ? limit.value : limit.value + 1;
  }
  return undefined;
}

/** `movzx eax, byte [eax+table]` */
function byteIndex({ mnemonic, operands }: Instruction): Memory | undefined {
  const source = operands[1];
  if (mnemonic !== "movzx" || source?.kind !== "memory" || source.size !== 1) return undefined;
  return source.base === undefined ? undefined : source;
}

/** `jmp [index*4+table]`, with no register but the index. */
function namedTables(code: CodeBytes): readonly number[] {
  const starts: number[] = [];
  for (const { bytes } of code.runs) {
    for (let at = bytes.indexOf(0xff); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
      if (at + 7 > bytes.length || bytes[at + 1] !== 0x24 || ((bytes[at + 2] ?? 0) & 0xc7) !== 0x85) continue;
      const start = (wordAt(bytes, at + 3) - code.base32) | 0;
      if (start > 0 && start < code.size) starts.push(start);
    }
  }
  return starts;
}
