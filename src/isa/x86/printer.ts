import type * as Iced from "iced-x86";
import type { Va } from "../../core/address.ts";
import { addAll } from "../../core/search.ts";
import type { Mention, PrintedInstruction, Printer } from "../printed.ts";
import { type IcedModule, iced } from "./decoder.ts";

/** Column of the operands, as WinDbg has them. */
const OPERANDS_AT = 8;

/**
 * Gives `work` a printer, and frees its memory afterwards, whatever happens: it is WebAssembly memory, which nothing
 * collects.
 */
export function withPrinter<T>(bits: 32 | 64, work: (printer: Printer) => T): T {
  const printer = new IcedPrinter(bits);
  try {
    return work(printer);
  } finally {
    printer.free();
  }
}

class IcedPrinter implements Printer {
  readonly #bits: 32 | 64;
  readonly #iced: IcedModule;
  readonly #formatter: Iced.Formatter;

  constructor(bits: 32 | 64) {
    this.#bits = bits;
    this.#iced = iced();
    const { Formatter, FormatterSyntax, MemorySizeOptions } = this.#iced;
    this.#formatter = new Formatter(FormatterSyntax.Masm);
    this.#formatter.memorySizeOptions = MemorySizeOptions.Always;
    this.#formatter.showBranchSize = false;
    this.#formatter.masmAddDsPrefix32 = false;
  }

  free(): void {
    this.#formatter.free();
  }

  print(bytes: Uint8Array, address: Va): PrintedInstruction | undefined {
    const decoder = new this.#iced.Decoder(this.#bits, bytes, this.#iced.DecoderOptions.None);
    decoder.ip = address;
    const instruction = decoder.decode();
    const constants = decoder.getConstantOffsets(instruction);
    try {
      return instruction.isInvalid ? undefined : this.#print(instruction, constants);
    } finally {
      constants.free();
      instruction.free();
      decoder.free();
    }
  }

  #print(instruction: Iced.Instruction, constants: Iced.ConstantOffsets): PrintedInstruction {
    const formatter = this.#formatter;
    const mnemonic = formatter.formatMnemonic(instruction);
    const count = formatter.operandCount(instruction);
    const parts: (string | Mention)[] = [count === 0 ? mnemonic : `${mnemonic} `.padEnd(OPERANDS_AT)];
    for (let i = 0; i < count; i++) {
      if (i > 0) parts.push(",");
      addAll(parts, this.#operand(instruction, i, constants));
    }
    return { mnemonic, parts };
  }

  #operand(
    instruction: Iced.Instruction,
    index: number,
    constants: Iced.ConstantOffsets,
  ): (string | Mention)[] {
    const { OpKind } = this.#iced;
    const formatter = this.#formatter;
    formatter.signedMemoryDisplacements = true;
    const text = formatter.formatOperand(instruction, index);
    const own = formatter.getInstructionOperand(instruction, index);
    const kind = own === undefined ? undefined : instruction.opKind(own);
    switch (kind) {
      case OpKind.NearBranch32:
      case OpKind.NearBranch64:
        return [{ kind: "branch", value: instruction.nearBranchTarget, text, offset: undefined, size: 0 }];
      case OpKind.Immediate32:
      case OpKind.Immediate64:
      case OpKind.Immediate32to64: {
        const value = instruction.immediate(own ?? index);
        const size = kind === OpKind.Immediate32 ? 4 : 8;
        const offset = constants.hasImmediate ? constants.immediateOffset : undefined;
        return [{ kind: "immediate", value, text, offset, size }];
      }
      case OpKind.Memory:
        return this.#memory(instruction, index, constants, text);
      default:
        return [text];
    }
  }

  #memory(
    instruction: Iced.Instruction,
    index: number,
    constants: Iced.ConstantOffsets,
    text: string,
  ): (string | Mention)[] {
    const { Register, MemorySizeExt, Mnemonic } = this.#iced;
    const segment = instruction.segmentPrefix;
    if (segment === Register.FS || segment === Register.GS || !constants.hasDisplacement) return [text];
    const ripRelative = instruction.isIpRelMemoryOperand;
    const hasRegister =
      !ripRelative && (instruction.memoryBase !== Register.None || instruction.memoryIndex !== Register.None);
    if (hasRegister && constants.displacementSize < 4) return [text];
    const raw = ripRelative ? instruction.ipRelMemoryAddress : instruction.memoryDisplacement;
    const value = BigInt.asUintN(this.#bits, raw);
    const size = instruction.mnemonic === Mnemonic.Lea ? 0 : MemorySizeExt.size(instruction.memorySize);
    const mention = {
      kind: hasRegister ? ("displacement" as const) : ("memory" as const),
      value,
      offset: constants.displacementOffset,
      size,
    };
    if (!hasRegister) return around(text, /[0-9A-F]+h(?=\])/, mention);
    // Registers and a number: as an address it has no sign, and as a number it keeps the one it was written with.
    this.#formatter.signedMemoryDisplacements = false;
    const unsigned = this.#formatter.formatOperand(instruction, index);
    const signed = /[+-][0-9A-F]+h?(?=\])/.exec(text)?.[0];
    const split = around(unsigned, /\+[0-9A-F]+h?(?=\])/, mention);
    return signed === undefined
      ? [text]
      : split.map((part) => (typeof part === "string" ? part : { ...part, text: signed }));
  }
}

/** A text with what the pattern finds in it set apart. */
function around(text: string, pattern: RegExp, mention: Omit<Mention, "text">): (string | Mention)[] {
  const found = pattern.exec(text);
  if (found === null) return [text];
  return [
    text.slice(0, found.index),
    { ...mention, text: found[0] },
    text.slice(found.index + found[0].length),
  ];
}
