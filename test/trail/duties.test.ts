import { expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import type { Image } from "../../src/pe/image.ts";
import { dutyOf } from "../../src/trail/duties.ts";
import { acquirersNamed } from "../../src/trail/pairs/table.ts";
import { codeImage } from "../fixtures/code-image.ts";

function decodedOf(image: Image) {
  const code = analyzeImage(image);
  const flows = new DataFlow(code);
  return { image: code, flows, graph: new CallGraph(flows) };
}

/** IRP_MN_QUERY_DEVICE_RELATIONS as a bus driver answers it: (IRP *irp, DEVICE_OBJECT *device). */
const REPORTS = [
  "53", // 1000: push rbx
  "56", // 1001: push rsi
  "48 83 ec 28", // 1002: sub rsp,0x28
  "48 89 cb", // 1006: mov rbx,rcx
  "48 89 d6", // 1009: mov rsi,rdx
  "ff 15 f6 0f 00 00", // 100c: call ExAllocatePoolWithTag
  "48 85 c0", // 1012: test rax,rax
  "74 17", // 1015: je 102e
  "c7 00 01 00 00 00", // 1017: mov DWORD PTR [rax],1
  "48 89 43 38", // 101d: mov [rbx+0x38],rax   irp->IoStatus.Information
  "48 89 70 08", // 1021: mov [rax+8],rsi      relations->Objects[0]
  "48 89 f1", // 1025: mov rcx,rsi
  "ff 15 d2 0f 00 00", // 1028: call ObfReferenceObject
  "48 83 c4 28", // 102e: add rsp,0x28
  "5e", // 1032: pop rsi
  "5b", // 1033: pop rbx
  "c3", // 1034: ret
].join(" ");

/** References its device for a request, which it answers with a number. */
const COUNTS = [
  "53", // 1040: push rbx
  "48 83 ec 20", // 1041: sub rsp,0x20
  "48 89 cb", // 1045: mov rbx,rcx
  "48 89 d1", // 1048: mov rcx,rdx
  "ff 15 af 0f 00 00", // 104b: call ObfReferenceObject
  "48 89 43 38", // 1051: mov [rbx+0x38],rax
  "48 83 c4 20", // 1055: add rsp,0x20
  "5b", // 1059: pop rbx
  "c3", // 105a: ret
].join(" ");

it("leaves to the PnP manager what is put into an answer to an IRP, and nothing else", () => {
  const image = codeImage({
    size: 0x4000,
    parts: [
      { rva: 0x1000, bytes: REPORTS },
      { rva: 0x1040, bytes: COUNTS },
    ],
    slots: { ObfReferenceObject: 0x2000, ExAllocatePoolWithTag: 0x2008 },
    unwind: [
      [0x1000, 0x1035],
      [0x1040, 0x105b],
    ],
  });
  const decoded = decodedOf(image);
  const [row] = acquirersNamed("ObfReferenceObject");
  const keepers = decoded.graph
    .callersOf([0x2000])
    .map((edge) => [edge.at, dutyOf("Devi", row?.duties ?? [], decoded, edge, "ObfReferenceObject")?.keeper]);
  expect(keepers).toEqual([
    [0x1028, "pnp-manager"],
    [0x104b, undefined],
  ]);
});

/** Exchanges an operation's buffer: (FLT_CALLBACK_DATA *data). */
const EXCHANGES = [
  "53", // 1000: push rbx
  "48 83 ec 30", // 1001: sub rsp,0x30
  "48 89 cb", // 1005: mov rbx,rcx
  "48 c7 44 24 20 00 00 00 00", // 1008: mov QWORD PTR [rsp+0x20],0
  "ff 15 e9 0f 00 00", // 1011: call IoAllocateMdl
  "48 8b 4b 10", // 1017: mov rcx,[rbx+0x10]   data->Iopb
  "48 89 41 38", // 101b: mov [rcx+0x38],rax   Parameters.Read.MdlAddress
  "48 83 c4 30", // 101f: add rsp,0x30
  "5b", // 1023: pop rbx
  "c3", // 1024: ret
].join(" ");

/** Describes the buffer of the request: (DEVICE_OBJECT *device, IRP *irp). */
const DESCRIBES = [
  "53", // 1040: push rbx
  "48 83 ec 30", // 1041: sub rsp,0x30
  "48 89 d3", // 1045: mov rbx,rdx
  "48 c7 44 24 20 00 00 00 00", // 1048: mov QWORD PTR [rsp+0x20],0
  "ff 15 a9 0f 00 00", // 1051: call IoAllocateMdl
  "48 89 43 08", // 1057: mov [rbx+8],rax      irp->MdlAddress
  "48 83 c4 30", // 105b: add rsp,0x30
  "5b", // 105f: pop rbx
  "c3", // 1060: ret
].join(" ");

/** Puts memory into an IRP's AssociatedIrp.SystemBuffer, with these Flags. */
const buffers = (flags: string): string =>
  [
    "53", // push rbx
    "48 83 ec 30", // sub rsp,0x30
    "48 89 cb", // mov rbx,rcx
    `ff 15 ${flags === "30" ? "7a" : "3a"} 0f 00 00`, // call ExAllocatePoolWithTag
    "48 89 43 18", // mov [rbx+0x18],rax
    `c7 43 10 ${flags} 00 00 00`, // mov DWORD PTR [rbx+0x10],flags
    "48 83 c4 30", // add rsp,0x30
    "5b", // pop rbx
    "c3", // ret
  ].join(" ");

/** Who else frees what these functions allocate, by where they call for it. */
function keepers(imports: readonly string[]): readonly (readonly [number, string | undefined])[] {
  const others = imports.map((name, i) => [name, 0x2010 + 8 * i] as const);
  const image = codeImage({
    size: 0x4000,
    parts: [
      { rva: 0x1000, bytes: EXCHANGES },
      { rva: 0x1040, bytes: DESCRIBES },
      { rva: 0x1080, bytes: buffers("30") },
      { rva: 0x10c0, bytes: buffers("10") },
    ],
    slots: { IoAllocateMdl: 0x2000, ExAllocatePoolWithTag: 0x2008, ...Object.fromEntries(others) },
    unwind: [
      [0x1000, 0x1025],
      [0x1040, 0x1061],
      [0x1080, 0x109f],
      [0x10c0, 0x10df],
    ],
  });
  const decoded = decodedOf(image);
  const duties = {
    0x2000: acquirersNamed("IoAllocateMdl")[0]?.duties ?? [],
    0x2008: [{ keeper: "io-manager", putInto: "freed-buffer" }],
  } as const;
  return ([0x2000, 0x2008] as const).flatMap((slot) =>
    decoded.graph
      .callersOf([slot])
      .map((edge) => [edge.at, dutyOf("Mdl ", duties[slot], decoded, edge)?.keeper] as const),
  );
}

it("leaves to whoever completes a request what a driver puts into it", () => {
  // IRP_DEALLOCATE_BUFFER (0x20) is among the flags of the first buffer, and not of the second.
  expect(keepers(["FltRegisterFilter"])).toEqual([
    [0x1011, "filter-manager"],
    [0x1051, "io-manager"],
    [0x1088, "io-manager"],
    [0x10c8, undefined],
  ]);
});

it("leaves nothing to the filter manager where the driver is no minifilter, or keeps what it exchanged", () => {
  expect(keepers([])[0]).toEqual([0x1011, undefined]);
  expect(keepers(["FltRegisterFilter", "FltRetainSwappedBufferMdlAddress"])[0]).toEqual([0x1011, undefined]);
});
