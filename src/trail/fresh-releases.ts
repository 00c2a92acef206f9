import type { Atom } from "../code/abstract-value.ts";
import { namesOf } from "../code/callees.ts";
import { controlFlowOf } from "../code/control-flow-graph.ts";
import type { Rva } from "../core/address.ts";
import { groupBy } from "../core/search.ts";
import type { DecodedModule } from "./module-codes.ts";
import { acquirersNamed } from "./pairs/table.ts";
import type { ReleaseCall } from "./release-calls.ts";

/** Whether a release is of what a call has just given, and that stands nowhere else: it is of nothing that was kept. */
export function isFresh(release: ReleaseCall, decoded: DecodedModule, calls: ReadonlySet<number>): boolean {
  const { value, behind } = release;
  if (behind !== undefined || value.length === 0) return false;
  return value.every((atom) => {
    if (atom.kind !== "left" && atom.kind !== "result") return false;
    return calls.has(atom.call) || givesNew(decoded, atom);
  });
}

/** Releases of what one call gave that stand on one way: it gave one reference, and one of them gives back another. */
export function givenBackTwice(
  releases: readonly ReleaseCall[],
  { flows, image }: DecodedModule,
): ReadonlySet<Rva> {
  const found = new Set<Rva>();
  for (const [call, same] of groupBy(releases, ({ value: [only, ...others] }) =>
    others.length === 0 && (only?.kind === "left" || only?.kind === "result") ? only.call : undefined,
  )) {
    const [from] = call === undefined ? [] : image.functions.owning(call);
    if (call === undefined || from === undefined || same.length < 2) continue;
    const control = controlFlowOf(flows.of(from));
    for (const { at: one } of same)
      for (const { at: other } of same)
        if (one !== other && control.leadsTo(one, other, call)) found.add(one).add(other);
  }
  return found;
}

/** Whether a call is documented to give its caller what it left or returned. */
function givesNew(
  { flows, image }: DecodedModule,
  { kind, call }: Atom & { readonly kind: "left" | "result" },
): boolean {
  const [from] = image.functions.owning(call);
  const site = from === undefined ? undefined : flows.siteAt(from, call);
  const names = site === undefined ? [] : flows.callees.of(site).flatMap(namesOf);
  const by = kind === "result" ? "return" : "out";
  return names.some((name) => acquirersNamed(name).some(({ gives }) => gives.by === by));
}
