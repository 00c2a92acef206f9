import { describe, expect, it } from "vitest";
import { advance, va } from "../../../src/core/address.ts";
import { ModuleMap } from "../../../src/core/module-map.ts";
import type { Image } from "../../../src/pe/image.ts";
import { codeDocument } from "../../../src/report/code-document.ts";
import { PLAIN } from "../../../src/report/style.ts";
import { renderText } from "../../../src/report/text.ts";
import { type ListingOptions, listCode } from "../../../src/trail/listing/code-listing.ts";
import type { TrailModule, TrailTarget } from "../../../src/trail/target.ts";
import { type CodeImageOptions, codeImage } from "../../fixtures/code-image.ts";

const BASE = 0x80000000n;

function targetOf(image: Image): TrailTarget {
  const module: TrailModule = {
    name: "drv",
    imageName: "drv.sys",
    path: null,
    base: image.base,
    end: advance(image.base, image.size),
    size: image.size,
    image,
    imageProblem: undefined,
    imports: image.imports,
    publisher: { company: null, thirdParty: null, basis: null },
  };
  return {
    space: image.space,
    modules: [module],
    moduleAt: (at) => new ModuleMap([module], (one) => one).at(at),
    resolve: () => undefined,
    build: undefined,
  };
}

/** What a listing of a 32-bit image says; `at` is an offset from its base. */
function list(options: CodeImageOptions, at: number, listing: ListingOptions = {}) {
  const image = codeImage({ machine: "x86", ...options });
  const found = listCode(targetOf(image), "x86", image.addressOf(at), listing);
  const document = codeDocument(found, image.pointerSize);
  const lines = document.pieces.flatMap((piece) => piece.lines);
  const text = renderText("code", document, { style: PLAIN, pointerSize: image.pointerSize });
  return { document, lines, text, texts: lines.map((line) => line.text) };
}

const line = (text: string, pattern: RegExp): string =>
  text.split("\n").find((row) => pattern.test(row)) ?? "";

describe("before an address", () => {
  // F: push ebp; mov ebp,esp; push 1; call G; ret — the call's last bytes also read as instructions of their own
  const code = {
    parts: [{ rva: 0x1000, bytes: "55 8b ec 6a 01 e8 03 00 00 00 5d c3 cc 33 c0 c3" }],
    exports: { F: 0x1000, G: 0x100d },
  };

  it("stand the instructions that run, counted from the function's start", () => {
    // objdump -D -b binary -m i386 --adjust-vma=0x80001000:
    // 80001000: 55              push   ebp
    // 80001001: 8b ec           mov    ebp,esp
    // 80001003: 6a 01           push   0x1
    // 80001005: e8 03 00 00 00  call   0x8000100d
    // 8000100a: 5d              pop    ebp
    const { lines } = list(code, 0x100a, { view: "before", lines: 3 });
    expect(lines.map(({ address, bytes, text }) => [Number(address - BASE), bytes, text])).toEqual([
      [0x1001, "8b ec", "mov     ebp,esp"],
      [0x1003, "6a 01", "push    1"],
      [0x1005, "e8 03 00 00 00", "call    drv!G (8000100d)"],
    ]);
    expect(lines.some(({ here }) => here)).toBe(false);
  });

  it("come those of the function that stands before it in memory", () => {
    const { document } = list(code, 0x100d, { view: "before", lines: 2 });
    expect(document.pieces.map(({ name, lines }) => [name, lines.map(({ text }) => text)])).toEqual([
      ["drv!F", ["ret"]],
      ["drv+0x100c", ["int     3"]],
    ]);
  });

  it("marks the line that holds an address inside an instruction, and says so", () => {
    const { lines, document } = list(code, 0x1007, { lines: 1 });
    expect(lines.map(({ here, text }) => [here, text])).toEqual([
      [false, "push    1"],
      [true, "call    drv!G (8000100d)"],
      [false, "pop     ebp"],
    ]);
    expect(document.notes).toEqual([
      "no instruction of the code starts at 80001007: it is 0x2 into the one at 80001005",
    ]);
  });

  it("lists from the very address on where u is asked for", () => {
    // 03 00: add eax,[eax]
    const { texts } = list(code, 0x1006, { view: "from", lines: 1 });
    expect(texts).toEqual(["add     eax,dword ptr [eax]"]);
  });
});

