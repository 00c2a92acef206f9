import { createRequire } from "node:module";
import type * as Iced from "iced-x86";
import { type CodeBytes, type Decoder, Flow, type Instruction, type Operand } from "../instruction.ts";

/** General-purpose registers by their number in the encoding: rax is 0, rsp 4, r15 15. */
export const Reg = { ax: 0, cx: 1, dx: 2, bx: 3, sp: 4, bp: 5, si: 6, di: 7, r8: 8, r9: 9, r10: 10 } as const;

export type IcedModule = typeof Iced;

/** What the decoder copies at a time, in bytes. */
const PIECE = 0x10000;
const OVERLAP = 15;

let loaded: IcedModule | undefined;
let mnemonics: readonly string[] = [];

interface GeneralRegister {
  readonly number: number | undefined;
  readonly size: number;
}
/** By the package's own number; filled as they turn up. */
const registers: (GeneralRegister | undefined)[] = [];

/** The package is CommonJS and compiles its WebAssembly when it is required: 25 to 50 ms, so only on first use. */
export function iced(): IcedModule {
  if (loaded === undefined) {
    const module: IcedModule = createRequire(import.meta.url)("iced-x86");
    const names: string[] = [];
    for (const [name, value] of Object.entries(module.Mnemonic)) {
      if (typeof value === "number") names[value] = name.toLowerCase();
    }
    mnemonics = names;
    loaded = module;
  }
  return loaded;
}

/**
 * Gives `work` a decoder over a module's code, and frees the decoder's memory afterwards, whatever happens: it is
 * WebAssembly memory, which nothing collects.
 */
export function withDecoder<T>(code: CodeBytes, work: (decoder: Decoder) => T): T {
  const decoder = new IcedDecoder(code);
  try {
    return work(decoder);
  } finally {
    decoder.free();
  }
}

class IcedDecoder implements Decoder {
  readonly #code: CodeBytes;
  readonly #iced: IcedModule;
  readonly #instruction: Iced.Instruction;
  #factory: Iced.InstructionInfoFactory | undefined;
  #decoder: Iced.Decoder | undefined;
  #pieceStart = 0;
  #pieceEnd = 0;
  /** Instructions may start here up to this place, so that one at the piece's end is not cut. */
  #startsEnd = 0;

  constructor(code: CodeBytes) {
    this.#code = code;
    this.#iced = iced();
    this.#instruction = new this.#iced.Instruction();
  }

  free(): void {
    this.#decoder?.free();
    this.#factory?.free();
    this.#instruction.free();
  }

  lengthAt(offset: number): number {
    return this.#decode(offset) ? this.#instruction.length : 0;
  }

  at(offset: number): Instruction | undefined {
    if (!this.#decode(offset)) return undefined;
    const instruction = this.#instruction;
    const operands: Operand[] = [];
    for (let i = 0; i < instruction.opCount; i++) operands.push(this.#operand(i));
    const flow = this.#flow();
    const constants = this.#decoder?.getConstantOffsets(instruction);
    const immediateAt = constants?.hasImmediate ? offset + constants.immediateOffset : undefined;
    const immediateSize = constants?.immediateSize ?? 0;
    const displacementAt = constants?.hasDisplacement ? offset + constants.displacementOffset : undefined;
    constants?.free();
    const mnemonic = mnemonics[instruction.mnemonic] ?? "";
    return {
      start: offset,
      length: instruction.length,
      flow,
      target: this.#target(flow),
      mnemonic,
      operands,
      writes: this.#writes(mnemonic, operands),
      immediateAt,
      immediateSize,
      displacementAt,
    };
  }

  #decode(offset: number): boolean {
    if (this.#decoder === undefined || offset < this.#pieceStart || offset >= this.#startsEnd) {
      if (!this.#openPiece(offset)) return false;
    }
    const decoder = this.#decoder;
    if (decoder === undefined) return false;
    decoder.position = offset - this.#pieceStart;
    decoder.ip = BigInt(offset);
    decoder.decodeOut(this.#instruction);
    return !this.#instruction.isInvalid;
  }

  #openPiece(offset: number): boolean {
    const run = this.#code.runAt(offset);
    if (run === undefined) return false;
    this.#decoder?.free();
    this.#decoder = undefined;
    const start = Math.max(run.start, offset - (offset % PIECE));
    const startsEnd = Math.min(run.end, start + PIECE);
    const end = Math.min(run.end, startsEnd + OVERLAP);
    this.#decoder = new this.#iced.Decoder(
      this.#code.wide ? 64 : 32,
      run.bytes.subarray(start - run.start, end - run.start),
      this.#iced.DecoderOptions.None,
    );
    this.#pieceStart = start;
    this.#pieceEnd = end;
    this.#startsEnd = startsEnd;
    return this.#pieceEnd > offset;
  }

  #flow(): Flow {
    const { FlowControl, Mnemonic } = this.#iced;
    const { mnemonic } = this.#instruction;
    switch (this.#instruction.flowControl) {
      case FlowControl.UnconditionalBranch:
        return Flow.Jump;
      case FlowControl.ConditionalBranch:
        return Flow.Branch;
      case FlowControl.IndirectBranch:
        return Flow.JumpIndirect;
      case FlowControl.Return:
        return Flow.Return;
      case FlowControl.Call:
        return mnemonic === Mnemonic.Call ? Flow.Call : Flow.Next;
      case FlowControl.IndirectCall:
        return Flow.CallIndirect;
      case FlowControl.Interrupt:
        if (mnemonic === Mnemonic.Int3) return Flow.Stop;
        return mnemonic === Mnemonic.Int && this.#instruction.immediate8 === 0x29 ? Flow.Stop : Flow.Next;
      case FlowControl.Exception:
        return Flow.Stop;
      default:
        return Flow.Next;
    }
  }

