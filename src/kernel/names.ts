import { hex, type Va } from "../core/address.ts";
import { MAX_FILE_NAME, MAX_UNICODE_BYTES } from "../core/limits.ts";
import { utf16Z } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** UNICODE_STRING: a length in bytes, and where the text stands. */
export interface UnicodeString {
  readonly length: number;
  readonly buffer: Va;
}

/**
 * The text, cut with its length said where it is longer than any name; `undefined` where it is empty or cannot be read.
 *
 * @param most in bytes
 */
export function readUnicode(
  space: AddressSpace,
  { length, buffer }: UnicodeString,
  most: number = MAX_UNICODE_BYTES,
): string | undefined {
  const bytes = space.tryRead(buffer, Math.min(length, most));
  const text = bytes === undefined ? "" : utf16Z(bytes);
  const cut = text.length * 2 === most && length > most;
  if (cut) return `${text}… (${length >>> 1} characters)`;
  return text === "" ? undefined : text;
}

/** A file's name, cut as `readUnicode` does where it is longer than any. */
export function cutFileName(name: string): string {
  return name.length <= MAX_FILE_NAME ? name : `${name.slice(0, MAX_FILE_NAME)}… (${name.length} characters)`;
}

/** What names are made of. */
export interface Nameable {
  /** `undefined`: it could not be read. */
  readonly imageName: string | undefined;
  readonly base: Va;
}

const KERNEL_IMAGES: ReadonlySet<string> = new Set([
  "ntoskrnl.exe",
  "ntkrnlpa.exe",
  "ntkrnlmp.exe",
  "ntkrpamp.exe",
  "ntkrla57.exe",
]);

/** The layers for each kind of PC; Windows installs one of them. */
const HAL_IMAGES: ReadonlySet<string> = new Set([
  "hal.dll",
  "halacpi.dll",
  "halaacpi.dll",
  "halmacpi.dll",
  "halapic.dll",
  "halmps.dll",
  "halsp.dll",
]);

/**
 * The modules' names as WinDbg's `lm` shows them: the kernel is `nt` and the hardware abstraction layer
 * `hal`, whatever their files are called; others are their file's name without its extension, with
 * `_` for what is no letter, digit or `_`. Where two would be the same, the later one's base follows.
 * A module whose name cannot be read is `unknown_` and its base.
 *
 * @param kernelBase where nt stands; `undefined`: the first module with a kernel's file name is it
 */
export function moduleNames(modules: readonly Nameable[], kernelBase: Va | undefined): readonly string[] {
  const kernel =
    modules.find((module) => module.base === kernelBase) ??
    modules.find((module) => isOneOf(KERNEL_IMAGES, module));
  const hal = modules.find((module) => isOneOf(HAL_IMAGES, module));
  const fixed = new Map([
    [hal, "hal"],
    [kernel, "nt"],
  ]);
  const taken = new Set<string>([kernel && "nt", hal && "hal"].filter((name) => name !== undefined));
  return modules.map((module) => {
    const known = fixed.get(module);
    if (known !== undefined) return known;
    const plain = plainName(module);
    const name = taken.has(plain.toLowerCase()) ? `${plain}_${digits(module.base)}` : plain;
    taken.add(name.toLowerCase());
    return name;
  });
}

function isOneOf(images: ReadonlySet<string>, { imageName }: Nameable): boolean {
  return imageName !== undefined && images.has(imageName.toLowerCase());
}

function plainName({ imageName, base }: Nameable): string {
  const dot = imageName?.lastIndexOf(".") ?? -1;
  const stem = (dot > 0 ? imageName?.slice(0, dot) : imageName) ?? "";
  return stem === "" ? `unknown_${digits(base)}` : stem.replace(/[^A-Za-z0-9_]/g, "_");
}

function digits(base: Va): string {
  return hex(base).slice(2);
}
