import { describe, expect, it } from "vitest";
import { CONTAINERS, containerMachine } from "../../bench/containers.mjs";
import { buildDump } from "../../samples/leakbench/machine.mjs";
import { writeHibernation } from "../../samples/writer/hibernation.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { ask as answerOf, type Dump, openDump } from "../../src/index.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";
import { realDump } from "../fixtures/real-dumps.ts";

type Plan = Parameters<typeof buildDump>[0];
type Counted = Plan["counts"][number];

const counted = (tag: string, paged: boolean, bytes: number, live: number, frees: number): Counted => ({
  tag,
  paged,
  block: { x64: bytes, x86: bytes },
  live,
  frees,
});

/** Opens a made machine, and closes it when the question is answered. */
function ask<T>(plan: Omit<Plan, "seed" | "form"> & Partial<Plan>, question: (dump: Dump) => T): T {
  using dump = openDump(buildDump({ seed: 4711, form: "bitmap-kernel", ...plan }));
  return question(dump);
}

type SystemLike = Parameters<NonNullable<Plan["also"]>>[0];

const ADVW = counted("AdvW", false, 0xe0, 96_000, 60_000);

describe("tags that go in step, on whole machines", () => {
  const both = [counted("Mdl ", false, 0xc0, 96_210, 7_100_000), ADVW];

  it.each(["x64", "x86"] as const)(
    "traces a driver's own tag for the kernel's lists of pages that go with it (%s)",
    (arch) => {
      const trails = ask({ arch, drivers: ["advworks", "citypw", "nwindav"], counts: both }, (dump) =>
        dump.traces(),
      );
      // Proc is among the tags of all these machines, with more than the few processes that they have
      expect(trails.map(({ tag }) => tag).filter((tag) => tag !== "Proc")).toEqual(["AdvW"]);
      const trail = trails.find(({ tag }) => tag === "AdvW");
      expect(trail?.lockstep).toMatchObject({
        tags: [{ tag: "AdvW" }, { tag: "Mdl " }],
        leader: "AdvW",
        reason: "third-party",
        owners: ["advworks"],
      });
      expect(trail?.conclusion).toMatchObject({ module: "advworks" });
      expect(trail?.signs?.reasons.join()).toContain("it is the cause: it alone is a third party's");
    },
  );

  it("says of the shadow, when it is asked for, whose it is", () => {
    const plan = { arch: "x64", drivers: ["advworks", "citypw", "nwindav"], counts: both } as const;
    const trail = ask(plan, (dump) => dump.trace("Mdl"));
    expect(trail.tag).toBe("Mdl ");
    expect(trail.signs?.reasons.join()).toContain("its count goes with that of AdvW, which is the cause");
    expect(trail.lockstep?.text).toContain("`Mdl ` is its shadow");
  });

  it("traces the cause behind the shadow that was asked for", () => {
    const plan = { arch: "x64", drivers: ["advworks", "citypw", "nwindav"], counts: both } as const;
    const answer = ask(plan, (dump) => answerOf(dump, { command: "trace", tags: ["Mdl"] }));
    expect([answer.tag, ...answer.more.map(({ tag }) => tag)]).toEqual(["Mdl ", "AdvW"]);
    expect(answer.more[0]?.conclusion.module).toBe("advworks");
  });

  it("says nothing of step where the same tags leak by themselves", () => {
    const apart = [counted("Mdl ", false, 0xc0, 130_000, 7_100_000), ADVW];
    const plan = { arch: "x64", drivers: ["advworks", "citypw", "nwindav"], counts: apart } as const;
    expect(ask(plan, (dump) => dump.trace("Mdl").lockstep)).toBeNull();
  });

  it("traces processes, not what they have with them", () => {
    const counts = [
      counted("Proc", false, 0xa80, 71_703, 201_000),
      counted("Toke", true, 0x700, 72_610, 5_400_000),
      counted("Obtb", true, 0x1000, 71_960, 420_000),
    ];
    const trails = ask({ arch: "x64", drivers: ["nwindav"], counts }, (dump) => dump.traces());
    expect(trails.map(({ tag }) => tag)).toEqual(["Proc"]);
    expect(trails[0]?.lockstep).toMatchObject({ leader: "Proc", reason: "object" });
  });
});

