import { timestampText } from "./words.ts";

/** Machine types, as `!dh` names them. */
const MACHINES: Readonly<Record<number, string>> = {
  332: "i386",
  452: "ARM",
  512: "IA64",
  34404: "X64",
  43620: "ARM64",
};
const MAGICS: Readonly<Record<number, string>> = { 267: "PE32", 523: "PE32+" };
const SUBSYSTEMS: Readonly<Record<number, string>> = {
  1: "Native",
  2: "Windows GUI",
  3: "Windows CUI",
  7: "Posix CUI",
  9: "Windows CE GUI",
  10: "EFI application",
  11: "EFI boot service driver",
  12: "EFI runtime driver",
  13: "EFI ROM",
  14: "Xbox",
  16: "Windows boot application",
};
/** By bit, from the lowest. */
const CHARACTERISTICS: readonly (string | undefined)[] = [
  "relocations stripped",
  "executable",
  "line numbers stripped",
  "local symbols stripped",
  "aggressively trims its working set",
  "addresses over 2 GB",
  undefined,
  "bytes reversed, low",
  "32 bit word machine",
  "debug information stripped",
  "runs from swap if on removable media",
  "runs from swap if on the network",
  "system file",
  "DLL",
  "uniprocessor machines only",
  "bytes reversed, high",
];
const DLL_CHARACTERISTICS: readonly (string | undefined)[] = [
  ...Array.from({ length: 5 }, () => undefined),
  "high entropy addresses",
  "dynamic base",
  "integrity checked",
  "NX compatible",
  "no isolation",
  "no SEH",
  "do not bind",
  "AppContainer",
  "WDM driver",
  "control flow guard",
  "terminal server aware",
];

/**
 * What a field of the headers means, in words; empty where its figure says all.
 *
 * @see Microsoft PE Format, "Machine Types", "Characteristics", "Windows Subsystem", "DLL Characteristics"
 */
export function headerWords(name: string, value: number | bigint): string {
  // fields that the format calls addresses, and that are none by themselves
  if (name === "addressOfEntryPoint" || name === "baseOfCode") return "offset from the base";
  if (name === "filePointerToSymbolTable") return "offset in the file";
  if (typeof value !== "number") return "";
  switch (name) {
    case "machine":
      return MACHINES[value] ?? "";
    case "magic":
      return MAGICS[value] ?? "";
    case "subsystem":
      return SUBSYSTEMS[value] ?? "";
    case "characteristics":
      return bitsIn(value, CHARACTERISTICS);
    case "dllCharacteristics":
      return bitsIn(value, DLL_CHARACTERISTICS);
    case "timestamp":
      return timestampText(value);
    default:
      return "";
  }
}

/** The names of the bits that are set; one without a name is its figure. */
function bitsIn(value: number, names: readonly (string | undefined)[]): string {
  const bits = names.map((name, bit) => [2 ** bit, name] as const);
  return bits
    .filter(([bit]) => (value & bit) !== 0)
    .map(([bit, name]) => name ?? bit.toString(16).toUpperCase())
    .join(", ");
}
