import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson, spawnedPooltrail } from "../fixtures/cli.ts";
import { realDump } from "../fixtures/real-dumps.ts";
import { windivertDriver } from "../fixtures/windivert.ts";

const DUMP = "samples/article-2003.dmp";
const X64 = "samples/leak-x64.dmp";

interface Line {
  readonly address: string;
  readonly bytes: string;
  readonly text: string;
  readonly here: boolean;
  readonly kind: string;
}

function linesOf(...args: readonly string[]): readonly Line[] {
  return pooltrailJson(...args).pieces.flatMap(({ lines }: { lines: readonly Line[] }) => lines);
}

/** Address and bytes of each line that objdump printed. */
function objdump(transcript: string): readonly string[] {
  return [...transcript.matchAll(/^ *([0-9a-f]+):\s+((?:[0-9a-f]{2} )+)/gm)].map(
    ([, address, bytes]) => `0x${address} ${bytes?.trim()}`,
  );
}

const asObjdump = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ address, bytes }) => `${address} ${bytes}`);

describe("the call that leaks, of the article", () => {
  // pooltrail read … b8f069d8 0x56 as a file; objdump -D -b binary -m i386 -M intel --adjust-vma=0xb8f069d8
  const TRANSCRIPT = `
b8f069f5:	8b d1                	mov    edx,ecx
b8f069f7:	83 e2 07             	and    edx,0x7
b8f069fa:	03 c2                	add    eax,edx
b8f069fc:	89 45 ec             	mov    DWORD PTR [ebp-0x14],eax
b8f069ff:	85 c0                	test   eax,eax
b8f06a01:	90                   	nop
b8f06a02:	90                   	nop
b8f06a03:	8d 45 fc             	lea    eax,[ebp-0x4]
b8f06a06:	50                   	push   eax
b8f06a07:	6a 02                	push   0x2
b8f06a09:	56                   	push   esi
b8f06a0a:	ff 15 38 b9 f0 b8    	call   DWORD PTR ds:0xb8f0b938
b8f06a10:	85 c0                	test   eax,eax
b8f06a12:	0f 8c 0f 00 00 00    	jl     0xb8f06a27
b8f06a18:	8b 4d fc             	mov    ecx,DWORD PTR [ebp-0x4]
b8f06a1b:	8b 15 40 bc f0 b8    	mov    edx,DWORD PTR ds:0xb8f0bc40
`;

  it("stands among the instructions that another disassembler gives", () => {
    const lines = linesOf("code", DUMP, "b8f06a0a", "--lines", "11");
    const shown = lines.slice(0, 16);
    expect(asObjdump(shown)).toEqual(objdump(TRANSCRIPT));
    expect(lines.filter(({ here }) => here).map(({ text }) => text)).toEqual([
      "call    dword ptr [__imp nt!SeQueryInformationToken (b8f0b938)]",
    ]);
  });

  it("is the last line before its return address", () => {
    const { stdout } = pooltrail("ub", DUMP, "b8f06a10", "--lines", "2");
    expect(stdout).toBe(
      "ABCMiniFilter+0x29d8, entry b8f069d8, piece b8f069d8 to b8f06a2e (known by the flow of the code)\n" +
        "  b8f06a09  56            push    esi\n" +
        "  b8f06a0a  ff1538b9f0b8  call    dword ptr [__imp nt!SeQueryInformationToken (b8f0b938)]  ; ** A from here\n",
    );
  });

  it("is the first line from its own address on", () => {
    expect(linesOf("u", DUMP, "b8f06a0a", "--lines", "3").map(({ address }) => address)).toEqual([
      "0xb8f06a0a",
      "0xb8f06a10",
      "0xb8f06a12",
    ]);
  });
});

describe("uf nt!SeQueryInformationToken", () => {
  const { stdout } = pooltrail("uf", DUMP, "nt!SeQueryInformationToken");

  // 0: kd> s -a …: the article's ten places of the tag in this function; each is the immediate of a push
  it("has the tag at each of the article's places, and the allocator's name at each call", () => {
    const pushes = [
      ...stdout.matchAll(/^[> ] ([0-9a-f]{8}) {2}6853652020 +push +20206553h {2}; 'Se {2}'$/gm),
    ];
    expect(pushes.map(([, address]) => (Number.parseInt(address ?? "", 16) + 1).toString(16))).toEqual(
      "8096c909 8096c9e3 8096ca3e 8096caf2 8096cb3e 8096cb9d 8096cc44 8096cc65 8096cc96 8096ccbe".split(" "),
    );
    expect(stdout.match(/call {4}nt!ExAllocatePoolWithTag \(80894b78\)/g)).toHaveLength(10);
  });

  it("comes under the function's name, its piece, and how it is known", () => {
    expect(stdout.split("\n")[0]).toBe(
      "nt!SeQueryInformationToken, entry 8096c8cc, piece 8096c8cc to 8096ccf8 (known by the export table)",
    );
  });
});

