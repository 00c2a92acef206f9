import type { Va } from "../core/address.ts";
import type { FoundBlock, NoBlock, PoolBlock } from "../pool/block-at.ts";
import { knownOf } from "../trail/known/tag-knowledge.ts";
import type { PoolBlockRow, PoolDocument } from "./documents.ts";
import { meaningWords } from "./knowledge-words.ts";

/** Which block of a pool an address lies in, as plain data. @param module the loaded module that holds the address */
export function poolDocument(address: Va, found: FoundBlock | NoBlock, module: string | null): PoolDocument {
  if ("missing" in found) {
    return {
      address,
      module,
      block: null,
      offset: null,
      basis: null,
      meaning: null,
      page: [],
      missing: found.missing,
      notes: noteOn(found, module),
    };
  }
  const { block, basis, offset, page } = found;
  const known = knownOf(block.tag);
  return {
    address,
    module,
    block: rowOf(block),
    offset,
    basis,
    meaning: known === undefined ? null : meaningWords(known),
    page: page.map(rowOf),
    missing: null,
    notes:
      basis === "header"
        ? [
            "nothing but the block's header says so: how the heap divides this memory cannot be read, and the header may be left over from a block that was freed",
          ]
        : [],
  };
}

function rowOf({ start, bytes, tag, protected: isProtected, pool, free, quota }: PoolBlock): PoolBlockRow {
  return { address: start, bytes, tag, pool: pool ?? null, free, protected: isProtected, quota };
}

const REASONS: Readonly<Record<NoBlock["missing"], string>> = {
  triage: "a triage dump (minidump) does not hold the pool",
  "not-in-dump": "the page of this address is not in the dump",
  "no-block": "nothing there proves to be a block of a pool",
};

function noteOn({ missing }: NoBlock, module: string | null): readonly string[] {
  return module === null ? [REASONS[missing]] : [`it is an address of ${module}, and of no pool`];
}
