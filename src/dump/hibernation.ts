import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import { fact, type MachineFacts } from "./facts.ts";
import type { DumpFormat } from "./format.ts";
import { indexBody } from "./hibernation-body.ts";
import { type HibernationHeader, isHibernationFile, readHibernationHeader } from "./hibernation-header.ts";
import { processorStateFacts } from "./processor-state.ts";

/** hiberfil.sys: the memory of a machine that was hibernated, in packed pieces. */
export const hibernation: DumpFormat = {
  starts: "HIBR or WAKE of a hibernation file",
  recognise: isHibernationFile,
  open({ main }) {
    const header = readHibernationHeader(main);
    const body = indexBody(main, header);
    if (body === undefined) noMemory(main, header);
    const notes = stateNotes(header);
    return {
      source: main,
      kind: "hibernation",
      memory: body,
      facts: factsOf(main, header),
      writer: undefined,
      header: undefined,
      // what is broken shows when it is unpacked
      get notes() {
        return [...notes, ...body.notes];
      },
    };
  },
};

const COPY_AGAIN = "hibernate the machine again, and copy the file while Windows is off";

function noMemory(file: ByteSource, { body, resumed }: HibernationHeader): never {
  const tables = body.form === "tables";
  const bytes: Bytes = readAt(file, tables ? body.start : body.kernel.start, PAGE_SIZE);
  const emptied = bytes.array.every((byte) => byte === 0);
  const other = tables ? "is of Windows Vista, which is not read, is encrypted" : "is encrypted";
  const found =
    bytes.length === 0
      ? "the end of the file; copy it again"
      : resumed || emptied
        ? `nothing: Windows was resumed from this file, and empties it then; ${COPY_AGAIN}`
        : `what cannot be unpacked: it ${other}, or was written over; copy it from the unlocked volume, while Windows is off`;
  bytes.fail(0, "the pages", `packed as Windows ${tables ? "7" : "8 and later"} packs them`, found);
}

function factsOf(file: ByteSource, { bits, systemTime, body }: HibernationHeader): MachineFacts {
  // Windows 7 ran on x64 only, where 64-bit files of later ones can be of ARM64
  const machine = bits === 32 ? "x86" : body.form === "tables" ? "x64" : undefined;
  return {
    source: "header",
    machine: fact(machine, "header"),
    roots: [],
    contexts: [],
    taken: fact(systemTime, "header"),
    ...(body.form === "tables" ? processorStateFacts(file, bits) : {}),
  };
}

function stateNotes({ resumed, fastStart }: HibernationHeader): readonly string[] {
  const notes: string[] = [];
  if (resumed) notes.push("Windows was resumed from this file: it shows the machine as it was before that");
  if (fastStart === true) {
    notes.push(
      "users were logged off before Windows was hibernated (fast start): the kernel, its drivers and its pools are here, and no user's processes",
    );
  }
  return notes;
}
