import { hex } from "../../core/address.ts";
import { grouped } from "../../core/text.ts";
import type { TrailApi } from "../../trail/apis.ts";
import type { FilterKind } from "../../trail/surroundings.ts";
import {
  accent,
  at,
  type Block,
  bold,
  dim,
  heading,
  type Line,
  type PointerSize,
  type Table,
  table,
} from "../block.ts";
import type { Suspect, TraceDocument, TraceInput, Trail } from "../trail-document.ts";
import { duration, percent, plural } from "../words.ts";
import { imageStrips } from "./image-strips.ts";
import { standsIn } from "./scan.ts";
import { trailGraph } from "./trail-graph.ts";

/**
 * `trace`: for each tag the verdict first, then what it stands on, then what is not known and what to do
 * next. Names the command that checks each part.
 */
export function traceBlocks({ more, input, ...first }: TraceDocument, size: PointerSize): readonly Block[] {
  const trails = [first, ...more];
  const several = trails.map(({ tag }) => `\`${tag}\``).join(", ");
  return [
    ...(input === null ? [] : [heading(...headLines(input, first))]),
    ...(more.length === 0 ? [] : [heading(`${trails.length} tags are traced: ${several}`)]),
    ...trails.flatMap((trail) => trailBlocks(trail, size)),
  ];
}

function trailBlocks(trail: Trail, size: PointerSize): readonly Block[] {
  return [
    ...section("Verdict", [
      ...signs(trail),
      bold(trail.conclusion.text),
      ...trail.conclusion.because,
      ...(trail.crash?.text ?? []),
    ]),
    ...(trail.tag === null
      ? []
      : [
          ...section(`Tag \`${trail.tag}\``, usage(trail)),
          ...section("Meaning", trail.known?.text ?? []),
          ...section("In step", trail.lockstep === null ? [] : [trail.lockstep.text]),
          ...section("Handles", handles(trail)),
          ...trailGraph(trail, size),
          ...section("References", references(trail, size)),
          ...imageStrips(trail),
          ...section("APIs", apis(trail, size)),
          ...section("Suspects", suspects(trail)),
          ...section("Filters", filters(trail)),
        ]),
    ...section("Not known", unknowns(trail)),
    ...section("Next", trail.next),
  ];
}

/** The lines that several trails of one dump share. */
function headLines(input: TraceInput, trail: Trail): readonly Line[] {
  const up = input.upTime === null ? "" : `, up ${duration(input.upTime)}`;
  const paging = input.paging === null || input.paging === input.machine ? "" : ` (${input.paging})`;
  const size = trail.coverage.reduce((sum, row) => sum + row.size, 0);
  const readable = trail.coverage.reduce((sum, row) => sum + row.readable, 0);
  return [
    `${input.file}: Windows build ${input.build}, ${input.machine}${paging}, ${input.dumpType} dump${up}`,
    dim(
      `${plural(input.modules, "module")}, ${percent(readable, size)} of their bytes readable (pooltrail modules)`,
    ),
  ];
}

const LABEL_WIDTH = 12;

function section(label: string, value: readonly (Line | Table)[]): readonly Block[] {
  if (value.length === 0) return [];
  return [{ kind: "facts", labels: "bold", width: LABEL_WIDTH, facts: [{ label, value }] }];
}

function usage(trail: Trail): readonly string[] {
  if (trail.usage === null) return ["usage not known (see below)"];
  const lines: string[] = [];
  for (const [pool, use] of [
    ["paged", trail.usage.paged],
    ["nonpaged", trail.usage.nonPaged],
  ] as const) {
    if (use.allocations === 0 && use.bytes === 0) continue;
    const each =
      use.outstanding > 0 ? `, ${grouped(Math.round(use.bytes / use.outstanding))} bytes each` : "";
    lines.push(
      `${pool} ${grouped(use.bytes)} bytes in ${plural(use.outstanding, "allocation")}${each}; ${grouped(use.frees)} of ${grouped(use.allocations)} freed`,
    );
  }
  return lines.length === 0 ? ["not in use"] : lines;
}

