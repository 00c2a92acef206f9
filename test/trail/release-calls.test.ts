import { describe, expect, it } from "vitest";
import {
  behindUnknown,
  fieldOf,
  loaded,
  movedBy,
  movedUnknown,
  type Value,
} from "../../src/code/abstract-value.ts";
import type { Keeping } from "../../src/code/fates.ts";
import { Ownership } from "../../src/code/ownership.ts";
import { advance } from "../../src/core/address.ts";
import type { Image } from "../../src/pe/image.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { knowledgeOf } from "../../src/trail/knowledge.ts";
import { LearntByModule } from "../../src/trail/learnt-releases.ts";
import { ModuleCodes } from "../../src/trail/module-codes.ts";
import { releaseCalls } from "../../src/trail/release-calls.ts";
import { releasesKept } from "../../src/trail/same-place.ts";
import { abiOf, type TrailModule, type TrailTarget } from "../../src/trail/target.ts";
import { codeImage } from "../fixtures/code-image.ts";

/** What is learnt of a library with so many exported functions, each of which frees its first argument. */
function learntOf(count: number) {
  const at = (index: number): number => 0x1000 + index * 0x20;
  const bytes = Buffer.alloc(count * 0x20, 0xcc);
  for (let index = 0; index < count; index++) {
    // sub rsp,28h; call [ExFreePool]; add rsp,28h; ret
    bytes.write("4883ec28ff15000000004883c428c3", index * 0x20, "hex");
    bytes.writeInt32LE(0x3000 - (at(index) + 10), index * 0x20 + 6);
  }
  const indices = Array.from({ length: count }, (_, index) => index);
  const image = codeImage({
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x3000, bytes: new Uint8Array(8), executable: false },
    ],
    slots: { ExFreePool: 0x3000 },
    exports: Object.fromEntries(indices.map((index) => [`Release${index}`, at(index)])),
    unwind: indices.map((index) => [at(index), at(index + 1)]),
  });
  const [module, target] = alone(image);
  const codes = new ModuleCodes(target);
  const ownership = new Ownership(knowledgeOf(codes, abiOf(target)));
  return new LearntByModule(codes, ownership, parseTag("Leak").key, []).of(module);
}

/** An image as the only module of what is looked at. */
function alone(image: Image): readonly [TrailModule, TrailTarget] {
  const module: TrailModule = {
    name: "library",
    imageName: null,
    path: null,
    base: image.base,
    end: advance(image.base, image.size),
    size: image.size,
    image,
    imageProblem: undefined,
    imports: image.imports,
    publisher: { company: null, thirdParty: true, basis: null },
  };
  const target: TrailTarget = {
    space: image.space,
    modules: [module],
    moduleAt: () => undefined,
    resolve: () => undefined,
    build: 19041,
  };
  return [module, target];
}

it("finds the calls that go through the framework's table", () => {
  // 1000: mov rdx,[rcx+5ch]; mov rcx,[3300]; call [4000 + 208 * 8]; ret
  const data = Buffer.alloc(0x400);
  data.write("KmdfLibrary\0", 0, "utf16le");
  // WDF_BIND_INFO: size, component, version 1.9.7600, 396 functions, table
  data.writeBigUInt64LE(0x30n, 0x100);
  data.writeBigUInt64LE(0xfffff80000003000n, 0x108);
  [1, 9, 7600, 396].forEach((value, index) => {
    data.writeUInt32LE(value, 0x110 + 4 * index);
  });
  data.writeBigUInt64LE(0xfffff80000004000n, 0x120);
  const image = codeImage({
    base: 0xfffff80000000000n,
    parts: [
      { rva: 0x1000, bytes: "488b515c 488b0df5220000 ff156f360000 c3" },
      { rva: 0x3000, bytes: data, executable: false },
      { rva: 0x4000, bytes: new Uint8Array(0xc60), executable: false },
    ],
    slots: { WdfVersionBind: 0x3180 },
    exports: { F: 0x1000 },
    unwind: [[0x1000, 0x1012]],
  });
  const [module, target] = alone(image);
  const decoded = new ModuleCodes(target).of(module);
  const calls = decoded && releaseCalls(module, decoded, [{ name: "WdfObjectDelete", argument: 2 }]);
  expect(calls).toMatchObject([
    { at: 0x100b, name: "WdfObjectDelete", value: [{ kind: "field", offset: 0x5c }] },
  ]);
});

it("learns from a library's functions what they free", () => {
  expect(learntOf(2)).toEqual({
    releases: [
      { name: "Release0", argument: 1 },
      { name: "Release1", argument: 1 },
    ],
    onlyWhenAsked: true,
    notes: [],
  });
});

it("looks at 96 functions of a library for what they free, and says that there are more (MAX_LEARNT)", () => {
  const { releases, notes } = learntOf(97);
  expect(releases).toHaveLength(96);
  expect(notes).toEqual([
    "library: of 97 exported functions that lead to a free, 96 were looked at for what they free",
  ]);
});

describe("a release of what is kept", () => {
  const field = (offset: number): Keeping => ({ in: "field", offset });
  const global = (rva: number): Keeping => ({ in: "global", rva });
  const [variable] = loaded(0x4000);
  if (variable === undefined) throw new Error("no variable");
  const [extension] = fieldOf(variable, 0x40);
  if (extension === undefined) throw new Error("no extension");
  const free = (value: Value) => ({ value, behind: undefined, ofFile: false });
  const freeString = (value: Value) => ({ value, behind: [0, 4, 8], ofFile: false });

  it("is none of a driver's own structure where it is the file object's", () => {
    const context = { ...free(behindUnknown(0x18)), ofFile: true };
    expect(releasesKept(context, field(0x18))).toBe("same-place");
    expect(releasesKept(context, { in: "field", offset: 0x18, by: 0x1000 })).toBe("no");
  });

  it("is told by the field that it is taken from, behind whichever pointer", () => {
    expect(releasesKept(free(fieldOf(extension, 0x18)), field(0x18))).toBe("same-place");
    expect(releasesKept(free(fieldOf(extension, 0x30)), field(0x18))).toBe("no");
    // [[[[x]+b8]+30]+18]: how far the pointers lead is not followed, and the last field is seen
    expect(releasesKept(free(behindUnknown(0x18)), field(0x18))).toBe("same-place");
    expect(releasesKept(free(behindUnknown(0x30)), field(0x18))).toBe("perhaps");
  });

  it("is told by the address of a string, whose pointer stands behind its length", () => {
    expect(releasesKept(freeString(movedBy(extension, 0x30)), field(0x38))).toBe("same-place");
    expect(releasesKept(freeString(movedUnknown(0x30)), field(0x38))).toBe("same-place");
    expect(releasesKept(freeString(movedBy(extension, 0x60)), field(0x38))).toBe("no");
  });

  it("may be at the other end of a list, and is not told by the field beside", () => {
    expect(releasesKept(free(loaded(0x4000)), global(0x4008))).toBe("perhaps");
    expect(releasesKept(free(fieldOf(extension, 0x10)), field(0x8))).toBe("perhaps");
    expect(releasesKept(free(loaded(0x4000)), global(0x4010))).toBe("no");
  });
});
