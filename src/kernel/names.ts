import { hex, type Va } from "../core/address.ts";
import { MAX_UNICODE_BYTES } from "../core/limits.ts";
import { utf16Z } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** UNICODE_STRING: a length in bytes, and where the text stands. */
export interface UnicodeString {
  readonly length: number;
  readonly buffer: Va;
}

/** The text; `undefined` where it is empty or cannot be read. */
export function readUnicode(space: AddressSpace, { length, buffer }: UnicodeString): string | undefined {
  const bytes = space.tryRead(buffer, Math.min(length, MAX_UNICODE_BYTES));
  const text = bytes === undefined ? "" : utf16Z(bytes);
  return text === "" ? undefined : text;
}

/** The part after the last backslash. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("\\") + 1);
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

/**
 * The modules' names as WinDbg's `lm` shows them: the kernel is `nt`; others are their file's name
 * without its extension, with `_` for what is no letter, digit or `_`. Where two would be the same,
 * the later one's base follows. A module whose name cannot be read is `unknown_` and its base.
 *
 * @param kernelBase where nt stands; `undefined`: the first module with a kernel's file name is it
 */
export function moduleNames(modules: readonly Nameable[], kernelBase: Va | undefined): readonly string[] {
  const kernel =
    modules.find((module) => module.base === kernelBase) ??
    modules.find(({ imageName }) => imageName !== undefined && KERNEL_IMAGES.has(imageName.toLowerCase()));
  const taken = new Set<string>(kernel === undefined ? [] : ["nt"]);
  return modules.map((module) => {
    if (module === kernel) return "nt";
    const plain = plainName(module);
    const name = taken.has(plain.toLowerCase()) ? `${plain}_${digits(module.base)}` : plain;
    taken.add(name.toLowerCase());
    return name;
  });
}

function plainName({ imageName, base }: Nameable): string {
  const dot = imageName?.lastIndexOf(".") ?? -1;
  const stem = (dot > 0 ? imageName?.slice(0, dot) : imageName) ?? "";
  return stem === "" ? `unknown_${digits(base)}` : stem.replace(/[^A-Za-z0-9_]/g, "_");
}

function digits(base: Va): string {
  return hex(base).slice(2);
}