/** Whether the tag leaks at all comes before the question who leaks it. */
function signs({ tag, signs: found }: Trail): readonly string[] {
  if (found === null || found.looksLikeLeak === null) return [];
  const verdict = found.looksLikeLeak ? "looks like a leak" : "does not look like a leak";
  return [`\`${tag}\` ${verdict}: ${found.reasons.join("; ")}`];
}

const MOST_HOLDERS = 3;

/** What handles explain of an object's tag, and what they leave to references of the kernel and of drivers. */
function handles({ objects: account }: Trail): readonly string[] {
  if (account === null) return [];
  const { what, outstanding, handles: count, objects, holders, complete } = account;
  const unread = complete ? "" : ", in the tables that could be read";
  const most = holders
    .slice(0, MOST_HOLDERS)
    .map(({ name, pids, objects: held }) => {
      const who = pids.length === 1 ? `(${pids[0]})` : `(${pids.length} processes)`;
      return `${name ?? "-"} ${who} ${grouped(held)}`;
    })
    .join(", ");
  if (what === "table-pages")
    return [
      `${plural(count, "handle")} on ${plural(objects, "page")} of tables${unread}, of ${plural(outstanding, "allocation")}${most === "" ? "" : `: ${most}`}    (pooltrail handles)`,
    ];
  const left = Math.max(0, outstanding - objects);
  return [
    `${plural(count, "handle")} to ${plural(objects, "object")} of ${grouped(outstanding)}${unread}${most === "" ? "" : `: ${most}`}    (pooltrail handles)`,
    ...(left > objects
      ? [`${grouped(left)} have no handle: the kernel or a driver refers to them, or did not free them`]
      : []),
  ];
}

const MOST_FILTERS = 8;

const FILTERS: Readonly<Record<FilterKind, string>> = {
  minifilter: "minifilter",
  "file-system-filter": "file system filter",
  "network-filter": "network filter",
  callout: "callout of the filtering platform",
  "registry-callback": "registry callback",
  "object-callback": "object callback",
  "notify-routine": "notify routine",
  import: "called through an import of Windows' own",
};

