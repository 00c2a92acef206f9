import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { either, MachineState, resultOf, UNKNOWN, type Value } from "../../src/code/abstract-value.ts";
import { CallGraph } from "../../src/code/call-graph.ts";
import { controlFlowOf } from "../../src/code/control-flow-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import type { FunctionFlow } from "../../src/code/function-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { findRuntimeLookups } from "../../src/code/lookups.ts";
import { ModuleCode } from "../../src/code/module-code.ts";
import { TagUses } from "../../src/code/uses.ts";
import type { Rva } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Mapping } from "../../src/memory/mapping.ts";
import type { Image } from "../../src/pe/image.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { codeImage } from "../fixtures/code-image.ts";

/** Everything that can be asked of an image. */
function askAll(image: ReturnType<typeof codeImage>): void {
  const code = analyzeImage(image);
  const flows = new DataFlow(code);
  const uses = new TagUses(flows);
  const calls = new CallGraph(flows);
  for (let at = 0x1000; at < 0x1000 + 0x400; at += 37) uses.at(at as Rva);
  calls.callersOf([...code.functions.entries, 0x3000, 0x3008]);
  for (let index = 0; index < Math.min(code.functions.count, 50); index++) {
    const found = code.functions.at(index);
    calls.calleesOf(found);
    calls.addressTaken(found.entry);
  }
  findRuntimeLookups(flows, new Set(["ExFreePool"]));
}