describe("the crash, on whole machines", () => {
  const leak = counted("Se  ", true, 0x60, 310_000, 300_000);
  const drivers = ["nwindav", "ctstor", "humong"];
  // what ctstor leaks, and what all other tags of this machine have, take nearly this many pages
  const crashed = (code: number, ...[a = 0n, b = 0n, c = 0n, d = 0n]: readonly bigint[]) => ({
    bugcheck: { code, parameters: [a, b, c, d] as const },
  });
  const used = ask({ arch: "x64", drivers, counts: [leak] }, (dump) => dump.memory().pages.pagedUsage ?? 0);
  const full = { arch: "x64", drivers, counts: [leak], pagedMaximum: Math.ceil(used * 1.01) } as const;

  it("tells that a driver which crashed in a full pool was a victim, and names the leaker all the same", () => {
    const trail = ask(
      { ...full, header: (system) => crashed(0xd1, 0n, 2n, 1n, system.image("humong.sys").base + 0x1010n) },
      (dump) => dump.trace("Se"),
    );
    expect(trail.crash).toMatchObject({ occasion: "crash", code: 0xd1, module: "humong", victim: true });
    expect(trail.crash?.text.join()).toMatch(
      /The paged pool was full \([\d,]+ of [\d,]+ pages, 99 %\) when the machine crashed .* The crash in humong is a consequence/,
    );
    expect(trail.conclusion.module).toBe("ctstor");
  });

  it.each([
    ["a double fault", 0x7f, 8n],
    ["a pool header gone bad", 0x19, 0x20n],
    ["a critical process that ended", 0xef, 0n],
  ])("tells so of %s, too", (_, code, first) => {
    const trail = ask({ ...full, header: () => crashed(code, first) }, (dump) => dump.trace("Se"));
    expect(trail.crash).toMatchObject({ victim: true, module: null });
    expect(trail.crash?.text.join()).toContain("Whoever crashed was a victim");
  });

  it("tells nothing of the kind where the pool had room, and where somebody stopped the machine", () => {
    const room = ask({ ...full, pagedMaximum: used * 3, header: () => crashed(0x7f, 8n) }, (dump) =>
      dump.trace("Se"),
    );
    expect(room.crash).toMatchObject({ victim: false, text: [] });
    const keys = ask(full, (dump) => dump.trace("Se"));
    expect(keys.crash).toMatchObject({ occasion: "on-request", victim: false, text: [] });
  });
});