describe("a whole function", () => {
  // F: test eax,eax; je far; ret, then G: ret, and behind it what F jumps to: xor eax,eax; ret
  const code = {
    parts: [
      { rva: 0x1000, bytes: `85 c0 0f 84 18 00 00 00 c3 ${"cc ".repeat(7)} c3 ${"cc ".repeat(15)} 33 c0 c3` },
    ],
    exports: { F: 0x1000, G: 0x1010 },
  };

  it("is listed piece by piece, the one with the entry first", () => {
    const { document } = list(code, 0x1021, { view: "function" });
    expect(document.pieces.map((piece) => piece.lines.map(({ text }) => text))).toEqual([
      ["test    eax,eax", "je      drv+0x1020 (80001020)", "ret"],
      ["xor     eax,eax", "ret"],
    ]);
    expect(document.pieces.map(({ name }) => name)).toEqual(["drv!F", "drv!F"]);
  });

  it("is cut where fewer lines are wanted, and says what is left out", () => {
    const { texts, document } = list(code, 0x1000, { view: "function", lines: 3 });
    expect(texts).toHaveLength(3);
    expect(document.notes).toEqual(["3 more bytes of the function are not listed"]);
  });

  it("is cut after 32,768 instructions, and says what is left out (MAX_LISTED_LINES)", () => {
    const bytes = new Uint8Array(32_771).fill(0x90);
    const long = {
      machine: "x64",
      parts: [{ rva: 0x1000, bytes }],
      unwind: [[0x1000, 0x1000 + 32_771]],
    } as const;
    const { lines, document } = list(long, 0x1000, { view: "function" });
    expect(lines).toHaveLength(32_768);
    expect(document.notes[0]).toBe("3 more bytes of the function are not listed");
  });

  it("is cut after a megabyte, and says what is left out (MAX_LISTED_BYTES)", () => {
    // a nop and a hole, and behind the megabyte and what is read past it three bytes more
    const end = 0x1000 + 0x10_0100 + 3;
    const parts = [{ rva: 0x1000, bytes: new Uint8Array(end - 0x1000).fill(0x90) }];
    const holes = [[0x1001, 0x10_1000]] as const;
    const { lines, document } = list({ machine: "x64", parts, holes, unwind: [[0x1000, end]] }, 0x1000, {
      view: "function",
    });
    expect(lines[1]).toMatchObject({ kind: "hole", length: 0xf_ffff });
    expect(lines.reduce((sum, { length }) => sum + length, 0)).toBe(0x10_0100);
    expect(document.notes).toEqual(["3 more bytes of the function are not listed"]);
  });

  it("is none between functions", () => {
    const { document } = list(code, 0x1009, { view: "function" });
    expect(document.pieces).toEqual([]);
    expect(document.notes[0]).toMatch(/^no function is known at 80001009/);
  });
});