describe("code/ on any bytes", () => {
  it.each(["x86", "x64"] as const)("answers, in %s", (machine) => {
    // Bytes that are likely to be instructions with meaning: jumps, calls, pushes, moves to and from the stack.
    const byte = fc.oneof(
      fc.constantFrom(
        0xe8,
        0xe9,
        0xeb,
        0x74,
        0x0f,
        0x84,
        0xff,
        0x15,
        0x25,
        0x24,
        0x85,
        0x68,
        0xc3,
        0xc9,
        0x55,
        0x8b,
      ),
      fc.constantFrom(
        0x00,
        0xff,
        0x10,
        0x30,
        0x48,
        0x4c,
        0xec,
        0xe5,
        0x5c,
        0x44,
        0x83,
        0xc7,
        0x90,
        0xcc,
        0x50,
        0x58,
      ),
      fc.nat(255),
    );
    const bytes = fc.array(byte, { minLength: 16, maxLength: 0x400 });
    const rva = fc.integer({ min: 0xff0, max: 0x1410 });
    const rows = fc.array(fc.tuple(rva, rva, fc.nat(0x4000)), { maxLength: 8 });
    fc.assert(
      fc.property(bytes, rows, fc.array(rva, { maxLength: 4 }), rva, (code, unwind, exported, hole) => {
        askAll(
          codeImage({
            machine,
            size: 0x5000,
            parts: [
              { rva: 0x1000, bytes: Uint8Array.from(code) },
              { rva: 0x3000, bytes: Uint8Array.from(code.slice(0, 64)), executable: false },
            ],
            holes: [[hole, hole + 64]],
            slots: { ExAllocatePoolWithTag: 0x3000, RtlInitUnicodeString: 0x3008 },
            exports: Object.fromEntries(exported.map((at, index) => [`E${index}`, at])),
            relocations: exported,
            unwind: machine === "x64" ? unwind.filter(([start, end]) => start < end) : [],
          }),
        );
      }),
      { numRuns: 150 },
    );
  });

  it("reads no more entries than the cap of jump tables that thousands of jumps share (MAX_JUMP_ENTRIES)", () => {
    const bytes = new Uint8Array(0x2_0000);
    // jmp [eax*4+80001000]; ret: thousands of jumps through the one table of 4,096 labels in front of them
    for (let at = 0x4000; at < bytes.length; at += 8)
      bytes.set([0xff, 0x24, 0x85, 0x00, 0x10, 0x00, 0x80, 0xc3], at);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < 0x4000; at += 4) view.setUint32(at, 0x8000_5000 + at * 4, true);
    const options = { machine: "x86", parts: [{ rva: 0x1000, bytes }], exports: { A: 0x5000 } } as const;
    const source = vi.spyOn(AddressSpace.prototype, "tryReadU32");
    const { notes } = analyzeImage(codeImage(options));
    const reads = source.mock.calls.length;
    source.mockRestore();
    expect(reads).toBeLessThan(0x8_0000 + 0x1_0000);
    expect(notes).toEqual(["the search for functions was ended at its limit"]);
  });

  it("looks for no more leaf functions than are kept (MAX_FUNCTIONS)", () => {
    const bytes = new Uint8Array(0x8_8000);
    // push rbp; ret
    for (let at = 0; at < bytes.length; at += 2) bytes.set([0x55, 0xc3], at);
    const { functions, notes } = analyzeImage(
      codeImage({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x1010]] }),
    );
    expect(functions.count).toBe(0x4_0000);
    expect(notes).toEqual(["the search for leaf functions was ended at its limit"]);
  });

  it("reads code that more holes cut than the stack holds", () => {
    const count = 600_000;
    const source = new BytesSource(new Uint8Array(16).fill(0x90));
    const base = 0xfffff80000000000n;
    const image = codeImage({ parts: [{ rva: 0x1000, bytes: "90", size: count * 16 }] });
    // eight bytes of code, and eight that are missing
    const mapping: Mapping = {
      pointerSize: 8,
      locate: (at, want) => {
        const offset = Number(at - base) % 16;
        const length = Math.min(want, 8 - (offset % 8));
        return offset < 8
          ? { source, offset, length, origin: "dump" }
          : { fault: { kind: "not-mapped", va: at, level: "PTE" }, length };
      },
    };
    const code = new ModuleCode({ ...image, space: new AddressSpace(mapping) } as unknown as Image);
    expect([code.runs.length, code.readable, code.missing]).toEqual([count, count * 8, count * 8]);
  });

  /** A function of 64-bit code: so many of each piece behind one another. */
  function followed(count: number, ...pieces: readonly string[]): FunctionFlow {
    const bytes = pieces.map((piece) => piece.repeat(count)).join("");
    const image = codeImage({
      parts: [{ rva: 0x1000, bytes: `${bytes}c3` }],
      unwind: [[0x1000, 0x1001 + bytes.length / 2]],
    });
    const code = analyzeImage(image);
    return new DataFlow(code).of(code.functions.at(0));
  }

  it("follows a function of sixteen thousand indirect jumps in time that grows with them", () => {
    // jmp rax
    const flow = followed(16_000, "ffe0");
    expect(flow).toMatchObject({ truncated: false, steps: 2 * 16_001 });
    expect(flow.calls).toHaveLength(16_000);
    // the entry, 15,999 jumps behind it, the return, and the way that they share
    expect(controlFlowOf(flow).reaching(0x1000 + 32_000).size).toBe(16_002);
  });

  it.each([
    ["pushes, then calls", ["50", "ffd0"]],
    ["pushes, then branches", ["50", "7400"]],
    ["pushes between branches and calls", ["507404ffd0ffd0"]],
  ])("remembers a bounded part of a stack of thousands: %s (MAX_STATE_PLACES)", (_, pieces) => {
    const flow = followed(3000, ...pieces);
    expect(flow.truncated).toBe(true);
    expect(flow.places).toBeLessThanOrEqual(0x20_0000 + 2048);
    expect(Math.max(...flow.calls.map(({ state }) => state.stack.size), 0)).toBeLessThanOrEqual(2048);
  });

  it("holds sixteen things apart that a place may be, and says that it may be others (MAX_ALTERNATIVES)", () => {
    let held: Value = [];
    for (let call = 1; call <= 16; call++) held = either(held, resultOf(call));
    expect(held.map(({ key }) => key)).toEqual(Array.from({ length: 16 }, (_, index) => `=${index + 1}`));
    const more = either(held, resultOf(17));
    expect(more).toEqual([...held.slice(0, 15), ...UNKNOWN]);
    expect(either(more, resultOf(18))).toEqual(more);
  });

  it("takes a place that it has no room for as unknown, and not as the caller's argument (MAX_STACK_PLACES)", () => {
    const state = MachineState.atEntry();
    for (let offset = 0; offset < 2048 * 8; offset += 8) state.put(offset, resultOf(1));
    expect(state.copy().stackAt(2048 * 8)).toMatchObject([{ kind: "argument" }]);
    state.put(2048 * 8, resultOf(1));
    expect(state.copy().stackAt(2048 * 8)).toMatchObject([{ kind: "unknown" }]);
    expect(state.stackAt(8)).toMatchObject([{ kind: "result" }]);
  });

  it("ends on functions that all overlap, with the tag in all of them (MAX_OWNERS)", () => {
    const bytes = new Uint8Array(0x4000).fill(0x90);
    // mov r8d, 'Se  ' every 32 bytes
    for (let at = 0; at + 6 < bytes.length; at += 32) bytes.set([0x41, 0xb8, 0x53, 0x65, 0x20, 0x20], at);
    const unwind = Array.from({ length: 512 }, (_, index) => [0x1000 + index * 32, 0x5000] as const);
    const code = analyzeImage(codeImage({ parts: [{ rva: 0x1000, bytes }], unwind }));
    const uses = new TagUses(new DataFlow(code));
    for (let at = 0x1002; at < 0x5000; at += 0x400) expect(uses.at(at as Rva).use).toBe("unknown");
    expect(code.functions.owning(0x4ff0).length).toBe(64);
    expect(code.notes).toEqual([
      "511 unwind entries overlap others",
      "some code belongs to more functions than are told of it",
    ]);
  });

  it("says that a function is too large to be followed (MAX_FUNCTION_INSTRUCTIONS)", () => {
    const bytes = new Uint8Array(0x4_4008);
    // nop dword [rax]: of so many bytes more instructions could be followed
    for (let at = 0; at < 0x4_4000; at += 4) bytes.set([0x0f, 0x1f, 0x40, 0x00], at);
    bytes.set([0x41, 0xb8, 0x53, 0x65, 0x20, 0x20, 0xc3], 0x4_4000);
    const image = codeImage({ parts: [{ rva: 0x1000, bytes }], unwind: [[0x1000, 0x4_5007]] });
    expect(new TagUses(new DataFlow(analyzeImage(image))).at(0x4_5002 as Rva)).toMatchObject({
      use: "unknown",
      seen: { kind: "too-large" },
    });
  });

  it("ends on a jump table that claims the whole image, and on one that points at itself", () => {
    const bytes = new Uint8Array(0x8000);
    // jmp [eax*4+80001000]: the code is its own table
    bytes.set([0xff, 0x24, 0x85, 0x00, 0x10, 0x00, 0x80]);
    const view = new DataView(bytes.buffer);
    for (let at = 8; at < bytes.length; at += 4) view.setUint32(at, 0x80001000 + at, true);
    const image = codeImage({ machine: "x86", parts: [{ rva: 0x1000, bytes }], exports: { A: 0x1000 } });
    expect(analyzeImage(image).functions.count).toBeGreaterThanOrEqual(1);
  });
});
