import type { Atom } from "../code/abstract-value.ts";
import type { Keeping } from "../code/fates.ts";
import type { ReleaseCall } from "./release-calls.ts";

/** Whether a release is of what is kept somewhere: by the place that it takes it from; or nobody can tell. */
export type Same = "same-place" | "perhaps" | "no";

/** Whether a release may be of what is kept there. */
export function releasesKept(
  { value, behind, ofFile }: Pick<ReleaseCall, "value" | "behind" | "ofFile">,
  keeping: Keeping,
): Same {
  if (ofFile && keeping.in === "field" && keeping.by !== undefined) return "no";
  const verdicts = value.map((atom) =>
    behind === undefined ? ofAtom(atom, keeping) : ofAddress(atom, keeping, behind),
  );
  if (verdicts.includes("same-place")) return "same-place";
  return verdicts.includes("perhaps") || value.length === 0 ? "perhaps" : "no";
}

/** What stands in nothing that is kept. */
const ELSEWHERE: ReadonlySet<Atom["kind"]> = new Set(["stack", "constant", "part"]);

function ofAtom(atom: Atom, keeping: Keeping): Same {
  switch (atom.kind) {
    case "loaded":
      if (keeping.in === "global") return taken(atom.rva, keeping.rva);
      return keeping.in === "unknown" || keeping.in === "callee" ? "perhaps" : "no";
    case "address":
      return keeping.in === "global" ? taken(atom.rva, keeping.rva) : "no";
    case "offset":
      // a structure that is linked by its middle: the pointer is what was kept, moved back
      if (atom.of.kind === "loaded" || atom.of.kind === "field" || atom.of.kind === "result")
        return ofAtom(atom.of, keeping);
      return keeping.in === "field" ? taken(atom.offset, keeping.offset) : "no";
    case "field":
      if (keeping.in === "field") return taken(atom.offset, keeping.offset);
      if (keeping.in !== "global") return "perhaps";
      // further on in a list that starts there
      return atom.of.kind === "loaded" ? taken(atom.of.rva, keeping.rva) : "no";
    case "unknown":
      return keeping.in === "field" && atom.behind === keeping.offset ? "same-place" : "perhaps";
    default:
      return ELSEWHERE.has(atom.kind) ? "no" : "perhaps";
  }
}

/** The same of the address of what holds it, so many bytes behind its start. */
function ofAddress(atom: Atom, keeping: Keeping, behind: readonly number[]): Same {
  const isHeldBy = (start: number, kept: number): boolean => behind.includes(kept - start);
  switch (atom.kind) {
    case "address":
      return keeping.in === "global" && isHeldBy(atom.rva, keeping.rva) ? "same-place" : "no";
    case "offset":
      return keeping.in === "field" && isHeldBy(atom.offset, keeping.offset) ? "same-place" : "no";
    case "unknown":
      return keeping.in === "field" && atom.moved !== undefined && isHeldBy(atom.moved, keeping.offset)
        ? "same-place"
        : "perhaps";
    default:
      if (ELSEWHERE.has(atom.kind)) return "no";
      return keeping.in === "field" && isHeldBy(0, keeping.offset) ? "same-place" : "perhaps";
  }
}

/** What is put on one end of a list may be taken from the other, whose pointer is the next one. */
function taken(from: number, kept: number): Same {
  if (from === kept) return "same-place";
  return Math.abs(from - kept) <= LIST_WORD ? "perhaps" : "no";
}

const LIST_WORD = 8;