describe("what instructions refer to", () => {
  const data = Buffer.alloc(0x200);
  data.write("\\Device\\Drv", 0x40, "latin1");
  data.write("DosDevices", 0x80, "utf16le");
  data.writeUInt16LE(20, 0xc0);
  data.writeUInt16LE(22, 0xc2);
  data.writeUInt32LE(0x80002080, 0xc4);
  data.write("ObNm", 0xe0, "latin1");
  const image = (bytes: string, more: Partial<CodeImageOptions> = {}): CodeImageOptions => ({
    parts: [
      { rva: 0x1000, bytes },
      { rva: 0x2000, bytes: data, executable: false },
    ],
    slots: { ExAllocatePoolWithTag: 0x2000 },
    exports: { F: 0x1000 },
    ...more,
  });
  const all = (options: CodeImageOptions): string => list(options, 0x1000, { view: "function" }).text;

  it("has the tag in the order that it is written in, and the import by its name", () => {
    // push 'Se  '; push 10h; push 1; call [ExAllocatePoolWithTag]; ret
    const text = all(image("68 53 65 20 20 6a 10 6a 01 ff 15 00 20 00 80 c3"));
    expect(line(text, /push +2020/)).toMatch(/push {4}20206553h {2}; 'Se {2}'$/);
    expect(line(text, /call/)).toMatch(
      /call {4}dword ptr \[__imp ntoskrnl\.exe!ExAllocatePoolWithTag \(80002000\)\] {2}; \*\* A from here$/,
    );
  });

  it("knows a protected tag, and no tag in other numbers", () => {
    const { lines } = list(image("68 53 65 20 a0 68 22 00 00 c0 6a 41 c3"), 0x1000, { view: "function" });
    expect(lines.map(({ refers }) => refers.map(({ kind, text }) => [kind, text]))).toEqual([
      [["tag", "Se  "]],
      [],
      [],
      [],
    ]);
  });

  it("shows texts: ASCII, UTF-16, and what a counted string points to", () => {
    const text = all(image("68 40 20 00 80 68 80 20 00 80 68 c0 20 00 80 c3"));
    expect(line(text, /80002040/)).toMatch(
      /push {4}offset drv\+0x2040 \(80002040\) {2}; "\\\\Device\\\\Drv"$/,
    );
    expect(line(text, /80002080/)).toMatch(/; L"DosDevices"$/);
    expect(line(text, /800020c0/)).toMatch(/; L"DosDevices"$/);
  });

  it("says so where a text cannot be read", () => {
    const holes = [[0x2080, 0x20a0]] as const;
    const text = all(image("68 80 20 00 80 c3", { holes }));
    expect(line(text, /offset/)).toMatch(/; what stands there cannot be read: 0x80002080 is not mapped: PTE/);
  });

  it("shows the tag that a variable holds", () => {
    // mov eax,[800020e0]
    expect(all(image("a1 e0 20 00 80 c3"))).toContain("dword ptr [drv+0x20e0 (800020e0)]  ; holds 'ObNm'");
  });

  it("takes a number for an address only where relocations name it, if there are any", () => {
    const code = "68 40 20 00 80 68 40 20 00 80 c3";
    const { lines } = list(image(code, { relocations: [0x1001] }), 0x1000, { view: "function" });
    expect(lines.map(({ text }) => text)).toEqual([
      "push    offset drv+0x2040 (80002040)",
      "push    80002040h",
      "ret",
    ]);
  });

  it("names what a call through a register leads to", () => {
    // mov esi,[ExAllocatePoolWithTag]; call esi; ret
    const text = all(image("8b 35 00 20 00 80 ff d6 c3"));
    expect(line(text, /call/)).toMatch(
      /call {4}esi {2}; -> ntoskrnl\.exe!ExAllocatePoolWithTag; \*\* A from here$/,
    );
  });

  it("says which name a variable's function was looked up by", () => {
    const name = "SeQueryInformationToken";
    data.write(name, 0x100, "utf16le");
    data.writeUInt16LE(name.length * 2, 0x180);
    data.writeUInt16LE(name.length * 2 + 2, 0x182);
    data.writeUInt32LE(0x80002100, 0x184);
    // push 80002180; call [MmGetSystemRoutineAddress]; mov [80002190],eax; call [80002190]; ret
    const options = image("68 80 21 00 80 ff 15 04 20 00 80 a3 90 21 00 80 ff 15 90 21 00 80 c3", {
      slots: { MmGetSystemRoutineAddress: 0x2004 },
    });
    expect(line(all(options), /call +dword ptr \[drv/)).toMatch(
      /\[drv\+0x2190 \(80002190\)\] {2}; SeQueryInformationToken, looked up by its name; \*\* A from here$/,
    );
  });

  it("marks what happens to what a documented call acquires", () => {
    // push 0; push 4; call [IoAllocateIrp]; test eax,eax; je 101b; test [ecx],1; jne 101c; mov [80002190],eax; 101b: ret; 101c: ret
    const options = image(
      "6a 00 6a 04 ff 15 04 20 00 80 85 c0 74 0d 90 f6 01 01 75 08 90 a3 90 21 00 80 90 c3 c3",
      {
        slots: { IoAllocateIrp: 0x2004 },
      },
    );
    const { lines, text } = list(options, 0x1000, { view: "function" });
    expect(
      lines.flatMap(({ address, marks }) => marks.map((mark) => [Number(address - BASE), mark])),
    ).toEqual([
      [0x1004, { value: "A", what: "acquires", name: "IoAllocateIrp" }],
      [0x100c, { value: "A", what: "tests", name: null }],
      [0x1015, { value: "A", what: "stores", name: null }],
      [0x101c, { value: "A", what: "returns", name: null }],
    ]);
    expect(text).toMatch(/call +dword ptr .*; .*\*\* A from here/);
    expect(text).toMatch(/ret {2}; \*\* returns A/);
  });

  it("marks an IRP as given back where it is sent, if the I/O manager frees what was built so", () => {
    // push 0, six times; push 1b; call [2004]; test eax,eax; je 1020; push eax; push ecx; call [2008]; 1020: ret
    const bytes = `${"6a 00 ".repeat(6)}6a 1b ff 15 04 20 00 80 85 c0 74 08 50 51 ff 15 08 20 00 80 c3`;
    const sent = (builds: string): readonly unknown[] =>
      list(image(bytes, { slots: { [builds]: 0x2004, IoCallDriver: 0x2008 } }), 0x1000, {
        view: "function",
      }).lines.flatMap(({ address, marks }) =>
        Number(address - BASE) === 0x101a ? marks.map(({ what }) => what) : [],
      );
    expect(sent("IoBuildSynchronousFsdRequest")).toEqual(["releases"]);
    // its completion routine has to free it
    expect(sent("IoBuildAsynchronousFsdRequest")).toEqual(["passes"]);
  });

  it("sees what is moved to the top of the stack for a call, as GCC does, and not pushed", () => {
    // sub esp,8; mov [esp+4],0; mov [esp],1; call [2004]; sub esp,8; test eax,eax; je 102b;
    // mov [esp],eax; call [2008]; sub esp,4; 102b: add esp,8; ret
    const bytes = `83 ec 08 c7 44 24 04 00 00 00 00 c7 04 24 01 00 00 00 ff 15 04 20 00 80 83 ec 08 85 c0 74 0c
                   89 04 24 ff 15 08 20 00 80 83 ec 04 83 c4 08 c3`;
    const marks = (frees: string): readonly unknown[] =>
      list(image(bytes, { slots: { IoAllocateIrp: 0x2004, [frees]: 0x2008 } }), 0x1000, {
        view: "function",
      }).lines.flatMap((row) => row.marks.map(({ what }) => what));
    expect(marks("IoFreeIrp")).toEqual(["acquires", "tests", "copies", "releases"]);
    expect(marks("IoReuseIrp")).toEqual(["acquires", "tests", "copies", "passes", "forgets"]);
  });

  it("marks a handle as given back by what closes its source only where the options say so", () => {
    // sub esp,4; lea eax,[esp]; push 0, three times; push eax; call [2004]; test eax,eax; jl 102d;
    // push options; push 0, three times; push -1; push [esp+14]; push -1; call [2008]; 102d: add esp,4; ret
    const marks = (options: string): readonly unknown[] =>
      list(
        image(
          `83 ec 04 8d 04 24 6a 00 6a 00 6a 00 50 ff 15 04 20 00 80 85 c0 7c 16
           6a ${options} 6a 00 6a 00 6a 00 6a ff ff 74 24 14 6a ff ff 15 08 20 00 80 83 c4 04 c3`,
          { slots: { ZwOpenProcess: 0x2004, ZwDuplicateObject: 0x2008 } },
        ),
        0x1000,
        { view: "function" },
      ).lines.flatMap((row) => row.marks.map(({ what }) => what));
    expect(marks("01")).toContain("releases");
    expect(marks("02")).not.toContain("releases");
    expect(marks("02")).toContain("forgets");
  });

  it("marks what each of many calls acquires, with a name of its own", () => {
    // 28 times: push 0; push 4; call [IoAllocateIrp]; and ret
    const options = image(`${"6a 00 6a 04 ff 15 04 20 00 80 ".repeat(28)} c3`, {
      slots: { IoAllocateIrp: 0x2004 },
    });
    const acquired = list(options, 0x1000, { view: "function" }).lines.flatMap(({ marks }) =>
      marks.flatMap(({ what, value }) => (what === "acquires" ? [value] : [])),
    );
    expect(acquired).toHaveLength(28);
    expect(acquired.slice(24)).toEqual(["Y", "Z", "A2", "B2"]);
  });
});

describe("what cannot be listed", () => {
  const code = { parts: [{ rva: 0x1000, bytes: `90 90 ${"90 ".repeat(0x2e)} c3` }], exports: { F: 0x1000 } };

  it("has a line that says why bytes cannot be read", () => {
    const { lines, text } = list({ ...code, holes: [[0x1010, 0x1020]] }, 0x1010, { lines: 2 });
    expect(lines.find(({ kind }) => kind === "hole")).toMatchObject({
      address: BASE + 0x1010n,
      bytes: "??",
      text: null,
      here: true,
      fault: { kind: "not-mapped", detail: "0x80001010 is not mapped: PTE not present" },
    });
    expect(text).toMatch(/^> 80001010 {2}\?\? +not readable: 0x80001010 is not mapped/m);
  });

  // 8e /1 has a length in the opcode map, and is `mov cs`: the line had no text and was an instruction all the same
  it("is an encoding that no processor runs", () => {
    const { lines, text } = list(
      { parts: [{ rva: 0x1000, bytes: "8e 48 00 c3" }], exports: { F: 0x1000 } },
      0x1000,
    );
    expect(lines[0]).toMatchObject({ kind: "bad", length: 3, bytes: "8e 48 00", text: null });
    expect(text).toContain("db      8eh,48h,00h  (no instruction)");
  });

  it("is another machine's code, which is said and not guessed at", () => {
    const image = codeImage({ machine: "arm64", parts: [{ rva: 0x1000, bytes: "c0 03 5f d6" }] });
    const document = codeDocument(listCode(targetOf(image), "arm64", image.addressOf(0x1000)), 8);
    expect(document.pieces).toEqual([]);
    expect(document.notes).toEqual([
      "arm64 instructions are not decoded; pooltrail read shows the bytes, and near the function",
    ]);
  });

  it("is listed without functions where no module holds the address", () => {
    const image = codeImage({ machine: "x86", parts: [{ rva: 0x1000, bytes: "33 c0 40 41 c3" }] });
    const target = { ...targetOf(image), modules: [], moduleAt: () => undefined };
    const document = codeDocument(listCode(target, "x86", image.addressOf(0x1002), { lines: 1 }), 4);
    expect(document.pieces[0]?.lines.map(({ text }) => text)).toEqual([
      "xor     eax,eax",
      "inc     eax",
      "inc     ecx",
    ]);
    expect(document.notes[0]).toMatch(/belongs to no module in the list/);
  });

  it("ends at the ends of memory", () => {
    const image = codeImage({ machine: "x86", ...code });
    const target = { ...targetOf(image), modules: [], moduleAt: () => undefined };
    for (const at of [0n, 0xfffffff0n])
      expect(codeDocument(listCode(target, "x86", va(at)), 4).pieces[0]?.lines[0]?.bytes).toBe("??");
    expect(listCode(target, "x86", va(0xffffffffn)).pieces).toEqual([]);
    expect(listCode(target, "x64", va(0xffffffffffffffffn)).pieces).toEqual([]);
  });
});
