import { argumentOf, argumentPlaces } from "../code/call-site.ts";
import type { Fates } from "../code/fates.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { functionsNaming, placed } from "../code/xrefs.ts";
import type { DecodedModule } from "./module-codes.ts";

/**
 * The variables because of which a call is made once: it is made only while one of them is empty, it fills that one, and
 * no code empties it again.
 */
export function filledOnce(
  decoded: DecodedModule,
  from: CodeFunction,
  at: number,
  { emptyBefore = [], stored }: Fates,
): readonly number[] {
  if (emptyBefore.length === 0) return [];
  const filled = new Set(stored.flatMap(({ keeping }) => (keeping.in === "global" ? [keeping.rva] : [])));
  for (const rva of givenVariables(decoded, from, at)) filled.add(rva);
  return emptyBefore.filter((rva) => filled.has(rva) && !isEmptied(decoded, rva));
}

/** Variables whose addresses a call is given. */
function givenVariables({ flows, image }: DecodedModule, from: CodeFunction, at: number): readonly number[] {
  const site = flows.siteAt(from, at);
  if (site === undefined) return [];
  const { abi } = image.code.set;
  const [callee] = flows.callees.of(site);
  return argumentPlaces(abi, site, callee?.name).flatMap((place) =>
    placed(image, argumentOf(abi, site, place)).flatMap((atom) =>
      atom.kind === "address" ? [atom.rva] : [],
    ),
  );
}

/** Whether something else than what a call gave may be put into a variable, or nobody knows who names it. */
function isEmptied({ flows, image }: DecodedModule, rva: number): boolean {
  const users = functionsNaming(image, [rva]);
  if (users.length === 0) return true;
  return users.some((user) => {
    const { events, truncated } = flows.of(user);
    const puts = events.filter(({ kind, place }) => kind === "store" && place === rva);
    return (
      truncated || puts.some(({ value }) => !value.every(({ kind }) => kind === "result" || kind === "left"))
    );
  });
}