describe("64-bit code in memory", () => {
  // pooltrail read … fffff80481401000 0x95; objdump -D -b binary -m i386:x86-64 -M intel --insn-width=12
  const TRANSCRIPT = `
fffff80481401018:	48 89 f9                            	mov    rcx,rdi
fffff8048140101b:	4c 8b 15 b6 10 00 00                	mov    r10,QWORD PTR [rip+0x10b6]        # 0xfffff804814020d8
fffff80481401022:	e8 b9 ff 7f fa                      	call   0xfffff8047bc00fe0
fffff80481401027:	48 8b 4c 24 40                      	mov    rcx,QWORD PTR [rsp+0x40]
fffff8048140102c:	4c 8d 44 24 28                      	lea    r8,[rsp+0x28]
fffff80481401031:	ba 01 00 00 00                      	mov    edx,0x1
fffff80481401036:	4c 8b 15 a3 10 00 00                	mov    r10,QWORD PTR [rip+0x10a3]        # 0xfffff804814020e0
fffff8048140103d:	e8 7e fe 7f fa                      	call   0xfffff8047bc00ec0
`;

  it("has the calls that Windows wrote over, with the slot and the function", () => {
    const lines = linesOf("ub", X64, "fffff804`81401042", "--lines", "8");
    expect(asObjdump(lines)).toEqual(objdump(TRANSCRIPT));
    expect(lines.slice(-2).map(({ text }) => text)).toEqual([
      "mov     r10,qword ptr [__imp nt!SeQueryInformationToken (fffff804`814020e0)]",
      "call    nt!SeQueryInformationToken (fffff804`7bc00ec0)",
    ]);
  });

  it("names what is called through registers", () => {
    expect(pooltrail("u", X64, "fffff804`8140120c", "--lines", "1").stdout).toMatch(
      /call {4}r12 {2}; -> nt!SeQueryInformationToken; \*\* given A; B from here$/m,
    );
  });
});

