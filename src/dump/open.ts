import { Bytes } from "../core/bytes.ts";
import type { ByteSource } from "../source/source.ts";
import { crashDump } from "./crash-dump.ts";
import { elfCore } from "./elf-core.ts";
import { whatElse } from "./foreign.ts";
import { type DumpFiles, type DumpFormat, HEAD_SIZE, type OpenedDump } from "./format.ts";
import { hibernation } from "./hibernation.ts";
import { kdump } from "./kdump.ts";
import { lime } from "./lime.ts";
import { rawMemory } from "./raw.ts";
import { vmwareMemory, vmwareState } from "./vmware.ts";

/** The formats that are read. The first that knows a file takes it, so one without a signature stands last. */
const FORMATS: readonly DumpFormat[] = [
  crashDump,
  elfCore,
  kdump,
  lime,
  hibernation,
  vmwareState,
  vmwareMemory,
  rawMemory,
];

/**
 * Reads what a dump is and where its memory stands. A dump that was cut off opens, and `notes` says what is missing.
 *
 * @param sibling gives a file by its name from the folder of the dump
 * @throws {FormatError} it is of no format that is read, or nothing can be read of it; the message says what
 * the file is and what to do
 */
export function readDump(main: ByteSource, sibling: DumpFiles["sibling"] = () => undefined): OpenedDump {
  return openWith(FORMATS, { main, sibling });
}

/**
 * As `readDump`, by other formats.
 *
 * @throws {FormatError} as `readDump`
 * @internal
 */
export function openWith(formats: readonly DumpFormat[], files: DumpFiles): OpenedDump {
  const { main } = files;
  const array = new Uint8Array(Math.min(main.size, HEAD_SIZE));
  const head: Bytes = new Bytes(array.subarray(0, main.read(0, array)), main.name);
  const format = formats.find((candidate) => candidate.recognise(head, main.size));
  if (format !== undefined) return format.open(files);
  head.fail(
    0,
    "the signature",
    formats.flatMap(({ starts }) => starts ?? []).join(", or "),
    whatElse(head.array),
  );
}
