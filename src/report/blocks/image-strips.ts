import { hex } from "../../core/address.ts";
import type { Block } from "../block.ts";
import type { Trail } from "../trail-document.ts";
import { plural } from "../words.ts";

const MOST_IMAGES = 16;

/** Where in each image the tag stands, and what of it could not be read: of those that have it, or are suspects. */
export function imageStrips(trail: Trail): readonly Block[] {
  const { tag, references, suspects, coverage } = trail;
  const held = new Set([...references.map(({ module }) => module), ...suspects.map(({ module }) => module)]);
  const shown = coverage.filter(({ module }) => held.has(module)).slice(0, MOST_IMAGES);
  if (tag === null || shown.length === 0) return [];
  return [
    {
      kind: "strips",
      title: `Where \`${tag}\` stands in each image; what is left open could not be read`,
      strips: shown.map(({ module, size, unread }) => ({
        label: module,
        length: size,
        gaps: unread.map(({ rva, length }) => ({
          start: rva,
          length,
          text: `${module}+${hex(rva)}: ${plural(length, "byte")} could not be read`,
        })),
        marks: references
          .filter((reference) => reference.module === module)
          .map(({ rva, use }) => ({ at: rva, text: `${module}+${hex(rva)}: ${use}` })),
      })),
    },
  ];
}
