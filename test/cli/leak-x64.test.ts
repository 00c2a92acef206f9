import { describe, expect, it } from "vitest";
import { pooltrailJson } from "../fixtures/cli.ts";
import { leakTruth, truthOf } from "../fixtures/truth.ts";

/**
 * The 64-bit sample against what nm, objdump and the linker say of its images, and the numbers that its
 * script was given.
 */
const DUMP = "samples/leak-x64.dmp";
const truth = leakTruth();
const lmName = (image: string): string =>
  image === "ntoskrnl.exe" ? "nt" : image.replace(/\.(?:sys|dll)$/, "");
const bases = new Map(truth.modules.map(({ name, base }) => [name, BigInt(base)]));
const at = (image: string, rva: string): string =>
  `0x${((bases.get(image) ?? 0n) + BigInt(rva)).toString(16)}`;
const images = truth.modules.map(({ name }) => name);
const IMAGE_OF = { ntoskrnl: "ntoskrnl.exe", HAL: "hal.dll" } as const;

/** Where an import leads, forwarders followed by the export tables' own truth. */
function targetOf(dll: string, name: string, ordinal: number | null): { address: string; name: string } {
  const image = images.find((candidate) => candidate.toLowerCase() === dll.toLowerCase()) ?? dll;
  const found = truthOf(image).exports.find((row) =>
    ordinal === null ? row.name === name : row.ordinal === ordinal,
  );
  if (found === undefined) throw new Error(`${dll} exports no ${name}`);
  if (found.rva !== null)
    return { address: at(image, found.rva), name: `${lmName(image)}!${found.name ?? `#${found.ordinal}`}` };
  const [to = "", next = ""] = (found.forwarder ?? "").split(".");
  return targetOf(IMAGE_OF[to as keyof typeof IMAGE_OF], next, null);
}

describe("modules", () => {
  const { modules, unloaded, stopped } = pooltrailJson("modules", DUMP);

  it("has every image with its place, size, time stamp and checksum, and win32k that nobody can read", () => {
    const found = modules.map((row: Record<string, unknown>) => [
      row.imageName,
      row.base,
      row.size,
      row.timestamp,
      row.checksum,
    ]);
    const expected = truth.modules.map((row) => [
      row.name,
      row.base,
      Number(row.size),
      Number(row.timestamp),
      Number(row.checksum),
    ]);
    expect(found).toEqual([...expected, ["win32k.sys", "0xffffd5e49ac00000", 0x12000, 0x5f000000, 0x95000]]);
    expect(modules.at(-1)).toMatchObject({ name: "win32k", readableBytes: 0 });
    expect(stopped).toBeNull();
  });

  it("knows the makers by their version resources", () => {
    const maker = (name: string) => {
      const { publisher, thirdParty } = modules.find((row: { name: string }) => row.name === name);
      return [publisher, thirdParty];
    };
    expect(maker("nt")).toEqual(["Microsoft Corporation", false]);
    expect(maker("ctstor")).toEqual(["Contoso Storage Ltd.", true]);
    expect(maker("fabusb")).toEqual(["Fabrikam, Inc.", true]);
  });

  it("lists the two drivers that were unloaded", () => {
    expect(unloaded).toEqual([
      { name: "ctsprobe.sys", base: "0xfffff80481500000", end: "0xfffff8048150a000" },
      { name: "dump_msdisk.sys", base: "0xfffff80481520000", end: "0xfffff8048152e000" },
    ]);
  });
});

describe("tags and memory", () => {
  it("gives the leaking tag, summed over four processors", () => {
    const { tags, complete, processors } = pooltrailJson("tags", DUMP, "Se");
    expect(tags).toMatchObject([{ tag: truth.tag, ...truth.usage }]);
    expect([complete, processors]).toEqual([true, { read: 4, of: 4 }]);
  });

  it("totals all tags", () => {
    const { tags, totals } = pooltrailJson("tags", DUMP);
    expect([totals.nonPaged.bytes, totals.paged.bytes]).toEqual([truth.totals.nonPaged, truth.totals.paged]);
    expect(tags.length).toBeLessThanOrEqual(truth.tags);
    for (const { nonPaged, paged } of tags) {
      expect(
        Math.min(nonPaged.outstanding, nonPaged.bytes, paged.outstanding, paged.bytes),
      ).toBeGreaterThanOrEqual(0);
    }
  });

  it("counts the pool's pages, and does not take a KDBG field that is 0 for a count", () => {
    const { pages } = pooltrailJson("memory", DUMP);
    expect(pages).toMatchObject({
      pagedUsage: truth.pool.pagedPages,
      nonPagedUsage: truth.pool.nonPagedPages,
      available: null,
      committed: null,
      commitLimit: null,
    });
  });
});

describe("scan", () => {
  const { references } = pooltrailJson("scan", DUMP, "Se");

  it("finds every reference that is readable, with what the code does there", () => {
    const found = references.map((row: Record<string, unknown>) => [row.address, row.section, row.use]);
    expect(found).toEqual(truth.references.map((row) => [row.address, row.section, row.use]));
  });

  it.each(truth.references)("puts $address into the function that it is part of", (expected) => {
    const { function: place, nearest } = references.find(
      (row: { address: string }) => row.address === expected.address,
    );
    const known = truthOf("ntoskrnl.exe").functions.find(({ name }) => name === expected.function);
    if (known === undefined) {
      expect(place).toBeNull();
      return;
    }
    const fragment = known.fragments.find(
      ([start, end]) =>
        BigInt(at("ntoskrnl.exe", start)) <= BigInt(expected.address) &&
        BigInt(expected.address) < BigInt(at("ntoskrnl.exe", end)),
    );
    const [start = "", end = ""] = (fragment ?? []).map((rva) => at("ntoskrnl.exe", rva));
    expect(place).toEqual({
      module: "nt",
      // a function that is not exported has no name here, and never its neighbour's
      name: known.exports[0] ?? null,
      nameBasis: known.exports[0] === undefined ? null : "export",
      entry: at("ntoskrnl.exe", known.entry),
      fragment: { start, end },
      offset: Number(BigInt(expected.address) - BigInt(start)),
      // a leaf has no unwind data
      basis: known.name === "SepIsSecurityTag" ? "flow" : "pdata",
    });
    expect(nearest.name).toBe(expected.nearestExport);
  });
});

describe("near", () => {
  it("knows the internal function's true extent where the nearest export is another", () => {
    const address = truth.references.find((row) => row.function === "SepBuildInformation")?.address ?? "";
    const [start, end] = truth.internal.fragments[0] ?? [];
    const { symbols } = pooltrailJson("near", DUMP, address);
    expect(symbols).toMatchObject([
      {
        below: { name: "SeUnlockSubjectContext" },
        function: { name: null, entry: truth.internal.entry, fragment: { start, end }, basis: "pdata" },
      },
    ]);
  });
});

describe("near, of an address in a driver that was unloaded", () => {
  it("names the driver", () => {
    const { symbols } = pooltrailJson("near", DUMP, "fffff80481500010");
    expect(symbols[0]).toMatchObject({
      module: null,
      notes: expect.arrayContaining(["ctsprobe.sys stood there, and was unloaded"]),
    });
  });
});

describe("pointers", () => {
  it("finds the slots of the five importers, and the pointer that was looked up at run time", () => {
    const { pointers } = pooltrailJson("pointers", DUMP, "nt!SeQueryInformationToken");
    const found = pointers.map((row: Record<string, unknown>) => [row.module, row.address, row.slot]);
    const slots = truth.importers.map(({ module, slot }) => [lmName(module), slot, "iat"]);
    expect(found.sort()).toEqual(
      [...slots, [lmName(truth.lookup.module), truth.lookup.pointer, null]].sort(),
    );
  });
});

describe("imports", () => {
  interface ImportRow {
    readonly slot: string;
    readonly kind: string;
    readonly target: string;
    readonly resolved: { readonly module: string; readonly name: string; readonly offset: number } | null;
    readonly declared: { readonly dll: string; readonly name: string } | null;
    readonly pending: boolean;
  }

  it.each(images.filter((image) => truthOf(image).imports.length > 0))(
    "names each slot of %s by its address, though the names went with INIT",
    (image) => {
      const { imports } = pooltrailJson("imports", DUMP, image);
      const { imports: declared } = truthOf(image);
      expect(imports.map((row: ImportRow) => row.slot).sort()).toEqual(
        declared.map((row) => at(image, row.slot)).sort(),
      );
      for (const { slot, name, dll, ordinal } of declared.filter((row) => !row.name.startsWith("delay:"))) {
        const { target, resolved } = imports.find((row: ImportRow) => row.slot === at(image, slot));
        const expected = targetOf(dll, name, ordinal);
        expect(target).toBe(expected.address);
        // several exports may share one address: one of their names is right
        expect(resolved.offset).toBe(0);
        const owner = images.find((candidate) => lmName(candidate) === resolved.module) ?? "";
        const names = truthOf(owner)
          .exports.filter((row) => row.rva !== null && at(owner, row.rva) === target)
          .map((row) => `${resolved.module}!${row.name ?? `#${row.ordinal}`}`);
        expect(names).toContain(`${resolved.module}!${resolved.name}`);
      }
    },
  );

  // One of them a boot driver, whose look-up entries are from before it was moved.
  it.each(["msdisk.sys", "adatum.sys"])("reads the names that %s, whose INIT was kept, declares", (image) => {
    const { imports, notes } = pooltrailJson("imports", DUMP, image);
    expect(imports.map((row: ImportRow) => [row.slot, row.declared?.dll, row.declared?.name]).sort()).toEqual(
      truthOf(image)
        .imports.map(({ slot, dll, name }) => [at(image, slot), dll, name])
        .sort(),
    );
    expect(imports.map((row: { disagree: boolean }) => row.disagree)).not.toContain(true);
    expect(notes).toEqual([]);
  });

  const prosew: readonly ImportRow[] = pooltrailJson("imports", DUMP, "prosew").imports;

  it("follows a forwarder into another module", () => {
    expect(targetOf("HAL.dll", "HalSetTimer", null).name).toBe("nt!KeSetTimer");
    expect(prosew.map(({ resolved }) => resolved)).toContainEqual({
      module: "nt",
      name: "KeSetTimer",
      offset: 0,
    });
  });

  it("names an import by ordinal as its number", () => {
    expect(prosew.map(({ resolved }) => resolved)).toContainEqual({ module: "nt", name: "#7", offset: 0 });
  });

  it("says that the delayed imports are unresolved, and of whom", () => {
    const delayed = prosew.filter(({ kind }) => kind === "delay-iat");
    expect(delayed).toMatchObject([
      { declared: { dll: "WWILIB.SYS", name: "WwiAllocate" }, pending: true },
      { declared: { dll: "WWILIB.SYS", name: "WwiFree" }, pending: true },
    ]);
  });
});

describe("exports", () => {
  it.each(["ntoskrnl.exe", "hal.dll", "fltmgr.sys"])("has those of %s, forwarders followed", (image) => {
    const { exports } = pooltrailJson("exports", DUMP, image);
    const found = exports.map((row: Record<string, unknown>) => [
      row.ordinal,
      row.name,
      row.address,
      row.forwarder,
    ]);
    expect(found).toEqual(
      truthOf(image).exports.map((row) => [
        row.ordinal,
        row.name,
        row.rva === null ? null : at(image, row.rva),
        row.forwarder,
      ]),
    );
    for (const row of exports.filter(
      (candidate: { forwarder: string | null }) => candidate.forwarder !== null,
    )) {
      const [to = "", name = ""] = row.forwarder.split(".");
      const target = targetOf(IMAGE_OF[to as keyof typeof IMAGE_OF], name, null);
      expect(row.forwardedTo).toMatchObject({ address: target.address });
    }
  });
});

describe("trace", () => {
  interface Suspect {
    readonly rank: number;
    readonly module: string;
    readonly verdict: string;
    readonly evidence: readonly {
      readonly kind: string;
      readonly address: string;
      readonly detail: string;
    }[];
  }
  const trail = pooltrailJson("trace", DUMP);
  const suspects: readonly Suspect[] = trail.suspects;
  const suspect = (image: string): Suspect => {
    const found = suspects.find(({ module }) => module === lmName(image));
    if (found === undefined) throw new Error(`${image} is no suspect`);
    return found;
  };
  const kinds = (image: string): string[] => suspect(image).evidence.map(({ kind }) => kind);

  it("picks the leaking tag by itself, and names the culprit first", () => {
    expect([trail.tag, trail.conclusion.module]).toEqual([truth.tag, lmName(truth.culprit)]);
    expect(suspects[0]).toMatchObject({ rank: 1, module: lmName(truth.culprit), verdict: "calls" });
    expect(trail.usage).toMatchObject(truth.usage);
  });

  it("has every importer, the one that looks the name up, and the one behind fltmgr", () => {
    const expected = [...truth.importers.map(({ module }) => module), truth.lookup.module, "litwflt.sys"];
    expect(suspects.map(({ module }) => module).sort()).toEqual(expected.map(lmName).sort());
    expect(suspect(truth.lookup.module).verdict).toBe("looks-up-at-run-time");
    expect(suspect("fabusb.sys").verdict).toBe("imports");
    expect(suspect("litwflt.sys").verdict).toBe("indirect");
  });

  it("sees on the stacks who is just behind such a call, and what is stale", () => {
    const onStack = (image: string): string =>
      suspect(image)
        .evidence.filter(({ kind }) => kind === "on-stack")
        .map(({ detail }) => detail.replaceAll("`", ""))
        .join("\n");
    expect(onStack("ctstor.sys")).toContain(truth.onStack.worker.slice(2));
    expect(onStack("ctstor.sys")).toContain(truth.onStack.dispatch.slice(2));
    expect(onStack("nwindav.sys")).toContain(truth.onStack.stale.slice(2));
    expect(onStack("nwindav.sys")).toMatch(/no longer in use/);
  });

  // a call through any variable of the image was once taken for one of Control Flow Guard's, through rax
  it.each(["nwindav.sys", "msdisk.sys", "tailspin.sys"])("sees that %s gives back what it gets", (image) => {
    expect(kinds(image)).toContain("releases");
  });

  // the tables were read whole: what they do not have is not in use, and not unknown
  it("knows that a tag is not in use", () => {
    const zero = { allocations: 0, frees: 0, outstanding: 0, bytes: 0 };
    expect(pooltrailJson("trace", DUMP, "Zz9!").usage).toMatchObject({ nonPaged: zero, paged: zero });
  });

  it("sees that the culprit does not", () => {
    expect(kinds(truth.culprit)).toContain("forgotten");
    expect(kinds(truth.culprit)).not.toContain("releases");
  });

  it("leads through the internal function to the exports that reach it", () => {
    const api = (name: string) => trail.apis.find((row: { name: string }) => row.name === name);
    expect(api("SeQueryInformationToken")).toMatchObject({
      address: truth.target,
      depth: 1,
      documented: true,
    });
    expect(api("NtQueryInformationToken")).toMatchObject({ depth: 2 });
    expect(trail.apis.map((row: { name: string }) => row.name)).not.toContain("SeUnlockSubjectContext");
  });
});