  #target(flow: Flow): number | undefined {
    if (flow !== Flow.Call && flow !== Flow.Jump && flow !== Flow.Branch) return undefined;
    const { OpKind } = this.#iced;
    const kind = this.#instruction.op0Kind;
    if (kind === OpKind.NearBranch64) return Number(BigInt.asIntN(64, this.#instruction.nearBranch64));
    if (kind === OpKind.NearBranch32) return this.#instruction.nearBranch32 | 0;
    return undefined;
  }

  #operand(index: number): Operand {
    const { OpKind } = this.#iced;
    const instruction = this.#instruction;
    const kind = instruction.opKind(index);
    if (kind === OpKind.Register) {
      const { number, size } = this.#register(instruction.opRegister(index));
      return number === undefined ? { kind: "other" } : { kind: "register", register: number, size };
    }
    if (kind === OpKind.Memory) return this.#memory();
    switch (kind) {
      case OpKind.Immediate8:
      case OpKind.Immediate16:
      case OpKind.Immediate32:
      case OpKind.Immediate64:
      case OpKind.Immediate8to16:
      case OpKind.Immediate8to32:
      case OpKind.Immediate8to64:
      case OpKind.Immediate32to64:
        return immediate(instruction.immediate(index), this.#code.wide);
      default:
        return { kind: "other" };
    }
  }

  #memory(): Operand {
    const { Register, MemorySizeExt } = this.#iced;
    const instruction = this.#instruction;
    const segment = instruction.segmentPrefix;
    if (segment === Register.FS || segment === Register.GS) return { kind: "other" };
    const size = MemorySizeExt.size(instruction.memorySize);
    if (instruction.isIpRelMemoryOperand) {
      const address = Number(BigInt.asIntN(64, instruction.ipRelMemoryAddress));
      return { kind: "memory", base: undefined, index: undefined, scale: 1, displacement: 0, size, address };
    }
    const hasBase = instruction.memoryBase !== Register.None;
    const raw = instruction.memoryDisplacement;
    const displacement = this.#code.wide ? Number(BigInt.asIntN(64, raw)) : Number(BigInt.asIntN(32, raw));
    const absolute = !hasBase && !this.#code.wide;
    return {
      kind: "memory",
      base: hasBase ? this.#register(instruction.memoryBase).number : undefined,
      index:
        instruction.memoryIndex === Register.None
          ? undefined
          : this.#register(instruction.memoryIndex).number,
      scale: instruction.memoryIndexScale,
      displacement,
      size,
      address: absolute ? ((displacement >>> 0) - this.#code.base32) | 0 : undefined,
    };
  }

  #register(register: Iced.Register): GeneralRegister {
    const known = registers[register];
    if (known !== undefined) return known;
    const { RegisterExt } = this.#iced;
    const found = RegisterExt.isGPR(register)
      ? { number: RegisterExt.number(RegisterExt.fullRegister(register)), size: RegisterExt.size(register) }
      : { number: undefined, size: 0 };
    registers[register] = found;
    return found;
  }

  #writes(mnemonic: string, operands: readonly Operand[]): readonly number[] {
    const [first] = operands;
    if (WRITES_FIRST.has(mnemonic)) return first?.kind === "register" ? [first.register] : [];
    if (WRITES_NOTHING.has(mnemonic)) return [];
    this.#factory ??= new this.#iced.InstructionInfoFactory();
    const info = this.#factory.info(this.#instruction);
    const { OpAccess } = this.#iced;
    const written = new Set<number>();
    for (const used of info.usedRegisters()) {
      const { access, register } = used;
      used.free();
      if (access === OpAccess.Read || access === OpAccess.CondRead || access === OpAccess.NoMemAccess)
        continue;
      const { number } = this.#register(register);
      if (number !== undefined) written.add(number);
    }
    info.free();
    return [...written];
  }
}

const WRITES_FIRST: ReadonlySet<string> = new Set(
  "mov lea movzx movsx movsxd add sub and or xor not neg shl shr sar inc dec adc sbb".split(" "),
);
const WRITES_NOTHING: ReadonlySet<string> = new Set(
  "cmp test nop jmp call int3 je jne jb jae jbe ja jl jge jle jg js jns jp jnp jo jno ret".split(" "),
);

function immediate(value: bigint, wide: boolean): Operand {
  const number = wide ? Number(BigInt.asIntN(64, value)) : Number(BigInt.asUintN(32, value));
  return Number.isSafeInteger(number) ? { kind: "immediate", value: number } : { kind: "other" };
}