/** Who hangs in between counts where no driver and no process is named: some leaks need one, others need that there is none. */
function filters({ filters: found, conclusion: { culprit, leaks } }: Trail): readonly string[] {
  const named = culprit?.kind === "driver" || culprit?.kind === "process";
  if (found === null || named || leaks !== true) return [];
  if (found.length === 0) return ["none: no filter, callout or callback of anybody but Microsoft was seen"];
  const shown = found
    .slice(0, MOST_FILTERS)
    .map(({ module, kinds }) => `${module} (${kinds.map((kind) => FILTERS[kind]).join(", ")})`);
  const more = found.length - shown.length;
  return [`not Microsoft's, in between: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
}

const MOST_REFERENCES = 40;
/** A tag in names and tables says nothing more the tenth time. */
const MOST_IN_DATA = 3;

function references(trail: Trail, size: PointerSize): readonly (Line | Table)[] {
  if (trail.references.length === 0) return ["none in what could be read"];
  let inData = 0;
  const worth = trail.references.filter(({ use }) => use !== "data" || ++inData <= MOST_IN_DATA);
  const rows = worth
    .slice(0, MOST_REFERENCES)
    .map((reference) => [
      at(size, reference.address),
      reference.use,
      standsIn(reference, size),
      reference.detail ?? "",
    ]);
  const folded = Math.max(0, inData - MOST_IN_DATA);
  const more = worth.length - rows.length;
  return [
    `${byModule(trail)}                  (pooltrail scan)`,
    ...table([{ title: "address" }, { title: "use" }, { title: "stands in" }, { title: "" }], rows),
    ...(folded > 0 ? [`and ${plural(folded, "more place")} in data`] : []),
    ...(more > 0 ? [`and ${grouped(more)} more`] : []),
  ];
}

function byModule(trail: Trail): string {
  const counts = new Map<string, number>();
  for (const reference of trail.references)
    counts.set(reference.module, (counts.get(reference.module) ?? 0) + 1);
  return [...counts].map(([module, count]) => `${count} in ${module}`).join(", ");
}

const MOST_APIS = 24;

function apis(trail: Trail, size: PointerSize): readonly (Line | Table)[] {
  if (trail.apis.length === 0)
    return ["no exported function leads to an allocation with this tag, in what could be read"];
  const rows = trail.apis
    .slice(0, MOST_APIS)
    .map((api) => [
      `${api.module}!${api.name}`,
      at(size, api.address),
      reach(api),
      api.documented === null ? "" : api.documented ? "documented" : "not documented",
    ]);
  const columns = ["exported function", "address", "how it leads there", ""].map((title) => ({ title }));
  const more = trail.apis.length - MOST_APIS;
  return [...table(columns, rows), ...(more > 0 ? [`and ${grouped(more)} more`] : [])];
}

function reach(api: TrailApi): string {
  if (api.basis === "nearest-export") return "nearest export below a reference: not proven";
  if (api.depth === 0) return `allocates itself, ${plural(api.references.length, "place")}`;
  return `calls ${api.path.slice(1).join(" -> ")}`;
}

const MOST_EVIDENCE = 5;
const MOST_SUSPECTS = 8;

function suspects(trail: Trail): readonly Line[] {
  if (trail.suspects.length === 0)
    return ["no module holds any of these functions' addresses, in what could be read"];
  const cleared = trail.suspects.filter(isCleared);
  const others = trail.suspects.filter((suspect) => !isCleared(suspect));
  const shown = others.slice(0, MOST_SUSPECTS);
  const more = others.length - shown.length;
  return [
    ...shown.flatMap((suspect) => [
      [
        `${`${suspect.rank}`.padStart(2)}  `,
        accent(suspect.module),
        `   ${suspect.verdict}   ${side(suspect)}${start(suspect)}${coverage(suspect)}`,
      ],
      ...suspect.evidence.slice(0, MOST_EVIDENCE).map(({ points, detail, command }): Line => {
        const sign = points > 0 ? "+" : points < 0 ? "-" : " ";
        const text = `    ${sign} ${detail}`;
        return command === null ? text : [text, dim(`   (${command})`)];
      }),
      ...(suspect.evidence.length > MOST_EVIDENCE
        ? [`      and ${suspect.evidence.length - MOST_EVIDENCE} more`]
        : []),
    ]),
    ...(cleared.length > 0 ? [`    ${clearedLine(cleared)}`] : []),
    ...(more > 0
      ? [`    and ${plural(more, "module")} with less against ${more === 1 ? "it" : "them"} (--json has all)`]
      : []),
  ];
}

/** Microsoft's own that call such functions, and of which nothing was seen that a leak needs. */
function isCleared({ thirdParty, evidence }: Suspect): boolean {
  return thirdParty === false && !evidence.some(({ kind, points }) => points > 0 && KEEPS.has(kind));
}

const KEEPS: ReadonlySet<string> = new Set(["forgotten", "kept", "allocates", "pool-content", "on-stack"]);
const MOST_CLEARED = 6;

function clearedLine(cleared: readonly Suspect[]): string {
  const names = cleared.slice(0, MOST_CLEARED).map(({ module }) => module);
  const more = cleared.length - names.length;
  return `nothing against ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""} of Microsoft, which ${cleared.length === 1 ? "calls or imports" : "call or import"} them (--json has all)`;
}

function start({ service }: Suspect): string {
  if (service === null) return "";
  return `, ${service.start ?? "unknown"} start${service.group === null ? "" : ` (group ${service.group})`}`;
}

function side(suspect: Suspect): string {
  const company = suspect.publisher === null ? "" : ` (${suspect.publisher})`;
  if (suspect.thirdParty === null) return "publisher unknown";
  const basis = suspect.publisherBasis === null ? "" : `, by its ${suspect.publisherBasis}`;
  return `${suspect.thirdParty ? "third party" : "Microsoft"}${company}${basis}`;
}

function coverage(suspect: Suspect): string {
  const { readable, size } = suspect.coverage;
  return readable === size ? "" : `, ${percent(readable, size)} of it read`;
}

function unknowns(trail: Trail): readonly string[] {
  const partly = trail.coverage.filter((row) => row.readable < row.size);
  const lines = [...trail.notes];
  if (partly.length > 0) {
    const missing = partly.reduce((sum, row) => sum + row.size - row.readable, 0);
    lines.push(
      `${grouped(missing)} bytes (${hex(missing)}) of ${plural(partly.length, "module")} could not be read: what stands there is unknown, not absent (pooltrail modules)`,
    );
  }
  return lines;
}
