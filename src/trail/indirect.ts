import type { CodeFunction } from "../code/function-table.ts";
import type { Va } from "../core/address.ts";
import { accuseBalance, type Case } from "./accuse.ts";
import { type CallSite, findCallSites } from "./call-sites.ts";
import type { Acquisition } from "./evidence/balance.ts";
import { findHolders, type HeldFunction } from "./importers.ts";
import { reachedFrom } from "./reach.ts";
import type { SearchLimits } from "./references.ts";
import type { TrailModule } from "./target.ts";
import { SECOND_HAND_FACTOR, WEIGHTS } from "./weights.ts";

/** A driver's exported function that calls an API, and the call. */
interface Relay extends HeldFunction {
  readonly through: CallSite;
}

/**
 * Modules that call an exported function of another driver (fltmgr, ndis, a class driver) which in turn
 * calls an API: one step, and labelled as such.
 */
export function accuseIndirect(
  case_: Case,
  sites: readonly CallSite[],
  limits: SearchLimits,
): readonly CallSite[] {
  const relays = relaysOf(case_, sites);
  if (relays.length === 0) return [];
  const found: CallSite[] = [];
  const holdings = findHolders(case_.target, relays, limits);
  const modules = new Set(holdings.map((holding) => holding.module));
  for (const module of modules) {
    const decoded = case_.codes.of(module);
    if (decoded === undefined) continue;
    const own = holdings.filter((holding) => holding.module === module);
    const given: Acquisition[] = [];
    for (const site of findCallSites(module, decoded, own)) {
      const relay = relays.find((candidate) => candidate.address === site.function.address);
      if (relay === undefined) continue;
      const { function: api, caller } = relay.through;
      case_.charges
        .of(module)
        .add("indirect", case_.charges.of(module).has("indirect") ? 0 : WEIGHTS.indirect, {
          kind: "indirect",
          address: site.address,
          detail: `calls ${relay.module}!${relay.name}, which calls ${api.module}!${api.name} (in ${caller})`,
        });
      found.push(site);
      given.push({ name: api.name, address: site.address });
    }
    accuseBalance(case_, module, given, "indirect", SECOND_HAND_FACTOR);
  }
  return found;
}

function relaysOf({ codes }: Case, sites: readonly CallSite[]): readonly Relay[] {
  const byModule = new Map<TrailModule, CallSite[]>();
  for (const site of sites) {
    if ((site.module.image?.exports.items.length ?? 0) === 0) continue;
    const same = byModule.get(site.module);
    if (same === undefined) byModule.set(site.module, [site]);
    else same.push(site);
  }
  const relays: Relay[] = [];
  for (const [module, own] of byModule) {
    const decoded = codes.of(module);
    if (decoded === undefined) continue;
    const leads = new Map<number, { from: CodeFunction; site: CallSite }>();
    for (const site of own) leads.set(site.edge.from.entry, { from: site.edge.from, site });
    for (const found of reachedFrom(
      module.name,
      decoded,
      [...leads.values()].map(({ from }) => from),
    ).exports) {
      const through = found.leads.map((entry) => leads.get(entry)?.site).find((site) => site !== undefined);
      if (through === undefined) continue;
      relays.push({
        module: module.name,
        name: found.name,
        address: (module.base + BigInt(found.entry)) as Va,
        through,
      });
    }
  }
  return relays;
}
