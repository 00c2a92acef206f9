import { advance, rva, type Va } from "../core/address.ts";
import { MAX_CODE_BYTES } from "../core/limits.ts";
import { addAll, upperBound } from "../core/search.ts";
import {
  type CodeBytes,
  type CodeRange,
  type CodeRun,
  type Decoder,
  FLOW_SHIFT,
  Flow,
  LENGTH_MASK,
} from "../isa/instruction.ts";
import type { InstructionSet } from "../isa/instruction-set.ts";
import { instructionSetOf } from "../isa/machines.ts";
import type { Image } from "../pe/image.ts";
import { sectionSpan } from "../pe/sections.ts";

/**
 * The executable sections of an image: what of them can be read, in runs, so that nothing is ever decoded across
 * a page that is missing. Zeros that no source holds are no code and take no memory.
 */
export class ModuleCode implements CodeBytes {
  readonly image: Image;
  readonly set: InstructionSet;
  /** Of the image, in bytes. */
  readonly size: number;
  /** By address. */
  readonly runs: readonly CodeRun[];
  /** The executable sections, by address. */
  readonly sections: readonly CodeRange[];
  /** Bytes of the executable sections that were read. */
  readonly readable: number;
  /** Bytes of the executable sections that could not be read. */
  readonly missing: number;
  /** The code was larger than `MAX_CODE_BYTES`, and the rest was left out. */
  readonly truncated: boolean;
  /** The low 32 bits of the image's base: absolute addresses in 32-bit code are offsets from it. */
  readonly base32: number;
  #last = 0;

  constructor(image: Image) {
    this.image = image;
    this.size = image.size;
    this.set = instructionSetOf(image.machine);
    this.base32 = Number(BigInt.asUintN(32, image.base));
    this.sections = codeSections(image);
    const runs: CodeRun[] = [];
    let missing = 0;
    let left = MAX_CODE_BYTES;
    let truncated = false;
    for (const section of this.sections) {
      const found = readRuns(image, section, left);
      addAll(runs, found.runs);
      missing += found.missing;
      left -= found.read;
      truncated ||= found.truncated;
    }
    this.runs = runs;
    this.readable = MAX_CODE_BYTES - left;
    this.missing = missing;
    this.truncated = truncated;
  }

  /** The run that holds `at`. */
  runAt(at: number): CodeRun | undefined {
    const last = this.runs[this.#last];
    if (last !== undefined && at >= last.start && at < last.end) return last;
    const index = lastAtOrBefore(this.runs, at);
    const run = this.runs[index];
    if (run === undefined || at >= run.end) return undefined;
    this.#last = index;
    return run;
  }

  /** Whether `at` lies in an executable section, readable or not. */
  isCode(at: number): boolean {
    const section = this.sections[lastAtOrBefore(this.sections, at)];
    return section !== undefined && at < section.end;
  }

  /** One byte of code, `undefined` in a hole. */
  byteAt(at: number): number | undefined {
    const run = this.runAt(at);
    return run?.bytes[at - run.start];
  }

  /** The length and flow of the instruction at an RVA of a run: see `InstructionSet.step`. */
  step(run: CodeRun, at: number): number {
    return this.set.step(run.bytes, at - run.start, run.bytes.length);
  }

  /** Where the near call, jump or branch of `length` bytes leads: an offset, perhaps outside the image. */
  targetOf(run: CodeRun, at: number, length: number): number {
    return run.start + this.set.target(run.bytes, at - run.start, length);
  }

  /** The length of the instruction at an RVA, whatever its encoding; 0 where there is none. */
  lengthAt(at: number): number {
    const run = this.runAt(at);
    return run === undefined ? 0 : this.set.length(run.bytes, at - run.start, run.bytes.length);
  }

  /** Behind the instruction at an RVA of a run; behind one byte where none is known. */
  stepOver(run: CodeRun, at: number): number {
    const packed = this.step(run, at);
    return at + (packed === 0 ? 1 : packed & LENGTH_MASK);
  }

  /** Whether the instruction behind the one at `at` is reached from it; not known (false) where none can be read. */
  goesOn(run: CodeRun, at: number): boolean {
    const packed = this.step(run, at);
    return packed !== 0 && !LEAVES.has(packed >> FLOW_SHIFT);
  }

  /** Gives `work` a decoder; `undefined` where this machine's instructions are not decoded in full. */
  decoding<T>(work: (decoder: Decoder) => T): T | undefined {
    return this.set.withDecoder?.(this, work);
  }

  /** The place that a number in the code is the address of: 32-bit code names places by numbers. */
  placeOfNumber(value: number): number | undefined {
    const offset = (value >>> 0) - this.base32;
    return this.set.numbersAreAddresses && offset >= 0 && offset < this.size ? offset : undefined;
  }

  /** The address of an offset from the image's base, which may lie outside the image. */
  vaOf(offset: number): Va {
    return this.image.space.narrow(advance(this.image.base, offset));
  }

  /** An address as an offset from the image's base; `undefined` when it lies outside the image. */
  offsetOf(address: bigint): number | undefined {
    const offset = address - this.image.base;
    return offset >= 0n && offset < BigInt(this.image.size) ? Number(offset) : undefined;
  }
}

const LEAVES: ReadonlySet<number> = new Set([Flow.Jump, Flow.JumpIndirect, Flow.Return, Flow.Stop]);

function codeSections(image: Image): CodeRange[] {
  const sections: CodeRange[] = [];
  let free = 0;
  for (const section of [...image.sections].sort((a, b) => a.rva - b.rva)) {
    if (!section.executable) continue;
    const start = Math.max(section.rva, free);
    const end = Math.min(section.rva + sectionSpan(section), image.size);
    if (start >= end) continue;
    sections.push({ start: rva(start), end: rva(end) });
    free = end;
  }
  return sections;
}

interface FoundRuns {
  readonly runs: readonly CodeRun[];
  readonly missing: number;
  readonly read: number;
  readonly truncated: boolean;
}

function readRuns(image: Image, section: CodeRange, limit: number): FoundRuns {
  const { mapping } = image.space;
  const runs: CodeRun[] = [];
  let missing = 0;
  let read = 0;
  let from: number | undefined;
  const close = (end: number): void => {
    if (from === undefined) return;
    const bytes = image.space.tryRead(advance(image.base, from), end - from);
    if (bytes === undefined) missing += end - from;
    else runs.push({ start: from, end, bytes });
    from = undefined;
  };
  let at: number = section.start;
  while (at < section.end) {
    const found = mapping.locate(advance(image.base, at), section.end - at);
    const length = Math.min(found.length, section.end - at);
    const held = !("fault" in found) && found.offset !== undefined;
    if (!held) {
      close(at);
      if ("fault" in found) missing += length;
    } else {
      if (read + length > limit) {
        close(at);
        return { runs, missing, read, truncated: true };
      }
      from ??= at;
      read += length;
    }
    at += length;
  }
  close(at);
  return { runs, missing, read, truncated: false };
}

function lastAtOrBefore(ranges: readonly { readonly start: number }[], at: number): number {
  return upperBound(ranges.length, at, (i) => ranges[i]?.start ?? 0) - 1;
}