describe("info of a crash, on whole machines", () => {
  const plan: Omit<Plan, "seed" | "form"> = { arch: "x64", drivers: ["advworks", "humong"], counts: [ADVW] };
  const record = (code: number, at: bigint): Uint8Array => {
    const bytes = new Uint8Array(0x98);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, code, true);
    view.setBigUint64(0x10, at, true);
    view.setUint32(0x18, 2, true);
    view.setBigUint64(0x28, 0x18n, true);
    return bytes;
  };
  const crash: Partial<Plan> = {
    header: (system) => {
      const at = system.image("humong.sys").base + 0x1010n;
      return {
        bugcheck: { code: 0x7e, parameters: [0xc0000005n, at, 0n, 0n] },
        exception: record(0xc0000005, at),
      };
    },
  };

  it("has the exception, the place and the module", () => {
    const info = ask({ ...plan, ...crash }, (dump) => dump.info());
    expect(info).toMatchObject({
      occasion: "crash",
      exception: { code: 0xc0000005, name: "STATUS_ACCESS_VIOLATION", parameters: [0n, 0x18n] },
      stoppedAt: { module: "humong", offset: 0x1010, basis: "bugcheck" },
    });
  });

  /** Has the thread of the first processor run in System, as KTHREAD.ApcState.Process says. */
  const inSystem =
    (at: { apcProcess: bigint; links: bigint; currentThread: bigint }): Plan["also"] =>
    (system) => {
      const { machine } = system;
      const prcb = machine.readPointer(system.nt("KiProcessorBlock"));
      const thread = machine.readPointer(prcb + at.currentThread);
      machine.pointer(
        thread + at.apcProcess,
        machine.readPointer(system.nt("PsActiveProcessHead")) - at.links,
      );
    };

  it("has all of it in its text", () => {
    const text = ask({ ...plan, ...crash }, (dump) =>
      renderText("info", dump.info(), { style: PLAIN, pointerSize: 8 }),
    );
    expect(text).toMatch(/^exception +0xc0000005 STATUS_ACCESS_VIOLATION at fffff804`\w+$/m);
    expect(text).toMatch(/^stopped at +fffff804`\w+ humong\+0x1010, by the bugcheck$/m);
    expect(text).toMatch(/^thread +ffffbe0e`\w+ on processor 0, its process cannot be told$/m);
  });

  it("has the thread whose stack the registers stand on, and its process", () => {
    const mark = inSystem({ apcProcess: 0xb8n, links: 0x448n, currentThread: 8n });
    const header: Plan["header"] = (system) => {
      mark?.(system);
      return { ...crash.header?.(system) };
    };
    const system = ask({ ...plan, header }, (dump) => ({
      current: dump.info().current,
      processes: dump.kernel.processes.items,
    }));
    expect(system.current).toMatchObject({ processor: 0, pid: 4, imageName: "System" });
    expect(system.current?.process).toBe(system.processes[0]?.address);
  });

  it("has no process where the thread names none", () => {
    const info = ask({ ...plan, ...crash }, (dump) => dump.info());
    expect(info.current).toMatchObject({ processor: 0, process: null, pid: null });
  });

  it("tells on 32-bit machines where their registers were, too", () => {
    const mark = inSystem({ apcProcess: 0x44n, links: 0x98n, currentThread: 4n });
    const header: Plan["header"] = (system) => {
      mark?.(system);
      return {};
    };
    const info = ask({ ...plan, arch: "x86", form: "full", header }, (dump) => dump.info());
    expect(info).toMatchObject({
      occasion: "on-request",
      exception: null,
      stoppedAt: { module: "nt", basis: "registers" },
      current: { processor: 0, pid: 4 },
    });
  });
});

describe("info of a real crash", () => {
  const file = realDump("triage_x64.dmp");

  // 0x1000007e of rizin's test dump: its second parameter is the instruction
  it.skipIf(file === undefined)("names the module of the instruction, the thread and its process", () => {
    using dump = openDump(file ?? "");
    const { occasion, stoppedAt, current, bugcheck } = dump.info();
    expect(occasion).toBe("crash");
    expect(stoppedAt).toMatchObject({
      address: bugcheck?.parameters[1],
      module: "amdppm",
      basis: "bugcheck",
    });
    // types of objects: 6 is a thread, 3 a process
    expect(dump.read(current?.thread ?? 0n, 1).bytes[0]).toBe(6);
    expect(dump.read(current?.process ?? 0n, 1).bytes[0]).toBe(3);
  });
});

describe("live dumps", () => {
  const LIVE = 0x10;
  const live = (attributes?: number): Partial<Plan> => ({
    header: () => ({
      bugcheck: { code: 0x161, parameters: [0n, 0n, 0n, 0n] },
      ...(attributes === undefined ? {} : { attributes }),
    }),
  });
  const plan: Omit<Plan, "seed" | "form"> = { arch: "x64", drivers: ["advworks", "nwindav"], counts: [ADVW] };

  it.each([undefined, LIVE])("are read as any other, and nothing in them crashed (attributes %s)", (bits) => {
    const answers = ask({ ...plan, ...live(bits) }, (dump) => ({
      info: dump.info(),
      trail: dump.trace("AdvW"),
    }));
    expect(answers.info).toMatchObject({ occasion: "live", stoppedAt: null, dumpType: "bitmap-kernel" });
    expect(answers.info.notes.join()).toContain("a second one an hour later shows what grew");
    expect(answers.trail.conclusion.module).toBe("advworks");
    expect(answers.trail.crash).toMatchObject({ occasion: "live", victim: false, text: [] });
    expect(answers.trail.next.join()).toContain("Take a second live dump");
    expect(JSON.stringify(answers.trail.next)).not.toContain("crash");
  });

  it("are the pair that shows what grew", () => {
    const hour = 3600n * 10_000_000n;
    const at = (later: bigint, count: number) =>
      buildDump({
        ...plan,
        seed: 4711,
        form: "bitmap-kernel",
        counts: [counted("AdvW", false, 0xe0, count, 60_000)],
        header: (system) => ({
          ...live(LIVE).header?.(system),
          systemTime: 133_456_789_012_345_678n + later,
          upTime: 36_000_000_000n + later,
        }),
      });
    using older = openDump(at(0n, 96_000));
    using newer = openDump(at(hour, 126_000));
    const growth = newer.since(older);
    expect(growth).toMatchObject({ seconds: 3600, sameStart: true });
    expect(growth.tags.find(({ tag }) => tag === "AdvW")).toMatchObject({
      nonPaged: { outstanding: 30_000 },
    });
    expect(newer.leakSigns("AdvW", older).reasons[0]).toMatchObject({ kind: "grew", outstanding: 30_000 });
  });

  it("of a machine whose pool is full make nobody a victim", () => {
    const used = ask(plan, (dump) => dump.memory().pages.pagedUsage ?? 0);
    const trail = ask({ ...plan, ...live(LIVE), pagedMaximum: used }, (dump) => dump.trace("AdvW"));
    expect(trail.crash?.victim).toBe(false);
  });

  it.each([
    ["but the page that the list of modules begins on", true],
    ["at all", false],
  ])("say so where they hold kernel stacks only, and nothing of nt %s", (_, withList) => {
    const stacks: Partial<Plan> = {
      header: (system) => {
        const { base, size } = system.image("ntoskrnl.exe");
        const list = Number(system.nt("PsLoadedModuleList") - base) & ~0xfff;
        for (let at = 0; at < size; at += 0x1000) {
          const page = base + BigInt(at);
          if (system.machine.physicalAddress(page) === undefined || (at === list && withList)) continue;
          system.machine.setState(page, 0x1000, "not-in-dump");
        }
        return { ...live(LIVE).header?.(system) };
      },
    };
    const answers = ask({ ...plan, ...stacks }, (dump) => ({
      modules: dump.modules.items.length,
      info: dump.info(),
      trail: dump.trace("AdvW"),
    }));
    expect(answers.modules > 0).toBe(withList);
    expect(answers.info.notes.join()).toContain("this live dump holds kernel stacks only");
    expect(answers.trail.conclusion.text).toMatch(/^This live dump holds kernel stacks only/);
    expect(answers.trail.next[0]).toContain("Full live kernel memory dump");
  });

  it("of all of the kernel are not taken for such", () => {
    const trail = ask({ ...plan, ...live(LIVE) }, (dump) => dump.trace("AdvW"));
    expect(trail.conclusion.text).not.toContain("stacks only");
  });
});

describe("tools among the modules, on whole machines", () => {
  const plan: Omit<Plan, "seed" | "form"> = {
    arch: "x64",
    drivers: ["advworks", "nwindav"],
    counts: [ADVW],
    absent: [
      { name: "winpmem_x64.sys", base: 0xfffff80490000000n, size: 0x9000 },
      { name: "myfault.sys", base: 0xfffff80490100000n, size: 0x7000 },
    ],
  };

  it("are named as what they are", () => {
    const { tools, notes } = ask(plan, (dump) => ({
      tools: dump.modules.list().modules.flatMap(({ name, tool }) => (tool === null ? [] : [[name, tool]])),
      notes: dump.info().notes.join("\n"),
    }));
    expect(tools).toEqual([
      ["winpmem_x64", { name: "WinPmem", kind: "acquisition", confirmed: false }],
      ["myfault", { name: "NotMyFault", kind: "leak-maker", confirmed: false }],
    ]);
    expect(notes).toContain("winpmem_x64.sys is by its name WinPmem");
    expect(notes).toContain("being there makes it no suspect");
    expect(notes).toContain("myfault.sys is by its name NotMyFault: it leaks and crashes on purpose");
  });

  it("are named in the text of the list", () => {
    const text = ask(plan, (dump) =>
      renderText("modules", dump.modules.list(), { style: PLAIN, pointerSize: 8 }),
    );
    expect(text).toMatch(
      / myfault .*; by its name NotMyFault: it leaks and crashes on purpose, for practice/,
    );
    expect(text).not.toMatch(/ advworks .*by its name/);
  });

  it("do not stand in the way of the one who leaks", () => {
    const trail = ask(plan, (dump) => dump.trace("AdvW"));
    expect(trail.conclusion.module).toBe("advworks");
    expect(trail.suspects.map(({ module }) => module)).not.toContain("winpmem_x64");
    expect(trail.notes.join()).toContain("WinPmem");
  });
});

describe("a driver that Driver Verifier stopped the machine for", () => {
  const stop =
    (count: bigint, file: string) =>
    (system: { machine: import("../../samples/writer/machine.mjs").Machine }) => {
      const name = system.machine.allocate(16);
      system.machine.unicodeString(name, file);
      const parameters = [0x62n, name, system.machine.allocate(0x80), count] as const;
      return { bugcheck: { code: 0xc4, parameters } };
    };
  const plan = (count: bigint, file: string): Omit<Plan, "seed" | "form"> => ({
    arch: "x64",
    drivers: ["advworks", "citypw", "nwindav"],
    counts: [counted("AdvW", false, 0xe0, 96_000, 700_000)],
    header: stop(count, file),
  });

  it("is named, with what it left, and first", () => {
    const trail = ask(plan(96_000n, "advworks.sys"), (dump) => dump.trace("AdvW"));
    expect(trail.crash).toMatchObject({
      unfreed: { file: "advworks.sys", allocations: 96_000 },
      victim: false,
    });
    expect(trail.conclusion).toMatchObject({ module: "advworks", confidence: "high" });
    const evidence = trail.suspects[0]?.evidence.find(({ kind }) => kind === "left-unfreed");
    expect(evidence?.detail).toBe(
      "was unloaded and had not freed 96,000 allocations, as many as there are of the tag: Driver Verifier stopped the machine for it",
    );
    expect(evidence?.points).toBe(40);
  });

  it("is not blamed for a tag that it has nothing to do with", () => {
    const trail = ask(plan(3n, "nwindav.sys"), (dump) => dump.trace("AdvW"));
    expect(trail.conclusion.module).toBe("advworks");
    const nwindav = trail.suspects.find(({ module }) => module === "nwindav");
    expect(nwindav?.evidence.find(({ kind }) => kind === "left-unfreed")?.points).toBe(0);
    expect(trail.crash?.text.join()).toContain("nwindav.sys was unloaded and had not freed 3 allocations");
  });

  it("is told of also where it is in no list any more", () => {
    const trail = ask(plan(12n, "gone.sys"), (dump) => dump.trace("AdvW"));
    expect(trail.crash?.text[0]).toContain(
      "gone.sys (not in the list of modules any more) was unloaded and had not freed 12",
    );
  });
});

describe("what Driver Verifier lists of the drivers that it checks", () => {
  const ADVW_KEY = 0x57766441;
  const listed = 400;

  /** Verifier with pool tracking on, and one driver's entry with its pages (public symbols of 19041). */
  const verified =
    (file: string, allocations: number) =>
    (system: SystemLike): void => {
      const { machine } = system;
      const data = system.nt("MmVerifierData");
      for (const [i, value] of [8, 0, 7, 0, 900_000, 900_000].entries())
        machine.u32(data + BigInt(i * 4), value);
      const image = system.image(file);
      const entry = machine.allocate(0xa0);
      const head = system.nt("MiState") + 0x3e0n;
      machine
        .pointer(head, entry)
        .pointer(head + 8n, entry)
        .pointer(entry, head)
        .pointer(entry + 8n, head);
      machine.unicodeString(entry + 0x18n, file);
      machine.pointer(entry + 0x28n, image.base).pointer(entry + 0x30n, image.base + BigInt(image.size));
      machine.u32(entry + 0x74n, allocations).u32(entry + 0x7cn, allocations);
      let next = 0n;
      for (let left = allocations; left > 0; left -= 127) {
        const page = machine.allocate(0x1000, { align: 0x1000 });
        machine
          .pointer(page, next)
          .pointer(page + 8n, entry)
          .pointer(page + 16n, 0x5669_5067_0000n);
        for (let i = 1; i <= Math.min(127, left); i++) {
          const row = page + BigInt(i * 0x20);
          machine.pointer(row, page + 0x10_0000_0000n).pointer(row + 8n, image.base + 0x1234n);
          machine.pointer(row + 16n, 0xd0).pointer(row + 24n, ADVW_KEY);
        }
        next = page;
      }
      machine.pointer(entry + 0x58n, next | 1n);
    };
  const plan = (file: string, allocations: number): Omit<Plan, "seed" | "form"> => ({
    arch: "x64",
    drivers: ["advworks", "citypw", "nwindav"],
    counts: [counted("AdvW", false, 0xe0, listed, 9_000)],
    also: verified(file, allocations),
  });

  it("names the driver that has most of what there is", () => {
    const trail = ask(plan("nwindav.sys", 380), (dump) => dump.trace("AdvW"));
    const evidence = trail.suspects.find(({ module }) => module === "nwindav")?.evidence[0];
    expect(evidence).toMatchObject({ kind: "tracked", points: 60 });
    expect(evidence?.detail).toMatch(
      /^has not freed 380 allocations of the 400 that are there \(79,040 bytes\), as Driver Verifier lists them/,
    );
    expect(trail.notes.join()).toContain("of nwindav.sys");
  });

  it("is not all where their list breaks off, and that is said", () => {
    const { also, ...rest } = plan("nwindav.sys", 380);
    const broken = (system: SystemLike): void => {
      also?.(system);
      const { machine } = system;
      machine.pointer(machine.readPointer(system.nt("MiState") + 0x3e0n), 0x10n);
    };
    const trail = ask({ ...rest, also: broken }, (dump) => dump.trace("AdvW"));
    expect(trail.notes).toContain(
      "the list of the drivers that Driver Verifier checks ends early: others are not known",
    );
  });

  it("says little against one that has a few", () => {
    const trail = ask(plan("nwindav.sys", 20), (dump) => dump.trace("AdvW"));
    const evidence = trail.suspects.find(({ module }) => module === "nwindav")?.evidence;
    expect(evidence?.find(({ kind }) => kind === "tracked")?.points).toBe(0);
    expect(trail.conclusion.module).not.toBe("nwindav");
  });
});

describe("a machine that was hibernated", () => {
  const made = containerMachine("x64");

  it("is not said to be a live dump of stacks where no kernel is found", () => {
    const machine = new Machine({ mode: "x64", physicalPages: 0x400, chunkFrames: 8 });
    machine.map(0xfffff80640000000n, 0x8000);
    using dump = openDump(writeHibernation(machine, { form: "10" }));
    expect(dump.modules.items).toEqual([]);
    expect(dump.info().notes.join()).not.toMatch(/stacks/);
  });

  it.each(["7", "10"])("is not said to have crashed: Windows %s", (version) => {
    const files = CONTAINERS[`hibernation file, Windows ${version}`]?.(made) ?? {};
    using dump = openDump(files["hiberfil.sys"]!);
    expect(dump.info()).toMatchObject({ bugcheck: null, exception: null, stoppedAt: null });
    const options = { style: PLAIN, pointerSize: 8 } as const;
    const text = renderText("info", dump.info(), options);
    expect(text).toMatch(/^taken +2023-11-28T21:01:41.234Z, when the machine was hibernated$/m);
    const traced = renderText("trace", answerOf(dump, { command: "trace", tags: ["Se"] }), options);
    expect(`${text}${traced}`).not.toMatch(/crash/i);
  });
});
