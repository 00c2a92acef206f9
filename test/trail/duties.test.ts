import { expect, it } from "vitest";
import { CallGraph } from "../../src/code/call-graph.ts";
import { DataFlow } from "../../src/code/data-flow.ts";
import { analyzeImage } from "../../src/code/functions.ts";
import { dutyOf } from "../../src/trail/duties.ts";
import { acquirersNamed } from "../../src/trail/pairs/table.ts";
import { codeImage } from "../fixtures/code-image.ts";

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
  const code = analyzeImage(image);
  const flows = new DataFlow(code);
  const graph = new CallGraph(flows);
  const [row] = acquirersNamed("ObfReferenceObject");
  const keepers = graph
    .callersOf([0x2000])
    .map((edge) => [
      edge.at,
      dutyOf("Devi", row?.duties ?? [], { image: code, flows, graph }, edge, "ObfReferenceObject")?.keeper,
    ]);
  expect(keepers).toEqual([
    [0x1028, "pnp-manager"],
    [0x104b, undefined],
  ]);
});