describe("one PE file", () => {
  const path = windivertDriver("x64");

  // objdump -d -M intel --insn-width=12 --start-address=0x140001228 --stop-address=0x14000126b WinDivert64.sys
  const TRANSCRIPT = `
   140001228:	48 89 5c 24 08                      	mov    QWORD PTR [rsp+0x8],rbx
   14000122d:	48 89 74 24 10                      	mov    QWORD PTR [rsp+0x10],rsi
   140001232:	57                                  	push   rdi
   140001233:	48 83 ec 20                         	sub    rsp,0x20
   140001237:	48 8b f9                            	mov    rdi,rcx
   14000123a:	33 c0                               	xor    eax,eax
   14000123c:	48 8d 1d 5d 0e 01 00                	lea    rbx,[rip+0x10e5d]        # 0x1400120a0
   140001243:	48 8d 35 56 0e 01 00                	lea    rsi,[rip+0x10e56]        # 0x1400120a0
   14000124a:	48 3b de                            	cmp    rbx,rsi
   14000124d:	73 4e                               	jae    0x14000129d
   14000124f:	83 3b 50                            	cmp    DWORD PTR [rbx],0x50
   140001252:	75 44                               	jne    0x140001298
   140001254:	48 8b 43 38                         	mov    rax,QWORD PTR [rbx+0x38]
   140001258:	48 89 1d 49 0e 01 00                	mov    QWORD PTR [rip+0x10e49],rbx        # 0x1400120a8
   14000125f:	48 85 c0                            	test   rax,rax
   140001262:	74 18                               	je     0x14000127c
   140001264:	4c 8b 05 ad 4b 01 00                	mov    r8,QWORD PTR [rip+0x14bad]        # 0x140015e18
`;

  it.skipIf(path === undefined)("is decoded as another disassembler does", () => {
    const lines = linesOf("u", path ?? "", "140001228", "--lines", "17");
    expect(asObjdump(lines)).toEqual(objdump(TRANSCRIPT));
    expect(lines[6]?.text).toBe("lea     rbx,[WinDivert64.sys+0x120a0 (00000001`400120a0)]");
  });

  it.skipIf(path === undefined)("takes an offset, an address and the file's name for one place", () => {
    const [first, ...others] = ["1228", "140001228", "WinDivert64.sys+1228", "windivert64+0x1228"].map(
      (address) => pooltrail("u", path ?? "", address).stdout,
    );
    expect(first).toMatch(/^> 00000001`40001228 /m);
    expect(others).toEqual([first, first, first]);
  });

  // unwind data counts the tables of a switch to its function; their words were shown as instructions
  it.skipIf(path === undefined)("has jump tables as such", () => {
    const lines = linesOf("uf", path ?? "", "1400040e0");
    expect(
      lines.filter(({ kind }) => kind !== "instruction").map(({ kind, address }) => [kind, address]),
    ).toEqual([["table", "0x140004494"]]);
    expect(lines.at(-1)?.kind).toBe("table");
  });

  it("takes a name that it exports", () => {
    const { stdout } = pooltrail(
      "u",
      "samples/images/x64/fltmgr.sys",
      "FltQuerySecurityObject",
      "--lines",
      "1",
    );
    expect(stdout).toMatch(/^fltmgr\.sys!FltQuerySecurityObject, entry /);
  });
});

describe("what cannot be listed", () => {
  it.skipIf(realDump("triage_arm64.dmp") === undefined)("is ARM64 code, and that is said", () => {
    const { stdout, code } = pooltrail("code", realDump("triage_arm64.dmp") ?? "", "nt+1000");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^note: arm64 instructions are not decoded; /);
  });

  it.each([
    [["code", DUMP], "code needs ADDRESS"],
    [["code", DUMP, "nt!Nosuch"], 'nt exports no "Nosuch" that can be read'],
    [["code", DUMP, "nt", "--lines", "0"], '--lines takes a number from 1 on, not "0"'],
    [["code", DUMP, "nt", "--view", "all"], '--view takes around, from, before, function, not "all"'],
    [["near", DUMP, "nt", "--lines", "3"], "near has no option --lines"],
  ])("is wrong usage: %s", (args, message) => {
    const { stderr, code } = pooltrail(...args);
    expect([code, stderr.split("\n")[0]]).toEqual([2, `pooltrail: ${message}`]);
  });
});

describe("at the prompt", () => {
  it("u, uf and ub print as the commands do", () => {
    const typed = ['u("b8f06a0a")', 'uf("nt!SeQueryInformationToken")', 'ub("b8f06a10", { lines: 3 })'];
    const { stdout } = spawnedPooltrail(`${typed.join("\n")}\n`, "repl", DUMP);
    const answers = stdout
      .split("pooltrail> ")
      .slice(1, -1)
      .map((answer) => answer.trimEnd());
    expect(answers).toEqual(
      [
        ["u", DUMP, "b8f06a0a"],
        ["uf", DUMP, "nt!SeQueryInformationToken"],
        ["ub", DUMP, "b8f06a10", "--lines", "3"],
      ].map((line) => pooltrail(...line).stdout.trimEnd()),
    );
  });
});

describe("where an address stands in its module", () => {
  it("is said by read and near, with the nearest export as what it is", () => {
    expect(pooltrail("read", DUMP, "b8f06a0a", "10").stdout.split("\n")[2]).toBe(
      "b8f06a0a is ABCMiniFilter+0x2a0a, with no exported name at or below it",
    );
    expect(pooltrail("db", DUMP, "8096c909", "10").stdout.split("\n")[2]).toBe(
      "8096c909 is nt+0x16c909 (nearest export nt!SeQueryInformationToken+0x3d)",
    );
    expect(pooltrail("ln", DUMP, "b8f06a0a").stdout).toMatch(/^ABCMiniFilter\+0x2a0a, with no exported name/);
    expect(pooltrailJson("near", DUMP, "b8f06a0a").symbols[0]).toMatchObject({ rva: 0x2a0a, below: null });
    expect(pooltrailJson("read", DUMP, "1000")).toMatchObject({ module: null, rva: null, below: null });
  });
});
