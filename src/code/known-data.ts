import { BitSet } from "../core/bit-set.ts";
import type { ModuleCode } from "./module-code.ts";

/** What in the executable sections is no code, as far as the headers tell. */
export interface KnownData {
  /** Directories that linkers put there. */
  readonly sure: BitSet;
  /**
   * What follows the import descriptors, usually to the end of INIT: the names, whose places nothing but the
   * descriptors tells. Code may follow them.
   */
  readonly likely: BitSet;
}

export function knownData(code: ModuleCode): KnownData {
  const sure = new BitSet(code.image.size);
  const likely = new BitSet(code.image.size);
  for (const { name, rva, size } of code.image.directories) {
    if (rva === 0 || name === "security" || !code.isCode(rva)) continue;
    const section = code.sections.find(({ start, end }) => rva >= start && rva < end);
    if (section === undefined) continue;
    sure.addRange(rva, Math.min(rva + size, section.end));
    if (name === "import") likely.addRange(rva, section.end);
  }
  return { sure, likely };
}
