import { describe, expect, it } from "vitest";
import { Ownership } from "../../src/code/ownership.ts";
import { advance, va } from "../../src/core/address.ts";
import { ModuleMap } from "../../src/core/module-map.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { parseTag } from "../../src/pool/tag.ts";
import type { AcquiringFunction } from "../../src/trail/acquiring-functions.ts";
import { findAcquisitions } from "../../src/trail/acquisitions.ts";
import { knowledgeOf } from "../../src/trail/knowledge.ts";
import { ModuleCodes } from "../../src/trail/module-codes.ts";
import { abiOf, type TrailModule, type TrailTarget } from "../../src/trail/target.ts";
import { codeImage, fromHex } from "../fixtures/code-image.ts";

/** A function that calls another of its module, by its number, or what the import slot holds; it returns what that gives, or drops it. */
interface MadeFunction {
  readonly calls: number | "slot";
  readonly drops?: true;
}

const ROOM = 0x20;
const SLOT = 0x2000;
const SIZE = 0x3000;
const placeOf = (index: number): number => 0x1000 + index * ROOM;
const baseOf = (index: number): bigint => 0xfffff80000000000n + BigInt(index * 0x1_0000);

/** The module of a number; its import slot holds an address, and functions are exported as F0, F1 and so on, all that return. */
function moduleOf(
  number: number,
  held: bigint,
  functions: readonly MadeFunction[],
  exported: boolean,
): TrailModule {
  const bytes = new Uint8Array(functions.length * ROOM).fill(0xcc);
  const exports: Record<string, number> = {};
  functions.forEach(({ calls, drops = false }, index) => {
    const at = placeOf(index) + 4;
    const direct = calls !== "slot";
    const next = at + (direct ? 5 : 6);
    const distance = Buffer.from(Int32Array.of((direct ? placeOf(calls) : SLOT) - next).buffer).toString(
      "hex",
    );
    // sub rsp,28h; call; xor eax,eax; add rsp,28h; ret
    const code = `4883ec28 ${direct ? "e8" : "ff15"}${distance} ${drops ? "31c0" : ""} 4883c428 c3`;
    bytes.set(fromHex(code), index * ROOM);
    if (exported && !drops) exports[`F${index}`] = placeOf(index);
  });
  const pieces = functions.map((_, index) => [placeOf(index), placeOf(index + 1)] as const);
  return moduleWith(number, held, bytes, pieces, exports);
}

function moduleWith(
  number: number,
  held: bigint,
  bytes: Uint8Array,
  unwind: readonly (readonly [number, number])[],
  exports: Readonly<Record<string, number>> = {},
): TrailModule {
  const slot = new Uint8Array(8);
  new DataView(slot.buffer).setBigUint64(0, held, true);
  const image = codeImage({
    base: baseOf(number),
    size: SIZE,
    parts: [
      { rva: 0x1000, bytes },
      { rva: SLOT, bytes: slot, executable: false },
    ],
    slots: { [held === NT ? "Acquire" : "Other"]: SLOT },
    exports,
    unwind,
  });
  return {
    name: `driver${number}`,
    imageName: null,
    path: null,
    base: image.base,
    end: advance(image.base, SIZE),
    size: SIZE,
    image,
    imageProblem: undefined,
    imports: image.imports,
    publisher: { company: null, thirdParty: true, basis: null },
  };
}

const NT = va(0xfffff80100001000n);
/** A function of nt that allocates, and returns what it allocated. */
const ACQUIRE: AcquiringFunction = {
  module: "nt",
  name: "Acquire",
  address: NT,
  acquired: {
    function: { module: "nt", name: "Acquire", address: NT },
    path: ["Acquire"],
    basis: "code",
    depth: 0,
    libraries: 0,
    handsOut: true,
    releases: [],
    existing: false,
  },
  out: { gives: { by: "return" }, fails: "null" },
  row: undefined,
};

/** By module, which clues there are; and the notes. */
function found(modules: readonly TrailModule[]) {
  const map = new ModuleMap(modules, (one) => one);
  const space = new AddressSpace({
    pointerSize: 8,
    locate: (at, want) =>
      map.at(at)?.image?.space.mapping.locate(at, want) ?? {
        fault: { kind: "not-mapped", va: at, level: "PTE" },
        length: 1,
      },
  });
  const target: TrailTarget = {
    space,
    modules,
    moduleAt: (at) => map.at(at),
    resolve: () => undefined,
    build: 19041,
  };
  const codes = new ModuleCodes(target);
  const tag = parseTag("Leak");
  const question = {
    target,
    codes,
    ownership: new Ownership(knowledgeOf(codes, abiOf(target))),
    tag: tag.text,
    key: tag.key,
    limits: {},
    references: [],
    apis: [],
    usage: null,
    crash: undefined,
    blocks: undefined,
    learnt: () => ({ releases: [], onlyWhenAsked: true, notes: [] }),
  };
  const { clues, notes } = findAcquisitions(question, [ACQUIRE]);
  return { clues: clues.map(({ module, clue }) => `${module} ${clue.kind}`), all: clues, notes };
}

