import type { Image } from "../pe/image.ts";
import { sectionSpan } from "../pe/sections.ts";
import type { HeadersDocument } from "./documents.ts";
import { layoutNotes } from "./image-notes.ts";
import { plural, stopText } from "./words.ts";

/**
 * The headers of one image, its directories and its sections.
 *
 * @param name as the answer is to call it
 */
export function headersDocument(name: string, image: Image): HeadersDocument {
  const headers = image.headers;
  const { pdb, version } = image;
  return {
    module: name,
    base: image.base,
    machine: headers.machine,
    header: {
      machine: headers.machineCode,
      numberOfSections: headers.sectionCount,
      timestamp: headers.timestamp,
      filePointerToSymbolTable: headers.symbolTableOffset,
      numberOfSymbols: headers.symbolCount,
      sizeOfOptionalHeader: headers.optionalHeaderSize,
      characteristics: headers.characteristics,
      magic: headers.magic,
      majorLinkerVersion: headers.linkerVersion.major,
      minorLinkerVersion: headers.linkerVersion.minor,
      sizeOfCode: headers.codeSize,
      sizeOfInitializedData: headers.initializedDataSize,
      sizeOfUninitializedData: headers.uninitializedDataSize,
      addressOfEntryPoint: headers.entryPoint,
      baseOfCode: headers.codeBase,
      imageBase: headers.preferredBase,
      sectionAlignment: headers.sectionAlignment,
      fileAlignment: headers.fileAlignment,
      subsystem: headers.subsystem,
      majorOperatingSystemVersion: headers.osVersion.major,
      minorOperatingSystemVersion: headers.osVersion.minor,
      majorImageVersion: headers.imageVersion.major,
      minorImageVersion: headers.imageVersion.minor,
      majorSubsystemVersion: headers.subsystemVersion.major,
      minorSubsystemVersion: headers.subsystemVersion.minor,
      sizeOfImage: headers.imageSize,
      sizeOfHeaders: headers.headersSize,
      checksum: headers.checksum,
      sizeOfStackReserve: headers.stackReserve,
      sizeOfStackCommit: headers.stackCommit,
      sizeOfHeapReserve: headers.heapReserve,
      sizeOfHeapCommit: headers.heapCommit,
      dllCharacteristics: headers.dllCharacteristics,
    },
    directories: headers.directories,
    sections: headers.sections.map((section) => ({
      name: section.name,
      rva: section.rva,
      virtualSize: section.virtualSize,
      fileOffset: section.fileOffset,
      fileSize: section.fileSize,
      characteristics: section.characteristics,
      readable: image.space.readableBytes(image.addressOf(section.rva), sectionSpan(section)),
    })),
    pdb:
      pdb.state === "present"
        ? { signature: pdb.value.signature, age: pdb.value.age, path: pdb.value.path }
        : null,
    version: version.state === "present" ? Object.fromEntries(version.value.strings) : null,
    notes: notesOf(image),
  };
}

function notesOf(image: Image): readonly string[] {
  const notes: string[] = [...layoutNotes(image)];
  const { pdb, signature, symbols, version } = image;
  if (pdb.state === "unreadable") notes.push(`the debug record cannot be read: ${stopText(pdb.reason)}`);
  if (version.state === "unreadable")
    notes.push(`the version resource cannot be read: ${stopText(version.reason)}`);
  if (version.state === "present" && version.value.cut !== undefined)
    notes.push(`the version resource ends early: ${stopText(version.value.cut)}`);
  // In memory no image has its signature.
  if (image.layout === "file" && signature.state === "unreadable")
    notes.push(`the signature cannot be read: ${stopText(signature.reason)}`);
  if (symbols.state === "unreadable")
    notes.push(`the symbol table cannot be read: ${stopText(symbols.reason)}`);
  if (symbols.state === "present" && symbols.value.leftOut > 0) {
    const some = plural(symbols.value.leftOut, "symbol");
    notes.push(
      `${some} cannot be read: their names or places make no sense, or the table is longer than any real one`,
    );
  }
  return notes;
}
