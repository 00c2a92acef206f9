import { hex } from "../core/address.ts";
import type { Image } from "./image.ts";
import type { PdbRecord } from "./pdb.ts";

/** What a dump knows of a module; absent is what it does not know. */
export interface KnownImage {
  /** `ntoskrnl.exe` */
  readonly fileName: string;
  /** SizeOfImage, in bytes. */
  readonly size?: number;
  readonly timestamp?: number;
  readonly checksum?: number;
  readonly pdb?: PdbRecord;
}

/** Whether a file is the one that was loaded, and what speaks for it and against it. */
export interface ImageMatch {
  readonly matched: boolean;
  /** One sentence for each thing that was compared. */
  readonly because: readonly string[];
}

/**
 * Compares a PE file with a loaded module by all that is known of it. The name alone never matches:
 * the PDB's identity must be the same, or the size and the time stamp.
 *
 * @param fileName the file's name; a file that was renamed is also known by what its linker and its
 * version resource call it
 */
export function matchImage(file: Image, fileName: string, known: KnownImage): ImageMatch {
  const because: string[] = [];
  let matched = true;
  const compare = (what: string, mine: string, theirs: string | undefined): boolean => {
    if (theirs === undefined) return false;
    const same = mine === theirs;
    because.push(same ? `same ${what} ${mine}` : `${what} ${mine}, but the dump says ${theirs}`);
    matched &&= same;
    return same;
  };
  const number = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : hex(value);

  const names = namesOf(file, fileName);
  if (names.includes(known.fileName.toLowerCase())) because.push(`same name ${known.fileName}`);
  else {
    because.push(`named ${names.join(", ")}, but the dump says ${known.fileName}`);
    matched = false;
  }
  const size = compare("size of image", hex(file.size), number(known.size));
  const timestamp = compare("time stamp", hex(file.timestamp), number(known.timestamp));
  compare("checksum", hex(file.checksum), number(known.checksum));
  const own = file.pdb.state === "present" ? file.pdb.value.key : "none";
  const pdb = compare("PDB identity", own, known.pdb?.key);

  if (matched && !pdb && !(size && timestamp)) {
    because.push("too little is known of the module: neither its PDB identity, nor its size and time stamp");
    matched = false;
  }
  return { matched, because };
}

function namesOf(file: Image, fileName: string): readonly string[] {
  const names = [fileName.replace(/^.*[\\/]/, "")];
  if (file.dllName !== null) names.push(file.dllName);
  const version = file.version.state === "present" ? file.version.value : undefined;
  if (version !== undefined && version.originalFilename !== null) names.push(version.originalFilename);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}
