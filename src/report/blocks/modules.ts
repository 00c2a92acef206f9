import { hex } from "../../core/address.ts";
import { grouped } from "../../core/text.ts";
import {
  at,
  type Block,
  bold,
  type Facts,
  heading,
  notes,
  type PointerSize,
  stoppedNote,
  table,
} from "../block.ts";
import type { ModulesDocument } from "../documents.ts";
import { toolWords } from "../tool-words.ts";
import { percent, plural, timestampText } from "../words.ts";

/** `modules`: as `lm`, with what could be read of each image and who made it. */
export function modulesBlocks(document: ModulesDocument, size: PointerSize): readonly Block[] {
  const loaded = table(
    [
      { title: "start" },
      { title: "end" },
      { title: "module name" },
      { title: "size", align: "right" },
      { title: "readable", align: "right" },
      { title: "time stamp" },
      { title: "publisher" },
    ],
    document.modules.map((module) => [
      at(size, module.base),
      at(size, module.end),
      module.name,
      grouped(module.size),
      percent(module.readableBytes, module.size),
      module.timestamp === null ? "-" : module.timestamp.toString(16).padStart(8, "0"),
      `${publisher(module.publisher, module.thirdParty, module.publisherBasis)}${module.tool === null ? "" : `; ${toolWords(module.tool)}`}`,
    ]),
  );
  const unloaded = table(
    [{}, {}, {}],
    document.unloaded.map((module) => [at(size, module.base), at(size, module.end), module.name]),
  );
  const [one, ...others] = document.modules;
  return [
    ...loaded,
    ...(one === undefined || others.length > 0 ? [] : [detailsOf(one)]),
    ...unloaded.map((rows) => ({ ...rows, heading: bold("Unloaded modules:") })),
    heading(plural(document.modules.length, "module")),
    notes(
      stoppedNote("the module list", document.stopped),
      stoppedNote("the list of unloaded modules", document.unloadedStopped),
      document.notes,
    ),
  ];
}

/** What the table has no room for, as `lmvm` shows it. */
function detailsOf(module: ModulesDocument["modules"][number]): Facts {
  const { path, imageName, timestamp, checksum } = module;
  const facts = [
    ["image path", path ?? "-"],
    ["image name", imageName ?? "-"],
    ["time stamp", timestamp === null ? "-" : `${hex(timestamp)}, ${timestampText(timestamp)}`],
    ["checksum", checksum === null ? "-" : hex(checksum)],
    ["bytes readable", `${grouped(module.readableBytes)} of ${grouped(module.size)}`],
  ] as const;
  return { kind: "facts", labels: "dim", facts: facts.map(([label, value]) => ({ label, value: [value] })) };
}

/** `Contoso Ltd. (third party, by its version resource)`. */
function publisher(company: string | null, thirdParty: boolean | null, basis: string | null): string {
  if (basis === null) return "unknown";
  const side = thirdParty === null ? "" : thirdParty ? "third party, " : "";
  return `${company ?? (thirdParty ? "not named" : "Microsoft")} (${side}by its ${basis})`;
}
