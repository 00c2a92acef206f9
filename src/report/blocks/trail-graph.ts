import type { TrailApi } from "../../trail/apis.ts";
import { at, type Block, type GraphEdge, type GraphNode, type PointerSize } from "../block.ts";
import type { Reference } from "../scan-document.ts";
import type { Suspect, Trail } from "../trail-document.ts";
import { plural } from "../words.ts";

const MOST_FUNCTIONS = 8;
const MOST_APIS = 10;
const MOST_SUSPECTS = 8;

/** The way from the tag to who can make it grow: functions, what is exported and leads there, and who calls that. */
export function trailGraph(trail: Trail, size: PointerSize): readonly Block[] {
  const { tag } = trail;
  if (tag === null) return [];
  const suspects = trail.suspects.slice(0, MOST_SUSPECTS);
  const apis = [...trail.apis].sort((a, b) => usesOf(b, suspects) - usesOf(a, suspects)).slice(0, MOST_APIS);
  const functions = functionsOf(trail.references, size).slice(0, MOST_FUNCTIONS);
  const holders = (trail.objects?.holders ?? []).slice(0, 3);
  if (functions.length + apis.length + suspects.length + holders.length === 0) return [];
  const { conclusion } = trail;
  const named = conclusion.culprit?.name ?? null;
  return [
    {
      kind: "graph",
      title: `From \`${tag}\` to who can make it grow`,
      columns: [
        { title: "tag", nodes: [{ id: "tag", label: tag }] },
        {
          title: "allocates in",
          nodes: functions.map(
            ({ id, label, references }): GraphNode => ({
              id,
              label,
              below: plural(references.length, "place"),
            }),
          ),
        },
        { title: "exported", nodes: apis.map((api): GraphNode => ({ id: apiId(api), label: api.name })) },
        {
          title: "who",
          nodes: [
            ...suspects.map(
              (suspect): GraphNode => ({
                id: suspectId(suspect),
                label: suspect.module,
                below: suspect.publisher ?? suspect.verdict,
                named: suspect.module === named,
              }),
            ),
            ...holders.map(
              (holder): GraphNode => ({
                id: `process ${holder.name}`,
                label: holder.name ?? "a process",
                below: plural(holder.objects, "object"),
                named: holder.name === named,
              }),
            ),
          ],
        },
      ],
      edges: [
        ...functions.map(({ id, references }) =>
          edge("tag", id, references.length / trail.references.length, "the tag stands there"),
        ),
        ...functions.flatMap((one) =>
          apis
            .filter((api) => one.references.some((address) => api.references.includes(address)))
            .map((api) => edge(one.id, apiId(api), 0.4, `${api.name} leads there`)),
        ),
        ...suspects.flatMap((suspect) => apis.flatMap((api) => evidenceEdge(api, suspect))),
        ...holders.map((holder) => edge("tag", `process ${holder.name}`, 0.9, "holds objects by handles")),
      ],
    },
  ];
}

interface PlacedFunction {
  readonly id: string;
  readonly label: string;
  readonly references: readonly Reference["address"][];
}

/** Those that allocate, the ones with most places first. */
function functionsOf(references: readonly Reference[], size: PointerSize): readonly PlacedFunction[] {
  const found = new Map<string, { label: string; references: Reference["address"][] }>();
  for (const { address, module, use, function: place } of references) {
    if (use !== "allocate") continue;
    const id = `function ${module} ${place?.entry ?? "?"}`;
    const known = found.get(id) ?? {
      label: place?.name == null ? `${module} ${at(size, place?.entry ?? null)}` : `${module}!${place.name}`,
      references: [],
    };
    known.references.push(address);
    found.set(id, known);
  }
  return [...found]
    .map(([id, one]) => ({ id, ...one }))
    .sort((a, b) => b.references.length - a.references.length);
}

function apiId({ module, name }: TrailApi): string {
  return `api ${module}!${name}`;
}

function suspectId({ module }: Suspect): string {
  return `module ${module}`;
}

function edge(from: string, to: string, strength: number, title: string): GraphEdge {
  return { from, to, strength: Math.max(0, Math.min(1, strength)), title };
}

/** Points of clues that say nearly all there is to say. */
const MOST_POINTS = 40;

/** What a module's clues say of one function, whose name they all have. */
function evidenceEdge(api: TrailApi, suspect: Suspect): readonly GraphEdge[] {
  const clues = suspect.evidence.filter(({ detail }) => names(detail, api.name));
  if (clues.length === 0) return [];
  const points = clues.reduce((sum, clue) => sum + Math.max(0, clue.points), 0);
  return [
    edge(apiId(api), suspectId(suspect), points / MOST_POINTS, clues.map(({ detail }) => detail).join("; ")),
  ];
}

function usesOf(api: TrailApi, suspects: readonly Suspect[]): number {
  return suspects.filter(({ evidence }) => evidence.some(({ detail }) => names(detail, api.name))).length;
}

/** Whether a text has a name as a word of its own. */
function names(text: string, name: string): boolean {
  return text.split(/[^\w@?$]+/).includes(name);
}
