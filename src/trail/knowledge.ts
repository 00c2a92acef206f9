import { namesOf } from "../code/callees.ts";
import type { Effect, Given } from "../code/holding.ts";
import type { Knowledge } from "../code/ownership.ts";
import type { ModuleCodes } from "./module-codes.ts";
import { argumentWord } from "./pairs/signatures.ts";
import { acquirersNamed, consumersNamed, plainFree, releasesNamed } from "./pairs/table.ts";

/** What functions do with what they are given: by the table of pairs, and by the code of other modules. */
export function knowledgeOf(codes: ModuleCodes, wide: boolean): Knowledge {
  return {
    effect: (callee, given) => documentedEffect(namesOf(callee), given, wide),
    elsewhere: (callee) => {
      const found = codes.find(callee);
      const decoded = found === undefined ? undefined : codes.of(found.module);
      return found === undefined || decoded === undefined
        ? undefined
        : { flows: decoded.flows, entry: found.entry };
    },
    isKernel: ({ module }) => module !== undefined && isKernelName(module),
  };
}

function documentedEffect(
  names: readonly string[],
  { argument: place, within }: Given,
  wide: boolean,
): Effect | undefined {
  for (const name of names) {
    const isHere = (argument: number): boolean => (wide ? argument : argumentWord(name, argument)) === place;
    const consumer = consumersNamed(name).find(({ argument }) => isHere(argument));
    if (consumer !== undefined && within === undefined)
      return consumer.fate === "freed" ? "releases" : "keeps";
    const free = plainFree(name);
    const releases = releasesNamed(name);
    const isValue = within === undefined;
    if (free !== undefined && isHere(free.argument) && isValue === (free.field === undefined))
      return "releases";
    const own = releases.filter(({ argument }) => isHere(argument));
    if (own.some(({ takes = "value" }) => isValue === (takes === "value"))) return "releases";
    // what is put into another thing is that thing's; one more reference to it changes nothing
    const again = acquirersNamed(name).some(({ gives }) => gives.by === "argument" && isHere(gives.argument));
    if (again || free !== undefined || releases.length > 0) return "uses";
  }
  return undefined;
}

/** By the name of the module, or of the file that an import table says. */
function isKernelName(name: string): boolean {
  return /^(?:nt|hal)$|^(?:ntoskrnl|ntkrnl\w*|hal\w*)\.(?:exe|dll)$/i.test(name);
}
