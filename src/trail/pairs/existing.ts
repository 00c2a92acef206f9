import type { Acquirer } from "./pair.ts";

/** Objects with a name that are opened, and driver and device objects, are there before and stay. */
const OPENS_NAMED =
  /^(?:Zw|Nt)Open(?:Section|Event|Semaphore|Mutant|Timer|SymbolicLinkObject|DirectoryObject)/;
export const STAYS: ReadonlySet<string> = new Set(["Driv", "Devi"]);

/** Whether a function gives what is there already. */
export function isExisting({ name, what, tags }: Acquirer): boolean {
  return (
    OPENS_NAMED.test(name) || (what === "reference" && tags.length > 0 && tags.every((tag) => STAYS.has(tag)))
  );
}
