import { BitSet } from "./bit-set.ts";
import type { ModuleCode } from "./module-code.ts";

/**
 * What in the executable sections is no code: directories that linkers put there. Behind the import descriptors, at
 * the end of INIT, stand the names, whose places nothing but the descriptors tells.
 */
export function knownData(code: ModuleCode): BitSet {
  const data = new BitSet(code.image.size);
  for (const { name, rva, size } of code.image.directories) {
    if (rva === 0 || name === "security" || !code.isCode(rva)) continue;
    const section = code.sections.find(({ start, end }) => rva >= start && rva < end);
    if (section === undefined) continue;
    data.addRange(rva, name === "import" ? section.end : Math.min(rva + size, section.end));
  }
  return data;
}
