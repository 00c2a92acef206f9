import { expect, it } from "vitest";
import { type Rva, va } from "../../src/core/address.ts";
import type { ImportSlot } from "../../src/pe/imports.ts";
import { surroundingsOf } from "../../src/trail/surroundings.ts";
import type { TrailModule, TrailTarget } from "../../src/trail/target.ts";
import { codeImage } from "../fixtures/code-image.ts";

const NT = 0xfffff80000000000n;

function slot(name: string | null, value?: bigint): ImportSlot {
  return {
    rva: 0x2000 as Rva,
    kind: "iat",
    value: value === undefined ? undefined : va(value),
    pending: false,
    ...(name === null ? {} : { declared: { dll: "ntoskrnl.exe", name, ordinal: null } }),
  };
}

function module(
  name: string,
  base: bigint,
  thirdParty: boolean | null,
  slots: readonly ImportSlot[] = [],
  holes: readonly (readonly [number, number])[] = [],
): TrailModule {
  return {
    name,
    imageName: `${name}.sys`,
    path: null,
    base: va(base),
    end: va(base + 0x3000n),
    size: 0x3000,
    image: codeImage({ base, size: 0x3000, parts: [{ rva: 0x1000, bytes: "c3", size: 0x800 }], holes }),
    imageProblem: undefined,
    imports: { slots, gaps: [] },
    publisher: { company: null, thirdParty, basis: null },
  };
}

function target(modules: readonly TrailModule[], more: Partial<TrailTarget> = {}): TrailTarget {
  const [first] = modules;
  if (first?.image === undefined) throw new Error("no module");
  return {
    space: first.image.space,
    modules,
    moduleAt: (address) => modules.find(({ base, end }) => address >= base && address < end),
    resolve: () => undefined,
    build: 19041,
    ...more,
  };
}

it("tells who of the others hangs in between, by what they register with", () => {
  const found = surroundingsOf(
    target([
      module("nt", NT, false),
      module("contoso", NT + 0x10000n, true, [slot("FltRegisterFilter"), slot("CmRegisterCallbackEx")]),
      module("fltmgr", NT + 0x20000n, false, [slot("FltRegisterFilter")]),
      module("nameless", NT + 0x30000n, null, [slot("FwpsCalloutRegister1")]),
      module("plain", NT + 0x40000n, true, [slot("ExAllocatePoolWithTag")]),
    ]),
  );
  expect(found.others).toEqual(["contoso", "nameless", "plain"]);
  expect(found.filters).toEqual([
    { module: "contoso", kinds: ["minifilter", "registry-callback"] },
    { module: "nameless", kinds: ["callout"] },
  ]);
});

it("knows a registration by the address that stands in a slot without a name", () => {
  const resolve: TrailTarget["resolve"] = (address) =>
    address === NT + 0x1010n
      ? {
          module: "nt",
          name: "ObRegisterCallbacks",
          names: ["ObRegisterCallbacks"],
          rva: 0x1010 as Rva,
          address,
        }
      : undefined;
  const { filters } = surroundingsOf(
    target([module("nt", NT, false), module("contoso", NT + 0x10000n, true, [slot(null, NT + 0x1010n)])], {
      resolve,
    }),
  );
  expect(filters).toEqual([{ module: "contoso", kinds: ["object-callback"] }]);
});

it("sees that an import of Windows' own leads into another module", () => {
  const { filters } = surroundingsOf(
    target([
      module("nt", NT, false),
      module("tcpip", NT + 0x10000n, false, [slot("NdisAllocateMemory", NT + 0x21000n)]),
      module("hooker", NT + 0x20000n, true),
    ]),
  );
  expect(filters).toEqual([{ module: "hooker", kinds: ["import"] }]);
});

it("tells what of the others cannot be looked at", () => {
  const whole = module("whole", NT + 0x10000n, true);
  const gone = { ...module("gone", NT + 0x30000n, true), image: undefined };
  const unloaded = ["ctstor.sys", "dump_storport.sys", "ctstor.sys"];
  expect(surroundingsOf(target([whole, gone], { unloaded, listCut: true })).unseen).toEqual([
    { what: "module-list" },
    { what: "module", name: "gone", missing: null },
    { what: "unloaded", name: "ctstor.sys" },
  ]);
  // a page of its 0x800 bytes of code is not in the dump
  const torn = module("torn", NT, true, [], [[0x1400, 0x1800]]);
  expect(surroundingsOf(target([torn])).unseen).toEqual([{ what: "module", name: "torn", missing: 0x400 }]);
});
