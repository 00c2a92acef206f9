import type * as Iced from "iced-x86";
import { asciiBytes } from "../../core/text.ts";
import { loadFflate } from "../../generated/fflate.js";
import { ICED_WASM, loadIced } from "../../generated/iced-x86.js";
import { type CodeBytes, type Decoder, Flow, type Instruction, type Operand } from "../instruction.ts";

export type IcedModule = ReturnType<typeof loadIced>;

/** What the decoder copies at a time, in bytes. */
const PIECE = 0x10000;
const OVERLAP = 15;

/** RSI and RDI, by number. */
const SOURCE_INDEX = 6;
const DESTINATION_INDEX = 7;

let loaded: IcedModule | undefined;
let mnemonics: readonly string[] = [];

interface GeneralRegister {
  readonly number: number | undefined;
  readonly size: number;
}
/** By the package's own number; filled as they turn up. */
const registers: (GeneralRegister | undefined)[] = [];

/** Compiling its WebAssembly takes 25 to 50 ms, so only on first use. */
export function iced(): IcedModule {
  if (loaded === undefined) {
    const module: IcedModule = loadIced(loadFflate().inflateSync(asciiBytes(atob(ICED_WASM))));
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
export function withDecoder<T>(bits: 32 | 64, code: CodeBytes, work: (decoder: Decoder) => T): T {
  const decoder = new IcedDecoder(bits, code);
  try {
    return work(decoder);
  } finally {
    decoder.free();
  }
}

class IcedDecoder implements Decoder {
  readonly #bits: 32 | 64;
  readonly #code: CodeBytes;
  readonly #iced: IcedModule;
  readonly #instruction: Iced.Instruction;
  #factory: Iced.InstructionInfoFactory | undefined;
  #decoder: Iced.Decoder | undefined;
  #pieceStart = 0;
  #pieceEnd = 0;
  /** Instructions may start here up to this place, so that one at the piece's end is not cut. */
  #startsEnd = 0;

  constructor(bits: 32 | 64, code: CodeBytes) {
    this.#bits = bits;
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
    const name = mnemonics[instruction.mnemonic] ?? "";
    const isString = STRINGS.test(name) && instruction.isStringInstruction;
    const mnemonic = isString && instruction.hasRepPrefix ? `rep ${name}` : name;
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
      ...(COUNTS.has(name) && instruction.hasLockPrefix ? { locked: true } : {}),
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
      this.#bits,
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
      const register = instruction.opRegister(index);
      const { number, size } = this.#register(register);
      if (number !== undefined) return { kind: "register", register: number, size };
      const { RegisterExt } = this.#iced;
      return RegisterExt.isVectorRegister(register)
        ? { kind: "vector", register: RegisterExt.number(register) }
        : { kind: "other" };
    }
    if (kind === OpKind.Memory) return this.#memory();
    switch (kind) {
      case OpKind.MemorySegESI:
      case OpKind.MemorySegRSI:
        return this.#string(SOURCE_INDEX);
      case OpKind.MemoryESEDI:
      case OpKind.MemoryESRDI:
        return this.#string(DESTINATION_INDEX);
      case OpKind.Immediate8:
      case OpKind.Immediate16:
      case OpKind.Immediate32:
      case OpKind.Immediate64:
      case OpKind.Immediate8to16:
      case OpKind.Immediate8to32:
      case OpKind.Immediate8to64:
      case OpKind.Immediate32to64:
        return immediate(instruction.immediate(index), this.#bits);
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
    const displacement = Number(BigInt.asIntN(this.#bits, raw));
    const absolute = !hasBase && this.#bits === 32;
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

  /** What a string instruction works on. */
  #string(base: number): Operand {
    const size = this.#iced.MemorySizeExt.size(this.#instruction.memorySize);
    return { kind: "memory", base, index: undefined, scale: 1, displacement: 0, size, address: undefined };
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

const COUNTS: ReadonlySet<string> = new Set(["add", "dec", "inc", "sub", "xadd"]);
/** `movsd` is an instruction of the vector unit as well. */
const STRINGS = /^(?:movs|stos|lods|scas|cmps)[bwdq]$/;
const WRITES_FIRST: ReadonlySet<string> = new Set(
  "mov lea movzx movsx movsxd add sub and or xor not neg shl shr sar inc dec adc sbb".split(" "),
);
const WRITES_NOTHING: ReadonlySet<string> = new Set(
  "cmp test nop jmp call int3 je jne jb jae jbe ja jl jge jle jg js jns jp jnp jo jno ret".split(" "),
);

function immediate(value: bigint, bits: 32 | 64): Operand {
  const number = bits === 64 ? Number(BigInt.asIntN(64, value)) : Number(BigInt.asUintN(32, value));
  return Number.isSafeInteger(number) ? { kind: "immediate", value: number } : { kind: "other" };
}

/** How many of `bytes` from `offset` on are one instruction, for encodings that `step` does not know; 0 for none. */
export function slowLength(bits: 32 | 64, bytes: Uint8Array, offset: number): number {
  const { Decoder, DecoderOptions } = iced();
  const decoder = new Decoder(bits, bytes.subarray(offset, offset + 15), DecoderOptions.None);
  const instruction = decoder.decode();
  const length = instruction.isInvalid ? 0 : instruction.length;
  instruction.free();
  decoder.free();
  return length;
}
