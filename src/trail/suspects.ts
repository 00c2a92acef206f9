import { windbgHex } from "../core/address.ts";
import type { Coverage } from "./coverage.ts";
import type { Holding } from "./importers.ts";
import type { TrailModule, TrailTarget } from "./target.ts";
import type { Evidence, Suspect, Verdict } from "./trail.ts";

/** What was found against one module. */
export interface Charge {
  readonly module: TrailModule;
  readonly verdict: Verdict;
  readonly evidence: readonly Evidence[];
}

/** Ranks modules: whose code is not Microsoft's first, then by how strong the verdict is. */
export function rankSuspects(charges: readonly Charge[], coverage: readonly Coverage[]): readonly Suspect[] {
  const sorted = [...charges].sort((a, b) => compare(a, b));
  const suspects: Suspect[] = [];
  sorted.forEach((charge, i) => {
    const previous = sorted[i - 1];
    const above = suspects.at(-1);
    const tied = previous !== undefined && above !== undefined && compare(previous, charge) === 0;
    const { name, publisher, size } = charge.module;
    suspects.push({
      rank: tied ? above.rank : i + 1,
      module: name,
      verdict: charge.verdict,
      thirdParty: publisher.thirdParty,
      publisher: publisher.company,
      publisherBasis: publisher.basis,
      evidence: charge.evidence,
      coverage: coverage.find((row) => row.module === name) ?? {
        module: name,
        readable: 0,
        size,
        fromFile: 0,
      },
    });
  });
  return suspects;
}

/** The modules that hold the functions' addresses, with each place as evidence. */
export function chargeHolders(target: TrailTarget, holdings: readonly Holding[]): readonly Charge[] {
  const byModule = new Map<TrailModule, Holding[]>();
  for (const holding of holdings) {
    const known = byModule.get(holding.module);
    if (known === undefined) byModule.set(holding.module, [holding]);
    else known.push(holding);
  }
  return [...byModule].map(([module, held]) => ({
    module,
    verdict: held.some((holding) => holding.slot !== null) ? "imports" : "unknown",
    evidence: held.map((holding) => evidenceOf(holding, target.space.pointerSize)),
  }));
}

function evidenceOf(holding: Holding, pointerSize: 4 | 8): Evidence {
  const function_ = `${holding.function.module}!${holding.function.name}`;
  const slot = holding.slot === "delay-iat" ? "delay-import slot" : "import slot";
  const at = windbgHex(holding.function.address, pointerSize);
  const detail = {
    both: `${slot} holds ${at}, and is declared as ${function_}`,
    address: holding.slot === null ? `holds ${at}, ${function_}` : `${slot} holds ${at}, ${function_}`,
    name: `${slot} is declared as ${function_}; what it holds cannot be told`,
    disagree: `${slot} is declared as ${function_}, but holds another address`,
  }[holding.basis];
  return { kind: holding.slot === null ? "pointer" : "imports", address: holding.address, detail };
}

const VERDICTS: readonly Verdict[] = [
  "owns-tag",
  "calls",
  "looks-up-at-run-time",
  "imports",
  "indirect",
  "unknown",
];

function compare(a: Charge, b: Charge): number {
  const side = (charge: Charge): number => {
    const { thirdParty } = charge.module.publisher;
    return thirdParty === true ? 0 : thirdParty === null ? 1 : 2;
  };
  return side(a) - side(b) || VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict);
}