describe("what a driver hands on", () => {
  it("is followed to 24 callers of one function, and it is said (MAX_HANDING_CALLERS)", () => {
    const forgotten = (callers: number) => {
      const drops = Array.from({ length: callers }, (): MadeFunction => ({ calls: 0, drops: true }));
      const { all, notes } = found([moduleOf(0, NT, [{ calls: "slot" }, ...drops], false)]);
      return {
        ways: all.flatMap(({ clue }) => (clue.kind === "forgotten" ? [clue.ways.length, clue.partly] : [])),
        notes,
      };
    };
    expect(forgotten(24)).toEqual({ ways: [24, false], notes: [] });
    expect(forgotten(25)).toEqual({
      ways: [24, true],
      notes: ["what driver0+0x1000 hands on was not followed to all callers"],
    });
  });

  it("is followed through four functions of a module, and it is said (MAX_RELAY_DEPTH)", () => {
    const chain = (length: number) => {
      const hands = Array.from({ length }, (_, i): MadeFunction => ({ calls: i === 0 ? "slot" : i - 1 }));
      return found([moduleOf(0, NT, [...hands, { calls: length - 1, drops: true }], false)]);
    };
    expect(chain(4)).toMatchObject({ clues: ["driver0 calls", "driver0 forgotten"], notes: [] });
    // that the fifth drops nothing is not known: its caller was not looked at
    expect(chain(5)).toMatchObject({
      clues: ["driver0 calls"],
      notes: ["what driver0+0x1080 hands on was not followed to all callers"],
    });
  });

  it("is followed through four modules, and it is said (MAX_RELAY_DEPTH)", () => {
    const chain = (length: number) => {
      const held = (i: number): bigint => (i === 0 ? NT : baseOf(i - 1) + 0x1000n);
      const libraries = Array.from({ length }, (_, i) => moduleOf(i, held(i), [{ calls: "slot" }], true));
      const user = moduleOf(length, held(length), [{ calls: "slot", drops: true }], false);
      return found([...libraries, user]);
    };
    expect(chain(4).clues).toContain("driver4 forgotten");
    expect(chain(4).notes).toEqual([]);
    expect(chain(5).clues).not.toContain("driver5 forgotten");
    expect(chain(5).notes).toEqual([
      "the callers of one exported function that hands on what leads to the tag were not looked for",
    ]);
  });

  it("is followed through 96 exported functions, and it is said (MAX_RELAYS)", () => {
    const relays = (count: number) => {
      const library = moduleOf(
        0,
        NT,
        Array.from({ length: count }, () => ({ calls: "slot" })),
        true,
      );
      const last = baseOf(0) + BigInt(placeOf(count - 1));
      return found([library, moduleOf(1, last, [{ calls: "slot", drops: true }], false)]);
    };
    expect(relays(96).clues).toContain("driver1 forgotten");
    expect(relays(96).notes).toEqual([]);
    expect(relays(97).clues).not.toContain("driver1 forgotten");
    expect(relays(97).notes).toEqual([
      "the callers of one exported function that hands on what leads to the tag were not looked for",
    ]);
  });

  it("is not lost on a way on which its callers never go", () => {
    // puts it where its argument points to, unless that is NULL; its caller passes the address of a variable
    const helper = [
      "53 4883ec20 4889cb", // push rbx; sub rsp,20h; mov rbx,rcx
      "ff15f20f0000", // 1008: call Acquire
      "4885db 7405 488903 31c0", // test rbx,rbx; je 1018; mov [rbx],rax; xor eax,eax
      "31c0 4883c420 5b c3", // 1018: xor eax,eax; add rsp,20h; pop rbx; 101f: ret
    ].join("");
    // 1040: sub rsp,38h; lea rcx,[rsp+20h]; call 1000; add rsp,38h; ret
    const caller = "4883ec38 488d4c2420 e8b2ffffff 4883c438 c3";
    const ends = (of: string) => {
      const bytes = new Uint8Array(0x60).fill(0xcc);
      bytes.set(fromHex(helper));
      bytes.set(fromHex(of), 0x40);
      const pieces = [
        [0x1000, 0x1020],
        [0x1040, 0x1060],
      ] as const;
      const { all } = found([moduleWith(0, NT, bytes, pieces)]);
      return all.flatMap(({ clue }) => (clue.kind === "forgotten" ? clue.ways.map(({ end }) => end) : []));
    };
    expect(ends(caller)).toEqual([va(0xfffff80000001052n)]);
    // mov rcx,rdx; nop; nop: what it passes may be NULL
    expect(ends(caller.replace("488d4c2420", "4889d19090"))).toContain(va(0xfffff8000000101fn));
  });
});
